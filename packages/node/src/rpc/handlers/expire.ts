/** `expire`: changes the expiry of messages by hash, here and at the swarm's other members (clauses NODE-36, NODE-84). */
import {
  cappedExpiryMs,
  checkExpire,
  type ExpireParams,
  encodeExpire,
  encodeExpiredEntry,
  expiredEntryText,
  expireMode,
} from '@session-v2/network'
import type { Change, ItemVersion } from '../../store/store.ts'
import type { SwarmEntry } from '../../swarm/replication.ts'
import { readExpired } from '../peer-entry.ts'
import { type Asked, contextOf, type NodeServices, type RpcAnswer, refuseForeign } from '../services.ts'
import { writeToSwarm } from '../swarm-write.ts'

/** An extension by less than this part of what is left of a life is not worth a write. */
const SMALLEST_EXTENSION = 0.01
/** Before all namespaces that there are. */
const BEFORE_NAMESPACES = -32_769

/** 200 with an entry per member; 421, 401 and 400 before anything is changed (NODE-30, NODE-32). */
export async function expire(node: NodeServices, params: ExpireParams, asked: Asked): Promise<RpcAnswer> {
  const foreign = refuseForeign(node, params.account)
  if (foreign !== undefined) return foreign
  const refusal = checkExpire(node.crypto, params, asked.atMs, await contextOf(node, params, asked.origin))
  if (refusal !== undefined) return refusal
  return writeToSwarm(node, asked, {
    request: () => encodeExpire(params),
    execute: change => setExpiries(node, params, change),
    readEntry: readExpired,
    // What only raised an expiry is asked for by nobody, and must not take the place of a request that lowered one.
    isProof: expireMode(params) !== 'extend',
  })
}

/** Times count from when the request was taken, so that all members come to the same. */
async function setExpiries(node: NodeServices, params: ExpireParams, change: Change): Promise<SwarmEntry> {
  const { account, hashes } = params
  const mode = expireMode(params)
  const wanted = params.expiriesMs.map(expiryMs => cappedExpiryMs(expiryMs, change.atMs))
  const left = mode === 'extend' ? await leftAsTheyAre(node, account, hashes, wanted, change.atMs) : new Map<string, number>()
  const taken = hashes.map((hash, at) => ({ hash, expiryMs: wanted[at] ?? wanted[0]! })).filter(({ hash }) => !left.has(hash))
  const outcome = await node.store.setExpiries(
    account,
    taken.map(({ hash }) => hash),
    taken.map(({ expiryMs }) => expiryMs),
    mode,
    change,
  )
  const updated = outcome.updated.map(({ hash }) => hash)
  const expiriesMs = wanted.length === 1 ? wanted[0]! : outcome.updated.map(({ expiryMs }) => expiryMs)
  const unchanged = new Map([...left, ...outcome.unchanged.map(({ hash, expiryMs }) => [hash, expiryMs] as const)])
  const messages = { updated, expiriesMs, ...(mode !== 'set' && { unchanged }) }
  return encodeExpiredEntry({ ...messages, signature: node.identity.sign(expiredEntryText(account, hashes, messages)) })
}

/**
 * The messages whose life an extension would make hardly longer, with the expiry that they have (NODE-36). Where a hash stands in
 * several namespaces the store decides: the twin of a stranger, which lives longer, must not keep the owner's from living on.
 */
async function leftAsTheyAre(
  { store }: NodeServices,
  account: Uint8Array,
  hashes: readonly string[],
  wanted: readonly number[],
  atMs: number,
): Promise<Map<string, number>> {
  const held = await store.expiries(account, hashes)
  const left = new Map<string, number>()
  for (const [at, hash] of hashes.entries()) {
    const expiryMs = held.get(hash)
    if (expiryMs === undefined || left.has(hash)) continue
    const gainMs = (wanted[at] ?? wanted[0]!) - expiryMs
    if (gainMs < (expiryMs - atMs) * SMALLEST_EXTENSION && (await standsAlone(store, account, hash))) left.set(hash, expiryMs)
  }
  return left
}

async function standsAlone(store: NodeServices['store'], account: Uint8Array, hash: string): Promise<boolean> {
  const times = { decidedAtMs: 0, changedAtMs: 0, expiryMs: 0 }
  const before: ItemVersion = { account, hash, namespace: BEFORE_NAMESPACES, ...times, isTombstone: false }
  const items = await store.versionsOf(account, 2, before)
  return items.filter(item => item.hash === hash).length === 1
}
