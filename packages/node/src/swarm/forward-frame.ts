/**
 * Several requests that one member passes on to another in one body (clause NODE-47), and their answers (NODE-48).
 *
 * | | bt |
 * |---|---|
 * | frame | list of 1 to 64 byte strings, each the body of a request (NODE-43), 128 KiB in all |
 * | reply | list of a status and a body, byte string, for each of them in the same order, 1 MiB in all |
 *
 * A request is a dict, a frame a list: they cannot be taken for one another. What a refusal says stands in the reply up to 1 KiB.
 */
import { type BtValue, concatBytes, decodeBt, EncodingError, encodeUtf8 } from '@session-v2/encoding'

export const FRAME_REQUESTS_MAX = 64
/** A body up to this size counts among the short ones at the node that takes it (NODE-104). */
export const FRAME_MAX_BYTES = 128 * 1024
export const FRAME_REPLY_MAX_BYTES = 1024 * 1024
/** Around the body of a request or answer stand its length, a colon, and the status of an answer. */
export const PART_OVERHEAD_BYTES = 16

const LIST_START = 0x6c // l
const REQUEST_LIMITS = { sizeBytes: FRAME_MAX_BYTES, depth: 1, values: 1 + FRAME_REQUESTS_MAX }
const REPLY_LIMITS = { sizeBytes: FRAME_REPLY_MAX_BYTES, depth: 1, values: 1 + 2 * FRAME_REQUESTS_MAX }
const STATUS_MIN = 100n
const STATUS_MAX = 599n

/** The answer to one request of a frame. */
export interface PartReply {
  readonly status: number
  readonly body: Uint8Array
}

/** Whether a body between members is meant as a frame. */
export function isFrame(body: Uint8Array): boolean {
  return body[0] === LIST_START
}

/** The frame of these requests; the caller keeps to the limits. */
export function encodeFrame(requests: readonly Uint8Array[]): Uint8Array {
  return encodeList(requests.map(body => ({ before: `${body.length}:`, body })))
}

/** The requests of a frame, copied; undefined when it is none. */
export function decodeFrame(body: Uint8Array): readonly Uint8Array[] | undefined {
  const values = decodeList(body, REQUEST_LIMITS)
  return values !== undefined && values.length > 0 && values.every(isBytes) ? values : undefined
}

/** The reply with these answers. */
export function encodeFrameReply(replies: readonly PartReply[]): Uint8Array {
  return encodeList(replies.map(({ status, body }) => ({ before: `i${status}e${body.length}:`, body })))
}

/** The answers to a frame of `count` requests, copied; undefined when `body` is not exactly that. */
export function decodeFrameReply(body: Uint8Array, count: number): readonly PartReply[] | undefined {
  const values = decodeList(body, REPLY_LIMITS)
  if (values === undefined || values.length !== 2 * count) return undefined
  const replies: PartReply[] = []
  for (let i = 0; i < values.length; i += 2) {
    const [status, text] = [values[i]!, values[i + 1]!]
    if (typeof status !== 'bigint' || status < STATUS_MIN || status > STATUS_MAX || !isBytes(text)) return undefined
    replies.push({ status: Number(status), body: text })
  }
  return replies
}

/** Written into one array of the right size: a body of some ten kilobytes would be copied as often as a writer has to grow. */
function encodeList(parts: readonly { readonly before: string; readonly body: Uint8Array }[]): Uint8Array {
  return concatBytes(encodeUtf8('l'), ...parts.flatMap(({ before, body }) => [encodeUtf8(before), body]), encodeUtf8('e'))
}

function decodeList(body: Uint8Array, limits: typeof REPLY_LIMITS): readonly BtValue[] | undefined {
  try {
    const value = decodeBt(body, limits)
    return Array.isArray(value) ? value : undefined
  } catch (error) {
    if (error instanceof EncodingError) return undefined
    throw error
  }
}

function isBytes(value: BtValue): value is Uint8Array {
  return value instanceof Uint8Array
}
