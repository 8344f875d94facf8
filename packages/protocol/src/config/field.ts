/**
 * The fields that configs consist of, as other clients read and write them:
 *
 * | field | held as |
 * |---|---|
 * | text | UTF-8, not empty, or absent |
 * | flag | 1 or absent |
 * | number | not 0 (or above 0), or absent |
 * | picture | URL of at most 223 bytes and key of 32, both or neither |
 *
 * A field of another kind than it should have is read as absent, and stays until it is written.
 *
 * Implements CFG-30.
 */
import { type ByteKey, cutUtf8, decodeUtf8, EncodingError, encodeUtf8 } from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'
import { withValue } from './edit.ts'
import type { ConfigDict, ConfigValue } from './value.ts'

/** The longest name that is kept, in bytes of UTF-8. */
export const CONFIG_NAME_MAX_BYTES = 100
const PICTURE_URL_MAX_BYTES = 223
const PICTURE_KEY_BYTES = 32

/** Where a picture of a profile lies, and its key (32 bytes). */
export interface ConfigPicture {
  readonly url: string
  readonly key: Uint8Array
}

/** A text; undefined when there is none, or it is no UTF-8. */
export function textField(dict: ConfigDict, key: ByteKey): string | undefined {
  const value = dict.get(key)
  if (!(value instanceof Uint8Array) || value.length === 0) return undefined
  try {
    return decodeUtf8(value)
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    return undefined
  }
}

/** A number; undefined when there is none, when it is 0, and beyond 2^53. */
export function numberField(dict: ConfigDict, key: ByteKey): number | undefined {
  const value = dict.get(key)
  const exact = typeof value === 'bigint' ? Number(value) : 0
  return exact !== 0 && Number.isSafeInteger(exact) ? exact : undefined
}

/** A number above 0. */
export function positiveField(dict: ConfigDict, key: ByteKey): number | undefined {
  const value = numberField(dict, key)
  return value !== undefined && value > 0 ? value : undefined
}

/** Whether a flag is set. */
export function flagField(dict: ConfigDict, key: ByteKey): boolean {
  return numberField(dict, key) !== undefined
}

/** A picture; undefined when its URL or its key is missing. */
export function pictureField(dict: ConfigDict, urlKey: ByteKey, keyKey: ByteKey): ConfigPicture | undefined {
  const url = textField(dict, urlKey)
  const key = dict.get(keyKey)
  return url !== undefined && key instanceof Uint8Array && key.length === PICTURE_KEY_BYTES ? { url, key } : undefined
}

/** The dict with a text, or without one for undefined and "". */
export function withText(dict: ConfigDict, key: ByteKey, text: string | undefined): ConfigDict {
  return withField(dict, key, text === undefined || text === '' ? undefined : encodeUtf8(text))
}

/** The dict with a whole number, or without one for undefined and 0. Throws `bad-input` for what is no exact integer. */
export function withNumber(dict: ConfigDict, key: ByteKey, number: number | undefined): ConfigDict {
  if (number !== undefined && !Number.isSafeInteger(number))
    throw new ProtocolError('bad-input', 'CFG-30', `${number} is not an exact integer`)
  return withField(dict, key, number === undefined || number === 0 ? undefined : BigInt(number))
}

/** The dict with a flag set, or without it. */
export function withFlag(dict: ConfigDict, key: ByteKey, set: boolean): ConfigDict {
  return withField(dict, key, set ? 1n : undefined)
}

/** The dict with a picture, or without one. Throws `bad-input` for a URL that is empty or too long, or a key of another size. */
export function withPicture(dict: ConfigDict, urlKey: ByteKey, keyKey: ByteKey, picture: ConfigPicture | undefined): ConfigDict {
  if (picture === undefined) return withField(withField(dict, urlKey, undefined), keyKey, undefined)
  const url = encodeUtf8(picture.url)
  if (url.length === 0 || url.length > PICTURE_URL_MAX_BYTES || picture.key.length !== PICTURE_KEY_BYTES)
    throw new ProtocolError('bad-input', 'CFG-30', 'a picture has a URL of 1 to 223 bytes and a key of 32')
  return withField(withField(dict, urlKey, url), keyKey, picture.key)
}

/** The dict with a value under a key, or without. */
export function withField(dict: ConfigDict, key: ByteKey, value: ConfigValue | undefined): ConfigDict {
  return withValue(dict, [key], value)
}

/** A name, cut to 100 bytes of UTF-8 between two characters. */
export function cutName(name: string): string {
  return decodeUtf8(cutUtf8(encodeUtf8(name), CONFIG_NAME_MAX_BYTES))
}
