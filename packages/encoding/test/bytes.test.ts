import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compareBytes,
  concatBytes,
  equalBytes,
  readUint32Le,
  readUint64Be,
  readUint64Le,
  uint16Le,
  uint32Le,
  uint64Be,
  uint64Le,
  xorBytes,
} from '../src/index.ts'
import { expectCode } from './outcome.ts'

const anyBytes = fc.uint8Array({ maxLength: 40 })

describe('byte strings (NOT-01)', () => {
  it('are joined as Buffer joins them, into a new array', () => {
    const property = fc.property(fc.array(anyBytes), parts => {
      const joined = concatBytes(...parts)
      expect(Buffer.from(joined).equals(Buffer.concat(parts))).toBe(true)
      for (const part of parts) expect(joined).not.toBe(part)
    })
    fc.assert(property)
    expect(concatBytes()).toEqual(new Uint8Array(0))
  })

  it('are ordered as Buffer orders them', () => {
    const nearlySame = fc.uint8Array({ maxLength: 4, max: 1 })
    const property = fc.property(fc.oneof(anyBytes, nearlySame), fc.oneof(anyBytes, nearlySame), (a, b) => {
      expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b))
      expect(equalBytes(a, b)).toBe(Buffer.from(a).equals(b))
      expect(equalBytes(a, a.slice())).toBe(true)
    })
    fc.assert(property)
  })

  it('are compared unsigned, a prefix first', () => {
    expect(compareBytes(Uint8Array.of(0x7f), Uint8Array.of(0x80))).toBeLessThan(0)
    expect(compareBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBeLessThan(0)
    expect(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBe(false)
  })

  it('combine by exclusive or, at the same size only', () => {
    expect(xorBytes(Uint8Array.of(0xf0, 0xff), Uint8Array.of(0x0f, 0xff))).toEqual(Uint8Array.of(0xff, 0))
    expectCode('wrong-size', () => xorBytes(new Uint8Array(1), new Uint8Array(2)))
  })
})

describe('fixed-width integers (NOT-01)', () => {
  it('have known bytes', () => {
    expect(uint16Le(0x1234)).toEqual(Uint8Array.of(0x34, 0x12))
    expect(uint32Le(0xfedcba98)).toEqual(Uint8Array.of(0x98, 0xba, 0xdc, 0xfe))
    expect(uint64Le(0x0102030405060708n)).toEqual(Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1))
    expect(uint64Be(0x0102030405060708n)).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))
  })

  it('are read as written, at any offset of a view', () => {
    const property = fc.property(fc.nat(0xffffffff), fc.bigInt(0n, 2n ** 64n - 1n), fc.nat(9), (small, large, offset) => {
      const before = new Uint8Array(offset)
      const view = (bytes: Uint8Array) => concatBytes(Uint8Array.of(9), before, bytes).subarray(1)
      expect(readUint32Le(view(uint32Le(small)), offset)).toBe(small)
      expect(readUint64Le(view(uint64Le(large)), offset)).toBe(large)
      expect(readUint64Be(view(uint64Be(large)), offset)).toBe(large)
    })
    fc.assert(property)
  })

  it.each([-1, 0x10000, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuse %d as 16 bits', value => {
    expectCode('out-of-range', () => uint16Le(value))
  })

  it('refuse what 32 and 64 bits cannot hold', () => {
    for (const value of [-1, 2 ** 32, 0.5]) expectCode('out-of-range', () => uint32Le(value))
    for (const value of [-1n, 2n ** 64n]) {
      expectCode('out-of-range', () => uint64Le(value))
      expectCode('out-of-range', () => uint64Be(value))
    }
  })

  it('are not read beyond the end of a view, though its buffer goes on', () => {
    const view = new Uint8Array(32).subarray(0, 8)
    expect(readUint64Le(view, 0)).toBe(0n)
    for (const offset of [-1, 1, 8, 100]) {
      expectCode('truncated', () => readUint64Le(view, offset))
      expectCode('truncated', () => readUint64Be(view, offset))
    }
    expectCode('truncated', () => readUint32Le(view, 5))
  })
})
