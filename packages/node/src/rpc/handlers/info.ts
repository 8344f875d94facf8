/** `info`: version and clock. */
import { encodeInfoResult } from '@session-v2/network'
import { VERSION } from '../../version.ts'
import { type NodeServices, type RpcAnswer, stamp } from '../services.ts'

/** 200 with the version that `version.ts` states. */
export function info(node: NodeServices): RpcAnswer {
  return { status: 200, body: stamp(node, encodeInfoResult({ version: VERSION, nodeTimeMs: node.clock.nowMs() })) }
}
