import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as p from '../src/index.ts'
import { concatBytes, decodeHex, decodeMessage, encodeHex, encodeMessage } from '../src/index.ts'
import { expectCode } from './outcome.ts'
import { anyEverything, Everything, Inner, oracleEncode, oracleRewrite, Some } from './protobuf-oracle.ts'

const hex = (text: string) => decodeHex(text.replaceAll(' ', ''))
const read = (text: string) => decodeMessage(Everything, hex(text))

describe('messages', () => {
  it('have the bytes of an independent runtime, both ways', () => {
    let withFields = 0
    const property = fc.property(anyEverything, value => {
      const bytes = encodeMessage(Everything, value)
      expect(bytes).toEqual(oracleEncode(value))
      expect(oracleRewrite(bytes)).toEqual(bytes)
      expect(decodeMessage(Everything, bytes)).toEqual(value)
      if (bytes.length > 0) withFields++
    })
    fc.assert(property, { numRuns: 500 })
    expect(withFields).toBeGreaterThan(300)
  })

  it('have known bytes', () => {
    expect(encodeHex(encodeMessage(Everything, { u32: 150, text: 'testing' }))).toBe('0896014a0774657374696e67')
    expect(encodeHex(encodeMessage(Everything, { run: [0, -1, 1, -2] }))).toBe('82010400010203')
    expect(encodeHex(encodeMessage(Everything, { i64: -1n }))).toBe('18ffffffffffffffffff01')
  })

  it('tell zero and empty values from absent ones', () => {
    const zero = {
      u32: 0,
      u64: 0n,
      i64: 0n,
      s32: 0,
      flag: false,
      kind: 0,
      f64: 0n,
      sf64: 0n,
      text: '',
      raw: new Uint8Array(0),
      one: {},
    }
    const bytes = encodeMessage(Everything, zero)
    expect(decodeMessage(Everything, bytes)).toEqual(zero)
    expect(bytes).toEqual(oracleEncode(zero))
    expect(decodeMessage(Everything, new Uint8Array(0))).toEqual({})
  })

  it('are written in the order of field numbers, whatever the order of the value', () => {
    expect(encodeMessage(Everything, { text: 'a', u32: 1 })).toEqual(encodeMessage(Everything, { u32: 1, text: 'a' }))
  })

  it('copy bytes out of their input', () => {
    const input = Buffer.from('520107', 'hex')
    const value = decodeMessage(Everything, input)
    input.fill(0)
    expect(value.raw).toEqual(Uint8Array.of(7))
  })
})

describe('fields a schema does not know', () => {
  it('are kept and written again behind the known ones', () => {
    const property = fc.property(anyEverything, value => {
      const passedOn = encodeMessage(Some, decodeMessage(Some, encodeMessage(Everything, value)))
      expect(decodeMessage(Everything, passedOn)).toEqual(value)
      expect(encodeMessage(Some, decodeMessage(Some, passedOn))).toEqual(passedOn)
    })
    fc.assert(property)
  })

  it('are kept as they came, of every wire type', () => {
    const unknown = hex('a006 8100 a106 0102030405060708 a206 02 ffff a506 01020304')
    const value = decodeMessage(Some, concatBytes(unknown, hex('10 05')))
    expect(value).toEqual({ u64: 5n, unknownFields: unknown })
    expect(encodeMessage(Some, value)).toEqual(concatBytes(hex('10 05'), unknown))
  })

  it('include known numbers with another wire type', () => {
    expect(read('0d 01020304')).toEqual({ unknownFields: hex('0d 01020304') })
    expect(read('0a 01 05')).toEqual({ unknownFields: hex('0a 01 05') })
  })
})

describe('lists', () => {
  const Packed = p.message({ items: p.uint64(1).packed() })
  const Single = p.message({ items: p.uint64(1).repeated() })

  it('are read packed, unpacked and mixed, by either schema', () => {
    const property = fc.property(fc.array(fc.bigInt(0n, 2n ** 64n - 1n), { minLength: 1 }), items => {
      for (const writer of [Packed, Single]) {
        for (const reader of [Packed, Single]) {
          const twice = concatBytes(encodeMessage(writer, { items }), encodeMessage(Single, { items }))
          expect(decodeMessage(reader, twice)).toEqual({ items: [...items, ...items] })
        }
      }
    })
    fc.assert(property)
  })

  it('that are empty are not written', () => {
    expect(encodeMessage(Packed, { items: [] })).toHaveLength(0)
    expect(encodeMessage(Single, { items: [] })).toHaveLength(0)
  })
})

describe('required fields', () => {
  const Required = p.message({ id: p.uint32(1).required(), text: p.string(2) })

  it('must be there, on both ways', () => {
    expectCode('missing-field', () => decodeMessage(Required, hex('12 01 61')))
    expectCode('missing-field', () => encodeMessage(Required, { text: 'a' } as never))
    expect(decodeMessage(Required, hex('08 00'))).toEqual({ id: 0 })
  })
})

describe('a field that stands twice', () => {
  it('has its last value', () => {
    expect(read('08 01 08 02')).toEqual({ u32: 2 })
    expect(read('5a 02 08 01 5a 03 12 01 61')).toEqual({ one: { text: 'a' } })
  })

  it('cannot be in a schema', () => {
    expectCode('duplicate-key', () => p.message({ a: p.uint32(1), b: p.string(1) }))
  })
})

