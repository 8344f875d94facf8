/**
 * Protobuf messages by schema. Fields the schema does not know are kept and written again behind the known ones, so that a newer
 * peer loses nothing by passing through us. What was set is written, zero and empty values too (proto2 presence) (ENC-06).
 */
import { EncodingError } from './encoding-error.ts'
import type { Kind } from './protobuf-kind.ts'
import { BOOL, BYTES, ENUMERATION, FIXED64, INT64, SFIXED64, SINT32, STRING, UINT32, UINT64 } from './protobuf-kind.ts'
import type { ProtobufLimits, WireType } from './protobuf-wire.ts'
import { PROTOBUF_LIMITS, ProtobufReader, WIRE, writeTag, writeVarint } from './protobuf-wire.ts'
import { Writer } from './writer.ts'

type Mode = 'optional' | 'required' | 'repeated' | 'packed'

/** A field: its number, the kind of its values, and how often it stands. */
export class Field<T, M extends Mode> {
  readonly number: number
  readonly kind: Kind<T>
  readonly mode: M

  constructor(number: number, kind: Kind<T>, mode: M) {
    this.number = number
    this.kind = kind
    this.mode = mode
  }

  /** The field must be there. */
  required(): Field<T, 'required'> {
    return new Field(this.number, this.kind, 'required')
  }

  /** The field may stand any number of times. Runs of numbers that a peer has packed are read too. */
  repeated(): Field<T, 'repeated'> {
    return new Field(this.number, this.kind, 'repeated')
  }

  /** Like `repeated`, and written as one run of bytes. */
  packed(): Field<T, 'packed'> {
    return new Field(this.number, this.kind, 'packed')
  }
}

type ValueOf<F> = F extends Field<infer T, 'repeated' | 'packed'> ? readonly T[] : F extends Field<infer T, Mode> ? T : never

type RequiredKeys<F> = { [K in keyof F]: F[K] extends Field<infer _, 'required'> ? K : never }[keyof F]

/** A message as a value. `unknownFields` are the encoded fields that the schema does not know. */
export type MessageOf<F> = { readonly [K in RequiredKeys<F>]: ValueOf<F[K]> } & {
  readonly [K in Exclude<keyof F, RequiredKeys<F>>]?: ValueOf<F[K]> | undefined
} & { readonly unknownFields?: Uint8Array | undefined }

export interface MessageSchema<T> {
  readonly fields: readonly (readonly [name: string, field: Field<unknown, Mode>])[]
  readonly byNumber: ReadonlyMap<number, readonly [name: string, field: Field<unknown, Mode>]>
  /** Only for types: the shape of a value. */
  readonly value?: T
}

/** The value type of a schema. */
export type ValueOfSchema<S> = S extends MessageSchema<infer T> ? T : never

/** A schema from its fields by name. */
export function message<F extends Readonly<Record<string, AnyField>>>(fields: F): MessageSchema<MessageOf<F>> {
  const sorted = Object.entries(fields as unknown as Readonly<Record<string, Field<unknown, Mode>>>)
  sorted.sort(([, a], [, b]) => a.number - b.number)
  const byNumber = new Map(sorted.map(entry => [entry[1].number, entry]))
  if (byNumber.size !== sorted.length) throw new EncodingError('duplicate-key', 'two fields of a schema have one number')
  return { fields: sorted, byNumber }
}

// biome-ignore lint/suspicious/noExplicitAny: a record of fields of different kinds has no common value type
type AnyField = Field<any, Mode>

export const uint32 = (number: number): Field<number, 'optional'> => new Field(number, UINT32, 'optional')
export const uint64 = (number: number): Field<bigint, 'optional'> => new Field(number, UINT64, 'optional')
export const int64 = (number: number): Field<bigint, 'optional'> => new Field(number, INT64, 'optional')
export const sint32 = (number: number): Field<number, 'optional'> => new Field(number, SINT32, 'optional')
export const bool = (number: number): Field<boolean, 'optional'> => new Field(number, BOOL, 'optional')
export const enumeration = (number: number): Field<number, 'optional'> => new Field(number, ENUMERATION, 'optional')
export const fixed64 = (number: number): Field<bigint, 'optional'> => new Field(number, FIXED64, 'optional')
export const sfixed64 = (number: number): Field<bigint, 'optional'> => new Field(number, SFIXED64, 'optional')
export const string = (number: number): Field<string, 'optional'> => new Field(number, STRING, 'optional')
export const bytes = (number: number): Field<Uint8Array, 'optional'> => new Field(number, BYTES, 'optional')

