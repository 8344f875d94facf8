/** `delete`: removes messages by hash here and at the swarm's other members. */
import { encodeHex } from '@session-v2/encoding'
import { checkDelete, type DeleteParams, deletedText, encodeDeletedEntry, type RpcRequest } from '@session-v2/network'
import type { SwarmEntry } from '../../swarm/replication.ts'
import { type NodeServices, type Origin, type RpcAnswer, refuseForeign } from '../services.ts'
import { writeToSwarm } from '../swarm-write.ts'
import { signatureFields } from '../wire-fields.ts'

/** 200, or 404 when something had to be there and no member had it; 421 and 401 before anything is deleted (NODE-30, NODE-32). */
export async function deleteMessages(node: NodeServices, params: DeleteParams, origin: Origin): Promise<RpcAnswer> {
  const refusal = refuseForeign(node, params.account) ?? checkDelete(node.crypto, params)
  if (refusal !== undefined) return refusal
  const { status, body, entries } = await writeToSwarm(
    node,
    origin,
    () => encodeDelete(params),
    () => remove(node, params),
  )
  const missing = params.required && origin === 'client' && !Object.values(entries).some(deletedSomething)
  return { status: status === 200 && missing ? 404 : status, body }
}

function deletedSomething(entry: SwarmEntry): boolean {
  return Array.isArray(entry.deleted) && entry.deleted.length > 0
}

async function remove(node: NodeServices, { account, hashes }: DeleteParams): Promise<SwarmEntry> {
  const deleted = await node.store.delete(account, hashes)
  return encodeDeletedEntry({ deleted, signature: node.identity.sign(deletedText(account, hashes, deleted)) })
}

/** The request as peers get it; whether anything had to be there is the entry node's question. */
function encodeDelete({ account, hashes, signed }: DeleteParams): RpcRequest {
  return { method: 'delete', params: { pubkey: encodeHex(account), messages: hashes, ...signatureFields(signed) } }
}
