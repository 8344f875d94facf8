/**
 * Records in one SQLite file.
 *
 * The file is locked for as long as it is open, by the operating system, so that the lock dies with the process. Deleted content is
 * overwritten (`secure_delete`), and the write-ahead log is synced at every commit: what was committed survives a crash of the
 * machine. A commit that erases also empties the log into the file.
 */
import { ClientError } from '../../client-error.ts'
import type { Change, CommitOptions, RecordStore, ScanQuery, StoredRecord } from '../../ports/store.ts'
import { type Database, openDatabase, type SqliteValue, type Statement } from './driver.ts'

const SCHEMA_VERSION = 1

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS records (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    tbl TEXT NOT NULL,
    key BLOB NOT NULL,
    grp BLOB,
    value BLOB NOT NULL,
    UNIQUE (tbl, key)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS records_by_table ON records (tbl, position);
  CREATE INDEX IF NOT EXISTS records_by_group ON records (tbl, grp, position);
`

/**
 * Opens, or makes, the store in the file `path`.
 * @throws ClientError `home-locked` when another process has it open, `store-damaged` when it is no store of ours, `store-failed`.
 */
export async function openSqliteStore(path: string): Promise<RecordStore> {
  let database: Database | undefined
  try {
    database = openDatabase(path)
    prepare(database)
    return new SqliteStore(database)
  } catch (error) {
    if (database !== undefined) {
      rollBack(database)
      release(database)
      database.close()
    }
    throw storeError(error)
  }
}

function prepare(database: Database): void {
  database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA secure_delete = ON; PRAGMA busy_timeout = 0;')
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
  // Taking the write lock once keeps it: in this mode SQLite lets go of no lock until the file is closed.
  database.exec('BEGIN IMMEDIATE')
  const version = Number(database.prepare('PRAGMA user_version').get()?.user_version ?? 0)
  if (version > SCHEMA_VERSION)
    throw new ClientError('store-damaged', 'The account was written by a newer version of this program.')
  database.exec(SCHEMA)
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`)
  database.exec('COMMIT')
}

function rollBack(database: Database): void {
  try {
    database.exec('ROLLBACK')
  } catch {
    // It may have been rolled back already; the error that led here is the one to tell.
  }
}

/**
 * Lets go of the lock. Closing alone does not where the driver leaves statements open until they are collected as garbage, and in
 * this mode only a database without a write-ahead log lets go.
 */
function release(database: Database): void {
  try {
    database.exec('PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT count(*) FROM sqlite_schema;')
  } catch {
    // The disk is full or gone; what was committed is in the log, and the lock goes with the process.
  }
}

class SqliteStore implements RecordStore {
  readonly #database: Database
  readonly #get: Statement
  readonly #put: Statement
  readonly #delete: Statement
  readonly #scans = new Map<string, Statement>()
  #closed = false

  constructor(database: Database) {
    this.#database = database
    this.#get = database.prepare('SELECT key, position, value FROM records WHERE tbl = ? AND key = ?')
    this.#put = database.prepare(
      'INSERT INTO records (tbl, key, grp, value) VALUES (?, ?, ?, ?) ' +
        'ON CONFLICT (tbl, key) DO UPDATE SET grp = excluded.grp, value = excluded.value',
    )
    this.#delete = database.prepare('DELETE FROM records WHERE tbl = ? AND key = ?')
  }

  async get(table: string, key: Uint8Array): Promise<StoredRecord | undefined> {
    return this.#guard(() => {
      const row = this.#get.get(table, key)
      return row === undefined ? undefined : toRecord(row)
    })
  }

  async scan(table: string, query: ScanQuery): Promise<readonly StoredRecord[]> {
    return this.#guard(() => {
      const values: SqliteValue[] = [table, query.after ?? 0, query.before ?? Number.MAX_SAFE_INTEGER]
      if (query.group !== undefined) values.push(query.group)
      return this.#scan(query)
        .all(...values, query.limit)
        .map(toRecord)
    })
  }

  async commit(changes: readonly Change[], options: CommitOptions = {}): Promise<void> {
    if (changes.length === 0) return
    this.#guard(() => {
      this.#database.exec('BEGIN IMMEDIATE')
      try {
        for (const change of changes) this.#apply(change)
        this.#database.exec('COMMIT')
      } catch (error) {
        rollBack(this.#database)
        throw error
      }
      // Pages are overwritten by `secure_delete`; earlier versions of them are still in the log until it is emptied.
      if (options.erase) this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    release(this.#database)
    this.#database.close()
  }

  #apply(change: Change): void {
    if (change.kind === 'put') this.#put.run(change.table, change.key, change.group ?? null, change.value)
    else this.#delete.run(change.table, change.key)
  }

  #scan(query: ScanQuery): Statement {
    const order = query.reverse ? 'DESC' : 'ASC'
    const group = query.group === undefined ? '' : 'AND grp = ?'
    const sql = `SELECT key, position, value FROM records WHERE tbl = ? AND position > ? AND position < ? ${group} ORDER BY position ${order} LIMIT ?`
    let statement = this.#scans.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#scans.set(sql, statement)
    }
    return statement
  }

  #guard<T>(run: () => T): T {
    if (this.#closed) throw new ClientError('closed', 'The store is closed.')
    try {
      return run()
    } catch (error) {
      throw storeError(error)
    }
  }
}

function toRecord(row: Record<string, SqliteValue>): StoredRecord {
  return { key: row.key as Uint8Array, order: Number(row.position), value: row.value as Uint8Array }
}

const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_NOT_A_DATABASE = 26

/** The error of SQLite as one of ours. */
function storeError(error: unknown): ClientError {
  if (error instanceof ClientError) return error
  const { errcode, code, message = '' } = (error ?? {}) as { errcode?: number; code?: unknown; message?: string }
  const number = (errcode ?? (typeof code === 'number' ? code : 0)) & 0xff
  if (number === SQLITE_BUSY || /locked/.test(message)) {
    return new ClientError('home-locked', 'Another process is using this account.', error)
  }
  if (number === SQLITE_CORRUPT || number === SQLITE_NOT_A_DATABASE || /not a database|malformed/.test(message)) {
    return new ClientError(
      'store-damaged',
      'The file of the account is damaged. Restore it from a backup or the recovery password.',
      error,
    )
  }
  return new ClientError('store-failed', `The account could not be written or read: ${message}`, error)
}
