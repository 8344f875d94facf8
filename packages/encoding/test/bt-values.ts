/** Arbitrary bt values, and bytes that nearly are one. */
import fc from 'fast-check'
import { type BtValue, type ByteKey, byteKey, encodeBt, INT64_MAX, INT64_MIN } from '../src/index.ts'

const anyInteger = fc.oneof(fc.bigInt(INT64_MIN, INT64_MAX), fc.bigInt(-10n, 10n), fc.constantFrom(INT64_MIN, INT64_MAX))
const anyByteString = fc.uint8Array({ maxLength: 20 })

export const anyByteKey: fc.Arbitrary<ByteKey> = fc.uint8Array({ maxLength: 3 }).map(byteKey)

export const anyBtValue: fc.Arbitrary<BtValue> = fc.letrec<{ value: BtValue }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    anyInteger,
    anyByteString,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(anyByteKey, tie('value')), { maxLength: 4 }).map(entries => new Map(entries)),
  ),
})).value

export const anyBtDict = fc.array(fc.tuple(anyByteKey, anyBtValue), { maxLength: 6 }).map(entries => new Map(entries))

/** Runs of the characters that encodings are made of: far more often nearly right than random bytes are. */
const anyBtLike = fc
  .array(fc.constantFrom('d', 'l', 'i', 'e', 'i0e', 'i-', '0:', '1:a', '1:b', '2:', '-', '9', '0', 'le', 'de'), { maxLength: 24 })
  .map(parts => Uint8Array.from(parts.join(''), character => character.charCodeAt(0)))

/** What a stranger may send: random bytes, bytes that look like an encoding, and encodings with a byte changed or cut off. */
export const anyHostileBt: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  anyBtLike,
  fc.tuple(anyBtValue, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
    const bytes = encodeBt(value)
    bytes[at % bytes.length] = byte
    return bytes
  }),
  fc.tuple(anyBtValue, fc.nat(40)).map(([value, size]) => encodeBt(value).subarray(0, size)),
)
