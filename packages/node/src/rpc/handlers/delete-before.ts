/** `delete_before`: removes the messages up to a timestamp, here and at the swarm's other members. */
import {
  allHashes,
  changedText,
  checkDeleteBefore,
  type DeleteBeforeParams,
  encodeDeleteBefore,
  encodeDeletedBeforeEntry,
} from '@session-v2/network'
import type { Change } from '../../store/store.ts'
import type { SwarmEntry } from '../../swarm/replication.ts'
import { writeToMailbox } from '../mailbox-write.ts'
import { readAllDeleted } from '../peer-entry.ts'
import { type Asked, contextOf, type NodeServices, type RpcAnswer, refuseForeign } from '../services.ts'
import { namespacedHashes } from '../swarm-write.ts'

/** 200 with an entry per member; 421 and 401 before anything is deleted (NODE-30, NODE-32). */
export async function deleteBefore(node: NodeServices, params: DeleteBeforeParams, asked: Asked): Promise<RpcAnswer> {
  const foreign = refuseForeign(node, params.account)
  if (foreign !== undefined) return foreign
  const refusal = checkDeleteBefore(node.crypto, params, asked.atMs, await contextOf(node, params, asked.origin))
  if (refusal !== undefined) return refusal
  return writeToMailbox(node, asked, params.account, {
    request: () => encodeDeleteBefore(params),
    execute: change => removeBefore(node, params, change),
    readEntry: readAllDeleted,
    isProof: true,
  })
}

async function removeBefore(node: NodeServices, params: DeleteBeforeParams, change: Change): Promise<SwarmEntry> {
  const { account, namespace, beforeMs } = params
  const deleted = namespacedHashes(namespace, await node.store.deleteAll(account, namespace, change, beforeMs))
  const signature = node.identity.sign(changedText(account, beforeMs, allHashes(deleted)))
  return encodeDeletedBeforeEntry({ deleted, signature })
}
