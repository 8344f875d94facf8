/** Revoked tokens of an account: items without an end, the newest of them (clause NODE-88). On the open transaction. */
import type { Crypto } from '@session-v2/crypto'
import { REVOKED_TOKENS_MAX, timesOfDeletion, timesOfNew, timesOfStore, tokenHash } from '../item-version.ts'
import { type Change, NEVER_MS, REVOCATIONS } from '../store.ts'
import type { Database } from './driver.ts'
import type { Items, Owner } from './items.ts'
import type { Held } from './rows.ts'
import { prepareAll, type Statements } from './statements.ts'

const SQL = {
  tokens: `SELECT data FROM messages WHERE owner = ? AND namespace = ${REVOCATIONS} ORDER BY changed DESC, hash DESC`,
} as const

export class Revocations {
  readonly #crypto: Crypto
  readonly #items: Items
  readonly #sql: Statements<typeof SQL>

  constructor(database: Database, crypto: Crypto, items: Items) {
    this.#crypto = crypto
    this.#items = items
    this.#sql = prepareAll(database, SQL)
  }

  revoke(account: Uint8Array, tokens: readonly Uint8Array[], change: Change): void {
    const items = this.#items
    const owner = items.ownerOrNew(account)
    const proofId = items.proofs.idOf(change.proof)
    for (const token of tokens) {
      const name = { namespace: REVOCATIONS, hash: tokenHash(this.#crypto, token) }
      const held = items.held(owner, name)
      const times = timesOfStore(change, held)
      if (times === undefined) continue
      const life = { timestampMs: times.changedAtMs, expiryMs: NEVER_MS }
      if (held?.isTombstone === false) items.change(held, { ...life, ...times, proofId: proofId() })
      else items.add(owner, { account, ...name, ...life, data: token }, times, proofId(), held)
    }
    dropOldest(items, owner)
    items.dropIfEmpty(owner)
  }

  /** Unlike a message, a revocation that is not here is named by the request: it may arrive later, and finds a tombstone. */
  unrevoke(account: Uint8Array, tokens: readonly Uint8Array[], change: Change): number {
    const items = this.#items
    const owner = items.ownerOrNew(account)
    const proofId = items.proofs.idOf(change.proof)
    let count = 0
    for (const token of tokens) {
      const name = { namespace: REVOCATIONS, hash: tokenHash(this.#crypto, token) }
      const held = items.held(owner, name)
      const times = held === undefined ? timesOfNew(change.atMs) : timesOfDeletion(change, held)
      if (times === undefined) continue
      items.bury(owner, name, times, proofId(), held)
      if (held?.isTombstone === false) count += 1
    }
    items.dropIfEmpty(owner)
    return count
  }

  tokens(account: Uint8Array): Uint8Array[] {
    const owner = this.#items.owner(account)
    return owner === undefined ? [] : this.#sql.tokens.all(owner.id).map(row => row.data as Uint8Array)
  }

  has(account: Uint8Array, token: Uint8Array): boolean {
    const owner = this.#items.owner(account)
    if (owner === undefined) return false
    return this.#items.held(owner, { namespace: REVOCATIONS, hash: tokenHash(this.#crypto, token) })?.isTombstone === false
  }
}

/** Keeps the newest revocations, among equally new ones those with the greatest hashes, so that members keep the same. */
export function dropOldest(items: Items, owner: Owner): void {
  const held = items.heldSlot(owner, REVOCATIONS)
  if (held.length <= REVOKED_TOKENS_MAX) return
  for (const old of held.sort(newestFirst).slice(REVOKED_TOKENS_MAX)) items.remove(old)
}

function newestFirst(a: Held, b: Held): number {
  return b.changedAtMs - a.changedAtMs || (a.hash < b.hash ? 1 : -1)
}
