/**
 * The values of bt-encoding (bencode): signed 64-bit integers, byte strings, lists, and dicts whose keys are byte strings.
 *
 * | value | encoded |
 * |---|---|
 * | integer | `i<decimal>e` |
 * | byte string | `<length>:<bytes>` |
 * | list | `l…e` |
 * | dict | `d<key><value>…e`, keys in ascending order of their unsigned bytes |
 */
import { EncodingError } from './encoding-error.ts'

/** A dict key: a byte string held as text with one character a byte (latin-1), so that order of characters is order of bytes. */
export type ByteKey = string

export type BtDict = ReadonlyMap<ByteKey, BtValue>

export type BtValue = bigint | Uint8Array | readonly BtValue[] | BtDict

export const INT64_MIN = -(2n ** 63n)
export const INT64_MAX = 2n ** 63n - 1n

/** What a decoder accepts at most, so that a hostile input costs no more than its size (ENC-07). */
export interface BtLimits {
  /** Size of the whole encoding. */
  readonly sizeBytes: number
  /** Nesting of lists and dicts. */
  readonly depth: number
  /** Values in all, keys not counted. */
  readonly values: number
}

/** Enough for everything on the wire: the largest message is 10 MB, the deepest a handful of levels. */
export const BT_LIMITS: BtLimits = { sizeBytes: 10_485_760, depth: 32, values: 1_000_000 }

/** A byte string as a dict key. */
export function byteKey(bytes: Uint8Array): ByteKey {
  let key = ''
  for (let i = 0; i < bytes.length; i++) key += String.fromCharCode(bytes[i]!)
  return key
}

/** The bytes of a dict key. A character above 0xff is `bad-character`. */
export function keyBytes(key: ByteKey): Uint8Array {
  const bytes = new Uint8Array(key.length)
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i)
    if (code > 0xff) throw new EncodingError('bad-character', 'a dict key has a character that is not a byte', { offset: i })
    bytes[i] = code
  }
  return bytes
}
