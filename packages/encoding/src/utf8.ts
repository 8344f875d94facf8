/** UTF-8 text, strict on reading: a byte order mark is kept as a character, an ill-formed sequence is an error (ENC-01). */
import { EncodingError } from './encoding-error.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** `text` as UTF-8. A lone surrogate cannot be written and is `bad-utf8`, so that nothing is replaced in silence. */
export function encodeUtf8(text: string): Uint8Array {
  if (!text.isWellFormed()) throw new EncodingError('bad-utf8', 'the text holds half of a surrogate pair')
  return encoder.encode(text)
}

/** The text of UTF-8 bytes. @throws EncodingError `bad-utf8`. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new EncodingError('bad-utf8', 'the bytes are not UTF-8', { cause })
  }
}

/** As much of UTF-8 `bytes` as fits into `maxBytes`, whole characters only: a view. */
export function cutUtf8(bytes: Uint8Array, maxBytes: number): Uint8Array {
  let end = Math.min(bytes.length, maxBytes)
  while (end < bytes.length && isContinuation(bytes[end]!)) end--
  return bytes.subarray(0, end)
}

/** Whether it is the second or a later byte of a character. */
function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80
}
