/** `batch`: several requests in one, answered all, in order, each with a status of its own (RPC-68). */
import { badAnswer, badRequest } from '../../network-error.ts'
import { requireArray, requireObject } from '../answer.ts'
import { BATCH_MAX_REQUESTS } from '../limits.ts'
import type { Params } from '../params.ts'
import { type ReceivedRequest, type RpcRequest, toReceivedRequest } from '../rpc-request.ts'

const META_METHODS: ReadonlySet<string> = new Set(['batch', 'sequence', 'ifelse'])

/**
 * The requests of a batch or sequence, 1 to 20, not yet parsed themselves. Nesting is refused.
 * @throws NetworkError `malformed`, status 400
 */
export function parseBatch(params: Params): ReceivedRequest[] {
  const requests = params.requireObjects('requests')
  if (requests.length === 0) throw badRequest('Invalid batch request: empty "requests" list')
  if (requests.length > BATCH_MAX_REQUESTS)
    throw badRequest(`Invalid batch request: subrequest limit exceeded (${BATCH_MAX_REQUESTS})`)
  return requests.map(entry => {
    const request = toReceivedRequest(entry)
    if (META_METHODS.has(request.method)) throw badRequest('Invalid batch subrequest: subrequests may not contain meta-requests')
    return request
  })
}

/** The request that asks 1 to 20 others at once. */
export function buildBatch(requests: readonly RpcRequest[]): RpcRequest {
  return { method: 'batch', params: { requests } }
}

/** One answer within a batch or sequence: a status like that of HTTP, and a body, which is an object or a text. */
export interface BatchResult {
  readonly status: number
  readonly body: unknown
}

/** The body of an answer to a batch or sequence. */
export function encodeBatchResult(results: readonly BatchResult[]): Record<string, unknown> {
  return { results: results.map(({ status, body }) => ({ code: status, body })) }
}

/** The answers of a batch: one for each of `requested` requests. @throws NetworkError `malformed` */
export function parseBatchResult(answer: unknown, requested: number): BatchResult[] {
  const results = requireResults(answer, requested)
  if (results.length < requested) throw badAnswer('fewer results than requests')
  return results
}

/** The answers of a batch or sequence, at most `requested`. @throws NetworkError `malformed` */
export function requireResults(answer: unknown, requested: number): BatchResult[] {
  return requireArray(requireObject(answer, 'the answer').results, 'results', requested).map(entry => {
    const fields = requireObject(entry, 'a result')
    const status = fields.code
    if (typeof status !== 'number' || !Number.isInteger(status)) throw badAnswer('a result without a status')
    return { status, body: fields.body }
  })
}
