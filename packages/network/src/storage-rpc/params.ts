/**
 * Reads the `params` of a JSON request. A null field counts as absent. What cannot be read throws NetworkError `malformed` with
 * status 400 and the text that the network's nodes answer with (RPC-13, RPC-14).
 */
import { decodeBase64, decodeHex } from '@session-v2/encoding'
import { type Namespace, parseNamespace } from '../namespace.ts'
import { badRequest } from '../network-error.ts'
import { TIMESTAMP_MIN_MS } from './limits.ts'

const ACCOUNT = /^[0-9a-fA-F]{66}$/
const ED25519 = /^[0-9a-fA-F]{64}$/
const DIGITS = /^[0-9]{1,16}$/
const SIGNATURE_BYTES = 64

export class Params {
  readonly #fields: Readonly<Record<string, unknown>>

  constructor(fields: Readonly<Record<string, unknown>>) {
    this.#fields = fields
  }

  /** Whether a field is there and not null. */
  has(name: string): boolean {
    return this.#get(name) !== undefined
  }

  /** The account id of `pubkey` or its alias `pubKey`: 33 bytes. `size` is how a refusal words it, which differs by method. */
  account(size = '66 hex digits (33 bytes)'): Uint8Array {
    const text = this.#aliased('pubkey', 'pubKey')
    if (text === undefined) throw missing('pubkey')
    if (typeof text !== 'string' || !ACCOUNT.test(text)) throw badRequest(`Pubkey must be ${size} long`)
    return decodeHex(text)
  }

  /** `namespace`, 0 when absent. */
  namespace(): Namespace {
    return parseNamespace(this.optionalInteger('namespace') ?? 0)
  }

  requireInteger(name: string): number {
    return this.optionalInteger(name) ?? absent(name)
  }

  /** An integer; `digits` also takes it as a string of digits. */
  optionalInteger(name: string, options: { digits?: boolean } = {}): number | undefined {
    const given = this.#get(name)
    if (given === undefined) return undefined
    const value = options.digits && typeof given === 'string' && DIGITS.test(given) ? Number(given) : given
    if (typeof value !== 'number' || !Number.isSafeInteger(value))
      throw badRequest(`Invalid value given for '${name}': expected integer`)
    return value === 0 ? 0 : value // JSON can write −0
  }

  /** A time in milliseconds; one that must be seconds is refused. */
  optionalTimestamp(name: string): number | undefined {
    const value = this.optionalInteger(name)
    if (value !== undefined && value < TIMESTAMP_MIN_MS) {
      throw badRequest(`Invalid timestamp for '${name}': timestamp must be in milliseconds`)
    }
    return value
  }

  requireTimestamp(name: string): number {
    return this.optionalTimestamp(name) ?? absent(name)
  }

  optionalBoolean(name: string): boolean | undefined {
    const value = this.#get(name)
    if (value !== undefined && typeof value !== 'boolean') throw badRequest(`Invalid value given for '${name}': expected boolean`)
    return value as boolean | undefined
  }

  optionalString(name: string, alias?: string): string | undefined {
    const value = alias === undefined ? this.#get(name) : this.#aliased(name, alias)
    if (value !== undefined && typeof value !== 'string') throw badRequest(`Invalid value given for '${name}': expected string`)
    return value as string | undefined
  }

  /** A list of strings; one string alone counts as a list of one. */
  requireStrings(name: string, maxItems: number): string[] {
    const value = this.#get(name)
    if (value === undefined) throw missing(name)
    const list = Array.isArray(value) ? value : [value]
    if (!list.every(item => typeof item === 'string'))
      throw badRequest(`Invalid value given for '${name}': expected string array`)
    if (list.length > maxItems) throw badRequest(`Invalid value given for '${name}': at most ${maxItems} items`)
    return list
  }

  /** Base64 bytes, with or without padding. */
  requireBase64(name: string): Uint8Array {
    return this.#base64(name) ?? absent(name)
  }

  /** The 64-byte signature of `signature`. */
  optionalSignature(): Uint8Array | undefined {
    const signature = this.#base64('signature')
    if (signature !== undefined && signature.length !== SIGNATURE_BYTES) {
      throw badRequest('Provided signature is not of the right length')
    }
    return signature
  }

  /** The 32-byte key of `pubkey_ed25519`, in hexadecimal. */
  optionalEd25519(): Uint8Array | undefined {
    const text = this.optionalString('pubkey_ed25519')
    if (text === undefined) return undefined
    if (!ED25519.test(text)) throw badRequest('Invalid pubkey_ed25519: expected 64 hex digits (32 bytes)')
    return decodeHex(text)
  }

  /** The objects of a list. */
  requireObjects(name: string): readonly Readonly<Record<string, unknown>>[] {
    const value = this.#get(name)
    if (value === undefined) throw missing(name)
    if (!Array.isArray(value) || !value.every(isObject))
      throw badRequest(`Invalid value given for '${name}': expected object array`)
    return value
  }

  optionalObject(name: string): Readonly<Record<string, unknown>> | undefined {
    const value = this.#get(name)
    if (value !== undefined && !isObject(value)) throw badRequest(`Invalid value given for '${name}': expected object`)
    return value as Readonly<Record<string, unknown>> | undefined
  }

  #base64(name: string): Uint8Array | undefined {
    const text = this.optionalString(name)
    if (text === undefined) return undefined
    try {
      return decodeBase64(text)
    } catch (cause) {
      throw Object.assign(badRequest(`Invalid value given for '${name}': invalid base64`), { cause })
    }
  }

  #aliased(name: string, alias: string): unknown {
    const [value, other] = [this.#get(name), this.#get(alias)]
    if (value !== undefined && other !== undefined) throw badRequest(`Cannot specify both '${name}' and '${alias}'`)
    return value ?? other
  }

  #get(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? (this.#fields[name] ?? undefined) : undefined
  }
}

/** Whether a JSON value is an object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function missing(name: string): Error {
  return badRequest(`Required field '${name}' missing`)
}

function absent(name: string): never {
  throw missing(name)
}
