/** `batch`: several requests at once, each with its own status. */
import { encodeBatchResult, type ParsedRequest } from '@session-v2/network'
import { AnswerRoom } from '../answer-room.ts'
import type { MethodAnswer, RpcAnswer } from '../services.ts'

/** The answer of one request within. */
export type Ask = (request: ParsedRequest) => Promise<MethodAnswer>

/** Asks all at once; the answers keep the order of the requests. What has no room in the answer any more is 413 (NODE-35). */
export async function batch(requests: readonly ParsedRequest[], ask: Ask): Promise<RpcAnswer> {
  const room = new AnswerRoom()
  const results = await Promise.all(requests.map(async request => room.fit(await ask(request))))
  return { status: 200, body: encodeBatchResult(results) }
}
