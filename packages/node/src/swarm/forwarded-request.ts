/**
 * A request as one member of a swarm passes it on to another (clauses NODE-40, NODE-43): that of the client in bt, and when it was taken.
 *
 * | key | bt | |
 * |---|---|---|
 * | `at` | integer | unix milliseconds, by the clock of the member that took the request |
 * | `late` | 1 | when it is tried again later; else absent |
 * | `method`, `params` | as in a client's | |
 */
import { BtDictReader, concatBytes, EncodingError, encodeUtf8 } from '@session-v2/encoding'
import { FORWARDED_TOLERANCE_MS, REQUEST_MAX_BYTES, REQUEST_MAX_DEPTH, REQUEST_MAX_VALUES } from '@session-v2/network'
import { PEER_TIMEOUT_MS } from './peer-sender.ts'

/** The oldest request that is taken late: deliveries are given up after a day. */
export const LATE_MAX_AGE_MS = 25 * 3_600_000

const LIMITS = { sizeBytes: REQUEST_MAX_BYTES, depth: REQUEST_MAX_DEPTH, values: REQUEST_MAX_VALUES }
const DICT_START = 0x64 // d

/** When a request was taken, and whether it is passed on later than that. */
export interface Taken {
  /** Unix milliseconds. */
  readonly atMs: number
  readonly late: boolean
}

/** The body for another member. `request` is the client's, encoded in bt: all that stands before its fields is the `d` of its dict. */
export function encodeForwarded(request: Uint8Array, { atMs, late }: Taken): Uint8Array {
  return concatBytes(encodeUtf8(`d2:ati${atMs}e${late ? '4:latei1e' : ''}`), request.subarray(1))
}

/**
 * When the request in `body` was taken: now, when it does not say so; undefined for a time that cannot be. Nobody waits any more for one
 * that was under way for too long: the client may have gone on, and deleted what it stores, so that it is late. Only what stands before
 * the method is read.
 */
export function takenAt(body: Uint8Array, nowMs: number): Taken | undefined {
  const { at, late } = readTimes(body)
  if (at === undefined) return { atMs: nowMs, late: false }
  const atMs = Number(at)
  const oldestMs = nowMs - (late ? LATE_MAX_AGE_MS : FORWARDED_TOLERANCE_MS)
  if (atMs < oldestMs || atMs > nowMs + FORWARDED_TOLERANCE_MS) return undefined
  return { atMs, late: late || atMs < nowMs - PEER_TIMEOUT_MS }
}

/** What cannot be read here is no request, and refused as such. */
function readTimes(body: Uint8Array): { readonly at: bigint | undefined; readonly late: boolean } {
  const none = { at: undefined, late: false }
  if (body[0] !== DICT_START) return none
  try {
    const reader = new BtDictReader(body, LIMITS)
    return { at: reader.optionalInteger('at'), late: reader.optionalInteger('late') === 1n }
  } catch (error) {
    if (error instanceof EncodingError) return none
    throw error
  }
}
