/** `get_swarm`: who keeps an account's messages. */
import { encodeSwarm, type GetSwarmParams } from '@session-v2/network'
import { type NodeServices, type RpcAnswer, stamp } from '../services.ts'

/** 200, also for an account of another swarm. */
export function getSwarm(node: NodeServices, { account }: GetSwarmParams): RpcAnswer {
  const swarm = node.swarms.swarmOf(account)
  return { status: 200, body: stamp(node, encodeSwarm(swarm?.members ?? [], swarm?.id)) }
}
