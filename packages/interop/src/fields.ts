/** The `in` of a request, read field by field. What is missing or has another type or size is `bad-input`. */
import { decodeHex, EncodingError, INT64_MAX, INT64_MIN } from '@session-v2/encoding'
import { InteropError } from './interop-error.ts'

const DECIMAL = /^(0|-?[1-9]\d{0,18})$/

export class Fields {
  readonly #record: Readonly<Record<string, unknown>>

  /** `value`: anything that JSON can say. */
  constructor(value: unknown, name = 'in') {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new InteropError('bad-input', `"${name}" is not an object`)
    }
    this.#record = value as Readonly<Record<string, unknown>>
  }

  /** True for a field that is there and not null: null says the same as nothing. */
  isSet(name: string): boolean {
    return Object.hasOwn(this.#record, name) && this.#record[name] !== null
  }

  text(name: string): string {
    const value = this.#value(name)
    if (typeof value !== 'string') throw new InteropError('bad-input', `${name} is not a text`)
    return value
  }

  integer(name: string): number {
    const value = this.#value(name)
    if (!Number.isSafeInteger(value)) throw new InteropError('bad-input', `${name} is not an integer`)
    return value as number
  }

  /** An integer that has 64 bits on the wire: a number, or decimal text, which is exact beyond 2^53 too. */
  int64(name: string): bigint {
    const value = this.#value(name)
    if (Number.isSafeInteger(value)) return BigInt(value as number)
    const integer = typeof value === 'string' && DECIMAL.test(value) ? BigInt(value) : undefined
    if (integer === undefined || integer < INT64_MIN || integer > INT64_MAX) {
      throw new InteropError('bad-input', `${name} is not an integer of 64 bits`)
    }
    return integer
  }

  /** The same, where no more than 2^53 is held of it. */
  safeInt64(name: string): number {
    const value = Number(this.int64(name))
    if (!Number.isSafeInteger(value)) throw new InteropError('bad-input', `${name} is beyond 2^53`)
    return value
  }

  boolean(name: string): boolean {
    const value = this.#value(name)
    if (typeof value !== 'boolean') throw new InteropError('bad-input', `${name} is neither true nor false`)
    return value
  }

  /** Bytes in hexadecimal, exactly `sizeBytes` of them if that is given. */
  bytes(name: string, sizeBytes?: number): Uint8Array {
    return decode(name, this.text(name), sizeBytes)
  }

  /** A list of at most `maxCount` texts. */
  texts(name: string, maxCount: number): string[] {
    const value = this.#value(name)
    if (!(Array.isArray(value) && value.length <= maxCount && value.every(item => typeof item === 'string'))) {
      throw new InteropError('bad-input', `${name} is not a list of at most ${maxCount} texts`)
    }
    return value
  }

  /** A list of at most `maxCount` byte strings in hexadecimal, each of `sizeBytes`. */
  bytesList(name: string, sizeBytes: number, maxCount: number): Uint8Array[] {
    return this.texts(name, maxCount).map(item => decode(name, item, sizeBytes))
  }

  /** An object. */
  record(name: string): Fields {
    return new Fields(this.#value(name), name)
  }

  /** A list of at most `maxCount` objects. */
  records(name: string, maxCount: number): Fields[] {
    const value = this.#value(name)
    if (!(Array.isArray(value) && value.length <= maxCount)) {
      throw new InteropError('bad-input', `${name} is not a list of at most ${maxCount} objects`)
    }
    return value.map(item => new Fields(item, name))
  }

  /** A list of `count` integers. */
  integers(name: string, count: number): number[] {
    const value = this.#value(name)
    if (!(Array.isArray(value) && value.length === count && value.every(Number.isSafeInteger))) {
      throw new InteropError('bad-input', `${name} is not a list of ${count} integers`)
    }
    return value
  }

  /** Whatever it is. */
  json(name: string): unknown {
    return this.#value(name)
  }

  #value(name: string): unknown {
    if (!Object.hasOwn(this.#record, name)) throw new InteropError('bad-input', `${name} is missing`)
    return this.#record[name]
  }
}

function decode(name: string, text: string, sizeBytes?: number): Uint8Array {
  try {
    return decodeHex(text, sizeBytes)
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    throw new InteropError('bad-input', `${name}: ${cause.message}`, { cause })
  }
}
