/** What clients change (clauses NODE-20, NODE-24 to NODE-27, NODE-80 to NODE-84), each on the open transaction. */
import { timesOfDeletion, timesOfExpiry, timesOfStore } from '../item-version.ts'
import type { Change, ExpiryMode, ExpiryOutcome, StoredMessage, StoreOutcome } from '../store.ts'
import type { Items, Owner } from './items.ts'
import type { Held } from './rows.ts'

/** `MessageStore.store`. */
export function storeMessage(items: Items, message: StoredMessage, replaces: boolean, change: Change): StoreOutcome {
  // Nearly always there is nothing to compare it with.
  if (!replaces && items.addFirst(message, change.atMs)) return { outcome: 'stored', expiryMs: message.expiryMs }
  const owner = items.ownerOrNew(message.account)
  const held = items.held(owner, message)
  if (held?.isTombstone === false) return storeAgain(items, held, message, replaces, change)
  const times = timesOfStore(change, held)
  if (times === undefined || (replaces && !emptySlot(items, owner, message))) {
    return { outcome: 'obsolete', expiryMs: message.expiryMs }
  }
  items.add(owner, message, times, null, held)
  return { outcome: 'stored', expiryMs: message.expiryMs }
}

/**
 * The message is there, and is decided anew; a late store of the same time is the same again. Its life may become longer, except by a late
 * store after which its expiry was set.
 */
function storeAgain(items: Items, held: Held, message: StoredMessage, replaces: boolean, change: Change): StoreOutcome {
  const isLate = change.mode === 'late'
  if (isLate && change.atMs < held.decidedAtMs) return { outcome: 'obsolete', expiryMs: held.expiryMs }
  const mayRaise = !(isLate && change.atMs < held.changedAtMs)
  const expiryMs = mayRaise ? Math.max(held.expiryMs, message.expiryMs) : held.expiryMs
  const timestampMs = replaces ? Math.max(held.timestampMs, message.timestampMs) : held.timestampMs
  const { decidedAtMs, changedAtMs } = timesOfStore(change, held) ?? held
  items.change(held, { timestampMs, expiryMs, decidedAtMs, changedAtMs, proofId: held.proofId })
  return { outcome: 'already', expiryMs }
}

/**
 * Makes room in a namespace of one message, or is false where that is the newer one. In one transaction with what follows, so that the
 * namespace is at no moment empty (clause NODE-25). What was replaced needs no tombstone: it could not win again.
 */
export function emptySlot(
  items: Items,
  owner: Owner,
  message: Pick<StoredMessage, 'namespace' | 'hash' | 'timestampMs'>,
): boolean {
  const others = items.heldSlot(owner, message.namespace).filter(held => held.hash !== message.hash)
  if (others.some(held => isNewer(held, message))) return false
  for (const held of others) items.remove(held)
  return true
}

function isNewer(held: Held, message: Pick<StoredMessage, 'hash' | 'timestampMs'>): boolean {
  const difference = held.timestampMs - message.timestampMs
  return difference === 0 ? held.hash > message.hash : difference > 0
}

/** `MessageStore.delete`. */
export function deleteHashes(items: Items, account: Uint8Array, hashes: readonly string[], change: Change): string[] {
  const owner = items.owner(account)
  if (owner === undefined) return []
  const proofId = items.proofs.idOf(change.proof)
  const deleted = [...new Set(hashes)].filter(hash => {
    let found = false
    for (const held of items.heldEverywhere(owner, hash)) {
      const times = timesOfDeletion(change, held)
      if (times === undefined) continue
      items.bury(owner, held, times, proofId(), held)
      if (!held.isTombstone) found = true
    }
    return found
  })
  items.dropIfEmpty(owner)
  return deleted.sort()
}

/** `MessageStore.setExpiries`. */
export function setExpiries(
  items: Items,
  account: Uint8Array,
  hashes: readonly string[],
  expiriesMs: readonly number[],
  mode: ExpiryMode,
  change: Change,
): ExpiryOutcome {
  const owner = items.owner(account)
  const updated = new Map<string, number>()
  const unchanged = new Map<string, number>()
  const proofId = items.proofs.idOf(change.proof)
  for (const [i, hash] of hashes.entries()) {
    if (owner === undefined || updated.has(hash) || unchanged.has(hash)) continue
    const messages = items.heldEverywhere(owner, hash).filter(held => !held.isTombstone)
    if (messages.length === 0) continue
    const wantedMs = expiriesMs[i] ?? expiriesMs[0]!
    const changed = messages.map(held => setExpiry(items, held, wantedMs, mode, change, proofId))
    const inForce = messages.map((held, at) => (changed[at] ? wantedMs : held.expiryMs))
    const outcome = changed.includes(true) ? updated : unchanged
    outcome.set(hash, Math.max(...inForce))
  }
  return { updated: sorted(updated), unchanged: sorted(unchanged) }
}

/** Whether the expiry of one message was set. The proof is kept from the first time that its life was shortened (NODE-84). */
export function setExpiry(
  items: Items,
  held: Held,
  expiryMs: number,
  mode: ExpiryMode,
  change: Change,
  proofId: () => number | null,
): boolean {
  if (mode === 'shorten' && expiryMs >= held.expiryMs) return false
  if (mode === 'extend' && expiryMs <= held.expiryMs) return false
  const times = timesOfExpiry(change, held)
  if (times === undefined) return false
  const isProven = expiryMs < held.expiryMs || held.proofId !== null
  const { timestampMs } = held
  items.change(held, { timestampMs, expiryMs, ...times, proofId: isProven ? (proofId() ?? held.proofId) : null })
  return true
}

function sorted(expiries: ReadonlyMap<string, number>): { hash: string; expiryMs: number }[] {
  const entries = [...expiries].map(([hash, expiryMs]) => ({ hash, expiryMs }))
  return entries.sort((a, b) => (a.hash < b.hash ? -1 : 1))
}
