/** `revoke_subaccount`: takes back what an owner let subaccounts do, here and at the swarm's other members. */
import { checkRevocation, encodeRevokedEntry, encodeRevokeSubaccount, type RevokeParams, revokedText } from '@session-v2/network'
import type { Change } from '../../store/store.ts'
import type { SwarmEntry } from '../../swarm/replication.ts'
import { readRevoked } from '../peer-entry.ts'
import { type Asked, type NodeServices, type RpcAnswer, refuseForeign } from '../services.ts'
import { writeToSwarm } from '../swarm-write.ts'

/** 200 with an entry per member; 421, 406 and 401 before anything is changed (NODE-30, NODE-32). */
export async function revokeSubaccount(node: NodeServices, params: RevokeParams, asked: Asked): Promise<RpcAnswer> {
  const refusal = refuseForeign(node, params.account) ?? checkRevocation(node.crypto, 'revoke_subaccount', params, asked.atMs)
  if (refusal !== undefined) return refusal
  return writeToSwarm(node, asked, {
    request: () => encodeRevokeSubaccount(params),
    execute: change => revoke(node, params, change),
    readEntry: readRevoked,
    isProof: true,
  })
}

async function revoke(node: NodeServices, { account, tokens, timestampMs }: RevokeParams, change: Change): Promise<SwarmEntry> {
  await node.store.revoke(account, tokens, change)
  node.events?.publish({ kind: 'revoked', account })
  return encodeRevokedEntry(node.identity.sign(revokedText(account, timestampMs, tokens)))
}
