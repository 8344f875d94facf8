/**
 * That the other side kept what was said: by a screenshot, or by saving an attachment.
 *
 *     Content.dataExtractionNotification
 *         1 type  1 screenshot, 2 media saved   2 timestamp  when the message was sent, from older clients
 *         3 msgTimestamp  the same              4 msgId      5 attIndex  which attachment, -1 all
 *
 * Implements CON-18.
 */
import { ProtocolError } from '../protocol-error.ts'
import type { Content } from './content.ts'
import { readTimeMs, timeField } from './content-time.ts'
import { type Expiry, expiryFields } from './disappearing.ts'
import { type MessageReference, saidMsgId, withMsgId } from './message-reference.ts'
import { type Sending, sentContent } from './sending.ts'

const SCREENSHOT = 1
const MEDIA_SAVED = 2
const ALL_ATTACHMENTS = -1
const INT32_MAX = 2 ** 31 - 1

type Notice = NonNullable<Content['dataExtractionNotification']>

/** The message is one that the notified side wrote. */
export type DataExtraction =
  | { readonly what: 'screenshot' }
  | {
      readonly what: 'media-saved'
      readonly message?: Omit<MessageReference, 'author'>
      /** From 0 up. Missing when the sender does not say. */
      readonly attachment?: number | 'all'
    }

/**
 * The notice, which disappears like a message. Throws `bad-input` for a time, a timer or an index of an attachment that is none.
 */
export function dataExtractionContent(sending: Sending, extraction: DataExtraction, expiry?: Expiry): Content {
  const dataExtractionNotification = extraction.what === 'screenshot' ? { type: SCREENSHOT } : savedMedia(extraction)
  return sentContent(sending, { dataExtractionNotification, ...expiryFields(expiry) })
}

function savedMedia({ message, attachment }: Extract<DataExtraction, { readonly what: 'media-saved' }>): Notice {
  const attIndex = attachment === 'all' ? ALL_ATTACHMENTS : attachment
  if (attIndex !== undefined && attachment !== 'all' && !(Number.isInteger(attIndex) && attIndex >= 0 && attIndex <= INT32_MAX))
    throw new ProtocolError('bad-input', 'CON-18', `${attIndex} is no index of an attachment`)
  if (message === undefined) return { type: MEDIA_SAVED }
  const timestamp = timeField('CON-18', message.sentAtMs, 'the message of what was saved')
  return { type: MEDIA_SAVED, timestamp, msgTimestamp: timestamp, msgId: saidMsgId(message.msgId), attIndex }
}

/** What was kept. Throws `malformed` for a type, a time or an index that is none, and a `msgId` without the time beside it. */
export function readDataExtraction(notice: Notice): DataExtraction {
  const { type, timestamp, msgTimestamp, msgId, attIndex } = notice
  if (type === SCREENSHOT) return { what: 'screenshot' }
  if (type !== MEDIA_SAVED) throw new ProtocolError('malformed', 'CON-18', `${type} is no way to keep what was said`)
  if (saidMsgId(msgId) !== undefined && msgTimestamp === undefined)
    throw new ProtocolError('malformed', 'CON-18', 'what was saved has a msgId and no time')
  if (attIndex !== undefined && attIndex < ALL_ATTACHMENTS)
    throw new ProtocolError('malformed', 'CON-18', `${attIndex} is no index of an attachment`)
  const time = msgTimestamp ?? (timestamp === 0n ? undefined : timestamp)
  if (time === undefined) return { what: 'media-saved' }
  const message = { sentAtMs: readTimeMs('CON-18', time, 'the message of what was saved'), ...withMsgId(msgId) }
  if (attIndex === undefined) return { what: 'media-saved', message }
  return { what: 'media-saved', message, attachment: attIndex === ALL_ATTACHMENTS ? 'all' : attIndex }
}
