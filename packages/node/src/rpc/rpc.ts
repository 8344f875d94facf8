/** From the bytes of a request to its answer (clauses NODE-01, NODE-41, NODE-43). */
import {
  decodeRequest,
  encodeAnswer,
  NetworkError,
  type ParsedRequest,
  parseRequest,
  type RequestForm,
} from '@session-v2/network'
import { describeException } from '../log.ts'
import { takenAt } from '../swarm/forwarded-request.ts'
import { activeNodesBin } from './handlers/active-nodes-bin.ts'
import { batch } from './handlers/batch.ts'
import { deleteMessages } from './handlers/delete.ts'
import { deleteAll } from './handlers/delete-all.ts'
import { deleteBefore } from './handlers/delete-before.ts'
import { expire } from './handlers/expire.ts'
import { expireAll } from './handlers/expire-all.ts'
import { getExpiries } from './handlers/get-expiries.ts'
import { getSwarm } from './handlers/get-swarm.ts'
import { ifelse } from './handlers/ifelse.ts'
import { info } from './handlers/info.ts'
import { oxendRequest } from './handlers/oxend-request.ts'
import { retrieve } from './handlers/retrieve.ts'
import { revokeSubaccount } from './handlers/revoke-subaccount.ts'
import { revokedSubaccounts } from './handlers/revoked-subaccounts.ts'
import { sequence } from './handlers/sequence.ts'
import { store } from './handlers/store.ts'
import { unrevokeSubaccount } from './handlers/unrevoke-subaccount.ts'
import { jsonAnswer } from './json-answer.ts'
import type { Asked, MethodAnswer, NodeServices, RpcAnswer } from './services.ts'

const FAILED = { status: 500, body: 'request failed' } as const
const STALE = { status: 406, body: 'swarm request timestamp too far from current time' } as const

/** An answer as it goes out: in bt, an object is bytes. */
export interface WireAnswer {
  readonly status: number
  readonly body: string | object
}

/** Writes an answer in the form of its request (RPC-04). What is bytes already has no form (RPC-81). */
function inForm(form: RequestForm, { status, body }: MethodAnswer): WireAnswer {
  if (typeof body === 'string' || body instanceof Uint8Array) return { status, body }
  return { status, body: form === 'json' ? jsonAnswer(body) : (encodeAnswer(form, body) as Uint8Array) }
}

/** For those who look at what an answer says: bytes say nothing to them. */
function withoutBytes({ status, body }: MethodAnswer): RpcAnswer {
  return { status, body: body instanceof Uint8Array ? '' : body }
}

/** Looks at a request once it is parsed, and at its answer. */
export interface RequestGuard {
  /** An answer refuses the request. */
  admit(request: ParsedRequest): RpcAnswer | undefined
  answered(request: ParsedRequest, answer: RpcAnswer): void
}

/** Answers a client; never rejects. */
export async function answerClient(node: NodeServices, body: Uint8Array, guard?: RequestGuard): Promise<WireAnswer> {
  try {
    const request = decodeRequest(body)
    const parsed = parseRequest(request)
    const refusal = guard?.admit(parsed)
    if (refusal !== undefined) return inForm(request.form, refusal)
    const answer = await answerRequest(node, parsed)
    guard?.answered(parsed, withoutBytes(answer))
    return inForm(request.form, answer)
  } catch (error) {
    return failure(node, error)
  }
}

/** Answers another member of the swarm, which may ask for writes alone; never rejects (NODE-41, NODE-43). */
export async function answerPeer(node: NodeServices, body: Uint8Array): Promise<WireAnswer> {
  try {
    const taken = takenAt(body, node.clock.nowMs())
    if (taken === undefined) return STALE
    const request = decodeRequest(body)
    const parsed = parseRequest(request)
    const { atMs, late } = taken
    const answer = answerWrite(node, parsed, { origin: 'peer', atMs, mode: late ? 'late' : 'asked' })
    return answer === undefined ? noMethod(parsed) : inForm(request.form, await answer)
  } catch (error) {
    return failure(node, error)
  }
}

/** `parts`: of how many requests this is one; they share the budget of an answer. */
async function answerRequest(node: NodeServices, request: ParsedRequest, parts = 1): Promise<MethodAnswer> {
  const { method, params } = request
  switch (method) {
    case 'info':
      return info(node)
    case 'get_swarm':
      return getSwarm(node, params)
    case 'retrieve':
      return retrieve(node, params, parts)
    case 'get_expiries':
      return getExpiries(node, params, parts)
    case 'revoked_subaccounts':
      return revokedSubaccounts(node, params)
    case 'oxend_request':
      return oxendRequest(node, params)
    case 'active_nodes_bin':
      return activeNodesBin(node)
    case 'batch':
      return batch(params.requests, part => answerPart(node, part, params.requests.length))
    case 'sequence':
      return sequence(params.requests, part => answerPart(node, part, params.requests.length))
    case 'ifelse':
      return ifelse(node, params, branch => answerPart(node, branch, 1))
    default:
      return answerWrite(node, request, { origin: 'client', atMs: node.clock.nowMs(), mode: 'asked' }) ?? noMethod(request)
  }
}

/** What is done at every member of a swarm; undefined for another method. */
function answerWrite(node: NodeServices, { method, params }: ParsedRequest, asked: Asked): Promise<RpcAnswer> | undefined {
  switch (method) {
    case 'store':
      return store(node, params, asked)
    case 'delete':
      return deleteMessages(node, params, asked)
    case 'delete_all':
      return deleteAll(node, params, asked)
    case 'delete_before':
      return deleteBefore(node, params, asked)
    case 'expire':
      return expire(node, params, asked)
    case 'expire_all':
      return expireAll(node, params, asked)
    case 'revoke_subaccount':
      return revokeSubaccount(node, params, asked)
    case 'unrevoke_subaccount':
      return unrevokeSubaccount(node, params, asked)
    default:
      return undefined
  }
}

function noMethod({ method }: ParsedRequest): RpcAnswer {
  return { status: 400, body: `no method ${method}` }
}

/** One request of several: its failure is its own. */
async function answerPart(node: NodeServices, request: ParsedRequest, parts: number): Promise<MethodAnswer> {
  try {
    return await answerRequest(node, request, parts)
  } catch (error) {
    return failure(node, error)
  }
}

function failure(node: NodeServices, error: unknown): RpcAnswer {
  if (error instanceof NetworkError && error.status !== undefined) return { status: error.status, body: error.message }
  node.log.error(describeException(error), 'a request failed')
  return FAILED
}
