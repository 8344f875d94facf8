/** Strict bt-decoding into values: the whole input, and only canonical input, so that encoding again gives the same bytes (ENC-03). */
import { ASCII, BtScanner } from './bt-scan.ts'
import type { BtDict, BtLimits, BtValue, ByteKey } from './bt-value.ts'
import { BT_LIMITS, byteKey } from './bt-value.ts'

const VALUE_MIN_BYTES = 2

/**
 * The value of `bytes`. Byte strings are copies.
 * @throws EncodingError for anything that `encodeBt` would not have written, and beyond `limits`.
 */
export function decodeBt(bytes: Uint8Array, limits: BtLimits = BT_LIMITS): BtValue {
  // Where there may be too many values, they are counted before they are made: a value of two bytes takes two hundred in memory.
  if (bytes.length > VALUE_MIN_BYTES * limits.values) new BtScanner(bytes, limits).skip(0)
  const scanner = new BtScanner(bytes, limits)
  const value = readValue(scanner, 0)
  if (scanner.offset !== bytes.length) throw scanner.error('trailing-bytes', 'bytes after the value')
  return value
}

function readValue(scanner: BtScanner, depth: number): BtValue {
  scanner.enter(depth)
  const byte = scanner.peek()
  if (byte === ASCII.i) return scanner.integer()
  if (byte === ASCII.d) return readDict(scanner, depth)
  if (byte !== ASCII.l) return new Uint8Array(scanner.byteString()) // not slice(): that of a Buffer is a view
  scanner.offset++
  const list: BtValue[] = []
  while (scanner.peek() !== ASCII.e) list.push(readValue(scanner, depth + 1))
  scanner.offset++
  return list
}

function readDict(scanner: BtScanner, depth: number): BtDict {
  scanner.offset++
  const dict = new Map<ByteKey, BtValue>()
  let previous: Uint8Array | undefined
  while (scanner.peek() !== ASCII.e) {
    const key = scanner.key(previous)
    dict.set(byteKey(key), readValue(scanner, depth + 1))
    previous = key
  }
  scanner.offset++
  return dict
}
