/** `info`: the version and clock of a node (RPC-65). */
import { badAnswer } from '../../network-error.ts'
import { nodeTimeMs, requireArray, requireObject, requireTime } from '../answer.ts'
import type { RpcRequest } from '../rpc-request.ts'

export function buildInfo(): RpcRequest {
  return { method: 'info', params: {} }
}

export interface InfoResult {
  readonly version: readonly [number, number, number]
  readonly nodeTimeMs: number
}

export function parseInfoResult(answer: unknown): InfoResult {
  const fields = requireObject(answer, 'the answer')
  const version = requireArray(fields.version, 'version', 3).map(part => requireTime(part, 'a part of the version'))
  if (version.length !== 3) throw badAnswer('a version has three parts')
  const time = nodeTimeMs(fields) ?? requireTime(fields.timestamp, 'the time')
  return { version: [version[0]!, version[1]!, version[2]!], nodeTimeMs: time }
}
