/** `delete_all`: removes all messages of a namespace, or of the account, here and at the swarm's other members. */
import {
  allHashes,
  changedText,
  checkDeleteAll,
  type DeleteAllParams,
  encodeAllDeletedEntry,
  encodeDeleteAll,
} from '@session-v2/network'
import type { Change } from '../../store/store.ts'
import type { SwarmEntry } from '../../swarm/replication.ts'
import { writeToMailbox } from '../mailbox-write.ts'
import { readAllDeleted } from '../peer-entry.ts'
import { type Asked, contextOf, type NodeServices, type RpcAnswer, refuseForeign } from '../services.ts'
import { namespacedHashes } from '../swarm-write.ts'

/** 200 with an entry per member; 421, 406 and 401 before anything is deleted (NODE-30, NODE-32). */
export async function deleteAll(node: NodeServices, params: DeleteAllParams, asked: Asked): Promise<RpcAnswer> {
  const foreign = refuseForeign(node, params.account)
  if (foreign !== undefined) return foreign
  const refusal = checkDeleteAll(node.crypto, params, asked.atMs, await contextOf(node, params, asked.origin))
  if (refusal !== undefined) return refusal
  return writeToMailbox(node, asked, params.account, {
    request: () => encodeDeleteAll(params),
    execute: change => removeAll(node, params, change),
    readEntry: readAllDeleted,
    isProof: true,
  })
}

async function removeAll(node: NodeServices, params: DeleteAllParams, change: Change): Promise<SwarmEntry> {
  const { account, namespace, timestampMs } = params
  const deleted = namespacedHashes(namespace, await node.store.deleteAll(account, namespace, change))
  return encodeAllDeletedEntry({ deleted, signature: node.identity.sign(changedText(account, timestampMs, allHashes(deleted))) })
}
