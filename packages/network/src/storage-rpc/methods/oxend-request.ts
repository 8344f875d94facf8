/** `oxend_request`: what a node asks of the network's registry for a client; here the list of nodes (RPC-67). */
import { badRequest } from '../../network-error.ts'
import type { ServiceNode } from '../../service-node.ts'
import { decodeServiceNodes } from '../../service-node.ts'
import { requireArray, requireObject } from '../answer.ts'
import { NODE_LIST_MAX } from '../limits.ts'
import { Params } from '../params.ts'
import type { RpcRequest } from '../rpc-request.ts'

export interface OxendRequestParams {
  readonly endpoint: 'get_service_nodes'
  readonly params: Readonly<Record<string, unknown>>
}

/** Reads the parameters of a request. @throws NetworkError `malformed`, status 400 */
export function parseOxendRequest(fields: Readonly<Record<string, unknown>>): OxendRequestParams {
  const params = new Params(fields)
  const endpoint = params.optionalString('endpoint')
  if (endpoint === undefined) throw badRequest("Required field 'endpoint' missing")
  if (endpoint !== 'get_service_nodes') throw badRequest(`Invalid oxend endpoint '${endpoint}'`)
  return { endpoint, params: params.optionalObject('params') ?? {} }
}

/** The request for all nodes that are in a swarm. */
export function buildGetServiceNodes(): RpcRequest {
  return { method: 'oxend_request', params: { endpoint: 'get_service_nodes', params: { active_only: true } } }
}

/**
 * The nodes in an answer of a node, or of a seed to `get_n_service_nodes`: both hold them under `result`.
 * @throws NetworkError `malformed`
 */
export function parseServiceNodesResult(answer: unknown): ServiceNode[] {
  const result = requireObject(requireObject(answer, 'the answer').result, 'result')
  return decodeServiceNodes(requireArray(result.service_node_states, 'service_node_states', NODE_LIST_MAX))
}
