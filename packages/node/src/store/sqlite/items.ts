/**
 * Items in their tables (clauses NODE-20, NODE-80 to NODE-86): finds what is held, and makes each change to messages, tombstones and
 * sums together. Everything here works on the open transaction.
 *
 * A name has at most one version: a message that lives, a tombstone with a row of its own, or the row of a message whose life was
 * shortened and that has expired, which is a tombstone from then on.
 */
import type { Clock } from '../../ports.ts'
import { tombstoneExpiryMs, type VersionTimes } from '../item-version.ts'
import { type ItemName, REVOCATIONS, type StoredMessage } from '../store.ts'
import type { Database, Row } from './driver.ts'
import type { Proofs } from './proofs.ts'
import { type Held, heldMessage, heldTombstone } from './rows.ts'
import { prepareAll, type Statements } from './statements.ts'
import type { SumLedger } from './sum-ledger.ts'

/** The row of an account. */
export interface Owner {
  readonly id: number
  readonly account: Uint8Array
}

/** What a change sets; the data of a message never changes. */
export interface NewVersion extends VersionTimes {
  readonly timestampMs: number
  readonly expiryMs: number
  readonly proofId: number | null
}

const MESSAGE_COLUMNS = 'id, namespace, hash, timestamp, expiry, changed, lag, proof'
const TOMBSTONE_COLUMNS = 'namespace, hash, changed, lag, proof'

