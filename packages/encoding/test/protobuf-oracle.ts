/** One message for both runtimes, ours and @bufbuild/protobuf, with every kind of field; and arbitrary values of it. */
import { create, createFileRegistry, type DescMessage, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt'
import fc from 'fast-check'
import * as p from '../src/index.ts'

export const Inner = p.message({ id: p.uint64(1), text: p.string(2) })

const scalars = {
  u32: p.uint32(1),
  u64: p.uint64(2),
  i64: p.int64(3),
  s32: p.sint32(4),
  flag: p.bool(5),
  kind: p.enumeration(6),
  f64: p.fixed64(7),
  sf64: p.sfixed64(8),
  text: p.string(9),
  raw: p.bytes(10),
}

export const Everything = p.message({
  ...scalars,
  one: p.submessage(11, Inner),
  many: p.uint32(15).repeated(),
  run: p.sint32(16).packed(),
  fixedRun: p.fixed64(17).packed(),
  texts: p.string(18).repeated(),
  inners: p.submessage(19, Inner).repeated(),
  far: p.uint32(536_870_911),
})
export type EverythingValue = p.ValueOfSchema<typeof Everything>

/** Knows only a few of the fields. */
export const Some = p.message({ u64: scalars.u64, raw: scalars.raw, texts: p.string(18).repeated() })

const field = (name: string, number: number, type: Type, label = Label.OPTIONAL, packed = false) => ({
  name,
  jsonName: name,
  number,
  type,
  label,
  typeName: type === Type.MESSAGE ? '.t.Inner' : type === Type.ENUM ? '.t.Kind' : '',
  ...(packed && { options: { packed } }),
})

const file = create(FileDescriptorProtoSchema, {
  name: 't.proto',
  package: 't',
  syntax: 'proto2',
  enumType: [{ name: 'Kind', value: [-2147483648, -1, 0, 1, 2147483647].map((number, i) => ({ name: `K${i}`, number })) }],
  messageType: [
    { name: 'Inner', field: [field('id', 1, Type.UINT64), field('text', 2, Type.STRING)] },
    {
      name: 'Everything',
      field: [
        field('u32', 1, Type.UINT32),
        field('u64', 2, Type.UINT64),
        field('i64', 3, Type.INT64),
        field('s32', 4, Type.SINT32),
        field('flag', 5, Type.BOOL),
        field('kind', 6, Type.ENUM),
        field('f64', 7, Type.FIXED64),
        field('sf64', 8, Type.SFIXED64),
        field('text', 9, Type.STRING),
        field('raw', 10, Type.BYTES),
        field('one', 11, Type.MESSAGE),
        field('many', 15, Type.UINT32, Label.REPEATED),
        field('run', 16, Type.SINT32, Label.REPEATED, true),
        field('fixedRun', 17, Type.FIXED64, Label.REPEATED, true),
        field('texts', 18, Type.STRING, Label.REPEATED),
        field('inners', 19, Type.MESSAGE, Label.REPEATED),
        field('far', 536_870_911, Type.UINT32),
      ],
    },
  ],
})

const descriptor = createFileRegistry(file, () => undefined).getMessage('t.Everything') as DescMessage

/** The bytes of a value as the oracle writes them. */
export const oracleEncode = (value: object): Uint8Array => toBinary(descriptor, create(descriptor, value as never))

/** Bytes read and written again by the oracle. */
export const oracleRewrite = (bytes: Uint8Array): Uint8Array => toBinary(descriptor, fromBinary(descriptor, bytes))

const int32 = () => fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0, -1))
const uint32 = () => fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 127, 128, 0xffffffff))
const uint64 = () => fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.constantFrom(0n, 2n ** 28n, 2n ** 63n, 2n ** 64n - 1n))
const int64 = () => fc.oneof(fc.bigInt(p.INT64_MIN, p.INT64_MAX), fc.constantFrom(0n, -1n, p.INT64_MIN, p.INT64_MAX))
const text = () => fc.string({ unit: 'binary', maxLength: 8 })
const inner = () => fc.record({ id: uint64(), text: text() }, { requiredKeys: [] })
const some = <T>(items: fc.Arbitrary<T>) => fc.array(items, { minLength: 1, maxLength: 4 })

/** Lists are absent rather than empty: the wire does not tell them apart. */
export const anyEverything: fc.Arbitrary<EverythingValue> = fc.record(
  {
    u32: uint32(),
    u64: uint64(),
    i64: int64(),
    s32: int32(),
    flag: fc.boolean(),
    kind: fc.constantFrom(-(2 ** 31), -1, 0, 1, 2 ** 31 - 1),
    f64: uint64(),
    sf64: int64(),
    text: text(),
    raw: fc.uint8Array({ maxLength: 200 }),
    one: inner(),
    many: some(uint32()),
    run: some(int32()),
    fixedRun: some(uint64()),
    texts: some(text()),
    inners: some(inner()),
    far: uint32(),
  },
  { requiredKeys: [] },
)
