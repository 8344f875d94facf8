/**
 * A content as the one thing that it says in a conversation between two people:
 *
 *     Content   1 dataMessage ┬ 1 2 8 10 message   11 reaction   4 timer-change (bit 1)   102 120 other
 *               5 receiptMessage  read             6 typingMessage  typing       8 dataExtractionNotification  data-extraction
 *               9 unsendRequest   unsend          10 messageRequestResponse  request-response            3 11 other
 *
 * Implements CON-06, CON-07, CON-08, CON-25.
 */
import type { AccountId } from '../account/account-id.ts'
import { ProtocolError } from '../protocol-error.ts'
import type { Content } from './content.ts'
import { readTimeMs } from './content-time.ts'
import { type ConversationMessage, readConversationMessage, readSyncTarget } from './conversation-message.ts'
import { type DataExtraction, readDataExtraction } from './data-extraction.ts'
import type { DataMessage } from './data-message.ts'
import { type Expiry, readExpiry, readTimerChange, TIMER_CHANGE_FLAG } from './disappearing.ts'
import { type MessageReference, withMsgId } from './message-reference.ts'
import { type Reaction, readReaction } from './reaction.ts'
import { readReadReceipt, readTyping } from './receipt.ts'
import { readProfile, type SenderProfile } from './sender-profile.ts'
import { readUnsend } from './unsend.ts'

/** What is known of a content besides what is in it. */
export interface ContentOrigin {
  /** Who reads. */
  readonly self: AccountId
  /** Who signed it. */
  readonly sender: AccountId
  /** The time of a V1 envelope, in milliseconds since the epoch, for contents of older clients that name none. */
  readonly envelopeMs?: number
}

/**
 * What is said. `other` is what this chapter does not read: calls, groups, invitations, config, and what newer clients may have.
 */
export type Statement =
  | ({ readonly kind: 'message' } & ConversationMessage)
  | ({ readonly kind: 'reaction' } & Reaction)
  | { readonly kind: 'timer-change'; readonly setting: Expiry | undefined }
  | { readonly kind: 'unsend'; readonly target: MessageReference }
  | { readonly kind: 'read'; readonly messages: readonly MessageReference[] }
  | { readonly kind: 'typing'; readonly action: 'started' | 'stopped' }
  | ({ readonly kind: 'data-extraction' } & DataExtraction)
  /** Without approval, which nobody sends, nothing changes. */
  | { readonly kind: 'request-response'; readonly approved: boolean }
  | { readonly kind: 'other' }

/** A statement with who made it, when and where. */
export interface ConversationContent {
  readonly said: Statement
  /** `author` is who sent the content. */
  readonly message: MessageReference
  /**
   * Whom one talks to there, oneself in the note to self. Missing for an unsend request of one's own: it is about any
   * conversation.
   */
  readonly conversation?: AccountId
  /** How what is said disappears; missing when it stays. */
  readonly expiry?: Expiry
  /** What the sender says of himself beside it. */
  readonly profile?: SenderProfile
}

const NOTICES = [
  'receiptMessage',
  'typingMessage',
  'dataExtractionNotification',
  'messageRequestResponse',
  'callMessage',
  'sharedConfigMessage',
] as const

/**
 * What `content` says. Throws `malformed` for two things at once, for what its sender cannot say, and for what its parts refuse.
 */
export function readConversationContent(content: Content, origin: ContentOrigin): ConversationContent {
  const said = readStatement(content, origin)
  const { self, sender, envelopeMs } = origin
  const sigTimestamp = content.sigTimestamp ?? (Number.isSafeInteger(envelopeMs) ? BigInt(envelopeMs as number) : undefined)
  const sentAtMs = readTimeMs('CON-07', sigTimestamp, 'when a message was sent')
  const syncTarget = content.dataMessage?.syncTarget
  const conversation = syncTarget === undefined ? sender : readSyncTarget(syncTarget, sender, self)
  const expiry = said.kind === 'unsend' ? undefined : readExpiry(content)
  const profile = readProfile(content.dataMessage ?? content.messageRequestResponse ?? {})
  return {
    said,
    message: { author: sender, sentAtMs, ...withMsgId(content.msgId) },
    ...(said.kind === 'unsend' && sender === self ? {} : { conversation }),
    ...(expiry === undefined ? {} : { expiry }),
    ...(profile === undefined ? {} : { profile }),
  }
}

function readStatement(content: Content, { self, sender }: ContentOrigin): Statement {
  const { dataMessage, unsendRequest } = content
  const parts = [dataMessage, unsendRequest, ...NOTICES.map(name => content[name])].filter(part => part !== undefined)
  if (parts.length > 1) throw new ProtocolError('malformed', 'CON-06', `a content says ${parts.length} things at once`)
  if (dataMessage !== undefined) return readDataMessage(dataMessage, content)
  if (unsendRequest !== undefined) return { kind: 'unsend', ...readUnsend(unsendRequest, sender, self) }
  return sender === self ? { kind: 'other' } : readNotice(content, self)
}

function readDataMessage(dataMessage: DataMessage, content: Content): Statement {
  const { reaction, flags = 0, communityInvitation, groupUpdateMessage } = dataMessage
  if (communityInvitation !== undefined || groupUpdateMessage !== undefined) return { kind: 'other' }
  const changesTimer = (flags & TIMER_CHANGE_FLAG) !== 0
  const { body = '', attachments = [], quote } = dataMessage
  const writes = body !== '' || attachments.length > 0 || quote !== undefined
  if (Number(writes) + Number(reaction !== undefined) + Number(changesTimer) > 1)
    throw new ProtocolError('malformed', 'CON-06', 'a data message is two of a message, a reaction and a change of the timer')
  if (reaction !== undefined) return { kind: 'reaction', ...readReaction(reaction) }
  if (changesTimer) return { kind: 'timer-change', setting: readTimerChange(content) }
  const message = readConversationMessage(dataMessage)
  return message === undefined ? { kind: 'other' } : { kind: 'message', ...message }
}

/** What the other side alone says. */
function readNotice(content: Content, self: AccountId): Statement {
  const { receiptMessage, typingMessage, dataExtractionNotification, messageRequestResponse } = content
  if (receiptMessage !== undefined) {
    const messages = readReadReceipt(receiptMessage, self)
    return messages === undefined ? { kind: 'other' } : { kind: 'read', messages }
  }
  if (typingMessage !== undefined) return { kind: 'typing', action: readTyping(typingMessage) }
  if (dataExtractionNotification !== undefined)
    return { kind: 'data-extraction', ...readDataExtraction(dataExtractionNotification) }
  if (messageRequestResponse !== undefined) return { kind: 'request-response', approved: messageRequestResponse.isApproved }
  return { kind: 'other' }
}
