/** Writes that members have not taken yet, until they have (clause NODE-89). */
import { DELIVERY_DELAY_MS, DELIVERY_LEASE_MS, type Delivery } from '../store.ts'
import type { Database } from './driver.ts'
import { prepareAll, type Statements } from './statements.ts'

const SQL = {
  add: 'INSERT INTO deliveries (peer, due, queued, tries, body) VALUES (?, ?, ?, 0, ?)',
  count: 'SELECT count(*) AS total FROM deliveries WHERE peer = ?',
  dropOldest: 'DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE peer = ? ORDER BY id LIMIT ?)',
  due: 'SELECT id, peer, queued, tries, body FROM deliveries WHERE due <= ? ORDER BY due, id LIMIT ?',
  lease: 'UPDATE deliveries SET due = ?, tries = tries + 1 WHERE id = ?',
  postpone: 'UPDATE deliveries SET due = ? WHERE id = ?',
  remove: 'DELETE FROM deliveries WHERE id = ? RETURNING peer',
  waiting: 'SELECT count(*) AS total FROM deliveries',
} as const

export class Deliveries {
  readonly #sql: Statements<typeof SQL>
  /** How many there are for a member; counted once, then kept up to date, because each queueing asks. */
  #counts = new Map<string, number>()

  constructor(database: Database) {
    this.#sql = prepareAll(database, SQL)
  }

  queue(peer: string, body: Uint8Array, nowMs: number, limit: number): void {
    const count = (this.#counts.get(peer) ?? Number(this.#sql.count.get(peer)!.total)) + 1
    this.#sql.add.run(peer, nowMs + DELIVERY_DELAY_MS, nowMs, body)
    if (count > limit) this.#sql.dropOldest.run(peer, count - limit)
    this.#counts.set(peer, Math.min(count, limit))
  }

  lend(nowMs: number, limit: number): Delivery[] {
    const rows = this.#sql.due.all(nowMs, limit)
    for (const row of rows) this.#sql.lease.run(nowMs + DELIVERY_LEASE_MS, row.id!)
    return rows.map(row => ({
      id: Number(row.id),
      peer: row.peer as string,
      body: row.body as Uint8Array,
      queuedAtMs: Number(row.queued),
      tries: Number(row.tries),
    }))
  }

  settle(id: number, dueAtMs: number | undefined): void {
    if (dueAtMs !== undefined) {
      this.#sql.postpone.run(dueAtMs, id)
      return
    }
    const peer = this.#sql.remove.get(id)?.peer
    const count = this.#counts.get(peer as string)
    if (count !== undefined) this.#counts.set(peer as string, count - 1)
  }

  waiting(): number {
    return Number(this.#sql.waiting.get()!.total)
  }

  /** A transaction was undone, and what was counted in it. */
  recount(): void {
    this.#counts.clear()
  }
}
