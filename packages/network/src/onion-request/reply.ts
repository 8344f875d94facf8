/**
 * The reply to an onion request. The node that was asked encrypts it once, under the key of its layer; relays pass it back as it is
 * (ON-40 to ON-43).
 *
 *     base64( nonce ‖ AEAD( {"status": code, "body": text} ) )
 *
 * | asked for | |
 * |---|---|
 * | `base64: false` | the bytes themselves, without base64 |
 * | `json: true` | `body` is the JSON value itself, not its text |
 */
import type { Crypto, Random } from '@session-v2/crypto'
import { decodeBase64, decodeUtf8, EncodingError, encodeBase64, encodeUtf8 } from '@session-v2/encoding'
import { badAnswer, NetworkError } from '../network-error.ts'
import { isObject } from '../storage-rpc/fields.ts'
import { decryptWithLayerKey, encryptWithLayerKey, type LayerKey } from './layer.ts'
import { ONION_REPLY_MAX_BYTES } from './limits.ts'

/** How a client wants its reply. */
export interface ReplyForm {
  /** The body as a JSON value instead of the text of one. */
  readonly json: boolean
  /** As base64 text instead of bytes. */
  readonly base64: boolean
}

/** The form that is meant when a request says nothing. */
export const REPLY_FORM: ReplyForm = { json: false, base64: true }

export interface OnionReply {
  /** HTTP status of the answer, 100 to 599. */
  readonly status: number
  /** A text, or a JSON value: JSON is read as its value in either form. */
  readonly body: unknown
}

const [STATUS_MIN, STATUS_MAX] = [100, 599]

/**
 * The bytes of a reply, for the body of the HTTP answer. `body` is a text or a JSON value.
 * @throws NetworkError `too-large` beyond 16 MiB
 */
export function sealReply(
  crypto: Crypto,
  random: Random,
  key: LayerKey,
  { status, body }: OnionReply,
  form: ReplyForm = REPLY_FORM,
): Uint8Array {
  const said = form.json || typeof body === 'string' ? body : JSON.stringify(body)
  const sealed = encryptWithLayerKey(crypto, random, key, encodeUtf8(JSON.stringify({ status, body: said ?? null })))
  const bytes = form.base64 ? encodeUtf8(encodeBase64(sealed)) : sealed
  if (bytes.length > ONION_REPLY_MAX_BYTES) throw new NetworkError('too-large', 'the reply to an onion request is too long')
  return bytes
}

/**
 * The reply within the body of an HTTP answer; undefined when it was not sealed under this key, which anybody on the path can bring
 * about. A body that is text is returned as its JSON value where it is JSON.
 * @throws NetworkError `malformed`, to be tried at another node: the node that was asked wrote what is no reply
 */
export function openReply(
  crypto: Crypto,
  key: LayerKey,
  bytes: Uint8Array,
  form: ReplyForm = REPLY_FORM,
): OnionReply | undefined {
  const text = openReplyBytes(crypto, key, bytes, form.base64)
  return text === undefined ? undefined : parseReply(text, form)
}

/** What is sealed in the body of an HTTP answer, whatever it says; undefined when it was not sealed under this key. */
export function openReplyBytes(crypto: Crypto, key: LayerKey, bytes: Uint8Array, base64: boolean): Uint8Array | undefined {
  if (bytes.length > ONION_REPLY_MAX_BYTES) return undefined
  const sealed = base64 ? base64Bytes(bytes) : bytes
  return sealed && decryptWithLayerKey(crypto, key, sealed)
}

function parseReply(bytes: Uint8Array, form: ReplyForm): OnionReply {
  const reply = parseJson(bytes)
  if (!isObject(reply)) throw badAnswer('the reply is not an object')
  const { status, body } = reply
  if (typeof status !== 'number' || !Number.isInteger(status) || status < STATUS_MIN || status > STATUS_MAX) {
    throw badAnswer('the status of the reply is none')
  }
  if (form.json && Object.hasOwn(reply, 'body')) return { status, body }
  if (typeof body !== 'string') throw badAnswer('the body of the reply is not a text')
  return { status, body: valueOfText(body) }
}

/** A text that is no JSON stands for itself: the reason of a refusal. */
function valueOfText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(bytes))
  } catch (cause) {
    throw badAnswer('the reply is no JSON', cause)
  }
}

function base64Bytes(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return decodeBase64(decodeUtf8(bytes))
  } catch (error) {
    if (error instanceof EncodingError) return undefined
    throw error
  }
}
