/**
 * Walking over bt-encoding without building values: where a value ends, what a byte string or integer says. Strict: numbers have
 * no leading zeros, there is no `-0`, integers fit 64 bits, dict keys ascend and are unique (clause ENC-03).
 */
import type { BtLimits } from './bt-value.ts'
import { BT_LIMITS, INT64_MAX, INT64_MIN } from './bt-value.ts'
import { compareBytes } from './bytes.ts'
import { EncodingError } from './encoding-error.ts'

export const ASCII = { colon: 0x3a, minus: 0x2d, zero: 0x30, nine: 0x39, d: 0x64, e: 0x65, i: 0x69, l: 0x6c } as const

/** Digits of a length or of an integer that still may be in range. */
const MAX_LENGTH_DIGITS = 10
const MAX_INTEGER_DIGITS = 19

/** A position in an encoding. Byte strings it hands out are views. */
export class BtScanner {
  readonly bytes: Uint8Array
  offset = 0
  readonly #limits: BtLimits
  #values = 0

  constructor(bytes: Uint8Array, limits: BtLimits = BT_LIMITS) {
    if (bytes.length > limits.sizeBytes)
      throw new EncodingError('too-large', `${bytes.length} bytes, at most ${limits.sizeBytes} read`)
    this.bytes = bytes
    this.#limits = limits
  }

  /** The byte here. @throws EncodingError `truncated` at the end. */
  peek(): number {
    const byte = this.bytes[this.offset]
    if (byte === undefined) throw this.error('truncated', 'the encoding ends within a value')
    return byte
  }

  /** Steps over one expected byte. */
  expect(byte: number, what: string): void {
    if (this.peek() !== byte) throw this.error('wrong-type', `${what} expected`)
    this.offset++
  }

  /** Counts a value against the limits; `depth` is its nesting. */
  enter(depth: number): void {
    if (depth > this.#limits.depth) throw this.error('too-deep', `values nested more than ${this.#limits.depth} deep`)
    if (++this.#values > this.#limits.values) throw this.error('too-large', `more than ${this.#limits.values} values`)
  }

  /** Reads `<length>:<bytes>`. */
  byteString(): Uint8Array {
    const start = this.offset
    let sizeBytes = 0
    let byte = this.peek()
    if (!isDigit(byte)) throw this.error('wrong-type', 'a byte string expected')
    while (isDigit(byte)) {
      if (this.offset - start >= MAX_LENGTH_DIGITS)
        throw this.error('too-large', 'a byte string of more than 9,999,999,999 bytes')
      sizeBytes = sizeBytes * 10 + byte - ASCII.zero
      this.offset++
      byte = this.peek()
    }
    if (this.bytes[start] === ASCII.zero && this.offset - start > 1)
      throw this.error('not-canonical', 'a length with a leading zero')
    this.expect(ASCII.colon, 'a colon after a length')
    const from = this.offset
    if (from + sizeBytes > this.bytes.length) throw this.error('truncated', 'a byte string longer than what is left')
    this.offset = from + sizeBytes
    return this.bytes.subarray(from, this.offset)
  }

  /** Reads `i<decimal>e`. */
  integer(): bigint {
    this.expect(ASCII.i, 'an integer')
    const negative = this.peek() === ASCII.minus
    if (negative) this.offset++
    const start = this.offset
    let text = ''
    while (isDigit(this.peek())) {
      if (this.offset - start >= MAX_INTEGER_DIGITS) throw this.error('out-of-range', 'an integer beyond 64 bits')
      text += String.fromCharCode(this.bytes[this.offset++]!)
    }
    if (text === '') throw this.error('wrong-type', 'an integer without digits')
    if (text[0] === '0' && (text.length > 1 || negative))
      throw this.error('not-canonical', 'an integer that is not in its shortest form')
    this.expect(ASCII.e, 'the end of an integer')
    const value = negative ? -BigInt(text) : BigInt(text)
    if (value < INT64_MIN || value > INT64_MAX) throw this.error('out-of-range', 'an integer beyond 64 bits')
    return value
  }

  /** Steps over the value here, checking all of it, and returns its encoding. */
  skip(depth: number): Uint8Array {
    const from = this.offset
    this.enter(depth)
    const byte = this.peek()
    if (byte === ASCII.i) this.integer()
    else if (byte === ASCII.l) {
      this.offset++
      while (this.peek() !== ASCII.e) this.skip(depth + 1)
      this.offset++
    } else if (byte === ASCII.d) this.#skipDict(depth)
    else this.byteString()
    return this.bytes.subarray(from, this.offset)
  }

  #skipDict(depth: number): void {
    this.offset++
    let previous: Uint8Array | undefined
    while (this.peek() !== ASCII.e) {
      const key = this.key(previous)
      this.skip(depth + 1)
      previous = key
    }
    this.offset++
  }

  /** Reads a dict key that must come after `previous`. */
  key(previous: Uint8Array | undefined): Uint8Array {
    const key = this.byteString()
    if (previous !== undefined) {
      const order = compareBytes(previous, key)
      if (order === 0) throw this.error('duplicate-key', 'a dict key that stands twice')
      if (order > 0) throw this.error('out-of-order', 'dict keys that do not ascend')
    }
    return key
  }

  error(code: EncodingError['code'], message: string): EncodingError {
    return new EncodingError(code, message, { offset: this.offset })
  }
}

function isDigit(byte: number): boolean {
  return byte >= ASCII.zero && byte <= ASCII.nine
}
