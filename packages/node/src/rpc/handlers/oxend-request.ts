/** `oxend_request`: the list of nodes, asked of a node instead of a seed. */
import type { OxendRequestParams } from '@session-v2/network'
import { nodeList } from '../../registry/node-list.ts'
import { type NodeServices, type RpcAnswer, stamp } from '../services.ts'

const NO_NAMES = 'ons_resolve: this network has no chain that keeps names'

/** 200 with the nodes of the registry under `result` (NODE-50); 400 for names, which only a chain could resolve (NODE-38). */
export function oxendRequest(node: NodeServices, { endpoint, params }: OxendRequestParams): RpcAnswer {
  if (endpoint === 'ons_resolve') return { status: 400, body: NO_NAMES }
  const list = node.registry?.nodes()
  const result = list === undefined ? nodeList(node.swarms.nodes, params) : nodeList(list.nodes, params, list)
  return { status: 200, body: stamp(node, { result }) }
}
