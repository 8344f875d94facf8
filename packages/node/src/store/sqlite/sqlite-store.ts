/** Messages in one SQLite file (clauses NODE-20 to NODE-28). */
import { NodeError } from '../../node-error.ts'
import type { Clock, Timers } from '../../ports.ts'
import type { MessageStore, RetrievedMessage, RetrievePage, RetrieveQuery, StoredMessage, StoreOutcome } from '../store.ts'
import { messageCost } from '../store.ts'
import { type Database, databaseError, openDatabase, type Row } from './driver.ts'
import { GroupCommit } from './group-commit.ts'
import { prepareDatabase } from './schema.ts'

/** Rows that one slice of the sweep removes: a few milliseconds, after which waiting requests get their turn. */
const SWEEP_SLICE = 256

const SQL = {
  findOwner: 'SELECT id FROM owners WHERE account = ?',
  addOwner: 'INSERT INTO owners (account) VALUES (?)',
  dropOwner: 'DELETE FROM owners WHERE id = ? AND NOT EXISTS (SELECT 1 FROM messages WHERE owner = owners.id)',
  add: 'INSERT INTO messages (owner, namespace, hash, timestamp, expiry, data) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  find: 'SELECT id, expiry FROM messages WHERE owner = ? AND hash = ? AND namespace = ?',
  findSlot: 'SELECT id, hash, timestamp, expiry FROM messages WHERE owner = ? AND namespace = ?',
  setExpiry: 'UPDATE messages SET expiry = ? WHERE id = ?',
  remove: 'DELETE FROM messages WHERE id = ?',
  removeHash: 'DELETE FROM messages WHERE owner = ? AND hash = ? RETURNING expiry',
  page: `SELECT hash, timestamp, expiry, data FROM messages
    WHERE owner = ? AND namespace = ? AND id > ? AND expiry > ? ORDER BY id`,
  sweep: `DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE expiry <= ? LIMIT ${SWEEP_SLICE}) RETURNING owner`,
  count: 'SELECT count(*) AS total FROM messages',
} as const

type Statements = { readonly [name in keyof typeof SQL]: ReturnType<Database['prepare']> }

function prepareAll(database: Database): Statements {
  const entries = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)])
  return Object.fromEntries(entries) as Statements
}

class SqliteStore implements MessageStore {
  readonly #database: Database
  readonly #sql: Statements
  readonly #commits: GroupCommit
  readonly #clock: Clock
  #closed = false

  constructor(database: Database, clock: Clock, timers: Timers) {
    this.#database = database
    this.#sql = prepareAll(database)
    this.#commits = new GroupCommit(database, timers)
    this.#clock = clock
  }

