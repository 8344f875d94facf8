/**
 * The envelope of a request: `{"method": …, "params": {…}}` in JSON, or a dict of the same in bt; everything else in it is ignored
 * (RPC-01, RPC-02, RPC-04). An answer is in the form of its request.
 */
import { type BtValue, decodeBt, decodeUtf8, EncodingError, encodeBt, encodeUtf8 } from '@session-v2/encoding'
import { NetworkError } from '../network-error.ts'
import { btParams } from './bt-params.ts'
import { type Fields, fieldOf, isObject, type JsonFields, type RequestForm, readerOf } from './fields.ts'
import { REQUEST_MAX_BYTES, REQUEST_MAX_DEPTH, REQUEST_MAX_VALUES } from './limits.ts'

/** A request as it is built: its parameters are those of JSON. */
export interface RpcRequest {
  readonly method: string
  readonly params: JsonFields
}

/** A request as it came. */
export interface ReceivedRequest {
  readonly method: string
  readonly params: Fields
}

/** A request as it came, with the form of its answer. */
export interface DecodedRequest extends ReceivedRequest {
  readonly form: RequestForm
}

/** Path of the storage RPC at a node. */
export const STORAGE_RPC_PATH = '/storage_rpc/v1'

const LIMITS = { sizeBytes: REQUEST_MAX_BYTES, depth: REQUEST_MAX_DEPTH, values: REQUEST_MAX_VALUES }
const DICT_START = 0x64 // d

/** The bytes of a request. @throws NetworkError `malformed` for parameters that bt cannot hold */
export function encodeRequest(request: RpcRequest, form: RequestForm = 'json'): Uint8Array {
  if (form === 'json') return encodeUtf8(JSON.stringify({ method: request.method, params: request.params }))
  try {
    return encodeBt(toBtEnvelope(request))
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    throw new NetworkError('malformed', 'the request cannot be written in bt', { cause })
  }
}

/** Decodes the bytes of a request. @throws NetworkError `malformed`, status 400, with the text a node answers. */
export function decodeRequest(bytes: Uint8Array): DecodedRequest {
  const fields = decodeFields(bytes, 'invalid json')
  const { method, params } = toReceivedRequest(fields)
  return { method, params, form: fields instanceof Map ? 'bt' : 'json' }
}

/**
 * A request whose method came by itself, as in a message queue; nothing at all stands for no parameters.
 * @throws NetworkError `malformed`, status 400, with the text a node answers.
 */
export function decodeCommand(method: string, bytes: Uint8Array): DecodedRequest {
  const refused = 'invalid body: expected json or bt_dict'
  const params = bytes.length === 0 ? {} : decodeFields(bytes, refused)
  if (!(params instanceof Map || isObject(params))) throw refuse(refused)
  return { method, params, form: params instanceof Map ? 'bt' : 'json' }
}

/** A decoded value as a request. @throws NetworkError `malformed`, status 400, with the text a node answers. */
export function toReceivedRequest(value: unknown): ReceivedRequest {
  const fields: Fields = value instanceof Map || isObject(value) ? value : {}
  const reader = readerOf(fields)
  const method = reader.text(fieldOf(fields, 'method'))
  if (method === undefined) throw refuse('invalid json: no `method` field')
  const params = reader.fields(fieldOf(fields, 'params'))
  if (params === undefined) throw refuse('invalid json: no `params` field')
  return { method, params }
}

/** JSON of any kind, or a dict in bt. What is neither is refused with `text`. */
function decodeFields(bytes: Uint8Array, text: string): unknown {
  try {
    return bytes[0] === DICT_START ? decodeBt(bytes, LIMITS) : JSON.parse(decodeUtf8(bytes))
  } catch (cause) {
    throw refuse(text, cause)
  }
}

/** The envelope in bt, with those of the requests within. */
function toBtEnvelope({ method, params }: RpcRequest): BtValue {
  const dict = new Map<string, BtValue>([['method', encodeUtf8(method)]])
  return dict.set(
    'params',
    btParams(params, nested => toBtEnvelope(nested as unknown as RpcRequest)),
  )
}

function refuse(text: string, cause?: unknown): NetworkError {
  return new NetworkError('malformed', text, { status: 400, cause })
}
