/** Bytes from a stranger: every decoder gives a value or an EncodingError, and soon. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  BtDictReader,
  decodeBase64,
  decodeBt,
  decodeHex,
  decodeMessage,
  decodeUtf8,
  encodeBase64,
  encodeBt,
  encodeHex,
  encodeMessage,
  trimMarker,
} from '../src/index.ts'
import { anyHostileBt } from './bt-values.ts'
import { FUZZ_RUNS, valueInTime } from './outcome.ts'
import { anyEverything, Everything } from './protobuf-oracle.ts'

const anyBytes = fc.uint8Array({ maxLength: 300 })
const anyText = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.base64String(), anyBytes.map(encodeHex))

const mutated = fc.tuple(anyEverything, fc.nat(), fc.nat(255), fc.boolean()).map(([value, at, byte, cut]) => {
  const bytes = encodeMessage(Everything, value)
  if (cut) return bytes.subarray(0, at % (bytes.length + 1))
  if (bytes.length > 0) bytes[at % bytes.length] = byte
  return bytes
})

/** Runs `decode` over arbitrary input; both outcomes must have come up, so that neither is vacuous. */
function fuzz<T extends Uint8Array | string>(input: fc.Arbitrary<T>, decode: (input: T) => unknown): void {
  let accepted = 0
  const property = fc.property(input, given => {
    if (valueInTime(given, () => decode(given) ?? true) !== undefined) accepted++
  })
  fc.assert(property, { numRuns: FUZZ_RUNS })
  expect(accepted).toBeGreaterThan(0)
  expect(accepted).toBeLessThan(FUZZ_RUNS)
}

describe('fuzz text', () => {
  it('hexadecimal', () => {
    fuzz(anyText, text => expect(encodeHex(decodeHex(text))).toBe(text.toLowerCase()))
  })

  it('base64', () => {
    fuzz(anyText, text => {
      expect(encodeBase64(decodeBase64(text), { padding: false })).toBe(text.replaceAll('=', ''))
    })
  })

  it('UTF-8', () => {
    const input = fc.oneof(
      anyBytes,
      anyText.map(text => Buffer.from(text)),
    )
    fuzz(input, bytes => expect(Buffer.from(decodeUtf8(bytes)).equals(bytes)).toBe(true))
  })

  it('a padding marker never fails and leaves a beginning of its input', () => {
    const property = fc.property(anyBytes, bytes => {
      const trimmed = valueInTime(bytes, () => trimMarker(bytes))
      expect(trimmed).toEqual(bytes.subarray(0, trimmed?.length))
    })
    fc.assert(property, { numRuns: FUZZ_RUNS })
  })
})

describe('fuzz bt-encoding', () => {
  it('values', () => {
    fuzz(anyHostileBt, bytes => expect(encodeBt(decodeBt(bytes))).toEqual(bytes))
  })

  it('dicts, field by field', () => {
    const input = anyHostileBt.map(bytes => Uint8Array.from([0x64, ...bytes, 0x65]))
    fuzz(input, bytes => {
      const dict = new BtDictReader(bytes)
      dict.optionalInteger('')
      dict.optionalList('a')
      if (dict.optionalBytes('b', { maxSize: 4 }) === undefined) dict.optionalRaw('c')
      dict.finish({ unknown: 'allow' })
      expect(() => decodeBt(bytes)).not.toThrow()
    })
  })
})

describe('fuzz protobuf', () => {
  it('messages', () => {
    fuzz(fc.oneof(anyBytes, mutated), bytes => {
      const value = decodeMessage(Everything, bytes)
      const once = encodeMessage(Everything, value)
      expect(encodeMessage(Everything, decodeMessage(Everything, once))).toEqual(once)
    })
  })
})
