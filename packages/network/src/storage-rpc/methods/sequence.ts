/** `sequence`: a batch whose requests are done one after the other, up to the first that fails (RPC-69). */
import { badAnswer } from '../../network-error.ts'
import type { RpcRequest } from '../rpc-request.ts'
import { type BatchResult, requireResults } from './batch.ts'

/** The request that asks 1 to 20 others in order. */
export function buildSequence(requests: readonly RpcRequest[]): RpcRequest {
  return { method: 'sequence', params: { requests } }
}

/**
 * The answers of a sequence: one for each of `requested` requests, or fewer, of which the last failed.
 * @throws NetworkError `malformed`
 */
export function parseSequenceResult(answer: unknown, requested: number): BatchResult[] {
  const results = requireResults(answer, requested)
  const lastStatus = results.at(-1)?.status ?? 200
  if (results.length < requested && lastStatus >= 200 && lastStatus <= 299)
    throw badAnswer('a sequence stopped without a failure')
  return results
}
