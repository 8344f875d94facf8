/** `retrieve`: a page of one mailbox, from this node alone. */
import {
  checkRetrieve,
  encodeRetrievedPage,
  NAMESPACE,
  RETRIEVE_BUDGET_BYTES,
  RETRIEVE_DEFAULT_MAX_SIZE,
  type RetrieveParams,
} from '@session-v2/network'
import type { RetrievePage } from '../../store/store.ts'
import { contextOf, type NodeServices, type RpcAnswer, refuseForeign, stamp } from '../services.ts'

const EMPTY: RetrievePage = { messages: [], more: false }

/**
 * 200 with `messages` and `more`; 421, 401 and 406 as the checks of the network package say (NODE-23, NODE-26). One of several
 * `parts` of a batch gets at most its share of the budget, so that the answer as a whole has a limit too (NODE-29).
 */
export async function retrieve(node: NodeServices, params: RetrieveParams, parts: number): Promise<RpcAnswer> {
  const foreign = refuseForeign(node, params.account)
  if (foreign !== undefined) return foreign
  const refusal = checkRetrieve(node.crypto, params, node.clock.nowMs(), await contextOf(node, params))
  if (refusal !== undefined) return refusal
  const { messages, more } = params.namespace === NAMESPACE.testing ? EMPTY : await node.store.retrieve(query(params, parts))
  const page = { messages: messages.map(({ data, ...rest }) => ({ ...rest, payload: data })), more }
  return { status: 200, body: stamp(node, encodeRetrievedPage(page)) }
}

function query({ account, namespace, lastHash, maxCount = 0, maxSize }: RetrieveParams, parts: number) {
  return {
    account,
    namespace,
    afterHash: lastHash,
    maxCount: maxCount > 0 ? maxCount : undefined,
    budgetBytes: Math.min(budgetBytes(maxSize || RETRIEVE_DEFAULT_MAX_SIZE), Math.floor(RETRIEVE_BUDGET_BYTES / parts)),
  }
}

/** A positive size is taken as it is, up to the whole budget; −k is a k-th of the budget. */
function budgetBytes(maxSize: number): number {
  return maxSize > 0 ? Math.min(maxSize, RETRIEVE_BUDGET_BYTES) : Math.floor(RETRIEVE_BUDGET_BYTES / -maxSize)
}
