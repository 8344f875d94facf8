/** `sequence`: several requests one after the other, up to the first that fails. */
import { encodeBatchResult, type ParsedRequest } from '@session-v2/network'
import { AnswerRoom } from '../answer-room.ts'
import type { MethodAnswer, RpcAnswer } from '../services.ts'
import type { Ask } from './batch.ts'

/** 200 with the answers up to and including the first whose status is no success; an answer without room is none (NODE-35). */
export async function sequence(requests: readonly ParsedRequest[], ask: Ask): Promise<RpcAnswer> {
  const room = new AnswerRoom()
  const answers: MethodAnswer[] = []
  for (const request of requests) {
    const answer = room.fit(await ask(request))
    answers.push(answer)
    if (answer.status < 200 || answer.status > 299) break
  }
  return { status: 200, body: encodeBatchResult(answers) }
}
