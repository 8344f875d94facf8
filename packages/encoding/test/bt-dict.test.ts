/** Dicts read and written field by field. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BtDictReader, BtDictWriter, encodeBt } from '../src/index.ts'
import { anyBtDict } from './bt-values.ts'
import { ascii, expectCode } from './outcome.ts'

const reader = (text: string) => new BtDictReader(ascii(text))

describe('writing a dict (ENC-04, NOT-09)', () => {
  it('gives the bytes of the whole value', () => {
    const property = fc.property(anyBtDict, dict => {
      const writer = new BtDictWriter()
      for (const [key, value] of [...dict].sort(([a], [b]) => (a < b ? -1 : 1))) writer.raw(key, encodeBt(value))
      expect(writer.finish()).toEqual(encodeBt(dict))
    })
    fc.assert(property)
  })

  it('writes integers and byte strings', () => {
    const bytes = new BtDictWriter()
      .integer('', -5)
      .bytes('a', ascii('xy'))
      .integer('b', 2n ** 63n - 1n)
      .finish()
    expect(bytes).toEqual(ascii('d0:i-5e1:a2:xy1:bi9223372036854775807ee'))
  })

  it.each([
    ['a', 'a'],
    ['b', 'a'],
    ['a', ''],
    ['aa', 'a'],
    ['\xff', 'a'],
  ])('refuses %j before %j', (first, second) => {
    expectCode('out-of-order', () => new BtDictWriter().integer(first, 1).bytes(second, ascii('')))
  })

  it('signs what stands before the signature, a first signature included (NOT-10)', () => {
    const bodies: string[] = []
    const signer = (signature: string) => (body: Uint8Array) => {
      bodies.push(String.fromCharCode(...body))
      return ascii(signature)
    }
    const bytes = new BtDictWriter().integer('a', 1).sign('~', signer('S')).sign('~P', signer('T')).finish()
    expect(bodies).toEqual(['d1:ai1e', 'd1:ai1e1:~1:S'])
    expect(bytes).toEqual(ascii('d1:ai1e1:~1:S2:~P1:Te'))
  })

  it('refuses integers that are none or too large', () => {
    for (const value of [2n ** 63n, 1.5, Number.NaN]) expectCode('out-of-range', () => new BtDictWriter().integer('a', value))
  })
})

describe('reading a dict (ENC-04)', () => {
  it('gives every kind of field', () => {
    const dict = reader('d1:a2:xy1:bi-3e1:cli1e0:e1:dd1:xleee')
    expect(dict.requireBytes('a')).toEqual(ascii('xy'))
    expect(dict.requireInteger('b')).toBe(-3n)
    expect(dict.requireList('c')).toEqual([1n, ascii('')])
    expect(dict.requireRaw('d')).toEqual(ascii('d1:xlee'))
    dict.finish({ unknown: 'reject' })
    expect(dict.unknown).toEqual([])
  })

  it('says of a field that is not there: undefined, or an error where it is required', () => {
    const dict = reader('d1:bi1ee')
    expect(dict.optionalBytes('a')).toBeUndefined()
    expect(dict.optionalInteger('a')).toBeUndefined()
    expect(dict.optionalRaw('a')).toBeUndefined()
    expect(dict.optionalList('a')).toBeUndefined()
    for (const read of ['requireBytes', 'requireInteger', 'requireRaw', 'requireList', 'bodyBefore'] as const)
      expectCode('missing-field', () => dict[read]('a'))
    expect(dict.requireInteger('b')).toBe(1n)
  })

  it('tells zero and empty from absent', () => {
    const dict = reader('d1:ai0e1:b0:1:clee')
    expect([dict.requireInteger('a'), dict.requireBytes('b'), dict.requireList('c')]).toEqual([0n, ascii(''), []])
  })

  it('refuses another type', () => {
    expectCode('wrong-type', () => reader('d1:ai1ee').requireBytes('a'))
    expectCode('wrong-type', () => reader('d1:a0:e').requireInteger('a'))
    expectCode('wrong-type', () => reader('d1:a0:e').requireList('a'))
    expectCode('wrong-type', () => reader('le'))
  })

  it('does not find a field asked for too late', () => {
    const dict = reader('d1:ai1e1:bi2ee')
    expect(dict.requireInteger('b')).toBe(2n)
    expect(dict.optionalInteger('a')).toBeUndefined()
    expect(dict.unknown).toEqual([['a', ascii('i1e')]])
  })

  it.each([
    ['size', { size: 3 }, false],
    ['size', { size: 2 }, true],
    ['minSize', { minSize: 3 }, false],
    ['minSize', { minSize: 2 }, true],
    ['maxSize', { maxSize: 1 }, false],
    ['maxSize', { maxSize: 2 }, true],
  ])('bounds a byte string by its %s: %j', (_, size, accepted) => {
    const read = () => reader('d1:a2:xye').requireBytes('a', size)
    if (accepted) expect(read()).toEqual(ascii('xy'))
    else expectCode('wrong-size', read)
  })

  it('finds the fields of any dict', () => {
    const property = fc.property(anyBtDict, dict => {
      const fields = new BtDictReader(encodeBt(dict))
      for (const [key, value] of [...dict].sort(([a], [b]) => (a < b ? -1 : 1)))
        expect(fields.requireRaw(key)).toEqual(encodeBt(value))
      fields.finish({ unknown: 'reject' })
    })
    fc.assert(property)
  })
})

describe('fields that nobody asked for (ENC-04, NOT-11)', () => {
  const text = 'd1:ai1e1:bli1ee1:ci3e1:dd1:x0:ee'

  it('are stepped over and kept', () => {
    const dict = reader(text)
    expect(dict.requireInteger('c')).toBe(3n)
    dict.finish({ unknown: 'allow' })
    expect(dict.unknown).toEqual([
      ['a', ascii('i1e')],
      ['b', ascii('li1ee')],
      ['d', ascii('d1:x0:e')],
    ])
  })

  it('are an error where the format has no room for them', () => {
    const dict = reader(text)
    expectCode('wrong-type', () => dict.finish({ unknown: 'reject' }))
  })

  it.each([
    ['di1ee', 'wrong-type'],
    ['d1:ai01e1:bi1ee', 'not-canonical'],
    ['d1:ald1:xe1:bi1ee', 'wrong-type'],
    ['d1:ad1:yi1e1:xi1ee1:bi1ee', 'out-of-order'],
    ['d1:ad1:xi1e1:xi1ee1:bi1ee', 'duplicate-key'],
    [`d1:a${'l'.repeat(100_000)}`, 'too-deep'],
  ] as const)('are checked: %.40s is %s', (bad, code) => {
    expectCode(code, () => reader(bad).requireInteger('b'))
  })
})

describe('the whole of a dict', () => {
  it.each([
    ['d1:bi1e1:ai2ee', 'out-of-order'],
    ['d1:ai1e1:ai2ee', 'duplicate-key'],
    ['d2:aai1e1:ai2ee', 'out-of-order'],
    ['d1:ai1e', 'truncated'],
    ['d1:a', 'truncated'],
    ['d', 'truncated'],
    ['de0', 'trailing-bytes'],
    ['d1:ai1eee', 'trailing-bytes'],
  ] as const)('%s is %s', (text, code) => {
    expectCode(code, () => reader(text).finish({ unknown: 'allow' }))
  })

  it('has the signed part up to the length prefix of the signature (ENC-04, NOT-10)', () => {
    const dict = reader('d1:ai1e1:~1:S2:~P1:Te')
    expect(dict.bodyBefore('~')).toEqual(ascii('d1:ai1e'))
    expect(dict.requireBytes('~')).toEqual(ascii('S'))
    expect(dict.bodyBefore('~P')).toEqual(ascii('d1:ai1e1:~1:S'))
    expect(dict.requireBytes('~P')).toEqual(ascii('T'))
    dict.finish({ unknown: 'allow' })
  })

  it('has limits, also within a list', () => {
    const limits = { sizeBytes: 40, depth: 2, values: 4 }
    expect(new BtDictReader(ascii('d1:alleee'), limits).requireList('a')).toEqual([[]])
    expectCode('too-deep', () => new BtDictReader(ascii('d1:alleleeee'.replace('le', 'lle')), limits).requireList('a'))
    expectCode('too-large', () => new BtDictReader(ascii('d1:al0:0:0:0:ee'), limits).requireList('a'))
    expectCode('too-large', () => new BtDictReader(new Uint8Array(41), limits))
    const deep = ascii(`d1:a${'l'.repeat(35)}${'e'.repeat(35)}e`)
    expect(new BtDictReader(deep, { ...limits, sizeBytes: 100, depth: 40, values: 40 }).requireList('a')).toHaveLength(1)
    expectCode('too-deep', () => new BtDictReader(deep).requireList('a'))
  })
})
