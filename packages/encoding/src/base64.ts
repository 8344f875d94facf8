/** Base64 (RFC 4648, section 4): written padded unless asked otherwise, read with or without padding, spare bits zero (ENC-01). */
import { EncodingError } from './encoding-error.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
/** Negative, and so is every group of digits with it. */
const NOT_A_DIGIT = -1
/** The value of each byte. */
const VALUES = new Int8Array(256).fill(NOT_A_DIGIT)
for (let i = 0; i < ALPHABET.length; i++) VALUES[ALPHABET.charCodeAt(i)] = i
const TEXT_ENCODER = new TextEncoder()

/** `bytes` as base64 text, with `=` padding unless `padding` is false. */
export function encodeBase64(bytes: Uint8Array, options: { padding?: boolean } = {}): string {
  const whole = bytes.length - (bytes.length % 3)
  let text = ''
  for (let i = 0; i < whole; i += 3) {
    const group = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!
    text += ALPHABET[group >>> 18]! + ALPHABET[(group >>> 12) & 63]! + ALPHABET[(group >>> 6) & 63]! + ALPHABET[group & 63]!
  }
  const padding = options.padding ?? true
  if (bytes.length - whole === 1) {
    const group = bytes[whole]! << 4
    text += ALPHABET[group >>> 6]! + ALPHABET[group & 63]! + (padding ? '==' : '')
  } else if (bytes.length - whole === 2) {
    const group = (bytes[whole]! << 10) | (bytes[whole + 1]! << 2)
    text += ALPHABET[group >>> 12]! + ALPHABET[(group >>> 6) & 63]! + ALPHABET[group & 63]! + (padding ? '=' : '')
  }
  return text
}

/**
 * The bytes of base64 text. Padding may be absent; where it is present it must be right.
 * @throws EncodingError `bad-character`, `truncated`, `bad-padding`, or `not-canonical` when bits are left over that are not zero.
 */
export function decodeBase64(text: string): Uint8Array {
  const digits = digitCount(text)
  const rest = digits % 4
  if (rest === 1) throw new EncodingError('truncated', 'base64 text ends within a byte', { offset: digits })
  // Bytes are read faster than characters. What is not ASCII takes several of them, none of which is a digit.
  const characters = new Uint8Array(text.length)
  TEXT_ENCODER.encodeInto(text, characters)
  const bytes = new Uint8Array(Math.floor((digits * 3) / 4))
  let at = 0
  let i = 0
  for (; i + 4 <= digits; i += 4) {
    const group =
      (VALUES[characters[i]!]! << 18) |
      (VALUES[characters[i + 1]!]! << 12) |
      (VALUES[characters[i + 2]!]! << 6) |
      VALUES[characters[i + 3]!]!
    if (group < 0) throw badCharacter(text)
    bytes[at++] = group >>> 16
    bytes[at++] = (group >>> 8) & 0xff
    bytes[at++] = group & 0xff
  }
  if (rest > 0) {
    const group =
      (VALUES[characters[i]!]! << 12) | (VALUES[characters[i + 1]!]! << 6) | (rest === 3 ? VALUES[characters[i + 2]!]! : 0)
    if (group < 0) throw badCharacter(text)
    const spare = rest === 2 ? group & 0x3ff : group & 3
    if (spare !== 0)
      throw new EncodingError('not-canonical', 'base64 text has spare bits that are not zero', { offset: digits - 1 })
    bytes[at++] = (group >>> 10) & 0xff
    if (rest === 3) bytes[at++] = (group >>> 2) & 0xff
  }
  return bytes
}

/** How many characters are digits: all but a right padding. */
function digitCount(text: string): number {
  const paddingBytes = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const digits = text.length - paddingBytes
  if (paddingBytes > 0 && (text.length % 4 !== 0 || digits % 4 !== 4 - paddingBytes)) {
    throw new EncodingError('bad-padding', 'base64 padding does not fit the text', { offset: digits })
  }
  return digits
}

/** The complaint about the first character that is no digit. */
function badCharacter(text: string): EncodingError {
  let offset = 0
  while (ALPHABET.includes(text[offset]!)) offset++
  return new EncodingError('bad-character', 'a character is not of the base64 alphabet', { offset })
}
