/** From the bytes of a request to its answer (clauses NODE-01, NODE-41). */
import { decodeRequest, NetworkError, type ParsedRequest, parseRequest } from '@session-v2/network'
import { describeException } from '../log.ts'
import { batch } from './handlers/batch.ts'
import { deleteMessages } from './handlers/delete.ts'
import { getSwarm } from './handlers/get-swarm.ts'
import { info } from './handlers/info.ts'
import { oxendRequest } from './handlers/oxend-request.ts'
import { retrieve } from './handlers/retrieve.ts'
import { sequence } from './handlers/sequence.ts'
import { store } from './handlers/store.ts'
import type { NodeServices, RpcAnswer } from './services.ts'

const FAILED: RpcAnswer = { status: 500, body: 'request failed' }

/** Answers a client; never rejects. */
export async function answerClient(node: NodeServices, body: Uint8Array): Promise<RpcAnswer> {
  try {
    return await answerRequest(node, parseRequest(decodeRequest(body)))
  } catch (error) {
    return failure(node, error)
  }
}

/** Answers another member of the swarm, which may ask for writes alone; never rejects. */
export async function answerPeer(node: NodeServices, body: Uint8Array): Promise<RpcAnswer> {
  try {
    const { method, params } = parseRequest(decodeRequest(body))
    if (method === 'store') return await store(node, params, 'peer')
    if (method === 'delete') return await deleteMessages(node, params, 'peer')
    return { status: 400, body: `no method ${method}` }
  } catch (error) {
    return failure(node, error)
  }
}

/** `parts`: of how many requests this is one; they share the budget of an answer. */
async function answerRequest(node: NodeServices, { method, params }: ParsedRequest, parts = 1): Promise<RpcAnswer> {
  switch (method) {
    case 'info':
      return info(node)
    case 'get_swarm':
      return getSwarm(node, params)
    case 'store':
      return store(node, params, 'client')
    case 'retrieve':
      return retrieve(node, params, parts)
    case 'delete':
      return deleteMessages(node, params, 'client')
    case 'oxend_request':
      return oxendRequest(node, params)
    case 'batch':
      return batch(params.requests, request => answerPart(node, request, params.requests.length))
    case 'sequence':
      return sequence(params.requests, request => answerPart(node, request, params.requests.length))
  }
}

/** One request of several: its failure is its own. */
async function answerPart(node: NodeServices, request: ParsedRequest, parts: number): Promise<RpcAnswer> {
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
