/**
 * Reads the `params` of a request, in JSON or bt alike. What cannot be read throws NetworkError `malformed` with status 400 and the
 * text that the network's nodes answer with (RPC-13 to RPC-16).
 */
import { EncodingError } from '@session-v2/encoding'
import { type Namespace, parseNamespace } from '../namespace.ts'
import { badRequest } from '../network-error.ts'
import { SUBACCOUNT_TOKEN_BYTES } from '../subaccount/token.ts'
import { type Fields, type RequestForm, readerOf, type ValueReader } from './fields.ts'
import { REQUEST_MAX_HASHES, SUBACCOUNTS_MAX, TIMESTAMP_MIN_MS } from './limits.ts'
import { isMessageHash } from './message-hash.ts'

const ACCOUNT_BYTES = 33
const ED25519_BYTES = 32
const SIGNATURE_BYTES = 64
const DIGITS = /^[0-9]{1,16}$/
const ALL = 'all'

export class Params {
  readonly #fields: Fields
  readonly #reader: ValueReader

  constructor(fields: Fields) {
    this.#fields = fields
    this.#reader = readerOf(fields)
  }

  get form(): RequestForm {
    return this.#reader.form
  }

  /** Whether a field is there and not null. */
  has(name: string): boolean {
    return this.#get(name) !== undefined
  }

  /** The account id of `pubkey` or its alias `pubKey`: 33 bytes. `size` is how a refusal words it, which differs by method. */
  account(size = '66 hex digits (33 bytes)'): Uint8Array {
    const given = this.#aliased('pubkey', 'pubKey')
    if (given === undefined) throw missing('pubkey')
    const account = this.#reader.hexadecimal(given, ACCOUNT_BYTES)
    if (account === undefined) throw badRequest(`Pubkey must be ${size} long`)
    return account
  }

  /** `namespace`, 0 when absent. */
  namespace(): Namespace {
    return parseNamespace(this.optionalInteger('namespace') ?? 0)
  }

  /** `namespace`, 0 when absent, or the text `all`. */
  namespaceOrAll(): Namespace | 'all' {
    return this.#reader.text(this.#get('namespace')) === ALL ? ALL : this.namespace()
  }

  /** An integer; `digits` also takes it, in JSON, as a string of digits. */
  optionalInteger(name: string, options?: { digits: boolean }): number | undefined {
    const given = this.#get(name)
    if (given === undefined) return undefined
    const inDigits = options?.digits && typeof given === 'string' && DIGITS.test(given)
    const value = this.#reader.integer(inDigits ? Number(given) : given)
    if (value === undefined) throw badRequest(`Invalid value given for '${name}': expected integer`)
    return value
  }

  /** A time in milliseconds; in JSON, one that must be seconds is refused. */
  optionalTimestamp(name: string): number | undefined {
    const value = this.optionalInteger(name)
    if (value !== undefined && value < TIMESTAMP_MIN_MS && this.form === 'json') {
      throw badRequest(`Invalid timestamp for '${name}': timestamp must be in milliseconds`)
    }
    return value
  }

  requireTimestamp(name: string): number {
    return this.optionalTimestamp(name) ?? absent(name)
  }

  optionalBoolean(name: string): boolean | undefined {
    const given = this.#get(name)
    const value = this.#reader.boolean(given)
    if (given !== undefined && value === undefined) throw badRequest(`Invalid value given for '${name}': expected boolean`)
    return value
  }

  optionalString(name: string, alias?: string): string | undefined {
    const given = alias === undefined ? this.#get(name) : this.#aliased(name, alias)
    const value = this.#reader.text(given)
    if (given !== undefined && value === undefined) throw badRequest(`Invalid value given for '${name}': expected string`)
    return value
  }

  requireString(name: string): string {
    return this.optionalString(name) ?? absent(name)
  }

  /** A list of integers; one alone counts as a list of one. */
  optionalIntegers(name: string, maxItems: number): number[] | undefined {
    return this.has(name) ? this.#list(name, maxItems, 'integer array', value => this.#reader.integer(value)) : undefined
  }

  /** The hashes of `messages`, at least one; one alone counts as a list of one. */
  requireHashes(): string[] {
    const hashes = this.#list('messages', REQUEST_MAX_HASHES, 'string array', value => this.#reader.text(value))
    if (hashes.length === 0) throw badRequest('messages does not contain any message hashes')
    if (!hashes.every(isMessageHash)) throw badRequest('invalid message hash: expected base64')
    return hashes
  }

