/** `batch`: several requests at once, each with its own status. */
import { encodeBatchResult, type ParsedRequest } from '@session-v2/network'
import type { RpcAnswer } from '../services.ts'

/** The answer of one request within. */
export type Ask = (request: ParsedRequest) => Promise<RpcAnswer>

/** Asks all at once; the answers keep the order of the requests. */
export async function batch(requests: readonly ParsedRequest[], ask: Ask): Promise<RpcAnswer> {
  return { status: 200, body: encodeBatchResult(await Promise.all(requests.map(ask))) }
}
