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

/** A tag as read: which field, and how its value is laid out. */
export interface Tag {
  readonly number: number
  readonly wireType: WireType
}

/** Reads the fields of one message, front to back. */
export class ProtobufReader {
  readonly bytes: Uint8Array
  offset = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get done(): boolean {
    return this.offset >= this.bytes.length
  }

  tag(): Tag {
    const start = this.offset
    const value = this.varint()
    const wireType = Number(value & 7n)
    const number = Number(value >> 3n)
    if (number < 1 || number > MAX_FIELD_NUMBER)
      throw new EncodingError('out-of-range', 'a field number out of range', { offset: start })
    if (wireType !== 0 && wireType !== 1 && wireType !== 2 && wireType !== 5) {
      throw new EncodingError('wrong-type', `wire type ${wireType} is not in use`, { offset: start })
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
    throw new EncodingError('out-of-range', 'a varint beyond 64 bits', { offset: this.offset })
  }

  fixed64(): bigint {
    const at = this.#take(8)
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + at, 8).getBigUint64(0, true)
  }

  /** A run of bytes behind its length, as a view. */
  lengthDelimited(): Uint8Array {
    const sizeBytes = this.varint()
    if (sizeBytes > BigInt(this.bytes.length)) throw this.#truncated()
    const at = this.#take(Number(sizeBytes))
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

  #take(sizeBytes: number): number {
    const at = this.offset
    if (at + sizeBytes > this.bytes.length) throw this.#truncated()
    this.offset = at + sizeBytes
    return at
  }

  #truncated(): EncodingError {
    return new EncodingError('truncated', 'the message ends within a field', { offset: this.offset })
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
