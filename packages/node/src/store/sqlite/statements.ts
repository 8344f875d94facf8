/** Statements prepared once, by name. */
import type { Database, Statement } from './driver.ts'

export type Statements<T> = { readonly [name in keyof T]: Statement }

/** Prepares every statement of a table of SQL texts. */
export function prepareAll<T extends Readonly<Record<string, string>>>(database: Database, texts: T): Statements<T> {
  const entries = Object.entries(texts).map(([name, sql]) => [name, database.prepare(sql)])
  return Object.fromEntries(entries) as Statements<T>
}
