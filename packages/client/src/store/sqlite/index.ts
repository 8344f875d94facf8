/** The SQLite store, apart from the package's main entry so that browsers need not load it. */
export { openSqliteStore } from './sqlite-store.ts'