  /** The hashes of `messages`, or the text `all`. */
  requireHashesOrAll(): string[] | 'all' {
    const given = this.#get('messages')
    const [only, ...others] = this.#reader.list(given) ?? [given]
    return others.length === 0 && this.#reader.text(only) === ALL ? ALL : this.requireHashes()
  }

  requireBytes(name: string): Uint8Array {
    return this.optionalBytes(name) ?? absent(name)
  }

  /** Bytes: in JSON base64, with or without padding. */
  optionalBytes(name: string): Uint8Array | undefined {
    const given = this.#get(name)
    if (given === undefined) return undefined
    const value = this.#binary(name, given)
    if (value === undefined) throw badRequest(`Invalid value given for '${name}': expected string`)
    return value
  }

  /** A 64-byte signature. */
  optionalSignature(name = 'signature'): Uint8Array | undefined {
    const signature = this.optionalBytes(name)
    if (signature !== undefined && signature.length !== SIGNATURE_BYTES) {
      throw badRequest(`Provided ${name} is not of the right length`)
    }
    return signature
  }

  /** The 32-byte key of `pubkey_ed25519`. */
  optionalEd25519(): Uint8Array | undefined {
    const given = this.#get('pubkey_ed25519')
    if (given === undefined) return undefined
    const key = this.#reader.hexadecimal(given, ED25519_BYTES)
    if (key === undefined) throw badRequest('Invalid pubkey_ed25519: expected 64 hex digits (32 bytes)')
    return key
  }

  /** The 36-byte token of `subaccount`; an empty one is none. */
  optionalToken(): Uint8Array | undefined {
    const given = this.#get('subaccount')
    if (given === undefined || this.#reader.text(given) === '') return undefined
    const token = this.#token('subaccount', given)
    if (token === undefined) throw badRequest("Invalid value given for 'subaccount': expected string")
    return token
  }

  /** 36-byte tokens, 1 to 50; one alone counts as a list of one. */
  requireTokens(name: string): Uint8Array[] {
    const tokens = this.#list(name, SUBACCOUNTS_MAX, 'string array', value => this.#token(name, value))
    if (tokens.length === 0) throw badRequest(`'${name}' holds no subaccount`)
    return tokens
  }

  /** The objects of a list. */
  requireObjects(name: string): readonly Fields[] {
    const given = this.#get(name)
    if (given === undefined) throw missing(name)
    const list = this.#reader.list(given)?.map(item => this.#reader.fields(item))
    if (list === undefined || list.includes(undefined))
      throw badRequest(`Invalid value given for '${name}': expected object array`)
    return list as Fields[]
  }

  optionalObject(name: string): Fields | undefined {
    const given = this.#get(name)
    const value = this.#reader.fields(given)
    if (given !== undefined && value === undefined) throw badRequest(`Invalid value given for '${name}': expected object`)
    return value
  }

  /** A token in base64 or hexadecimal, or its bytes. */
  #token(name: string, value: unknown): Uint8Array | undefined {
    const token = this.#reader.hexadecimal(value, SUBACCOUNT_TOKEN_BYTES) ?? this.#binary(name, value)
    if (token !== undefined && token.length !== SUBACCOUNT_TOKEN_BYTES)
      throw badRequest(`Invalid value given for '${name}': a subaccount has ${SUBACCOUNT_TOKEN_BYTES} bytes`)
    return token
  }

  #list<T>(name: string, maxItems: number, expected: string, read: (value: unknown) => T | undefined): T[] {
    const given = this.#get(name)
    if (given === undefined) throw missing(name)
    const items = this.#reader.list(given) ?? [given]
    if (items.length > maxItems) throw badRequest(`Invalid value given for '${name}': at most ${maxItems} items`)
    return items.map(item => {
      const value = read(item)
      if (value === undefined) throw badRequest(`Invalid value given for '${name}': expected ${expected}`)
      return value
    })
  }

  #binary(name: string, value: unknown): Uint8Array | undefined {
    try {
      return this.#reader.binary(value)
    } catch (cause) {
      if (!(cause instanceof EncodingError)) throw cause
      throw Object.assign(badRequest(`Invalid value given for '${name}': invalid base64`), { cause })
    }
  }

  #aliased(name: string, alias: string): unknown {
    const [value, other] = [this.#get(name), this.#get(alias)]
    if (value !== undefined && other !== undefined) throw badRequest(`Cannot specify both '${name}' and '${alias}'`)
    return value ?? other
  }

  #get(name: string): unknown {
    return this.#reader.field(this.#fields, name)
  }
}

function missing(name: string): Error {
  return badRequest(`Required field '${name}' missing`)
}

function absent(name: string): never {
  throw missing(name)
}
