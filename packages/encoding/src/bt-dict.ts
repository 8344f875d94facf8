/**
 * Dicts of the wire, written and read field by field in ascending key order, without building values in between.
 *
 * A signed dict: the signature stands under a key like `~` and covers every byte from the opening `d` up to, not including, the
 * length prefix of that key (ENC-04, NOT-09 to NOT-11). A second signature under `~P` so covers the first one too.
 */
import { decodeBt } from './bt-decode.ts'
import { writeBtBytes, writeBtInteger } from './bt-encode.ts'
import { ASCII, BtScanner } from './bt-scan.ts'
import type { BtLimits, BtValue, ByteKey } from './bt-value.ts'
import { byteKey, keyBytes } from './bt-value.ts'
import { EncodingError } from './encoding-error.ts'
import { Writer } from './writer.ts'

/** Writes one dict. Keys must come in ascending order: another order is a mistake of the caller and throws `out-of-order`. */
export class BtDictWriter {
  readonly #writer = new Writer()
  #previous: ByteKey | undefined

  constructor() {
    this.#writer.latin1('d')
  }

  bytes(key: ByteKey, value: Uint8Array): this {
    this.#key(key)
    writeBtBytes(this.#writer, value)
    return this
  }

  /** A number must be one that is exact: an unsafe integer is `out-of-range`. */
  integer(key: ByteKey, value: bigint | number): this {
    if (typeof value === 'number' && !Number.isSafeInteger(value))
      throw new EncodingError('out-of-range', `${value} is not an exact integer`)
    this.#key(key)
    writeBtInteger(this.#writer, BigInt(value))
    return this
  }

  /** A value that is encoded already. */
  raw(key: ByteKey, encoded: Uint8Array): this {
    this.#key(key)
    this.#writer.bytes(encoded)
    return this
  }

  /** Puts under `key` what `signer` returns for everything written so far, from the opening `d` on. */
  sign(key: ByteKey, signer: (body: Uint8Array) => Uint8Array): this {
    const signature = signer(this.#writer.view())
    return this.bytes(key, signature)
  }

  finish(): Uint8Array {
    this.#writer.latin1('e')
    return this.#writer.finish()
  }

  #key(key: ByteKey): void {
    if (this.#previous !== undefined && key <= this.#previous) {
      throw new EncodingError(
        'out-of-order',
        `the key ${JSON.stringify(key)} does not come after ${JSON.stringify(this.#previous)}`,
      )
    }
    this.#previous = key
    writeBtBytes(this.#writer, keyBytes(key))
  }
}

/** What sizes a field may have, in bytes. */
export interface FieldSize {
  readonly size?: number
  readonly minSize?: number
  readonly maxSize?: number
}

/**
 * Reads one dict, front to back. Fields are asked for in ascending key order; keys in between that nobody asked for are checked,
 * stepped over and kept in `unknown`. Byte strings are views into the input.
 */
export class BtDictReader {
  /** The keys nobody asked for, with the encoding of their values. */
  readonly unknown: [ByteKey, Uint8Array][] = []
  readonly #scanner: BtScanner
  readonly #limits: BtLimits | undefined
  #previous: Uint8Array | undefined
  /** The key whose value comes next, once read, and where its length prefix starts. */
  #next: { key: ByteKey; at: number } | undefined

  constructor(bytes: Uint8Array, limits?: BtLimits) {
    this.#scanner = new BtScanner(bytes, limits)
    this.#limits = limits
    this.#scanner.expect(ASCII.d, 'a dict')
  }

  requireBytes(key: ByteKey, size: FieldSize = {}): Uint8Array {
    return this.optionalBytes(key, size) ?? this.#missing(key)
  }

  optionalBytes(key: ByteKey, size: FieldSize = {}): Uint8Array | undefined {
    if (!this.#take(key)) return undefined
    const bytes = this.#scanner.byteString()
    checkSize(key, bytes.length, size)
    return bytes
  }

  requireInteger(key: ByteKey): bigint {
    return this.optionalInteger(key) ?? this.#missing(key)
  }

  optionalInteger(key: ByteKey): bigint | undefined {
    return this.#take(key) ? this.#scanner.integer() : undefined
  }

  /** The encoding of a list, dict, integer or byte string, checked but not decoded. */
  requireRaw(key: ByteKey): Uint8Array {
    return this.optionalRaw(key) ?? this.#missing(key)
  }

  optionalRaw(key: ByteKey): Uint8Array | undefined {
    return this.#take(key) ? this.#scanner.skip(1) : undefined
  }

  requireList(key: ByteKey): readonly BtValue[] {
    return this.optionalList(key) ?? this.#missing(key)
  }

  optionalList(key: ByteKey): readonly BtValue[] | undefined {
    const raw = this.optionalRaw(key)
    if (raw === undefined) return undefined
    const value = decodeBt(raw, this.#limits)
    if (!Array.isArray(value)) throw new EncodingError('wrong-type', `the field ${JSON.stringify(key)} is not a list`)
    return value
  }

  /** The signed prefix: every byte from the opening `d` up to the length prefix of `key`, which must be the next key. */
  bodyBefore(key: ByteKey): Uint8Array {
    if (!this.#find(key)) this.#missing(key)
    return this.#scanner.bytes.subarray(0, this.#next!.at)
  }

  /** Steps to the closing `e`. With `reject`, a key that nobody asked for is `wrong-type`; bytes after the dict are an error always. */
  finish(options: { unknown: 'reject' | 'allow' }): void {
    while (this.#peekKey() !== undefined) this.#skipNext()
    this.#scanner.offset++
    if (this.#scanner.offset !== this.#scanner.bytes.length) throw this.#scanner.error('trailing-bytes', 'bytes after the dict')
    const first = this.unknown[0]
    if (options.unknown === 'reject' && first !== undefined) {
      throw new EncodingError('wrong-type', `an unknown field ${JSON.stringify(first[0])}`)
    }
  }

  /** Moves past the key to its value; false when the dict has no such key from here on. */
  #take(key: ByteKey): boolean {
    if (!this.#find(key)) return false
    this.#next = undefined
    return true
  }

  /** Steps over smaller keys; true when `key` is the next one. */
  #find(key: ByteKey): boolean {
    let next = this.#peekKey()
    while (next !== undefined && next < key) {
      this.#skipNext()
      next = this.#peekKey()
    }
    return next === key
  }

  #peekKey(): ByteKey | undefined {
    if (this.#next === undefined && this.#scanner.peek() !== ASCII.e) {
      const at = this.#scanner.offset
      this.#previous = this.#scanner.key(this.#previous)
      this.#next = { key: byteKey(this.#previous), at }
    }
    return this.#next?.key
  }

  #skipNext(): void {
    const { key } = this.#next!
    this.#next = undefined
    this.unknown.push([key, this.#scanner.skip(1)])
  }

  #missing(key: ByteKey): never {
    throw this.#scanner.error('missing-field', `the field ${JSON.stringify(key)} is missing`)
  }
}

function checkSize(key: ByteKey, sizeBytes: number, { size, minSize, maxSize }: FieldSize): void {
  const wrong = (size !== undefined && sizeBytes !== size) || sizeBytes < (minSize ?? 0) || sizeBytes > (maxSize ?? sizeBytes)
  if (wrong) throw new EncodingError('wrong-size', `the field ${JSON.stringify(key)} has ${sizeBytes} bytes`)
}
