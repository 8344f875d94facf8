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

const SQLITE_FULL = 13

/** A NodeError for what the driver threw: `store-full` when the size limit or the disk is reached, else `store-failed`. */
export function databaseError(cause: unknown): NodeError {
  if (cause instanceof NodeError) return cause
  const full = (cause as { errcode?: unknown }).errcode === SQLITE_FULL
  if (full) return new NodeError('store-full', 'the database is full', { cause })
  return new NodeError('store-failed', 'the database refused', { cause })
}
