/** `get_expiries`: when messages expire, from this node alone (clause NODE-37). */
import { checkGetExpiries, encodeExpiries, type GetExpiriesParams } from '@session-v2/network'
import { REVOCATIONS } from '../../store/store.ts'
import { contextOf, type NodeServices, type RpcAnswer, refuseForeign } from '../services.ts'

/** Of `all` messages at most so many are told, in the order of their hashes; parts of a batch share them. */
export const EXPIRIES_MAX = 60_000

const PAGE = 1_000

/** 200 with the expiries; 421, 406 and 401 as the checks of the network package say. */
export async function getExpiries(node: NodeServices, params: GetExpiriesParams, parts: number): Promise<RpcAnswer> {
  const foreign = refuseForeign(node, params.account)
  if (foreign !== undefined) return foreign
  const refusal = checkGetExpiries(node.crypto, params, node.clock.nowMs(), await contextOf(node, params))
  if (refusal !== undefined) return refusal
  const { account, hashes } = params
  const found = hashes === 'all' ? allExpiries(node, account, parts) : node.store.expiries(account, hashes)
  return { status: 200, body: encodeExpiries(await found) }
}

async function allExpiries({ store }: NodeServices, account: Uint8Array, parts: number): Promise<Map<string, number>> {
  const most = Math.floor(EXPIRIES_MAX / parts)
  const expiries = new Map<string, number>()
  let page = await store.versionsOf(account, PAGE)
  while (page.length > 0) {
    for (const { hash, namespace, isTombstone, expiryMs } of page) {
      if (isTombstone || namespace === REVOCATIONS) continue
      const known = expiries.get(hash)
      if (known === undefined && expiries.size === most) return expiries
      expiries.set(hash, Math.max(expiryMs, known ?? 0))
    }
    page = await store.versionsOf(account, PAGE, page.at(-1))
  }
  return expiries
}
