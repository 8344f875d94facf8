/** What members take over from one another, and what a node hands over and forgets (clauses NODE-80 to NODE-88). */
import { isLater, tombstoneExpiryMs } from '../item-version.ts'
import { type Item, REVOCATIONS, type StoredMessage } from '../store.ts'
import type { Database } from './driver.ts'
import type { Items, Owner } from './items.ts'
import { SLICE_ROWS } from './mailbox-walk.ts'
import { emptySlot } from './message-writes.ts'
import { dropOldest } from './revocations.ts'
import { type Held, versionOfMessage, versionOfTombstone } from './rows.ts'
import { prepareAll, type Statements } from './statements.ts'

/** Items of a slice; their data has to be written. */
export const MERGE_SLICE = 64

const SQL = {
  messages: `SELECT id, namespace, hash, expiry, changed, lag FROM messages WHERE owner = ? LIMIT ${SLICE_ROWS}`,
  tombstones: `SELECT id, namespace, hash, changed, lag FROM tombstones WHERE owner = ? LIMIT ${SLICE_ROWS}`,
  removeMessage: 'DELETE FROM messages WHERE id = ?',
  removeTombstone: 'DELETE FROM tombstones WHERE id = ?',
} as const

export class Takeover {
  readonly #items: Items
  readonly #sql: Statements<typeof SQL>

  constructor(database: Database, items: Items) {
    this.#items = items
    this.#sql = prepareAll(database, SQL)
  }

  /** Takes the later ones over, on the open transaction; returns how many. */
  merge(slice: readonly Item[], replaces: (namespace: number) => boolean): number {
    const proofIds = new Map<Uint8Array | undefined, () => number | null>()
    return slice.filter(item => {
      const proofId = proofIds.get(item.proof) ?? this.#items.proofs.idOf(item.proof)
      proofIds.set(item.proof, proofId)
      return item.isTombstone ? this.#mergeTombstone(item, proofId) : this.#mergeMessage(item, replaces(item.namespace), proofId)
    }).length
  }

  /** Removes a slice of what is kept of an account, on the open transaction; whether there is more. */
  forgetSlice(account: Uint8Array): boolean {
    const owner = this.#items.owner(account)
    if (owner === undefined) return false
    const nowMs = this.#items.nowMs()
    const messages = this.#sql.messages.all(owner.id)
    for (const row of messages) {
      const version = versionOfMessage(row, account)
      if (version.expiryMs > nowMs) this.#items.ledger.subtract(version)
      this.#sql.removeMessage.run(row.id!)
    }
    const tombstones = this.#sql.tombstones.all(owner.id)
    for (const row of tombstones) {
      const version = versionOfTombstone(row, account)
      if (version.expiryMs > nowMs) this.#items.ledger.subtract(version)
      this.#sql.removeTombstone.run(row.id!)
    }
    this.#items.dropIfEmpty(owner)
    return messages.length === SLICE_ROWS || tombstones.length === SLICE_ROWS
  }

  #mergeTombstone(item: Item, proofId: () => number | null): boolean {
    const expiryMs = tombstoneExpiryMs(item.changedAtMs)
    const held = this.#held(item)
    if (expiryMs <= this.#items.nowMs() || !isLater({ ...item, expiryMs }, held)) return false
    this.#items.bury(this.#items.ownerOrNew(item.account), item, item, proofId(), held)
    return true
  }

  #mergeMessage(item: Item, replaces: boolean, proofId: () => number | null): boolean {
    const { account, namespace, hash, expiryMs, decidedAtMs, changedAtMs, message } = item
    const held = this.#held(item)
    if (message === undefined || expiryMs <= this.#items.nowMs() || !isLater(item, held)) return false
    if (held?.isTombstone === false) {
      const timestampMs = replaces ? Math.max(held.timestampMs, message.timestampMs) : message.timestampMs
      this.#items.change(held, { timestampMs, expiryMs, decidedAtMs, changedAtMs, proofId: proofId() ?? held.proofId })
      return true
    }
    const owner = this.#items.ownerOrNew(account)
    const added: StoredMessage = { account, namespace, hash, expiryMs, ...message }
    if (replaces && !emptySlot(this.#items, owner, added)) return false
    this.#items.add(owner, added, item, proofId(), held)
    return namespace !== REVOCATIONS || this.#isKept(owner, item)
  }

  /** False where the account has newer revocations, as many as are kept. */
  #isKept(owner: Owner, item: Item): boolean {
    dropOldest(this.#items, owner)
    return this.#items.held(owner, item) !== undefined
  }

  #held(item: Item): Held | undefined {
    const owner = this.#items.owner(item.account)
    return owner && this.#items.held(owner, item)
  }
}
