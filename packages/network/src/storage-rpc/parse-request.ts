/** From an envelope to the typed parameters of its method (RPC-03). */
import { NetworkError } from '../network-error.ts'
import { parseBatch } from './methods/batch.ts'
import { type DeleteParams, parseDelete } from './methods/delete.ts'
import { type GetSwarmParams, parseGetSwarm } from './methods/get-swarm.ts'
import { type OxendRequestParams, parseOxendRequest } from './methods/oxend-request.ts'
import { parseRetrieve, type RetrieveParams } from './methods/retrieve.ts'
import { parseStore, type StoreParams } from './methods/store.ts'
import type { RpcRequest } from './rpc-request.ts'

/** A request that could be read, with the type of its parameters. */
export type ParsedRequest =
  | { readonly method: 'info'; readonly params: Readonly<Record<string, never>> }
  | { readonly method: 'get_swarm'; readonly params: GetSwarmParams }
  | { readonly method: 'store'; readonly params: StoreParams }
  | { readonly method: 'retrieve'; readonly params: RetrieveParams }
  | { readonly method: 'delete'; readonly params: DeleteParams }
  | { readonly method: 'oxend_request'; readonly params: OxendRequestParams }
  | { readonly method: 'batch' | 'sequence'; readonly params: { readonly requests: readonly ParsedRequest[] } }

/**
 * Parses the parameters of a request; those of a batch with all within, so that one bad part refuses the whole (RPC-68).
 * @throws NetworkError `malformed`, status 400: `no method X`, or `invalid request: …`.
 */
export function parseRequest({ method, params }: RpcRequest): ParsedRequest {
  switch (method) {
    case 'info':
      return { method, params: {} }
    case 'get_swarm':
    case 'get_snodes_for_pubkey':
      return { method: 'get_swarm', params: parseGetSwarm(params) }
    case 'store':
      return { method, params: parseStore(params) }
    case 'retrieve':
      return { method, params: parseRetrieve(params) }
    case 'delete':
      return { method, params: parseDelete(params) }
    case 'oxend_request':
      return { method, params: parseOxendRequest(params) }
    case 'batch':
    case 'sequence':
      return { method, params: { requests: parseBatch(params).map(parseRequest) } }
    default:
      throw new NetworkError('malformed', `no method ${method}`, { status: 400 })
  }
}
