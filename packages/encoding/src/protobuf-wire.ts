/**
 * The wire of protobuf: a message is a run of fields, each a tag (`number << 3 | type`, as a varint) and a value (ENC-05).
 *
 * | type | value |
 * |---|---|
 * | 0 varint | 1–10 bytes, seven bits each, least significant first |
 * | 1 fixed64 | 8 bytes, least significant first |
 * | 2 bytes | a varint length, then as many bytes |
 * | 5 fixed32 | 4 bytes, least significant first |
 */
import { EncodingError } from './encoding-error.ts'
import type { Writer } from './writer.ts'

export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const
export type WireType = (typeof WIRE)[keyof typeof WIRE]

const MAX_VARINT_BYTES = 10
const MAX_FIELD_NUMBER = 2 ** 29 - 1
const UINT64_MASK = 0xffff_ffff_ffff_ffffn

/** What a reader accepts at most, so that a hostile message costs no more than its size (ENC-07). */
export interface ProtobufLimits {
  /** Size of the whole message. */
  readonly sizeBytes: number
  /** Nesting of messages. */
  readonly depth: number
  /** Fields and items of packed lists in all. */
  readonly values: number
}

/** Enough for everything on the wire: the largest message is 10 MB, the deepest a handful of levels. */
export const PROTOBUF_LIMITS: ProtobufLimits = { sizeBytes: 10_485_760, depth: 16, values: 1_000_000 }

/** A tag as read: which field, and how its value is laid out. */
export interface Tag {
  readonly number: number
  readonly wireType: WireType
}

/** Reads the fields of a message and of those within it, front to back. */
export class ProtobufReader {
  readonly bytes: Uint8Array
  offset = 0
  readonly #limits: ProtobufLimits
  #end: number
  #values = 0

  constructor(bytes: Uint8Array, limits: ProtobufLimits = PROTOBUF_LIMITS) {
    if (bytes.length > limits.sizeBytes)
      throw new EncodingError('too-large', `${bytes.length} bytes, at most ${limits.sizeBytes} read`)
    this.bytes = bytes
    this.#limits = limits
    this.#end = bytes.length
  }

  /** Whether the run of bytes that is being read is at its end. */
  get done(): boolean {
    return this.offset >= this.#end
  }

  /** Checks the nesting of a message against the limits. */
  enter(depth: number): void {
    if (depth > this.#limits.depth) throw this.#error('too-deep', `messages nested more than ${this.#limits.depth} deep`)
  }

  /** Counts a field or an item of a packed list against the limits. */
  count(): void {
    if (++this.#values > this.#limits.values) throw this.#error('too-large', `more than ${this.#limits.values} values`)
  }

  /** What `read` makes of a run of bytes behind its length. Until it returns, that run is all there is; it must read to its end. */
  within<T>(read: () => T): T {
    const sizeBytes = this.#length()
    const outerEnd = this.#end
    this.#end = this.offset + sizeBytes
    const value = read()
    this.#end = outerEnd
    return value
  }

  tag(): Tag {
    const value = this.varint()
    const wireType = Number(value & 7n)
    const number = Number(value >> 3n)
    if (number < 1 || number > MAX_FIELD_NUMBER) throw this.#error('out-of-range', 'a field number out of range')
    if (wireType !== 0 && wireType !== 1 && wireType !== 2 && wireType !== 5) {
      throw this.#error('wrong-type', `wire type ${wireType} is not in use`)
    }
    return { number, wireType }
  }

  /** An unsigned 64-bit varint. A tenth byte may hold one bit only. */
  varint(): bigint {
    let low = 0
    let value = 0n
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.#byte()
      if (i < 4) low |= (byte & 0x7f) << (7 * i)
      else {
        if (i === 4) value = BigInt(low)
        value |= BigInt(byte & 0x7f) << BigInt(7 * i)
      }
      if (byte < 0x80) {
        if (i < 4) return BigInt(low)
        if (value > UINT64_MASK) break
        return value
      }
    }
    throw this.#error('out-of-range', 'a varint beyond 64 bits')
  }

  fixed64(): bigint {
    const at = this.#take(8)
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + at, 8).getBigUint64(0, true)
  }

  /** A run of bytes behind its length, as a view. */
  lengthDelimited(): Uint8Array {
    const at = this.#take(this.#length())
    return this.bytes.subarray(at, this.offset)
  }

  /** Steps over a value. */
  skip(wireType: WireType): void {
    if (wireType === WIRE.varint) this.varint()
    else if (wireType === WIRE.fixed64) this.#take(8)
    else if (wireType === WIRE.fixed32) this.#take(4)
    else this.lengthDelimited()
  }

  #byte(): number {
    return this.bytes[this.#take(1)]!
  }

  /** A length of bytes that are there. */
  #length(): number {
    const sizeBytes = this.varint()
    if (sizeBytes > BigInt(this.#end - this.offset)) throw this.#truncated()
    return Number(sizeBytes)
  }

  #take(sizeBytes: number): number {
    const at = this.offset
    if (at + sizeBytes > this.#end) throw this.#truncated()
    this.offset = at + sizeBytes
    return at
  }

  #truncated(): EncodingError {
    return this.#error('truncated', 'the message ends within a field')
  }

  #error(code: EncodingError['code'], message: string): EncodingError {
    return new EncodingError(code, message, { offset: this.offset })
  }
}

/** Appends an unsigned 64-bit varint in its shortest form. */
export function writeVarint(writer: Writer, value: bigint | number): void {
  let rest = BigInt(value)
  if (rest < 0n || rest > UINT64_MASK) throw new EncodingError('out-of-range', `${value} is not an unsigned 64-bit integer`)
  while (rest > 0x7fn) {
    writer.byte(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  writer.byte(Number(rest))
}

/** Appends the tag of a field. */
export function writeTag(writer: Writer, number: number, wireType: WireType): void {
  writeVarint(writer, number * 8 + wireType)
}
