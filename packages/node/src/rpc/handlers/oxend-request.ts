/** `oxend_request`: the list of nodes, asked of a node instead of a seed. */
import type { OxendRequestParams } from '@session-v2/network'
import { nodeList } from '../../registry/node-list.ts'
import { type NodeServices, type RpcAnswer, stamp } from '../services.ts'

/** 200 with the nodes of the registry under `result` (NODE-50). */
export function oxendRequest(node: NodeServices, { params }: OxendRequestParams): RpcAnswer {
  return { status: 200, body: stamp(node, { result: nodeList(node.swarms.nodes, params) }) }
}
