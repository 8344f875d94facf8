/** `info`: the version and clock of a node (RPC-65). */
import { badAnswer } from '../../network-error.ts'
import { nodeTimeMs, requireArray, requireInteger, requireObject } from '../answer.ts'
import type { RpcRequest } from '../rpc-request.ts'

/** The request; it has no parameters. */
export function buildInfo(): RpcRequest {
  return { method: 'info', params: {} }
}

export interface InfoResult {
  readonly version: readonly [number, number, number]
  readonly nodeTimeMs: number
}

/** The body of an answer. */
export function encodeInfoResult({ version, nodeTimeMs }: InfoResult): Record<string, unknown> {
  return { version, timestamp: nodeTimeMs }
}

/** Reads an answer. @throws NetworkError `malformed` */
export function parseInfoResult(answer: unknown): InfoResult {
  const fields = requireObject(answer, 'the answer')
  const version = requireArray(fields.version, 'version', 3).map(part => requireInteger(part, 'a part of the version'))
  if (version.length !== 3) throw badAnswer('a version has three parts')
  const time = nodeTimeMs(fields) ?? requireInteger(fields.timestamp, 'the time')
  return { version: [version[0]!, version[1]!, version[2]!], nodeTimeMs: time }
}
