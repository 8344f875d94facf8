/** `unrevoke_subaccount`: lets revoked subaccounts in again, here and at the swarm's other members. */
import {
  checkRevocation,
  encodeUnrevokedEntry,
  encodeUnrevokeSubaccount,
  type RevokeParams,
  revokedText,
} from '@session-v2/network'
import type { Change } from '../../store/store.ts'
import type { SwarmEntry } from '../../swarm/replication.ts'
import { readUnrevoked } from '../peer-entry.ts'
import { type Asked, type NodeServices, type RpcAnswer, refuseForeign } from '../services.ts'
import { writeToSwarm } from '../swarm-write.ts'

/** 200 with an entry per member; 421, 406 and 401 before anything is changed (NODE-30, NODE-32). */
export async function unrevokeSubaccount(node: NodeServices, params: RevokeParams, asked: Asked): Promise<RpcAnswer> {
  const refusal = refuseForeign(node, params.account) ?? checkRevocation(node.crypto, 'unrevoke_subaccount', params, asked.atMs)
  if (refusal !== undefined) return refusal
  return writeToSwarm(node, asked, {
    request: () => encodeUnrevokeSubaccount(params),
    execute: change => unrevoke(node, params, change),
    readEntry: readUnrevoked,
    isProof: true,
  })
}

async function unrevoke(node: NodeServices, params: RevokeParams, change: Change): Promise<SwarmEntry> {
  const { account, tokens, timestampMs } = params
  const count = await node.store.unrevoke(account, tokens, change)
  return encodeUnrevokedEntry(count, node.identity.sign(revokedText(account, timestampMs, tokens)))
}
