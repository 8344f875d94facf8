/** `ifelse`: one of two requests, by the version of this node and the state of its network (clause NODE-38). */
import { conditionHolds, encodeIfelseResult, type IfelseParams } from '@session-v2/network'
import { HARDFORK, VERSION } from '../../version.ts'
import type { NodeServices, RpcAnswer } from '../services.ts'
import type { Ask } from './batch.ts'

/** 200 with what was found, and the answer of the branch that was taken, if there is that branch. */
export async function ifelse({ registry }: NodeServices, params: IfelseParams, ask: Ask): Promise<RpcAnswer> {
  const found = { hf: HARDFORK, version: VERSION, height: registry?.nodes().height ?? 0 }
  const condition = conditionHolds(params.condition, found)
  const branch = condition ? params.whenHolds : params.otherwise
  const result = branch && (await ask(branch))
  return { status: 200, body: encodeIfelseResult({ ...found, condition, result }) }
}
