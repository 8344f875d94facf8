/** Hexadecimal text. Written in lower case, read in either (ENC-01). */
import { EncodingError } from './encoding-error.ts'

const DIGITS = '0123456789abcdef'
const PAIRS: readonly string[] = Array.from({ length: 256 }, (_, byte) => DIGITS[byte >>> 4]! + DIGITS[byte & 15]!)

/** `bytes` as lower-case hexadecimal digits, two a byte. */
export function encodeHex(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i++) text += PAIRS[bytes[i]!]!
  return text
}

/**
 * The bytes of hexadecimal text in upper or lower case.
 * @throws EncodingError `wrong-size` for an odd number of digits or other than `sizeBytes`, `bad-character` for anything else.
 */
export function decodeHex(text: string, sizeBytes?: number): Uint8Array {
  if (text.length % 2 !== 0 || (sizeBytes !== undefined && text.length !== sizeBytes * 2)) {
    const wanted = sizeBytes === undefined ? 'an even number of' : `${sizeBytes * 2}`
    throw new EncodingError('wrong-size', `${text.length} hexadecimal digits, ${wanted} wanted`)
  }
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = (digit(text, 2 * i) << 4) | digit(text, 2 * i + 1)
  return bytes
}

function digit(text: string, offset: number): number {
  const code = text.charCodeAt(offset)
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  if (lower >= 0x61 && lower <= 0x66) return lower - 0x57
  throw new EncodingError('bad-character', 'a character is not a hexadecimal digit', { offset })
}
