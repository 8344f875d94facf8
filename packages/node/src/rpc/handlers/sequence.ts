/** `sequence`: several requests one after the other, up to the first that fails. */
import { encodeBatchResult, type ParsedRequest } from '@session-v2/network'
import type { RpcAnswer } from '../services.ts'
import type { Ask } from './batch.ts'

/** 200 with the answers up to and including the first whose status is no success. */
export async function sequence(requests: readonly ParsedRequest[], ask: Ask): Promise<RpcAnswer> {
  const answers: RpcAnswer[] = []
  for (const request of requests) {
    const answer = await ask(request)
    answers.push(answer)
    if (answer.status < 200 || answer.status > 299) break
  }
  return { status: 200, body: encodeBatchResult(answers) }
}
