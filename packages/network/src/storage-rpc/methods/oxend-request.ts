/** `oxend_request`: what a node asks of the network's registry for a client: the list of nodes, or who has a name (RPC-67). */
import { badRequest } from '../../network-error.ts'
import type { ServiceNode } from '../../service-node.ts'
import { decodeServiceNodes } from '../../service-node.ts'
import { requireArray, requireObject } from '../answer.ts'
import { isObject, type JsonFields } from '../fields.ts'
import { NODE_LIST_MAX } from '../limits.ts'
import type { Params } from '../params.ts'
import type { RpcRequest } from '../rpc-request.ts'

export type OxendEndpoint = 'get_service_nodes' | 'ons_resolve'

export interface OxendRequestParams {
  readonly endpoint: OxendEndpoint
  readonly params: JsonFields
}

/** Reads the parameters of a request; in bt those of the endpoint are JSON, as text. @throws NetworkError `malformed`, status 400 */
export function parseOxendRequest(params: Params): OxendRequestParams {
  const endpoint = params.requireString('endpoint')
  if (endpoint !== 'get_service_nodes' && endpoint !== 'ons_resolve') throw badRequest(`Invalid oxend endpoint '${endpoint}'`)
  if (params.form === 'bt') return { endpoint, params: jsonObject(params.optionalString('params') ?? '{}') }
  return { endpoint, params: (params.optionalObject('params') as JsonFields | undefined) ?? {} }
}

function jsonObject(text: string): JsonFields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw Object.assign(badRequest("Invalid value given for 'params': expected json"), { cause })
  }
  if (!isObject(value)) throw badRequest("Invalid value given for 'params': expected object")
  return value
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
