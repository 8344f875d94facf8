/** Padding of plaintexts: zeros behind (V2 messages, device groups), or the marker 0x80 and zeros behind (V1 messages) (ENC-08). */
import { EncodingError } from './encoding-error.ts'

/** `bytes` followed by zeros up to `sizeBytes`; longer input is `too-large`. */
export function padWithZeros(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  if (bytes.length > sizeBytes) throw new EncodingError('too-large', `${bytes.length} bytes do not fit ${sizeBytes}`)
  const padded = new Uint8Array(sizeBytes)
  padded.set(bytes)
  return padded
}

/** `bytes` without the zeros at its end, as a view. Safe for texts that never end in zero, like a dict, which ends in `e`. */
export function trimTrailingZeros(bytes: Uint8Array): Uint8Array {
  // Of one class whatever came, a Buffer or memory of WebAssembly: otherwise looking at a byte costs 50 times as much.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  let end = plain.length
  while (end > 0 && plain[end - 1] === 0) end--
  return bytes.subarray(0, end)
}

const MARKER = 0x80

/**
 * `bytes`, the marker 0x80, and zeros up to a multiple of `blockBytes`. A text that with its marker already fills whole blocks gets
 * one block more: so does the wire (Session Protocol V1).
 */
export function padWithMarker(bytes: Uint8Array, blockBytes: number): Uint8Array {
  const marked = bytes.length + 1
  const padded = new Uint8Array(marked + blockBytes - (marked % blockBytes))
  padded.set(bytes)
  padded[bytes.length] = MARKER
  return padded
}

/** Undoes `padWithMarker`, as a view. A text without the marker is returned without its zeros: writers exist that do not pad. */
export function trimMarker(bytes: Uint8Array): Uint8Array {
  const trimmed = trimTrailingZeros(bytes)
  return trimmed.at(-1) === MARKER ? trimmed.subarray(0, -1) : trimmed
}
