/** Canonical bt-encoding of a value (clause ENC-02). One value has one encoding. */
import type { BtDict, BtValue } from './bt-value.ts'
import { BT_LIMITS, INT64_MAX, INT64_MIN, keyBytes } from './bt-value.ts'
import { EncodingError } from './encoding-error.ts'
import { Writer } from './writer.ts'

/**
 * The bytes of `value`. Dict keys are written in ascending byte order whatever the order of the map.
 * @throws EncodingError `out-of-range` for an integer beyond 64 bits, `too-deep`, `bad-character` for a key that is no byte string.
 */
export function encodeBt(value: BtValue): Uint8Array {
  const writer = new Writer()
  writeBtValue(writer, value, 0)
  return writer.finish()
}

/** Appends the encoding of `value`, itself at nesting `depth`. */
export function writeBtValue(writer: Writer, value: BtValue, depth: number): void {
  if (depth > BT_LIMITS.depth) throw new EncodingError('too-deep', `values nested more than ${BT_LIMITS.depth} deep`)
  if (typeof value === 'bigint') writeBtInteger(writer, value)
  else if (value instanceof Uint8Array) writeBtBytes(writer, value)
  else if (value instanceof Map) writeDict(writer, value, depth)
  else {
    writer.latin1('l')
    for (const item of value as readonly BtValue[]) writeBtValue(writer, item, depth + 1)
    writer.latin1('e')
  }
}

/** Appends an integer. @throws EncodingError `out-of-range` beyond 64 bits. */
export function writeBtInteger(writer: Writer, value: bigint): void {
  if (value < INT64_MIN || value > INT64_MAX) throw new EncodingError('out-of-range', `${value} is not a signed 64-bit integer`)
  writer.latin1(`i${value}e`)
}

/** Appends a byte string behind its length. */
export function writeBtBytes(writer: Writer, bytes: Uint8Array): void {
  writer.latin1(`${bytes.length}:`)
  writer.bytes(bytes)
}

function writeDict(writer: Writer, dict: BtDict, depth: number): void {
  writer.latin1('d')
  const keys = [...dict.keys()].sort((a, b) => (a < b ? -1 : 1))
  for (const key of keys) {
    writeBtBytes(writer, keyBytes(key))
    writeBtValue(writer, dict.get(key)!, depth + 1)
  }
  writer.latin1('e')
}
