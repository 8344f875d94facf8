/** What clients read (clauses NODE-23, NODE-26). */
import { messageCost, REVOCATIONS, type RetrievedMessage, type RetrievePage, type RetrieveQuery } from '../store.ts'
import type { Database } from './driver.ts'
import type { Items } from './items.ts'
import { retrievedMessage } from './rows.ts'
import { PAGE_BYTES } from './schema.ts'
import { prepareAll, type Statements } from './statements.ts'

const SQL = {
  place: 'SELECT id FROM messages WHERE owner = ? AND hash = ? AND namespace = ?',
  page: `SELECT hash, timestamp, expiry, data FROM messages
    WHERE owner = ? AND namespace = ? AND id > ? AND expiry > ? ORDER BY id`,
  expiry: `SELECT max(expiry) AS expiry FROM messages WHERE owner = ? AND hash = ? AND namespace < ${REVOCATIONS} AND expiry > ?`,
  count: `SELECT count(*) AS total FROM messages WHERE namespace < ${REVOCATIONS}`,
  pages: 'PRAGMA page_count',
} as const

export class MessageReads {
  readonly #items: Items
  readonly #sql: Statements<typeof SQL>

  constructor(database: Database, items: Items) {
    this.#items = items
    this.#sql = prepareAll(database, SQL)
  }

  retrieve(query: RetrieveQuery): RetrievePage {
    const owner = this.#items.owner(query.account)
    return owner === undefined ? { messages: [], more: false } : this.#page(owner.id, query)
  }

  expiries(account: Uint8Array, hashes: readonly string[]): Map<string, number> {
    const owner = this.#items.owner(account)
    const found = new Map<string, number>()
    if (owner === undefined) return found
    for (const hash of hashes) {
      const expiry = this.#sql.expiry.get(owner.id, hash, this.#items.nowMs())?.expiry
      if (expiry !== null && expiry !== undefined) found.set(hash, Number(expiry))
    }
    return found
  }

  count(): number {
    return Number(this.#sql.count.get()?.total)
  }

  /** Of the file; free pages within it count. */
  usedBytes(): number {
    return Number(this.#sql.pages.get()?.page_count) * PAGE_BYTES
  }

  #page(owner: number, query: RetrieveQuery): RetrievePage {
    const { namespace, afterHash, maxCount = Number.POSITIVE_INFINITY, budgetBytes } = query
    const after = afterHash === undefined ? undefined : this.#sql.place.get(owner, afterHash, namespace)
    const messages: RetrievedMessage[] = []
    let cost = 0
    for (const row of this.#sql.page.iterate(owner, namespace, Number(after?.id ?? 0), this.#items.nowMs())) {
      const message = retrievedMessage(row)
      cost += messageCost(message.hash, message.data.length)
      if (messages.length > 0 && (messages.length >= maxCount || cost > budgetBytes)) return { messages, more: true }
      messages.push(message)
    }
    return { messages, more: false }
  }
}
