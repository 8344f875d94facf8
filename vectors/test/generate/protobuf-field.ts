/** Fields of protobuf messages, written apart from the encoding package. */
import { concatBytes } from '@session-v2/encoding'

/** A number, as a varint. */
export function numberField(number: number, value: bigint): Uint8Array {
  return concatBytes(varint(BigInt(number * 8)), varint(value))
}

/** Bytes, a text or a message, behind their length. */
export function lengthField(number: number, bytes: Uint8Array): Uint8Array {
  return concatBytes(varint(BigInt(number * 8 + 2)), varint(BigInt(bytes.length)), bytes)
}

function varint(value: bigint): Uint8Array {
  const rest = value >> 7n
  const low = Number(value & 0x7fn)
  return rest === 0n ? Uint8Array.of(low) : concatBytes(Uint8Array.of(low | 0x80), varint(rest))
}