  store(message: StoredMessage, replaces: boolean): Promise<StoreOutcome> {
    return this.#commits.write(() => {
      const owner = this.#owner(message.account) ?? this.#sql.addOwner.run(message.account).lastInsertRowid
      return replaces ? this.#replace(Number(owner), message) : this.#add(Number(owner), message)
    })
  }

  async retrieve(query: RetrieveQuery): Promise<RetrievePage> {
    return this.#read(() => {
      const owner = this.#owner(query.account)
      return owner === undefined ? { messages: [], more: false } : this.#page(owner, query)
    })
  }

  delete(account: Uint8Array, hashes: readonly string[]): Promise<string[]> {
    return this.#commits.write(() => {
      const owner = this.#owner(account)
      if (owner === undefined) return []
      const now = this.#clock.nowMs()
      const removed = [...new Set(hashes)].filter(hash => {
        const rows = this.#sql.removeHash.all(owner, hash)
        return rows.some(row => Number(row.expiry) > now)
      })
      this.#sql.dropOwner.run(owner)
      return removed.sort()
    })
  }

  async sweep(): Promise<number> {
    let total = 0
    for (;;) {
      const removed = await this.#commits.write(() => this.#sweepSlice())
      total += removed
      if (removed < SWEEP_SLICE) return total
    }
  }

  async count(): Promise<number> {
    return this.#read(() => Number(this.#sql.count.get()?.total))
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#commits.close()
    this.#database.close()
  }

  #read<T>(run: () => T): T {
    if (this.#closed) throw new NodeError('closed', 'the store is closed')
    try {
      return run()
    } catch (cause) {
      throw databaseError(cause)
    }
  }

  #owner(account: Uint8Array): number | undefined {
    const row = this.#sql.findOwner.get(account)
    return row === undefined ? undefined : Number(row.id)
  }

  #add(owner: number, message: StoredMessage): StoreOutcome {
    if (this.#insert(owner, message)) return { outcome: 'stored', expiryMs: message.expiryMs }
    const row = this.#sql.find.get(owner, message.hash, message.namespace)!
    if (Number(row.expiry) > this.#clock.nowMs()) return this.#raiseExpiry(row, message)
    // It expired and waits for the sweep: what is stored now is a new message at the end of the mailbox (clause NODE-27).
    this.#sql.remove.run(row.id!)
    this.#insert(owner, message)
    return { outcome: 'stored', expiryMs: message.expiryMs }
  }

  /** One transaction, so that the namespace is at no moment empty and the owner's row stays (clause NODE-25). */
  #replace(owner: number, message: StoredMessage): StoreOutcome {
    const now = this.#clock.nowMs()
    const rows = this.#sql.findSlot.all(owner, message.namespace)
    const live = rows.find(row => Number(row.expiry) > now)
    if (live?.hash === message.hash) return this.#raiseExpiry(live, message)
    if (live !== undefined && isNewer(live, message)) return { outcome: 'obsolete', expiryMs: message.expiryMs }
    for (const row of rows) this.#sql.remove.run(row.id!)
    this.#insert(owner, message)
    return { outcome: 'stored', expiryMs: message.expiryMs }
  }

  #insert(owner: number, message: StoredMessage): boolean {
    const { namespace, hash, timestampMs, expiryMs, data } = message
    return Number(this.#sql.add.run(owner, namespace, hash, timestampMs, expiryMs, data).changes) === 1
  }

  #raiseExpiry(row: Row, message: StoredMessage): StoreOutcome {
    const expiryMs = Math.max(Number(row.expiry), message.expiryMs)
    if (expiryMs > Number(row.expiry)) this.#sql.setExpiry.run(expiryMs, row.id!)
    return { outcome: 'already', expiryMs }
  }

  #page(owner: number, query: RetrieveQuery): RetrievePage {
    const { namespace, afterHash, maxCount = Number.POSITIVE_INFINITY, budgetBytes } = query
    const after = afterHash === undefined ? undefined : this.#sql.find.get(owner, afterHash, namespace)
    const messages: RetrievedMessage[] = []
    let cost = 0
    for (const row of this.#sql.page.iterate(owner, namespace, Number(after?.id ?? 0), this.#clock.nowMs())) {
      const message = retrievedMessage(row)
      cost += messageCost(message.hash, message.data.length)
      if (messages.length > 0 && (messages.length >= maxCount || cost > budgetBytes)) return { messages, more: true }
      messages.push(message)
    }
    return { messages, more: false }
  }

  #sweepSlice(): number {
    const rows = this.#sql.sweep.all(this.#clock.nowMs())
    for (const owner of new Set(rows.map(row => row.owner))) this.#sql.dropOwner.run(owner!)
    return rows.length
  }
}

function isNewer(row: Row, message: StoredMessage): boolean {
  const difference = Number(row.timestamp) - message.timestampMs
  return difference === 0 ? String(row.hash) > message.hash : difference > 0
}

function retrievedMessage(row: Row): RetrievedMessage {
  return {
    hash: row.hash as string,
    timestampMs: Number(row.timestamp),
    expiryMs: Number(row.expiry),
    data: row.data as Uint8Array,
  }
}

export interface SqliteStoreOptions {
  /** Bounds the database file; the write-ahead log beside it comes on top. */
  readonly sizeLimitBytes: number
  readonly clock: Clock
  readonly timers: Timers
}

/** Opens or creates a message store in `file`. Throws NodeError `store-failed`. */
export async function openSqliteStore(file: string, options: SqliteStoreOptions): Promise<MessageStore> {
  const database = await openDatabase(file)
  try {
    prepareDatabase(database, options.sizeLimitBytes)
    return new SqliteStore(database, options.clock, options.timers)
  } catch (cause) {
    database.close()
    const error = databaseError(cause)
    throw new NodeError(error.code, `the database ${file} cannot be used: ${error.message}`, { cause })
  }
}
