/** Values of bt-encoding: canonical out, strictly canonical in. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BT_LIMITS, type BtValue, byteKey, decodeBt, encodeBt, INT64_MAX, INT64_MIN, keyBytes } from '../src/index.ts'
import { anyBtDict, anyBtValue, anyByteKey, anyHostileBt } from './bt-values.ts'
import { ascii, expectCode, refusal } from './outcome.ts'

describe('encoding', () => {
  it.each<[string, BtValue]>([
    ['i0e', 0n],
    ['i-1e', -1n],
    ['i9223372036854775807e', INT64_MAX],
    ['i-9223372036854775808e', INT64_MIN],
    ['0:', new Uint8Array(0)],
    ['4:spam', ascii('spam')],
    ['le', []],
    ['de', new Map()],
    ['li1el0:edee', [1n, [new Uint8Array(0)], new Map()]],
    [
      'd0:i1e1:ai2e2:aai3ee',
      new Map([
        ['aa', 3n],
        ['', 1n],
        ['a', 2n],
      ]),
    ],
    [
      'd1:ai1e1:\xffi2ee',
      new Map([
        ['\xff', 2n],
        ['a', 1n],
      ]),
    ],
  ])('of %j is known', (text, value) => {
    expect(encodeBt(value)).toEqual(ascii(text))
    expect(decodeBt(ascii(text))).toEqual(value)
  })

  it('refuses integers beyond 64 bits and keys that are no bytes', () => {
    expectCode('out-of-range', () => encodeBt(INT64_MAX + 1n))
    expectCode('out-of-range', () => encodeBt([INT64_MIN - 1n]))
    expectCode('bad-character', () => encodeBt(new Map([['\u0100', 1n]])))
  })

  it('writes nothing that it would not read: depth', () => {
    let value: BtValue = []
    for (let depth = 0; depth < BT_LIMITS.depth; depth++) value = [value]
    expect(decodeBt(encodeBt(value))).toEqual(value)
    expectCode('too-deep', () => encodeBt([value]))
  })

  it('does not depend on the order in which a map was filled', () => {
    const property = fc.property(anyBtDict, dict => {
      expect(encodeBt(new Map([...dict].reverse()))).toEqual(encodeBt(dict))
    })
    fc.assert(property)
  })
})

describe('decoding', () => {
  it('undoes encoding', () => {
    const property = fc.property(anyBtValue, value => {
      expect(decodeBt(encodeBt(value))).toEqual(value)
    })
    fc.assert(property)
  })

  it('accepts nothing that encodes to other bytes', () => {
    let decoded = 0
    const property = fc.property(anyHostileBt, bytes => {
      refusal(() => {
        expect(encodeBt(decodeBt(bytes))).toEqual(bytes)
        decoded++
      })
    })
    fc.assert(property, { numRuns: 5000 })
    expect(decoded).toBeGreaterThan(100)
  })

  it('copies byte strings out of its input', () => {
    for (const input of [ascii('1:a'), Buffer.from('1:a')]) {
      const value = decodeBt(input)
      input.fill(0)
      expect(value).toEqual(ascii('a'))
    }
  })

  it('refuses every proper beginning of an encoding', () => {
    const property = fc.property(anyBtValue, value => {
      const bytes = encodeBt(value)
      for (let size = 0; size < bytes.length; size++) expectCode('truncated', () => decodeBt(bytes.subarray(0, size)))
    })
    fc.assert(property, { numRuns: 50 })
  })

  it('refuses bytes behind the value', () => {
    fc.assert(
      fc.property(anyBtValue, fc.uint8Array({ minLength: 1, maxLength: 3 }), (value, more) => {
        expectCode('trailing-bytes', () => decodeBt(Uint8Array.from([...encodeBt(value), ...more])))
      }),
    )
  })

  it('says where it stopped', () => {
    expect(refusal(() => decodeBt(ascii('li1ei01ee')))?.offset).toBe(7)
  })
})

describe('limits', () => {
  it.each([['l'], ['d0:']])('100,000 times %s is too deep and costs nothing', opening => {
    expectCode('too-deep', () => decodeBt(ascii(opening.repeat(100_000))))
  })

  it.each(['9999999999:', '99999999999999999999:', '4294967297:a', '10:a'])('the length %s is not reserved for', text => {
    expect(['truncated', 'too-large']).toContain(refusal(() => decodeBt(ascii(text)))?.code)
  })

  it('are those of the caller', () => {
    const limits = { sizeBytes: 8, depth: 1, values: 3 }
    expect(decodeBt(ascii('li1ei2ee'), limits)).toEqual([1n, 2n])
    expectCode('too-large', () => decodeBt(ascii('li1ei22ee'), limits))
    expectCode('too-large', () => decodeBt(ascii('l0:0:0:e'), limits))
    expectCode('too-deep', () => decodeBt(ascii('lli1eee'), limits))
  })

  it('count a million values, not more', () => {
    const list = (items: number) => ascii(`l${'0:'.repeat(items)}e`)
    expect(decodeBt(list(BT_LIMITS.values - 1))).toHaveLength(BT_LIMITS.values - 1)
    expectCode('too-large', () => decodeBt(list(BT_LIMITS.values)))
  })
})

describe('byte keys', () => {
  it('are bytes and back, ordered alike', () => {
    const property = fc.property(anyByteKey, anyByteKey, (a, b) => {
      expect(byteKey(keyBytes(a))).toBe(a)
      expect(Buffer.compare(keyBytes(a), keyBytes(b))).toBe(a < b ? -1 : a > b ? 1 : 0)
    })
    fc.assert(property)
  })
})
