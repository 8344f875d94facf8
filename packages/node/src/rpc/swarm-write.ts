/** What all writes share: done at every member of the swarm, answered with an entry for each (clauses NODE-32 to NODE-34, NODE-84). */
import { encodeRequest, type MemberFailure, type Namespace, type NamespacedHashes, type RpcRequest } from '@session-v2/network'
import { NodeError } from '../node-error.ts'
import type { AffectedMessage, Change, NamespaceChoice } from '../store/store.ts'
import type { EntryReader, SwarmEntry } from '../swarm/replication.ts'
import { type Asked, type NodeServices, type RpcAnswer, stamp } from './services.ts'

/** What a node answers to who is no member of its swarm (NODE-41). */
const STRANGER = '403'

/** A write that has been checked. */
export interface SwarmWrite {
  /** The request as peers get it. */
  readonly request: () => RpcRequest
  /** Does it here. */
  readonly execute: (change: Change) => Promise<SwarmEntry>
  readonly readEntry: EntryReader
  /** Whether the request is kept with what it changed: it may be asked for by who missed it. */
  readonly isProof: boolean
  /** Fields beside the entries. */
  readonly extra?: Readonly<Record<string, unknown>>
  /** Of entries that may be long: how long one of a peer is at most, and what stands for one in the answer. */
  readonly limits?: { readonly entryMaxBytes: number; readonly fit: (entry: SwarmEntry) => SwarmEntry }
}

/** The entries of all members, this node's included, by Ed25519 key. */
type SwarmEntries = Readonly<Record<string, SwarmEntry>>

/** Executes a write here and, for a client, at all peers. */
export async function writeToSwarm(
  node: NodeServices,
  asked: Asked,
  { request, execute, readEntry, isProof, extra = {}, limits }: SwarmWrite,
): Promise<RpcAnswer & { readonly entries: SwarmEntries }> {
  const { atMs, mode, origin } = asked
  const isForwarded = origin === 'client' && node.swarms.peers.length > 0
  const body = isForwarded || isProof ? encodeRequest(request(), 'bt') : undefined
  const executed = executeHere(node, () => execute({ atMs, mode, ...(isProof && body && { proof: body }) }))
  const others =
    isForwarded && body
      ? node.replication.forward({ body, atMs, readEntry, executed, ...(limits && { entryMaxBytes: limits.entryMaxBytes }) })
      : undefined
  const own = await executed
  const entries: Record<string, SwarmEntry> = { [node.identity.ed25519]: own }
  if (origin === 'peer') return { status: 200, body: own, entries }
  for (const [peer, entry] of (await others) ?? []) entries[peer] = entry
  const done = isDone(own, (await others) ?? [])
  if (limits !== undefined) for (const [member, entry] of Object.entries(entries)) entries[member] = limits.fit(entry)
  return { status: done ? 200 : 500, body: stamp(node, { swarm: entries, ...extra }), entries }
}

/**
 * Whether the swarm did it: a peer, or this node, unless a peer says that this node is none of theirs. Then lists of nodes differ, and what
 * this node alone has may never come to the others.
 */
function isDone(own: SwarmEntry, others: readonly (readonly [string, SwarmEntry])[]): boolean {
  if (others.some(([, entry]) => entry.failed === undefined)) return true
  return own.failed === undefined && !others.some(([, entry]) => entry.code === STRANGER)
}

/** Changed messages as an entry lists them: of one namespace a list, of all a list for each. */
export function namespacedHashes(namespaces: NamespaceChoice, changed: readonly AffectedMessage[]): NamespacedHashes {
  if (namespaces !== 'all') return changed.map(({ hash }) => hash)
  const lists = new Map<Namespace, string[]>()
  for (const { namespace, hash } of changed) {
    const list = lists.get(namespace as Namespace)
    if (list === undefined) lists.set(namespace as Namespace, [hash])
    else list.push(hash)
  }
  return lists
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
