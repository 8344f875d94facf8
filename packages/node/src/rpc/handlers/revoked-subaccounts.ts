/** `revoked_subaccounts`: the tokens that an owner has revoked, from this node alone. */
import { checkRevokedSubaccounts, encodeRevokedSubaccounts, type RevokedSubaccountsParams } from '@session-v2/network'
import { type NodeServices, type RpcAnswer, refuseForeign, stamp } from '../services.ts'

/** 200 with the tokens, newest first; 421, 406 and 401 as the checks of the network package say. */
export async function revokedSubaccounts(node: NodeServices, params: RevokedSubaccountsParams): Promise<RpcAnswer> {
  const { account } = params
  const refusal = refuseForeign(node, account) ?? checkRevokedSubaccounts(node.crypto, params, node.clock.nowMs())
  if (refusal !== undefined) return refusal
  return { status: 200, body: stamp(node, encodeRevokedSubaccounts(await node.store.revokedTokens(account))) }
}
