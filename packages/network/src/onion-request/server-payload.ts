/**
 * What a client and a web server at the end of a path say to one another: a bt-encoded list of a JSON text and, where there is one, a
 * body of any bytes. Nodes know nothing of it (ON-45, ON-46).
 *
 *     request   l <length>:{"endpoint", "method", "headers"}  [<length>:<body>] e
 *     reply     l <length>:{"code", "headers"}                [<length>:<body>] e     encrypted, not base64
 */
import type { Crypto } from '@session-v2/crypto'
import { type BtValue, decodeBt, decodeUtf8, EncodingError, encodeBt, encodeUtf8 } from '@session-v2/encoding'
import { badAnswer } from '../network-error.ts'
import { isObject } from '../storage-rpc/fields.ts'
import type { LayerKey } from './layer.ts'
import { ONION_REPLY_MAX_BYTES } from './limits.ts'
import { openReplyBytes } from './reply.ts'

export interface ServerRequest {
  /** Path and query at the server. */
  readonly endpoint: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

export interface ServerReply {
  /** HTTP status, 100 to 599. */
  readonly code: number
  /** Those with text as value. */
  readonly headers: Readonly<Record<string, string>>
  /** Empty where the reply has none. */
  readonly body: Uint8Array
}

const [CODE_MIN, CODE_MAX] = [100, 599]
const LIMITS = { sizeBytes: ONION_REPLY_MAX_BYTES, depth: 1, values: 3 }

/** The bytes of a request, for `sealOnion`. A request without a body has none, not an empty one. */
export function encodeServerRequest({ endpoint, method, headers, body }: ServerRequest): Uint8Array {
  const head = encodeUtf8(JSON.stringify({ endpoint, method, headers }))
  return encodeBt(body === undefined ? [head] : [head, body])
}

/**
 * The reply within the body of an HTTP answer; undefined when it was not sealed under this key.
 * @throws NetworkError `malformed`: the server wrote what is no reply
 */
export function openServerReply(crypto: Crypto, key: LayerKey, bytes: Uint8Array): ServerReply | undefined {
  const text = openReplyBytes(crypto, key, bytes, false)
  return text === undefined ? undefined : parseServerReply(text)
}

function parseServerReply(bytes: Uint8Array): ServerReply {
  const parts = listOf(bytes)
  const [head, body = new Uint8Array(0)] = parts
  if (parts.length > 2 || !(head instanceof Uint8Array) || !(body instanceof Uint8Array)) {
    throw badAnswer('the reply of the server is not a head and a body')
  }
  const fields = parseJson(head)
  if (!isObject(fields)) throw badAnswer('the head of the reply is not an object')
  const { code, headers = {} } = fields
  if (typeof code !== 'number' || !Number.isInteger(code) || code < CODE_MIN || code > CODE_MAX) {
    throw badAnswer('the code of the reply is no status')
  }
  if (!isObject(headers)) throw badAnswer('the headers of the reply are not an object')
  const texts = Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return { code, headers: Object.fromEntries(texts), body }
}

function listOf(bytes: Uint8Array): readonly BtValue[] {
  try {
    const value = decodeBt(bytes, LIMITS)
    if (Array.isArray(value)) return value
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    throw badAnswer('the reply of the server is not bt-encoded', cause)
  }
  throw badAnswer('the reply of the server is not a list')
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(bytes))
  } catch (cause) {
    throw badAnswer('the head of the reply is no JSON', cause)
  }
}
