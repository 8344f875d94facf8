/** What members ask each other for: versions by the minute of expiry, by account and by name, and items (clauses NODE-85, NODE-87). */
import { MINUTE_MS, TOMBSTONE_MS } from '../item-version.ts'
import type { Item, ItemName, ItemVersion, MinuteRange } from '../store.ts'
import type { Database, Row, SqlValue } from './driver.ts'
import type { Items } from './items.ts'
import type { Proofs } from './proofs.ts'
import { type Held, versionOfMessage, versionOfTombstone } from './rows.ts'
import { prepareAll, type Statements } from './statements.ts'

// A cross join is one whose order the planner keeps: the range of times first.
const SQL = {
  messagesBetween: `SELECT account, namespace, hash, expiry, changed, lag FROM messages CROSS JOIN owners ON owners.id = owner
    WHERE expiry >= ?1 AND expiry < ?2 AND (expiry, account, namespace, hash) > (?3, ?4, ?5, ?6)
    ORDER BY expiry, account, namespace, hash LIMIT ?7`,
  tombstonesBetween: `SELECT account, namespace, hash, changed, lag FROM tombstones CROSS JOIN owners ON owners.id = owner
    WHERE changed >= ?1 AND changed < ?2 AND (changed, account, namespace, hash) > (?3, ?4, ?5, ?6)
    ORDER BY changed, account, namespace, hash LIMIT ?7`,
  messagesOf: `SELECT namespace, hash, expiry, changed, lag FROM messages
    WHERE owner = ? AND (hash, namespace) > (?, ?) AND expiry > ? ORDER BY hash, namespace LIMIT ?`,
  tombstonesOf: `SELECT namespace, hash, changed, lag FROM tombstones
    WHERE owner = ? AND (hash, namespace) > (?, ?) AND changed > ? ORDER BY hash, namespace LIMIT ?`,
  accounts: 'SELECT account FROM owners WHERE account > ? ORDER BY account LIMIT ?',
  content: 'SELECT timestamp, data FROM messages WHERE id = ?',
} as const

export class ItemReads {
  readonly #items: Items
  readonly #proofs: Proofs
  readonly #sql: Statements<typeof SQL>

  constructor(database: Database, items: Items, proofs: Proofs) {
    this.#items = items
    this.#proofs = proofs
    this.#sql = prepareAll(database, SQL)
  }

  versions({ from, to }: MinuteRange, limit: number, after?: ItemVersion): ItemVersion[] {
    const fromMs = Math.max(from * MINUTE_MS, this.#items.nowMs() + 1, after?.expiryMs ?? 0)
    const rows = (statement: 'messagesBetween' | 'tombstonesBetween', lifeMs: number): Row[] => {
      const behind: SqlValue[] = after
        ? [after.expiryMs - lifeMs, after.account, after.namespace, after.hash]
        : [-TOMBSTONE_MS, new Uint8Array(), 0, '']
      return this.#sql[statement].all(fromMs - lifeMs, to * MINUTE_MS - lifeMs, ...behind, limit)
    }
    const messages = rows('messagesBetween', 0).map(row => versionOfMessage(row, row.account as Uint8Array))
    const tombstones = rows('tombstonesBetween', TOMBSTONE_MS).map(row => versionOfTombstone(row, row.account as Uint8Array))
    return [...messages, ...tombstones].sort(byExpiry).slice(0, limit)
  }

  versionsOf(account: Uint8Array, limit: number, after?: ItemVersion): ItemVersion[] {
    const owner = this.#items.owner(account)
    if (owner === undefined) return []
    const behind = [after?.hash ?? '', after?.namespace ?? 0]
    const nowMs = this.#items.nowMs()
    const messages = this.#sql.messagesOf.all(owner.id, ...behind, nowMs, limit)
    const tombstones = this.#sql.tombstonesOf.all(owner.id, ...behind, nowMs - TOMBSTONE_MS, limit)
    return [...messages.map(row => versionOfMessage(row, account)), ...tombstones.map(row => versionOfTombstone(row, account))]
      .sort(byHash)
      .slice(0, limit)
  }

  heldVersions(names: readonly ItemName[]): (ItemVersion | undefined)[] {
    return names.map(name => {
      const owner = this.#items.owner(name.account)
      const held = owner && this.#items.held(owner, name)
      return held && versionOf(held)
    })
  }

  /** Adds the items of these names to a batch; whether it takes more. */
  collect(batch: ItemBatch, names: readonly ItemName[]): boolean {
    return names.every(name => {
      const owner = this.#items.owner(name.account)
      const held = owner && this.#items.held(owner, name)
      return held === undefined || batch.add(this.#item(held, batch))
    })
  }

  #item(held: Held, batch: ItemBatch): Item {
    const { isTombstone, proofId, messageId } = held
    const content = isTombstone ? undefined : this.#sql.content.get(messageId!)
    const message = content && { timestampMs: Number(content.timestamp), data: content.data as Uint8Array }
    const proof = proofId === null ? undefined : batch.proof(proofId, () => this.#proofs.body(proofId))
    return { ...versionOf(held), ...(message && { message }), ...(proof && { proof }) }
  }

  accounts(limit: number, after: Uint8Array = new Uint8Array()): Uint8Array[] {
    return this.#sql.accounts.all(after, limit).map(row => row.account as Uint8Array)
  }
}

/** Items until a budget is used up, each proof once. */
export class ItemBatch {
  readonly found: Item[] = []
  readonly #budgetBytes: number
  readonly #proofs = new Map<number, Uint8Array | undefined>()
  #sizeBytes = 0

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes
  }

  /** The proof of a row, read when it is needed first. */
  proof(id: number, read: () => Uint8Array | undefined): Uint8Array | undefined {
    if (!this.#proofs.has(id)) {
      const proof = read()
      this.#proofs.set(id, proof)
      this.#sizeBytes += proof?.length ?? 0
    }
    return this.#proofs.get(id)
  }

  /** Whether the item went in. The first does, whatever its size. */
  add(item: Item): boolean {
    this.#sizeBytes += item.message?.data.length ?? 0
    if (this.found.length > 0 && this.#sizeBytes > this.#budgetBytes) return false
    this.found.push(item)
    return true
  }
}

/** Without what only this store knows. */
function versionOf({ account, namespace, hash, decidedAtMs, changedAtMs, isTombstone, expiryMs }: Held): ItemVersion {
  return { account, namespace, hash, decidedAtMs, changedAtMs, isTombstone, expiryMs }
}

/** In the order of (expiry, account, namespace, hash). */
function byExpiry(a: ItemVersion, b: ItemVersion): number {
  return a.expiryMs - b.expiryMs || Buffer.compare(a.account, b.account) || a.namespace - b.namespace || compareHashes(a, b)
}

/** In the order of (hash, namespace). */
function byHash(a: ItemVersion, b: ItemVersion): number {
  return compareHashes(a, b) || a.namespace - b.namespace
}

function compareHashes(a: ItemVersion, b: ItemVersion): number {
  return a.hash === b.hash ? 0 : a.hash < b.hash ? -1 : 1
}
