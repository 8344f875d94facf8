/**
 * The fields of a request in either of its forms, and how a value is read in each (RPC-13, RPC-15).
 *
 * | | JSON | bt |
 * |---|---|---|
 * | binary | base64 | bytes |
 * | binary of a fixed size, where also hexadecimal | hexadecimal | bytes, or hexadecimal as text |
 * | boolean | true, false | 1, 0 |
 * | absent | no field, or null | no field |
 */
import { type BtDict, type BtValue, decodeBase64, decodeHex, decodeUtf8, EncodingError } from '@session-v2/encoding'

export type RequestForm = 'json' | 'bt'

export type JsonFields = Readonly<Record<string, unknown>>

/** The fields of a request or of a part of it. A map is bt. */
export type Fields = JsonFields | BtDict

/** Reads single values. Each gives undefined for a value of another type. */
export interface ValueReader {
  readonly form: RequestForm
  /** The value of a field; undefined when it is absent, which null is too. The fields are of this form. */
  field(fields: Fields, name: string): unknown
  /** An integer that a number holds exactly. */
  integer(value: unknown): number | undefined
  boolean(value: unknown): boolean | undefined
  text(value: unknown): string | undefined
  /** @throws EncodingError for text that is not base64 */
  binary(value: unknown): Uint8Array | undefined
  /** Exactly `sizeBytes`, in JSON hexadecimal. */
  hexadecimal(value: unknown, sizeBytes: number): Uint8Array | undefined
  list(value: unknown): readonly unknown[] | undefined
  fields(value: unknown): Fields | undefined
}

const HEXADECIMAL = /^[0-9a-fA-F]*$/

/** Whether a JSON value is an object. */
export function isObject(value: unknown): value is JsonFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value of a field; undefined when it is absent, which null is too. */
export function fieldOf(fields: Fields, name: string): unknown {
  return readerOf(fields).field(fields, name)
}

/** How the values of these fields are read. */
export function readerOf(fields: Fields): ValueReader {
  return fields instanceof Map ? BT_READER : JSON_READER
}

const JSON_READER: ValueReader = {
  form: 'json',
  field: (fields, name) => (Object.hasOwn(fields, name) ? ((fields as JsonFields)[name] ?? undefined) : undefined),
  integer: value => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) return undefined
    return value === 0 ? 0 : value // JSON can write −0
  },
  boolean: value => (typeof value === 'boolean' ? value : undefined),
  text: value => (typeof value === 'string' ? value : undefined),
  binary: value => (typeof value === 'string' ? decodeBase64(value) : undefined),
  hexadecimal: (value, sizeBytes) => (typeof value === 'string' ? fromHexadecimal(value, sizeBytes) : undefined),
  list: value => (Array.isArray(value) ? value : undefined),
  fields: value => (isObject(value) ? value : undefined),
}

const BT_READER: ValueReader = {
  form: 'bt',
  field: (fields, name) => (fields as BtDict).get(name),
  integer: value => (typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : undefined),
  boolean: value => (value === 0n ? false : value === 1n ? true : undefined),
  text: textOf,
  binary: value => (value instanceof Uint8Array ? value : undefined),
  hexadecimal: (value, sizeBytes) => {
    if (!(value instanceof Uint8Array)) return undefined
    return value.length === sizeBytes ? value : fromHexadecimal(textOf(value) ?? '', sizeBytes)
  },
  list: value => (Array.isArray(value) ? (value as readonly BtValue[]) : undefined),
  fields: value => (value instanceof Map ? (value as BtDict) : undefined),
}

function textOf(value: unknown): string | undefined {
  if (!(value instanceof Uint8Array)) return undefined
  try {
    return decodeUtf8(value)
  } catch (error) {
    if (error instanceof EncodingError) return undefined
    throw error
  }
}

function fromHexadecimal(text: string, sizeBytes: number): Uint8Array | undefined {
  return text.length === 2 * sizeBytes && HEXADECIMAL.test(text) ? decodeHex(text) : undefined
}
