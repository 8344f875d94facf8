import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { padWithMarker, padWithZeros, trimMarker, trimTrailingZeros } from '../src/index.ts'
import { expectCode } from './outcome.ts'

const anyBytes = fc.uint8Array({ maxLength: 400 })

describe('zeros behind a text (ENC-08)', () => {
  it('come off again when the text does not end in zero', () => {
    const property = fc.property(anyBytes, fc.nat(100), (bytes, more) => {
      const text = Uint8Array.from([...bytes, 0x65])
      const padded = padWithZeros(text, text.length + more)
      expect(padded).toHaveLength(text.length + more)
      expect(trimTrailingZeros(padded)).toEqual(text)
    })
    fc.assert(property)
  })

  it('do not cut a text that is too long', () => {
    expectCode('too-large', () => padWithZeros(new Uint8Array(3), 2))
    expect(padWithZeros(Uint8Array.of(1, 2), 2)).toEqual(Uint8Array.of(1, 2))
  })

  it('may be all there is', () => {
    expect(trimTrailingZeros(new Uint8Array(5))).toHaveLength(0)
  })
})

describe('a marker behind a text (ENC-08)', () => {
  it('comes off again, whatever the text', () => {
    const property = fc.property(anyBytes, fc.integer({ min: 1, max: 160 }), (bytes, block) => {
      const padded = padWithMarker(bytes, block)
      expect(padded.length % block).toBe(0)
      expect(padded.length).toBeGreaterThan(bytes.length)
      expect(trimMarker(padded)).toEqual(bytes)
    })
    fc.assert(property)
  })

  it.each([
    [0, 160],
    [158, 160],
    [159, 320],
    [160, 320],
  ])('makes %d bytes %d', (sizeBytes, paddedBytes) => {
    expect(padWithMarker(new Uint8Array(sizeBytes), 160)).toHaveLength(paddedBytes)
  })

  it('may be missing', () => {
    expect(trimMarker(Uint8Array.of(1, 2, 0, 0))).toEqual(Uint8Array.of(1, 2))
    expect(trimMarker(Uint8Array.of(1, 0x80, 0x80))).toEqual(Uint8Array.of(1, 0x80))
  })
})
