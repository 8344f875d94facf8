/** `expire_all`: shortens the life of all messages of a namespace, or of the account, here and at the swarm's other members. */
import {
  allHashes,
  changedText,
  checkExpireAll,
  type ExpireAllParams,
  encodeAllExpiredEntry,
  encodeExpireAll,
} from '@session-v2/network'
import type { Change } from '../../store/store.ts'
import type { SwarmEntry } from '../../swarm/replication.ts'
import { writeToMailbox } from '../mailbox-write.ts'
import { readAllExpired } from '../peer-entry.ts'
import { type Asked, contextOf, type NodeServices, type RpcAnswer, refuseForeign } from '../services.ts'
import { namespacedHashes } from '../swarm-write.ts'

/** 200 with an entry per member; 421, 406 and 401 before anything is changed (NODE-30, NODE-32). */
export async function expireAll(node: NodeServices, params: ExpireAllParams, asked: Asked): Promise<RpcAnswer> {
  const foreign = refuseForeign(node, params.account)
  if (foreign !== undefined) return foreign
  const refusal = checkExpireAll(node.crypto, params, asked.atMs, await contextOf(node, params, asked.origin))
  if (refusal !== undefined) return refusal
  return writeToMailbox(node, asked, params.account, {
    request: () => encodeExpireAll(params),
    execute: change => shortenAll(node, params, change),
    readEntry: readAllExpired,
    isProof: true,
  })
}

async function shortenAll(node: NodeServices, params: ExpireAllParams, change: Change): Promise<SwarmEntry> {
  const { account, namespace, expiryMs } = params
  const updated = namespacedHashes(namespace, await node.store.expireAll(account, namespace, expiryMs, change))
  return encodeAllExpiredEntry({ updated, signature: node.identity.sign(changedText(account, expiryMs, allHashes(updated))) })
}
