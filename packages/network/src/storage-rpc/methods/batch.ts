/**
 * `batch` and `sequence`: several requests in one. A batch answers all of them in order; a sequence stops behind the first that
 * fails (RPC-68, RPC-69).
 */
import { badAnswer, badRequest } from '../../network-error.ts'
import { requireArray, requireObject } from '../answer.ts'
import { BATCH_MAX_REQUESTS } from '../limits.ts'
import { Params } from '../params.ts'
import { type RpcRequest, toRpcRequest } from '../rpc-request.ts'

const META_METHODS: ReadonlySet<string> = new Set(['batch', 'sequence', 'ifelse'])

/** The requests of a batch or sequence, not yet parsed themselves. Nesting is refused. */
export function parseBatch(fields: Readonly<Record<string, unknown>>): RpcRequest[] {
  const requests = new Params(fields).requireObjects('requests')
  if (requests.length === 0) throw badRequest('Invalid batch request: empty "requests" list')
  if (requests.length > BATCH_MAX_REQUESTS)
    throw badRequest(`Invalid batch request: subrequest limit exceeded (${BATCH_MAX_REQUESTS})`)
  return requests.map(entry => {
    const request = toRpcRequest(entry)
    if (META_METHODS.has(request.method)) throw badRequest(`Invalid batch subrequest: subrequests may not contain meta-requests`)
    return request
  })
}

export function buildBatch(requests: readonly RpcRequest[]): RpcRequest {
  return { method: 'batch', params: { requests } }
}

export function buildSequence(requests: readonly RpcRequest[]): RpcRequest {
  return { method: 'sequence', params: { requests } }
}

/** One answer within a batch: a status like that of HTTP, and a body. */
export interface BatchResult {
  readonly status: number
  readonly body: unknown
}

/**
 * The answers of a batch, or those that a sequence came to.
 * @param requested how many requests were asked; a batch must answer as many, a sequence at most as many
 */
export function parseBatchResult(answer: unknown, requested: number): BatchResult[] {
  const results = requireArray(requireObject(answer, 'the answer').results, 'results', BATCH_MAX_REQUESTS)
  if (results.length > requested) throw badAnswer('more results than requests')
  return results.map(entry => {
    const fields = requireObject(entry, 'a result')
    const status = fields.code
    if (typeof status !== 'number' || !Number.isInteger(status)) throw badAnswer('a result without a status')
    return { status, body: fields.body }
  })
}
