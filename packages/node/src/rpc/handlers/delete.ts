/** `delete`: removes messages by hash here and at the swarm's other members. */
import { checkDelete, type DeleteParams, deletedText, encodeDelete, encodeDeletedEntry } from '@session-v2/network'
import type { Change } from '../../store/store.ts'
import type { SwarmEntry } from '../../swarm/replication.ts'
import { readDeleted } from '../peer-entry.ts'
import { type Asked, contextOf, type NodeServices, type RpcAnswer, refuseForeign } from '../services.ts'
import { writeToSwarm } from '../swarm-write.ts'

/** 200, or 404 when something had to be there and no member had it; 421 and 401 before anything is deleted (NODE-30, NODE-32). */
export async function deleteMessages(node: NodeServices, params: DeleteParams, asked: Asked): Promise<RpcAnswer> {
  const foreign = refuseForeign(node, params.account)
  if (foreign !== undefined) return foreign
  const refusal = checkDelete(node.crypto, params, await contextOf(node, params, asked.origin))
  if (refusal !== undefined) return refusal
  const { status, body, entries } = await writeToSwarm(node, asked, {
    request: () => encodeDelete(params),
    execute: change => remove(node, params, change),
    readEntry: readDeleted,
    isProof: true,
  })
  const missing = params.required && asked.origin === 'client' && !Object.values(entries).some(deletedSomething)
  return { status: status === 200 && missing ? 404 : status, body }
}

function deletedSomething(entry: SwarmEntry): boolean {
  return Array.isArray(entry.deleted) && entry.deleted.length > 0
}

async function remove(node: NodeServices, { account, hashes }: DeleteParams, change: Change): Promise<SwarmEntry> {
  const deleted = await node.store.delete(account, hashes, change)
  return encodeDeletedEntry({ deleted, signature: node.identity.sign(deletedText(account, hashes, deleted)) })
}
