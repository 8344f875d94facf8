/**
 * Sums of digests by the minute of expiry, kept in a table (clauses NODE-85, NODE-86). What the writes of one group commit change is
 * collected here and written once per minute that it touches, within the transaction. Minutes that are past have no sum: what
 * expires leaves the sums with its minute, and never one by one, so that members agree whenever they sweep.
 */
import { addLanes, itemDigest, type Lanes, lanesToBigInt, negatedLanes } from '../item-digest.ts'
import { minuteOf, TOMBSTONE_MS } from '../item-version.ts'
import type { ItemVersion, MinuteRange } from '../store.ts'
import type { Database, Statement } from './driver.ts'
import { versionOfMessage, versionOfTombstone } from './rows.ts'

const ZERO: Lanes = { high: 0, low: 0 }
const SWEEP_SLICE = 1024

export class SumLedger {
  readonly #write: Statement
  readonly #read: Statement
  readonly #sweep: Statement
  #changes = new Map<number, Lanes>()

  constructor(database: Database) {
    this.#write = database.prepare(`INSERT INTO sums (minute, high, low) VALUES (?, ?, ?) ON CONFLICT DO UPDATE
      SET high = (high + excluded.high) & 4294967295, low = (low + excluded.low) & 4294967295`)
    this.#read = database.prepare('SELECT minute, high, low FROM sums WHERE minute >= ? AND minute < ?')
    this.#sweep = database.prepare(
      `DELETE FROM sums WHERE minute IN (SELECT minute FROM sums WHERE minute < ? LIMIT ${SWEEP_SLICE})`,
    )
  }

  /** Takes a version into the sum of its minute. */
  add(item: ItemVersion): void {
    this.#change(item, itemDigest(item))
  }

  /** Takes a version out again; it must not have expired. */
  subtract(item: ItemVersion): void {
    this.#change(item, negatedLanes(itemDigest(item)))
  }

  /** Forgets what was collected: a transaction begins. */
  reset(): void {
    if (this.#changes.size > 0) this.#changes = new Map()
  }

  /** Writes what was collected; the transaction is about to end. */
  flush(nowMs: number): void {
    const current = minuteOf(nowMs)
    for (const [minute, { high, low }] of this.#changes) {
      if (minute >= current && (high !== 0 || low !== 0)) this.#write.run(minute, high, low)
    }
    this.reset()
  }

  /** As `SwarmStore.sums`. */
  sums({ from, to }: MinuteRange, step: number, nowMs: number): BigUint64Array {
    const steps: Lanes[] = new Array(Math.max(0, Math.ceil((to - from) / step))).fill(ZERO)
    for (const { minute, high, low } of this.#read.iterate(Math.max(from, minuteOf(nowMs)), to)) {
      const at = Math.floor((Number(minute) - from) / step)
      steps[at] = addLanes(steps[at]!, { high: Number(high), low: Number(low) })
    }
    return BigUint64Array.from(steps, lanesToBigInt)
  }

  /** Removes sums of minutes that are past, a slice; resolves to whether there may be more. */
  sweepSlice(nowMs: number): boolean {
    return Number(this.#sweep.run(minuteOf(nowMs)).changes) === SWEEP_SLICE
  }

  #change(item: ItemVersion, lanes: Lanes): void {
    const minute = minuteOf(item.expiryMs)
    this.#changes.set(minute, addLanes(this.#changes.get(minute) ?? ZERO, lanes))
  }
}

/** Computes the sums of all that a database holds anew, on the open transaction. */
export function fillSums(database: Database, nowMs: number): void {
  database.exec('DELETE FROM sums')
  const ledger = new SumLedger(database)
  const messages = database.prepare(`SELECT account, namespace, hash, expiry, changed, lag FROM messages
    JOIN owners ON owners.id = owner WHERE expiry > ?`)
  for (const row of messages.iterate(nowMs)) ledger.add(versionOfMessage(row, row.account as Uint8Array))
  const tombstones = database.prepare(`SELECT account, namespace, hash, changed, lag FROM tombstones
    JOIN owners ON owners.id = owner WHERE changed > ?`)
  for (const row of tombstones.iterate(nowMs - TOMBSTONE_MS)) ledger.add(versionOfTombstone(row, row.account as Uint8Array))
  ledger.flush(nowMs)
}
