/**
 * What people write to each other: a text, perhaps as the reply to a message, perhaps with attachments.
 *
 *     DataMessage   1 body   2 attachments   8 quote { 1 id  when the quoted message was sent   2 author   5 msgId }   10 preview
 *
 * Implements CON-09, CON-10.
 */
import type { AccountId } from '../account/account-id.ts'
import { ProtocolError } from '../protocol-error.ts'
import type { Content } from './content.ts'
import type { DataMessage } from './data-message.ts'
import { type Expiry, expiryFields } from './disappearing.ts'
import { type MessageReference, readReference, referenceFields } from './message-reference.ts'
import { readText, requireText } from './message-text.ts'
import { profileFields, type SenderProfile } from './sender-profile.ts'
import { type Sending, sentContent } from './sending.ts'

export type Attachment = NonNullable<DataMessage['attachments']>[number]
export type LinkPreview = NonNullable<DataMessage['preview']>[number]

/** A message to send. The copy for one's own devices is made of its content, with `ownCopyOf`. */
export interface OutgoingMessage extends Sending {
  /** At most 2000 code points; not empty unless there are attachments. */
  readonly body: string
  /** What it replies to. */
  readonly quote?: MessageReference
  readonly attachments?: readonly Attachment[]
  readonly previews?: readonly LinkPreview[]
  readonly profile?: SenderProfile
  readonly expiry?: Expiry
}

export interface ConversationMessage {
  /** Empty where there are attachments only. */
  readonly body: string
  /** What it replies to; `unresolvable` when that is no message of an account, and only that it is a reply can be shown. */
  readonly quote?: MessageReference | 'unresolvable'
  readonly attachments: readonly Attachment[]
  readonly previews: readonly LinkPreview[]
}

/** A message as a content. Throws `bad-input` for one that says nothing, a text that is too long, and what its parts refuse. */
export function messageContent(message: OutgoingMessage): Content {
  const { body, quote, attachments = [], previews = [], profile, expiry } = message
  requireText(body)
  if (body === '' && attachments.length === 0)
    throw new ProtocolError('bad-input', 'CON-09', 'a message has neither text nor attachment')
  const dataMessage = {
    ...(body === '' ? {} : { body }),
    ...(attachments.length === 0 ? {} : { attachments }),
    ...(quote === undefined ? {} : { quote: quoteFields(quote) }),
    ...(previews.length === 0 ? {} : { preview: previews }),
    ...profileFields(profile),
  }
  return sentContent(message, { dataMessage, ...expiryFields(expiry) })
}

/**
 * The message of a data message; undefined when it says nothing. Throws `malformed` for a text that is too long, a reply without
 * one.
 */
export function readConversationMessage(dataMessage: DataMessage): ConversationMessage | undefined {
  const { body = '', attachments = [], preview: previews = [], quote } = dataMessage
  if (body === '' && attachments.length === 0) {
    if (quote !== undefined) throw new ProtocolError('malformed', 'CON-10', 'a reply has neither text nor attachment')
    return undefined
  }
  const said = { body: readText(body), attachments, previews }
  return quote === undefined ? said : { ...said, quote: readQuote(quote) }
}

/**
 * The account ID that a copy for one's own devices names. Throws `malformed` when `sender` is not oneself, or it is no account
 * ID.
 */
export function readSyncTarget(syncTarget: string, sender: AccountId, self: AccountId): AccountId {
  if (sender !== self) throw new ProtocolError('malformed', 'CON-08', 'somebody else names the conversation of a message')
  return readReference('CON-08', 1n, syncTarget, undefined).author
}

function quoteFields(quote: MessageReference): NonNullable<DataMessage['quote']> {
  const { timestamp, ...named } = referenceFields('CON-10', quote)
  return { id: timestamp, ...named }
}

/** A quote that names nothing does not cost the text: the author may be an ID of a kind that has no account behind it. */
function readQuote({ id, author, msgId }: NonNullable<DataMessage['quote']>): MessageReference | 'unresolvable' {
  try {
    return readReference('CON-10', id, author, msgId)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    return 'unresolvable'
  }
}
