/**
 * SQLite as Node has it: the built-in module where it exists, otherwise the package that offers the same interface with a
 * prebuilt binary. The types name what is used of it.
 */
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { getBuiltinModule } from 'node:process'
import { NodeError } from '../../node-error.ts'

export type SqlValue = null | number | bigint | string | Uint8Array
export type Row = Record<string, SqlValue>

export interface Statement {
  run(...values: SqlValue[]): { changes: number | bigint; lastInsertRowid: number | bigint }
  get(...values: SqlValue[]): Row | undefined
  all(...values: SqlValue[]): Row[]
  iterate(...values: SqlValue[]): IterableIterator<Row>
}

export interface Database {
  readonly isTransaction: boolean
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
}

type DatabaseClass = new (file: string) => Database

async function databaseClass(): Promise<DatabaseClass> {
  // Asking for the built-in by name fails to resolve where it does not exist, also in bundlers; this returns undefined.
  const builtIn = getBuiltinModule('node:sqlite') as { DatabaseSync?: DatabaseClass } | undefined
  if (builtIn?.DatabaseSync !== undefined) return builtIn.DatabaseSync
  const substitute = await import('@photostructure/sqlite')
  return substitute.DatabaseSync as unknown as DatabaseClass
}

/** Opens a database file, creating it and its folder when absent. Throws NodeError `store-failed`. */
export async function openDatabase(file: string): Promise<Database> {
  try {
    const DatabaseSync = await databaseClass()
    await mkdir(dirname(file), { recursive: true })
    return new DatabaseSync(file)
  } catch (cause) {
    throw new NodeError('store-failed', `the database ${file} cannot be opened`, { cause })
  }
}

/**
 * Closes a database for good, by taking it out of WAL mode first. A connection with statements may live on behind `close` until they are
 * collected, and then removes the write-ahead log *by its name*: that of whatever database has taken the place of this one.
 */
export function closeDatabase(database: Database): void {
  try {
    database.exec('PRAGMA journal_mode = DELETE')
  } catch {
    // Damaged, or open elsewhere too: the log stays, for whoever opens the file next.
  }
  database.close()
}

/** The low byte of an error code is its kind, the rest says more. */
const KIND = 0xff
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26
/** What SQLite says of SQLITE_CORRUPT: iterators of the substitute throw without a code. */
const CORRUPT_TEXT = 'database disk image is malformed'

/**
 * A NodeError for what the driver threw: `store-full` when the size limit or the disk is reached, `store-corrupt` when the file is
 * damaged or no database, else `store-failed`.
 */
export function databaseError(cause: unknown): NodeError {
  if (cause instanceof NodeError) return cause
  const { errcode, message } = cause as { errcode?: unknown; message?: unknown }
  const kind = typeof errcode === 'number' ? errcode & KIND : undefined
  if (kind === SQLITE_FULL) return new NodeError('store-full', 'the database is full', { cause })
  if (kind === SQLITE_CORRUPT || kind === SQLITE_NOTADB || message === CORRUPT_TEXT) {
    return new NodeError('store-corrupt', 'the database is damaged', { cause })
  }
  return new NodeError('store-failed', 'the database refused', { cause })
}
