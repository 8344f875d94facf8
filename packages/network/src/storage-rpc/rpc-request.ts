/** The envelope of a request: `{"method": …, "params": {…}}`; everything else in it is ignored (RPC-01, RPC-02). */
import { decodeUtf8, encodeUtf8 } from '@session-v2/encoding'
import { NetworkError } from '../network-error.ts'
import { isObject } from './params.ts'

export interface RpcRequest {
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

/** Path of the storage RPC at a node. */
export const STORAGE_RPC_PATH = '/storage_rpc/v1'

/** The JSON bytes of a request. */
export function encodeRequest(request: RpcRequest): Uint8Array {
  return encodeUtf8(JSON.stringify({ method: request.method, params: request.params }))
}

/** Decodes the bytes of a request. @throws NetworkError `malformed`, status 400, with the text a node answers. */
export function decodeRequest(bytes: Uint8Array): RpcRequest {
  let json: unknown
  try {
    json = JSON.parse(decodeUtf8(bytes))
  } catch (cause) {
    throw new NetworkError('malformed', 'invalid json', { status: 400, cause })
  }
  return toRpcRequest(json)
}

/** A decoded JSON value as a request. @throws NetworkError `malformed`, status 400, with the text a node answers. */
export function toRpcRequest(json: unknown): RpcRequest {
  const refuse = (text: string) => new NetworkError('malformed', text, { status: 400 })
  const fields = isObject(json) ? json : {}
  const method = Object.hasOwn(fields, 'method') ? fields.method : undefined
  const params = Object.hasOwn(fields, 'params') ? fields.params : undefined
  if (typeof method !== 'string') throw refuse('invalid json: no `method` field')
  if (!isObject(params)) throw refuse('invalid json: no `params` field')
  return { method, params }
}
