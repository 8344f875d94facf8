/** The `in` of a request, read field by field. What is missing or has another type or size is `bad-input`. */
import { decodeHex, EncodingError } from '@session-v2/encoding'
import { InteropError } from './interop-error.ts'

export class Fields {
  readonly #record: Readonly<Record<string, unknown>>

  /** `value`: anything that JSON can say. */
  constructor(value: unknown, name = 'in') {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new InteropError('bad-input', `"${name}" is not an object`)
    }
    this.#record = value as Readonly<Record<string, unknown>>
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#record, name)
  }

  /** True for a field that is there and not null. */
  isSet(name: string): boolean {
    return this.has(name) && this.#record[name] !== null
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

  /** The names of all fields. */
  names(): string[] {
    return Object.keys(this.#record)
  }

  #value(name: string): unknown {
    if (!this.has(name)) throw new InteropError('bad-input', `${name} is missing`)
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
