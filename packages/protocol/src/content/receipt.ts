/**
 * That messages were read, and that somebody is typing.
 *
 *     Content.receiptMessage   1 type  1 read   2 timestamp  when each was sent   3 msgId  of each, 0 for none
 *     Content.typingMessage    1 timestamp  that of the content   2 action  0 started, 1 stopped
 *
 * Implements CON-16, CON-17.
 */
import type { AccountId } from '../account/account-id.ts'
import { ProtocolError } from '../protocol-error.ts'
import type { Content } from './content.ts'
import { readTimeMs, timeField } from './content-time.ts'
import { type MessageReference, withMsgId } from './message-reference.ts'
import { type Sending, sentContent } from './sending.ts'

/** Messages that one receipt names, as written and as read: more than a message of the swarm can name. */
export const RECEIPT_MAX_MESSAGES = 1000
export const RECEIPT_READ_MAX_MESSAGES = 8192
/** How long typing lasts that is not confirmed, and how long the swarm keeps a typing message. */
export const TYPING_TTL_MS = 20_000

const READ = 1
const ACTION = { started: 0, stopped: 1 } as const

/**
 * That these messages of the other side were read now. Throws `bad-input` for none, more than 1000, several authors, or a wrong
 * time.
 */
export function readReceiptContent(sending: Sending, messages: readonly MessageReference[]): Content {
  if (messages.length === 0 || messages.length > RECEIPT_MAX_MESSAGES)
    throw new ProtocolError(
      'bad-input',
      'CON-16',
      `a receipt names 1 to ${RECEIPT_MAX_MESSAGES} messages, not ${messages.length}`,
    )
  if (messages.some(({ author }) => author !== messages[0]?.author))
    throw new ProtocolError('bad-input', 'CON-16', 'a receipt names messages of one author')
  const timestamp = messages.map(({ sentAtMs }) => timeField('CON-16', sentAtMs, 'what was read'))
  const msgId = messages.map(message => message.msgId ?? 0n)
  const identified = msgId.some(id => id !== 0n) ? { msgId } : {}
  return sentContent(sending, { receiptMessage: { type: READ, timestamp, ...identified } })
}

/**
 * The messages of one's own that the sender has read; undefined for a receipt of another type, which older clients sent at
 * delivery. Throws `malformed` for no message, more than 8192, or a time that is none.
 */
export function readReadReceipt(
  { type, timestamp = [], msgId = [] }: NonNullable<Content['receiptMessage']>,
  self: AccountId,
): readonly MessageReference[] | undefined {
  if (type !== READ) return undefined
  if (timestamp.length === 0 || timestamp.length > RECEIPT_READ_MAX_MESSAGES)
    throw new ProtocolError('malformed', 'CON-16', `a receipt names ${timestamp.length} messages`)
  const aligned = msgId.length === timestamp.length
  return timestamp.map((value, at) => {
    return { author: self, sentAtMs: readTimeMs('CON-16', value, 'what was read'), ...withMsgId(aligned ? msgId[at] : undefined) }
  })
}

/** That one began or ceased to type. Throws `bad-input` for a time that is none. */
export function typingContent(sending: Sending, action: 'started' | 'stopped'): Content {
  const timestamp = timeField('CON-17', sending.sentAtMs, 'when one types')
  return sentContent(sending, { typingMessage: { timestamp, action: ACTION[action] } })
}

/** Whether the sender types. Throws `malformed` for an action that is none. */
export function readTyping({ action }: NonNullable<Content['typingMessage']>): 'started' | 'stopped' {
  if (action === ACTION.started) return 'started'
  if (action === ACTION.stopped) return 'stopped'
  throw new ProtocolError('malformed', 'CON-17', `${action} is no action of typing`)
}
