/** `active_nodes_bin`: the nodes that are in a swarm, in bytes. */
import { encodeActiveNodes } from '@session-v2/network'
import type { MethodAnswer, NodeServices } from '../services.ts'

/** 200 with the records; in the answer of a batch they are base64, in bt bytes. */
export function activeNodesBin(node: NodeServices): MethodAnswer {
  return { status: 200, body: encodeActiveNodes(node.swarms.nodes) }
}
