/** The kinds of protobuf values: how each is laid out, written and read. */
import { uint64Le } from './bytes.ts'
import { EncodingError } from './encoding-error.ts'
import type { ProtobufReader, WireType } from './protobuf-wire.ts'
import { WIRE, writeVarint } from './protobuf-wire.ts'
import { decodeUtf8, encodeUtf8 } from './utf8.ts'
import type { Writer } from './writer.ts'

/** One kind of value. `depth` is the nesting of the message that holds it. */
export interface Kind<T> {
  readonly wireType: WireType
  write(writer: Writer, value: T, depth: number): void
  read(reader: ProtobufReader, depth: number): T
}

const UINT32_MAX = 0xffff_ffff
const INT32_MAX = 2 ** 31 - 1

function rangeError(what: string): EncodingError {
  return new EncodingError('out-of-range', `a value is not ${what}`)
}

function isInt32(value: number): boolean {
  return Number.isInteger(value) && value <= INT32_MAX && value >= -INT32_MAX - 1
}

export const UINT32: Kind<number> = {
  wireType: WIRE.varint,
  write: (writer, value) => {
    if (!Number.isInteger(value) || value < 0 || value > UINT32_MAX) throw rangeError('an unsigned 32-bit integer')
    writeVarint(writer, value)
  },
  read: reader => {
    const value = reader.varint()
    if (value > BigInt(UINT32_MAX)) throw rangeError('an unsigned 32-bit integer')
    return Number(value)
  },
}

export const UINT64: Kind<bigint> = {
  wireType: WIRE.varint,
  write: writeVarint,
  read: reader => reader.varint(),
}

export const INT64: Kind<bigint> = {
  wireType: WIRE.varint,
  write: (writer, value) => {
    if (value !== BigInt.asIntN(64, value)) throw rangeError('a signed 64-bit integer')
    writeVarint(writer, BigInt.asUintN(64, value))
  },
  read: reader => BigInt.asIntN(64, reader.varint()),
}

/** Zigzag: small negative numbers are short. */
export const SINT32: Kind<number> = {
  wireType: WIRE.varint,
  write: (writer, value) => {
    if (!isInt32(value)) throw rangeError('a signed 32-bit integer')
    writeVarint(writer, value < 0 ? -2 * value - 1 : 2 * value)
  },
  read: reader => {
    const value = reader.varint()
    if (value > BigInt(UINT32_MAX)) throw rangeError('a signed 32-bit integer')
    const zigzag = Number(value)
    return zigzag % 2 === 1 ? -(zigzag + 1) / 2 : zigzag / 2
  },
}

/** A value of an enumeration that may have grown since: any 32-bit number is kept. */
export const ENUMERATION: Kind<number> = {
  wireType: WIRE.varint,
  write: (writer, value) => {
    if (!isInt32(value)) throw rangeError('a value of an enumeration')
    INT64.write(writer, BigInt(value), 0)
  },
  read: reader => {
    const value = Number(BigInt.asIntN(64, reader.varint()))
    if (!isInt32(value)) throw rangeError('a value of an enumeration')
    return value
  },
}

export const BOOL: Kind<boolean> = {
  wireType: WIRE.varint,
  write: (writer, value) => writer.byte(value ? 1 : 0),
  read: reader => reader.varint() !== 0n,
}

export const FIXED64: Kind<bigint> = {
  wireType: WIRE.fixed64,
  write: (writer, value) => writer.bytes(uint64Le(value)),
  read: reader => reader.fixed64(),
}

export const SFIXED64: Kind<bigint> = {
  wireType: WIRE.fixed64,
  write: (writer, value) => {
    if (value !== BigInt.asIntN(64, value)) throw rangeError('a signed 64-bit integer')
    writer.bytes(uint64Le(BigInt.asUintN(64, value)))
  },
  read: reader => BigInt.asIntN(64, reader.fixed64()),
}

/** Bytes are read into a copy, so that a value outlives the buffer it came in. */
export const BYTES: Kind<Uint8Array> = {
  wireType: WIRE.bytes,
  write: (writer, value) => {
    writeVarint(writer, value.length)
    writer.bytes(value)
  },
  read: reader => new Uint8Array(reader.lengthDelimited()), // not slice(): that of a Buffer is a view
}

export const STRING: Kind<string> = {
  wireType: WIRE.bytes,
  write: (writer, value, depth) => BYTES.write(writer, encodeUtf8(value), depth),
  read: reader => decodeUtf8(reader.lengthDelimited()),
}
