/**
 * Byte strings: joining, comparing, fixed-width integers. Implements NOT-01.
 *
 * Comparisons here are for public values only; secrets are compared in constant time by the crypto package.
 */
import { EncodingError } from './encoding-error.ts'

/** All parts one after the other, in a new array. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let sizeBytes = 0
  for (const part of parts) sizeBytes += part.length
  const joined = new Uint8Array(sizeBytes)
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}

/**
 * The same bytes in an array of its own. Not `bytes.slice()`: on a Node `Buffer` that is a view, and wiping the copy wipes the
 * original.
 */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}

/** Whether two public byte strings are the same. Not constant time. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0
}

/** Order of two byte strings by unsigned bytes; a prefix sorts first. Negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = a[i]! - b[i]!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Bytewise exclusive or of two byte strings of the same size; another size is `wrong-size`. */
export function xorBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length !== b.length) throw new EncodingError('wrong-size', `cannot combine ${a.length} bytes with ${b.length}`)
  return a.map((byte, i) => byte ^ b[i]!)
}

/** `value` as 2 bytes, least significant first. */
export function uint16Le(value: number): Uint8Array {
  checkRange(value, 0xffff)
  return Uint8Array.of(value & 0xff, value >>> 8)
}

/** `value` as 4 bytes, least significant first. */
export function uint32Le(value: number): Uint8Array {
  checkRange(value, 0xffffffff)
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24)
}

/** `value` as 8 bytes, least significant first. */
export function uint64Le(value: bigint): Uint8Array {
  return uint64(value, true)
}

/** `value` as 8 bytes, most significant first. */
export function uint64Be(value: bigint): Uint8Array {
  return uint64(value, false)
}

/** The 4 bytes at `offset`, least significant first. */
export function readUint32Le(bytes: Uint8Array, offset: number): number {
  return view(bytes, offset, 4).getUint32(0, true)
}

/** The 8 bytes at `offset`, least significant first. */
export function readUint64Le(bytes: Uint8Array, offset: number): bigint {
  return view(bytes, offset, 8).getBigUint64(0, true)
}

/** The 8 bytes at `offset`, most significant first. */
export function readUint64Be(bytes: Uint8Array, offset: number): bigint {
  return view(bytes, offset, 8).getBigUint64(0, false)
}

const UINT64_MAX = 0xffff_ffff_ffff_ffffn

function uint64(value: bigint, littleEndian: boolean): Uint8Array {
  if (value < 0n || value > UINT64_MAX) throw new EncodingError('out-of-range', `${value} is not an unsigned 64-bit integer`)
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value, littleEndian)
  return bytes
}

function view(bytes: Uint8Array, offset: number, sizeBytes: number): DataView {
  if (offset < 0 || offset + sizeBytes > bytes.length) {
    throw new EncodingError('truncated', `${sizeBytes} bytes wanted at ${offset}, there are ${bytes.length}`, { offset })
  }
  return new DataView(bytes.buffer, bytes.byteOffset + offset, sizeBytes)
}

function checkRange(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max)
    throw new EncodingError('out-of-range', `${value} is not within 0…${max}`)
}