const SQL = {
  findOwner: 'SELECT id FROM owners WHERE account = ?',
  account: 'SELECT account FROM owners WHERE id = ?',
  addOwner: 'INSERT INTO owners (account) VALUES (?)',
  dropOwner: `DELETE FROM owners WHERE id = ? AND NOT EXISTS (SELECT 1 FROM messages WHERE owner = owners.id)
    AND NOT EXISTS (SELECT 1 FROM tombstones WHERE owner = owners.id)`,
  message: `SELECT ${MESSAGE_COLUMNS} FROM messages WHERE owner = ? AND hash = ? AND namespace = ?`,
  messages: `SELECT ${MESSAGE_COLUMNS} FROM messages WHERE owner = ? AND hash = ? AND namespace < ${REVOCATIONS}`,
  slot: `SELECT ${MESSAGE_COLUMNS} FROM messages WHERE owner = ? AND namespace = ?`,
  tombstone: `SELECT ${TOMBSTONE_COLUMNS} FROM tombstones WHERE owner = ? AND hash = ? AND namespace = ?`,
  tombstones: `SELECT ${TOMBSTONE_COLUMNS} FROM tombstones WHERE owner = ? AND hash = ? AND namespace < ${REVOCATIONS}`,
  add: `INSERT INTO messages (owner, namespace, hash, timestamp, expiry, changed, lag, proof, data)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  addFirst: `INSERT INTO messages (owner, namespace, hash, timestamp, expiry, changed, data)
    SELECT id, ?, ?, ?, ?, ?, ? FROM owners WHERE account = ?
    AND NOT EXISTS (SELECT 1 FROM tombstones WHERE owner = owners.id AND hash = ? AND namespace = ?) ON CONFLICT DO NOTHING`,
  change: 'UPDATE messages SET timestamp = ?, expiry = ?, changed = ?, lag = ?, proof = ? WHERE id = ?',
  remove: 'DELETE FROM messages WHERE id = ?',
  removeName: 'DELETE FROM messages WHERE owner = ? AND hash = ? AND namespace = ?',
  bury: `INSERT INTO tombstones (owner, namespace, hash, changed, lag, proof) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET changed = excluded.changed, lag = excluded.lag, proof = excluded.proof`,
  unbury: 'DELETE FROM tombstones WHERE owner = ? AND hash = ? AND namespace = ?',
  nextNamespace: `SELECT min(namespace) AS namespace FROM messages WHERE owner = ? AND namespace > ? AND namespace < ${REVOCATIONS}`,
  walk: `SELECT ${MESSAGE_COLUMNS} FROM messages WHERE owner = ? AND namespace = ? AND id > ? ORDER BY id LIMIT ?`,
} as const

export class Items {
  readonly sql: Statements<typeof SQL>
  readonly proofs: Proofs
  readonly ledger: SumLedger
  readonly #clock: Clock

  constructor(database: Database, ledger: SumLedger, proofs: Proofs, clock: Clock) {
    this.sql = prepareAll(database, SQL)
    this.ledger = ledger
    this.proofs = proofs
    this.#clock = clock
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  owner(account: Uint8Array): Owner | undefined {
    const row = this.sql.findOwner.get(account)
    return row === undefined ? undefined : { id: Number(row.id), account }
  }

  ownerOrNew(account: Uint8Array): Owner {
    return this.owner(account) ?? this.#newOwner(account)
  }

  /** The owner of a row. */
  ownerOf(id: number): Owner {
    return { id, account: this.sql.account.get(id)!.account as Uint8Array }
  }

  /** Forgets an account that nothing is kept of. */
  dropIfEmpty(owner: Owner): void {
    this.sql.dropOwner.run(owner.id)
  }

  /** What is held under a name. */
  held(owner: Owner, { namespace, hash }: Pick<ItemName, 'namespace' | 'hash'>): Held | undefined {
    const message = this.sql.message.get(owner.id, hash, namespace)
    const held = message && heldMessage(message, owner.account, this.nowMs())
    if (held !== undefined) return held
    const tombstone = this.sql.tombstone.get(owner.id, hash, namespace)
    return tombstone && heldTombstone(tombstone, owner.account, this.nowMs())
  }

  /** What is held of a hash in the namespaces of messages. */
  heldEverywhere(owner: Owner, hash: string): Held[] {
    const messages = this.#held(owner, this.sql.messages.all(owner.id, hash))
    const tombstones = this.sql.tombstones
      .all(owner.id, hash)
      .flatMap(row => heldTombstone(row, owner.account, this.nowMs()) ?? [])
    return [...messages, ...tombstones]
  }

  /** The messages of one namespace that live. For namespaces that hold few. */
  heldSlot(owner: Owner, namespace: number): Held[] {
    return this.#held(owner, this.sql.slot.all(owner.id, namespace)).filter(held => !held.isTombstone)
  }

  /** Adds a message at the end of the order of arrival, if no row has its name; there must be no tombstone. */
  addIfNew(owner: Owner, message: StoredMessage, times: VersionTimes, proofId: number | null): boolean {
    const { namespace, hash, timestampMs, expiryMs, data } = message
    const { decidedAtMs, changedAtMs } = times
    const lagMs = changedAtMs - decidedAtMs
    const { changes } = this.sql.add.run(owner.id, namespace, hash, timestampMs, expiryMs, changedAtMs, lagMs, proofId, data)
    if (Number(changes) === 0) return false
    this.ledger.add({ account: owner.account, namespace, hash, decidedAtMs, changedAtMs, isTombstone: false, expiryMs })
    return true
  }

  /** The same for a message that was never changed, of an account that is known, unless a tombstone has its name: all in one statement. */
  addFirst(message: StoredMessage, atMs: number): boolean {
    const { account, namespace, hash, timestampMs, expiryMs, data } = message
    const { changes } = this.sql.addFirst.run(namespace, hash, timestampMs, expiryMs, atMs, data, account, hash, namespace)
    if (Number(changes) === 0) return false
    this.ledger.add({ account, namespace, hash, decidedAtMs: atMs, changedAtMs: atMs, isTombstone: false, expiryMs })
    return true
  }

  /** Adds a message in the place of what has expired or of the tombstone that is held. */
  add(owner: Owner, message: StoredMessage, times: VersionTimes, proofId: number | null, held: Held | undefined): void {
    this.sql.removeName.run(owner.id, message.hash, message.namespace)
    if (held !== undefined && held.messageId === undefined) this.#unbury(owner, held)
    this.addIfNew(owner, message, times, proofId)
  }

  /** Changes a message that lives; its place stays. */
  change(held: Held, version: NewVersion): void {
    const { timestampMs, expiryMs, decidedAtMs, changedAtMs, proofId } = version
    this.ledger.subtract(held)
    this.sql.change.run(timestampMs, expiryMs, changedAtMs, changedAtMs - decidedAtMs, proofId, held.messageId!)
    this.ledger.add({ ...held, expiryMs, decidedAtMs, changedAtMs })
  }

  /** Removes a message that lives, without a trace. */
  remove(held: Held): void {
    this.ledger.subtract(held)
    this.sql.remove.run(held.messageId!)
  }

  /** Removes what is held, a message or a tombstone, without a trace. */
  drop(owner: Owner, held: Held): void {
    if (held.messageId === undefined) this.#unbury(owner, held)
    else if (held.isTombstone) this.sql.remove.run(held.messageId)
    else this.remove(held)
  }

  /** Leaves a tombstone in the place of what is held, which is not later. */
  bury(owner: Owner, name: Pick<ItemName, 'namespace' | 'hash'>, times: VersionTimes, proofId: number | null, held?: Held): void {
    const { namespace, hash } = name
    const { decidedAtMs, changedAtMs } = times
    if (held !== undefined) this.drop(owner, held)
    const expiryMs = tombstoneExpiryMs(changedAtMs)
    if (expiryMs <= this.nowMs()) return
    this.sql.bury.run(owner.id, namespace, hash, changedAtMs, changedAtMs - decidedAtMs, proofId)
    this.ledger.add({ account: owner.account, namespace, hash, decidedAtMs, changedAtMs, isTombstone: true, expiryMs })
  }

  #newOwner(account: Uint8Array): Owner {
    return { id: Number(this.sql.addOwner.run(account).lastInsertRowid), account }
  }

  #unbury(owner: Owner, held: Held): void {
    this.ledger.subtract(held)
    this.sql.unbury.run(owner.id, held.hash, held.namespace)
  }

  #held(owner: Owner, rows: readonly Row[]): Held[] {
    return rows.flatMap(row => heldMessage(row, owner.account, this.nowMs()) ?? [])
  }
}