describe('what is no message', () => {
  it.each([
    ['a cut tag', '88', 'truncated'],
    ['a cut varint', '08 80', 'truncated'],
    ['cut bytes', '4a 05 61', 'truncated'],
    ['a length of 2^63', '4a 80808080808080808001', 'truncated'],
    ['a cut fixed64', '39 00000000000000', 'truncated'],
    ['a cut fixed32', 'ed01 000000', 'truncated'],
    ['field number 0', '00 00', 'out-of-range'],
    ['field number 2^29', '8080808010 00', 'out-of-range'],
    ['a varint of eleven bytes', '10 ffffffffffffffffffff01', 'out-of-range'],
    ['a varint of 65 bits', '10 ffffffffffffffffff02', 'out-of-range'],
    ['33 bits for a uint32', '08 8080808010', 'out-of-range'],
    ['33 bits for a sint32', '20 8080808010', 'out-of-range'],
    ['33 bits for an enumeration', '30 8080808010', 'out-of-range'],
    ['a group', '0b 0c', 'wrong-type'],
    ['wire type 6', '0e', 'wrong-type'],
    ['wire type 7', '0f', 'wrong-type'],
    ['text that is not UTF-8', '4a 01 80', 'bad-utf8'],
    ['a packed run that ends within a number', '8201 01 80', 'truncated'],
    ['a message within that is none', '5a 01 08', 'truncated'],
    ['a message within that reaches beyond its end', '5a 03 12 05 61 62 63 64 65', 'truncated'],
    ['a packed number that reaches beyond the run', '8a01 04 0102030405060708', 'truncated'],
  ] as const)('%s', (_, text, code) => {
    expectCode(code, () => read(text))
  })

  it('is not overlong: a varint may be longer than it must be', () => {
    expect(read('08 8100')).toEqual({ u32: 1 })
    expect(read('10 ffffffffffffffffff01')).toEqual({ u64: 2n ** 64n - 1n })
  })
})

describe('values that do not fit', () => {
  it.each([
    { u32: -1 },
    { u32: 2 ** 32 },
    { u32: 0.5 },
    { u64: -1n },
    { u64: 2n ** 64n },
    { i64: 2n ** 63n },
    { s32: 2 ** 31 },
    { s32: Number.NaN },
    { kind: 2 ** 31 },
    { kind: 0.5 },
    { f64: -1n },
    { sf64: 2n ** 63n },
  ])('%o is not written', value => {
    expectCode('out-of-range', () => encodeMessage(Everything, value))
  })

  it('half of a surrogate pair is not written', () => {
    expectCode('bad-utf8', () => encodeMessage(Inner, { text: '\ud800' }))
  })
})

describe('limits', () => {
  const nested = (depth: number): p.MessageSchema<unknown> =>
    depth === 0 ? p.message({}) : p.message({ in: p.submessage(1, nested(depth - 1)) })
  const value = (depth: number): unknown => (depth === 0 ? {} : { in: value(depth - 1) })

  it('nesting is read and written to the same depth', () => {
    const { depth } = p.PROTOBUF_LIMITS
    const deepest = nested(depth)
    expect(decodeMessage(deepest, encodeMessage(deepest, value(depth)))).toEqual(value(depth))
    const deeper = nested(depth + 1)
    expectCode('too-deep', () => encodeMessage(deeper, value(depth + 1)))
    const bytes = encodeMessage(Bytes, { in: encodeMessage(deepest, value(depth)) })
    expectCode('too-deep', () => decodeMessage(deeper, bytes))
  })

  it('size is bounded', () => {
    expect(decodeMessage(Bytes, encodeMessage(Bytes, { in: new Uint8Array(100_000) })).in).toHaveLength(100_000)
    expectCode('too-large', () => decodeMessage(Bytes, new Uint8Array(p.PROTOBUF_LIMITS.sizeBytes + 1)))
  })

  it('a small message of many values is refused', () => {
    const List = p.message({ items: p.submessage(1, Inner).repeated(), numbers: p.uint32(2).packed() })
    const fields = (count: number) => Uint8Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? 0x0a : 0))
    const items = (count: number) => encodeMessage(List, { numbers: Array.from({ length: count }, () => 0) })
    const limits = { ...p.PROTOBUF_LIMITS, values: 5 }
    expect(decodeMessage(List, fields(5), limits).items).toHaveLength(5)
    expect(decodeMessage(List, items(4), limits).numbers).toHaveLength(4)
    expectCode('too-large', () => decodeMessage(List, items(5), limits))
    expectCode('too-large', () => decodeMessage(List, concatBytes(fields(2), items(3)), limits))
    expectCode('too-large', () => decodeMessage(List, fields(p.PROTOBUF_LIMITS.values + 1)))
  })

  it('are those of the caller', () => {
    const bytes = encodeMessage(nested(2), value(2))
    expect(decodeMessage(nested(2), bytes, { sizeBytes: bytes.length, depth: 2, values: 2 })).toEqual(value(2))
    expectCode('too-deep', () => decodeMessage(nested(2), bytes, { ...p.PROTOBUF_LIMITS, depth: 1 }))
    expectCode('too-large', () => decodeMessage(nested(2), bytes, { ...p.PROTOBUF_LIMITS, sizeBytes: bytes.length - 1 }))
  })

  const Bytes = p.message({ in: p.bytes(1) })
})
