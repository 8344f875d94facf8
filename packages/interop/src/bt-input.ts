/**
 * Values of bt-encoding as requests give them:
 *
 *     number    integer
 *     list      list
 *     object    dict, whose keys have one character a byte
 *     text      an encoded value, in hexadecimal or as it is; else bytes, in hexadecimal or as UTF-8
 */
import { type BtValue, decodeBt, decodeHex, EncodingError, encodeUtf8, keyBytes } from '@session-v2/encoding'
import { InteropError } from './interop-error.ts'

const MAX_DEPTH = 16

/** The value that `json` stands for. Throws `bad-input` for what stands for none and for more than 16 levels. */
export function btValueOf(json: unknown, name: string, depth = 0): BtValue {
  if (depth > MAX_DEPTH) throw new InteropError('bad-input', `${name} is nested more than ${MAX_DEPTH} deep`)
  if (typeof json === 'string') return valueOfText(json)
  if (Number.isSafeInteger(json)) return BigInt(json as number)
  if (Array.isArray(json)) return json.map(item => btValueOf(item, name, depth + 1))
  if (typeof json !== 'object' || json === null) throw new InteropError('bad-input', `${name} is no value`)
  return new Map(Object.entries(json).map(([key, item]) => [requireByteKey(key, name), btValueOf(item, name, depth + 1)]))
}

function valueOfText(text: string): BtValue {
  const bytes = encodeUtf8(text)
  const hexadecimal = orNone(() => decodeHex(text))
  const encoded = hexadecimal && orNone(() => decodeBt(hexadecimal))
  return encoded ?? orNone(() => decodeBt(bytes)) ?? hexadecimal ?? bytes
}

function orNone<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof EncodingError) return undefined
    throw error
  }
}

function requireByteKey(key: string, name: string): string {
  if (orNone(() => keyBytes(key)) === undefined) throw new InteropError('bad-input', `a key in ${name} is no byte string`)
  return key
}
