/** SQLite as Node brings it, or the package with the same interface where Node has none (before 22.5). */
import { createRequire } from 'node:module'
import { ClientError } from '../../client-error.ts'

export type SqliteValue = null | number | bigint | string | Uint8Array

export interface Statement {
  run(...values: SqliteValue[]): unknown
  get(...values: SqliteValue[]): Record<string, SqliteValue> | undefined
  all(...values: SqliteValue[]): Record<string, SqliteValue>[]
}

export interface Database {
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
}

type DatabaseClass = new (path: string) => Database

const MODULES = ['node:sqlite', '@photostructure/sqlite']

/** Opens a database file. @throws ClientError `unsupported` when this Node has no SQLite and the optional package is absent. */
export function openDatabase(path: string): Database {
  const require = createRequire(import.meta.url)
  for (const name of MODULES) {
    const DatabaseSync = load(require, name)
    if (DatabaseSync !== undefined) return new DatabaseSync(path)
  }
  throw new ClientError('unsupported', 'This Node has no SQLite. Use Node 22.5 or newer, or install @photostructure/sqlite.')
}

function load(require: NodeJS.Require, name: string): DatabaseClass | undefined {
  try {
    return require(name).DatabaseSync
  } catch {
    return undefined
  }
}