/** A message within the message. */
export function submessage<T>(number: number, schema: MessageSchema<T>): Field<T, 'optional'> {
  const kind: Kind<T> = {
    wireType: WIRE.bytes,
    write: (writer, value, depth) => BYTES.write(writer, encodeAtDepth(schema, value, depth + 1), depth),
    read: (reader, depth) => reader.within(() => readMessage(schema, reader, depth + 1)),
  }
  return new Field(number, kind, 'optional')
}

/** The bytes of a message: known fields by ascending number, then the unknown ones as they came. */
export function encodeMessage<T>(schema: MessageSchema<T>, value: T): Uint8Array {
  return encodeAtDepth(schema, value, 0)
}

/**
 * The message of `bytes`. Of a field that stands more often than it may the last value counts.
 * @throws EncodingError `missing-field` for a required field, for anything that is not a message, and beyond `limits`.
 */
export function decodeMessage<T>(schema: MessageSchema<T>, bytes: Uint8Array, limits?: ProtobufLimits): T {
  return readMessage(schema, new ProtobufReader(bytes, limits), 0)
}

function encodeAtDepth<T>(schema: MessageSchema<T>, value: T, depth: number): Uint8Array {
  const { depth: deepest } = PROTOBUF_LIMITS
  if (depth > deepest) throw new EncodingError('too-deep', `messages nested more than ${deepest} deep`)
  const writer = new Writer()
  const values = value as Readonly<Record<string, unknown>>
  for (const [name, field] of schema.fields) {
    const fieldValue = values[name]
    if (fieldValue !== undefined) writeField(writer, field, fieldValue, depth)
    else if (field.mode === 'required') throw new EncodingError('missing-field', `the field ${name} is required`)
  }
  const unknownFields = values.unknownFields
  if (unknownFields instanceof Uint8Array) writer.bytes(unknownFields)
  return writer.finish()
}

function writeField(writer: Writer, field: Field<unknown, Mode>, value: unknown, depth: number): void {
  if (field.mode === 'packed') {
    const items = value as readonly unknown[]
    if (items.length === 0) return
    const run = new Writer()
    for (const item of items) field.kind.write(run, item, depth)
    writeTag(writer, field.number, WIRE.bytes)
    writeVarint(writer, run.sizeBytes)
    writer.bytes(run.view())
    return
  }
  for (const item of field.mode === 'repeated' ? (value as readonly unknown[]) : [value]) {
    writeTag(writer, field.number, field.kind.wireType)
    field.kind.write(writer, item, depth)
  }
}

function readMessage<T>(schema: MessageSchema<T>, reader: ProtobufReader, depth: number): T {
  reader.enter(depth)
  const values: Record<string, unknown> = {}
  const unknown = new Writer(0)
  while (!reader.done) {
    const start = reader.offset
    reader.count()
    const { number, wireType } = reader.tag()
    const entry = schema.byNumber.get(number)
    if (entry === undefined || !readField(reader, entry[1], wireType, entry[0], values, depth)) {
      reader.skip(wireType)
      unknown.bytes(reader.bytes.subarray(start, reader.offset))
    }
  }
  for (const [name, field] of schema.fields) {
    if (field.mode === 'required' && values[name] === undefined)
      throw new EncodingError('missing-field', `the field ${name} is missing`)
  }
  if (unknown.sizeBytes > 0) values.unknownFields = unknown.finish()
  return values as T
}

/** Reads one occurrence into `values`; false when its wire type is not that of the field, which makes it an unknown one. */
function readField(
  reader: ProtobufReader,
  field: Field<unknown, Mode>,
  wireType: WireType,
  name: string,
  values: Record<string, unknown>,
  depth: number,
): boolean {
  const many = field.mode === 'repeated' || field.mode === 'packed'
  const packed = many && wireType === WIRE.bytes && field.kind.wireType !== WIRE.bytes
  if (!packed && wireType !== field.kind.wireType) return false
  if (!many) {
    values[name] = field.kind.read(reader, depth)
    return true
  }
  values[name] ??= []
  const items = values[name] as unknown[]
  if (!packed) {
    items.push(field.kind.read(reader, depth))
    return true
  }
  reader.within(() => {
    for (; !reader.done; reader.count()) items.push(field.kind.read(reader, depth))
  })
  return true
}
