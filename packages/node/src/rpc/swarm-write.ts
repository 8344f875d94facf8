/** What store and delete share: done at every member of the swarm, answered with an entry for each (clauses NODE-32, NODE-33). */
import type { MemberFailure, RpcRequest } from '@session-v2/network'
import { NodeError } from '../node-error.ts'
import type { SwarmEntry } from '../swarm/replication.ts'
import { type NodeServices, type Origin, type RpcAnswer, stamp } from './services.ts'

/** The entries of all members, this node's included, by Ed25519 key. */
type SwarmEntries = Readonly<Record<string, SwarmEntry>>

/** Executes a write here and, for a client, at all peers. `extra` are fields beside the entries. */
export async function writeToSwarm(
  node: NodeServices,
  origin: Origin,
  request: () => RpcRequest,
  write: () => Promise<SwarmEntry>,
  extra: Readonly<Record<string, unknown>> = {},
): Promise<RpcAnswer & { readonly entries: SwarmEntries }> {
  const others = origin === 'client' && node.swarms.peers.length > 0 ? node.replication.forward(request()) : undefined
  const own = await executeHere(node, write)
  const entries: Record<string, SwarmEntry> = { [node.identity.ed25519]: own }
  if (origin === 'peer') return { status: 200, body: own, entries }
  for (const [peer, entry] of (await others) ?? []) entries[peer] = entry
  const done = Object.values(entries).some(entry => entry.failed === undefined)
  return { status: done ? 200 : 500, body: stamp(node, { swarm: entries, ...extra }), entries }
}

async function executeHere(node: NodeServices, write: () => Promise<SwarmEntry>): Promise<SwarmEntry> {
  try {
    return await write()
  } catch (error) {
    if (!(error instanceof NodeError)) throw error
    node.log.error({ code: error.code }, 'the store refused')
    return { failed: true, query_failure: true, reason: error.message } satisfies MemberFailure
  }
}
