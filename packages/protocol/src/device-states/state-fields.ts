/** The fields of a decoded dict of the state, read by name; what is missing or has another type or range is `malformed`. */
import { type BtDict, type BtValue, type ByteKey, decodeUtf8 } from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'

export class StateFields {
  readonly #dict: BtDict

  private constructor(dict: BtDict) {
    this.#dict = dict
  }

  static of(value: BtValue | undefined): StateFields {
    if (!(value instanceof Map)) throw malformed('a dict')
    return new StateFields(value)
  }

  has(name: string): boolean {
    return this.#dict.has(name)
  }

  /** Exactly `sizeBytes` bytes, if that is given. */
  bytes(name: string, sizeBytes?: number): Uint8Array {
    const bytes = requireBytes(this.#dict.get(name), name)
    if (sizeBytes !== undefined && bytes.length !== sizeBytes) throw malformed(name)
    return bytes
  }

  text(name: string): string {
    return decodeUtf8(this.bytes(name))
  }

  integer(name: string): bigint {
    return requireInteger(this.#dict.get(name), name)
  }

  /** An integer from 0 on that a number holds exactly. */
  number(name: string): number {
    const value = this.integer(name)
    if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(name)
    return Number(value)
  }

  flag(name: string): boolean {
    return this.oneOf(name, [0, 1]) === 1
  }

  oneOf(name: string, allowed: readonly number[]): number {
    const value = this.number(name)
    if (!allowed.includes(value)) throw malformed(name)
    return value
  }

  dicts(name: string): readonly StateFields[] {
    return this.#list(name).map(StateFields.of)
  }

  integers(name: string): readonly bigint[] {
    return this.#list(name).map(value => requireInteger(value, name))
  }

  texts(name: string): readonly string[] {
    return this.#list(name).map(value => decodeUtf8(requireBytes(value, name)))
  }

  byteMap(name: string): ReadonlyMap<ByteKey, Uint8Array> {
    const value = this.#dict.get(name)
    if (!(value instanceof Map)) throw malformed(name)
    return new Map([...(value as BtDict)].map(([key, bytes]) => [key, requireBytes(bytes, name)]))
  }

  #list(name: string): readonly BtValue[] {
    const value = this.#dict.get(name)
    if (!Array.isArray(value)) throw malformed(name)
    return value
  }
}

function requireBytes(value: BtValue | undefined, name: string): Uint8Array {
  if (!(value instanceof Uint8Array)) throw malformed(name)
  return value
}

function requireInteger(value: BtValue | undefined, name: string): bigint {
  if (typeof value !== 'bigint') throw malformed(name)
  return value
}

function malformed(what: string): ProtocolError {
  return new ProtocolError('malformed', 'DS-38', `a state of a device group lacks ${what}, or holds something else there`)
}
