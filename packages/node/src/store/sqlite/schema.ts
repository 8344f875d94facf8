/**
 * Tables of a node's database, and how durable they are (clauses NODE-20, NODE-21).
 *
 * owners    one row per account that has a message; gone with its last one
 * messages  id is the order of arrival. Uniqueness is (owner, hash, namespace): in that order it also finds a hash in every
 *           namespace. The mailbox index ends, like every index, with the row id, so that a page is read in order of arrival
 *           and costs the same out of any mailbox.
 *
 * WAL with synchronous NORMAL: a commit is in the operating system's hands, so it survives the death of the process by any
 * signal. A power cut may lose the commits since the last checkpoint; against that stand the other members of the swarm.
 */
import { NodeError } from '../../node-error.ts'
import type { Database } from './driver.ts'

const SCHEMA_VERSION = 1
const PAGE_BYTES = 4096
const CACHE_KIB = 16 * 1024
/** Larger than SQLite's default: a page that changes often is then written back once instead of many times. */
const CHECKPOINT_PAGES = 8000

const TABLES = `
CREATE TABLE owners (
  id INTEGER PRIMARY KEY,
  account BLOB NOT NULL UNIQUE
);
CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  owner INTEGER NOT NULL,
  namespace INTEGER NOT NULL,
  hash TEXT NOT NULL,
  timestamp INTEGER NOT NULL,
  expiry INTEGER NOT NULL,
  data BLOB NOT NULL,
  UNIQUE (owner, hash, namespace)
);
CREATE INDEX mailbox ON messages (owner, namespace);
CREATE INDEX expiries ON messages (expiry);
PRAGMA user_version = ${SCHEMA_VERSION};
`

/**
 * Sets a connection up and creates the tables in an empty database. `sizeLimitBytes` bounds the file; a file that is larger
 * already keeps its size. Throws NodeError `store-failed` for a database of another version.
 */
export function prepareDatabase(database: Database, sizeLimitBytes: number): void {
  database.exec(`
    PRAGMA page_size = ${PAGE_BYTES};
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA cache_size = -${CACHE_KIB};
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
    PRAGMA max_page_count = ${Math.max(1, Math.floor(sizeLimitBytes / PAGE_BYTES))};
  `)
  const version = database.prepare('PRAGMA user_version').get()?.user_version
  if (version === SCHEMA_VERSION) return
  if (version !== 0) throw new NodeError('store-failed', `the database has version ${version}, this node knows ${SCHEMA_VERSION}`)
  database.exec(`BEGIN IMMEDIATE; ${TABLES} COMMIT;`)
}
