/**
 * Answers are made as values, with Uint8Array for what is binary, and written last, in the form of the request (RPC-04, RPC-15).
 *
 * | value | JSON | bt |
 * |---|---|---|
 * | Uint8Array | padded base64 | bytes |
 * | boolean | true, false | 1, 0 |
 * | undefined, null | no field | no field |
 */
import {
  BT_LIMITS,
  type BtDict,
  type BtValue,
  byteKey,
  decodeBt,
  decodeUtf8,
  EncodingError,
  encodeBase64,
  encodeBt,
  encodeUtf8,
  keyBytes,
} from '@session-v2/encoding'
import { badAnswer } from '../network-error.ts'
import type { JsonFields, RequestForm } from './fields.ts'
import { ANSWER_MAX_BYTES } from './limits.ts'

/** What is binary in an answer, where bt does not tell bytes from text: signatures, messages, tokens, and the account that is notified. */
const BINARY: ReadonlySet<string> = new Set(['signature', 'data', 'revoked_subaccounts', '~', '@'])
/** A name of which text and bytes are the same: every one that there is. */
const ASCII = /^[\x20-\x7e]*$/
const LIMITS = { ...BT_LIMITS, sizeBytes: ANSWER_MAX_BYTES }

/**
 * An answer as it goes out: JSON as text, bt as bytes. It may hold megabytes: a node can bring a faster `base64` (padded) of its
 * platform. @throws EncodingError in bt, for what it cannot hold: fractions, nesting beyond its limit.
 */
export function encodeAnswer(form: RequestForm, body: unknown, base64 = encodePadded): string | Uint8Array {
  return form === 'json' ? JSON.stringify(toJson(body, base64)) : encodeBt(toBt(body))
}

/** An answer as it came, with text for what is text and Uint8Array for what bt has as bytes. @throws NetworkError `malformed` */
export function decodeAnswer(form: RequestForm, bytes: Uint8Array): unknown {
  try {
    return form === 'json' ? JSON.parse(decodeUtf8(bytes)) : fromBt(decodeBt(bytes, LIMITS))
  } catch (cause) {
    throw badAnswer(`it is no ${form === 'json' ? 'JSON' : 'bt'}`, cause)
  }
}

/** The value with base64 in place of bytes, or with what the caller makes of them. */
export function toJson(value: unknown, base64: (bytes: Uint8Array) => unknown = encodePadded): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return base64(value)
  if (Array.isArray(value)) return value.map(item => toJson(item, base64))
  const fields: Record<string, unknown> = {}
  // Every answer passes here: keys alone are faster than entries. A field `__proto__`, which a peer could send, is lost.
  for (const name of Object.keys(value)) fields[name] = toJson((value as JsonFields)[name], base64)
  return fields
}

/** The value in bt. @throws EncodingError `out-of-range` or `wrong-type` for what bt has not. */
export function toBt(value: unknown): BtValue {
  if (value instanceof Uint8Array) return value
  if (typeof value === 'string') return encodeUtf8(value)
  if (typeof value === 'bigint') return value
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (typeof value === 'number') return toBtInteger(value)
  if (Array.isArray(value)) return value.map(toBt)
  if (typeof value !== 'object' || value === null) throw new EncodingError('wrong-type', `bt has no ${typeof value}`)
  const dict = new Map<string, BtValue>()
  for (const [name, item] of Object.entries(value)) {
    if (item !== undefined && item !== null) dict.set(ASCII.test(name) ? name : byteKey(encodeUtf8(name)), toBt(item))
  }
  return dict
}

function toBtInteger(value: number): bigint {
  if (!Number.isSafeInteger(value)) throw new EncodingError('out-of-range', `${value} is not an exact integer`)
  return BigInt(value)
}

function fromBt(value: BtValue, name = ''): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (value instanceof Uint8Array) return BINARY.has(name) ? value : decodeUtf8(value)
  if (Array.isArray(value)) return value.map((item: BtValue) => fromBt(item, name))
  const entries = [...(value as BtDict)].map(([key, item]) => {
    const field = ASCII.test(key) ? key : decodeUtf8(keyBytes(key))
    return [field, fromBt(item, field)] as const
  })
  return Object.fromEntries(entries) // defines fields, so that `__proto__` is one
}

function encodePadded(bytes: Uint8Array): string {
  return encodeBase64(bytes)
}
