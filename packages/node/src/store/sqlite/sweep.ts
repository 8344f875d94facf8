/** Removes what has had its time, a slice at a time (clauses NODE-23, NODE-82, NODE-84, NODE-86). On the open transaction. */
import { TOMBSTONE_MS } from '../item-version.ts'
import type { Database, Row } from './driver.ts'
import type { Items } from './items.ts'
import { timesOf } from './rows.ts'
import { prepareAll, type Statements } from './statements.ts'

/** Rows that one slice removes: a few milliseconds, after which waiting requests get their turn. */
export const SWEEP_SLICE = 256

const SQL = {
  messages: `DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE expiry <= ? LIMIT ${SWEEP_SLICE})
    RETURNING owner, namespace, hash, changed, lag, proof`,
  tombstones: `DELETE FROM tombstones WHERE id IN (SELECT id FROM tombstones WHERE changed <= ? LIMIT ${SWEEP_SLICE}) RETURNING owner`,
} as const

export class Sweep {
  readonly #items: Items
  readonly #sql: Statements<typeof SQL>

  constructor(database: Database, items: Items) {
    this.#items = items
    this.#sql = prepareAll(database, SQL)
  }

  /** Removes expired messages; where a life was shortened, the tombstone that the row was gets a row of its own. */
  messages(): number {
    const rows = this.#sql.messages.all(this.#items.nowMs())
    for (const row of rows) {
      if (row.proof === null) continue
      const name = { namespace: Number(row.namespace), hash: row.hash as string }
      this.#items.bury(this.#items.ownerOf(Number(row.owner)), name, timesOf(row), Number(row.proof))
    }
    this.#dropOwners(rows)
    return rows.length
  }

  /** Removes tombstones that no message can need any more. */
  tombstones(): number {
    const rows = this.#sql.tombstones.all(this.#items.nowMs() - TOMBSTONE_MS)
    this.#dropOwners(rows)
    return rows.length
  }

  #dropOwners(rows: readonly Row[]): void {
    for (const owner of new Set(rows.map(row => Number(row.owner))))
      this.#items.dropIfEmpty({ id: owner, account: new Uint8Array() })
  }
}
