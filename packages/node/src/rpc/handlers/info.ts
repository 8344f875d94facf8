/** `info`: version and clock. */
import { VERSION } from '../../version.ts'
import { type NodeServices, type RpcAnswer, stamp } from '../services.ts'

/** 200 with the version that `version.ts` states. */
export function info(node: NodeServices): RpcAnswer {
  return { status: 200, body: stamp(node, { version: VERSION, timestamp: node.clock.nowMs() }) }
}
