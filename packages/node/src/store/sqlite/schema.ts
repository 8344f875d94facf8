/**
 * Tables of a node's database, and how durable they are (clauses NODE-20, NODE-21, NODE-83).
 *
 * owners      one row per account that has a message, a tombstone or a revocation; gone with the last of them
 * messages    id is the order of arrival. Uniqueness is (owner, hash, namespace): in that order it also finds a hash in every
 *             namespace. The mailbox index ends, like every index, with the row id, so that a page is read in order of arrival
 *             and costs the same out of any mailbox. Revocations are here too, in a namespace of their own. What is large stands last:
 *             a column behind it costs the reading of it. `lag` is the time from the decision to `changed`, in milliseconds: of most 0,
 *             which takes no room
 * tombstones  what was deleted, until 30 days after `changed`
 * proofs      the requests that deleted or shortened, each once; refs are `proof` of messages and tombstones
 * sums        for each minute of expiry the sum of the digests of its items, in two lanes; changed with the items
 * deliveries  writes that members have not taken yet
 * notes       small values of the node itself
 *
 * WAL with synchronous NORMAL: a commit is in the operating system's hands, so it survives the death of the process by any
 * signal. A power cut may lose the commits since the last checkpoint; against that stand the other members of the swarm.
 */
import { NodeError } from '../../node-error.ts'
import type { Database } from './driver.ts'
import { fillSums } from './sum-ledger.ts'

const SCHEMA_VERSION = 3
export const PAGE_BYTES = 4096
const CACHE_KIB = 16 * 1024
/** Larger than SQLite's default: a page that changes often is then written back once instead of many times. */
const CHECKPOINT_PAGES = 8000

const MESSAGES = `
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
  changed INTEGER NOT NULL,
  lag INTEGER NOT NULL DEFAULT 0,
  proof INTEGER,
  data BLOB NOT NULL,
  UNIQUE (owner, hash, namespace)
);
CREATE INDEX mailbox ON messages (owner, namespace);
CREATE INDEX expiries ON messages (expiry);
`

const SWARM = `
CREATE INDEX proven ON messages (proof) WHERE proof IS NOT NULL;
CREATE TABLE tombstones (
  id INTEGER PRIMARY KEY,
  owner INTEGER NOT NULL,
  namespace INTEGER NOT NULL,
  hash TEXT NOT NULL,
  changed INTEGER NOT NULL,
  lag INTEGER NOT NULL DEFAULT 0,
  proof INTEGER,
  UNIQUE (owner, hash, namespace)
);
CREATE INDEX buried ON tombstones (changed);
CREATE INDEX proven_buried ON tombstones (proof) WHERE proof IS NOT NULL;
CREATE TABLE proofs (
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  body BLOB NOT NULL
);
CREATE TABLE sums (
  minute INTEGER PRIMARY KEY,
  high INTEGER NOT NULL,
  low INTEGER NOT NULL
);
CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  peer TEXT NOT NULL,
  due INTEGER NOT NULL,
  queued INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  body BLOB NOT NULL
);
CREATE INDEX due ON deliveries (due);
CREATE INDEX peers ON deliveries (peer);
CREATE TABLE notes (
  name TEXT PRIMARY KEY,
  text TEXT NOT NULL
) WITHOUT ROWID;
`

/**
 * Sets a connection up, creates the tables in an empty database and brings those of an earlier version up to date, in one transaction.
 * `sizeLimitBytes` bounds the file; a file that is larger already keeps its size. Throws NodeError `store-failed` for a database of a
 * version to come, and what the driver throws.
 */
export function prepareDatabase(database: Database, sizeLimitBytes: number, nowMs: number): void {
  database.exec(`
    PRAGMA page_size = ${PAGE_BYTES};
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA cache_size = -${CACHE_KIB};
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
  `)
  bringUpToDate(database, nowMs)
  // Last: a full database of an earlier version needs some pages more.
  database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(sizeLimitBytes / PAGE_BYTES))}`)
}

function bringUpToDate(database: Database, nowMs: number): void {
  const version = database.prepare('PRAGMA user_version').get()?.user_version
  if (version === SCHEMA_VERSION) return
  if (version !== 0 && version !== 1 && version !== 2) {
    throw new NodeError('store-failed', `the database has version ${version}, this node knows ${SCHEMA_VERSION}`)
  }
  database.exec('BEGIN IMMEDIATE')
  try {
    if (version === 0) database.exec(MESSAGES + SWARM)
    else if (version === 1) migrateFromFirst(database, nowMs)
    else migrateFromSecond(database, nowMs)
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`)
  } catch (cause) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw cause
  }
}

/** Version 1 knew no changes: a message counts as changed when it was sent, but not later than now. */
function migrateFromFirst(database: Database, nowMs: number): void {
  database.exec(`
    ALTER TABLE messages ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE messages ADD COLUMN lag INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE messages ADD COLUMN proof INTEGER;
    UPDATE messages SET changed = min(timestamp, ${nowMs});
    ${SWARM}
  `)
  fillSums(database, nowMs)
}

/**
 * Version 2 knew one time: what it keeps counts as decided when it changed. No row is written, and a `lag` of 0 costs no reading
 * of what stands before it. Digests have one time more since then, so that the sums are made anew.
 */
function migrateFromSecond(database: Database, nowMs: number): void {
  database.exec(`
    ALTER TABLE messages ADD COLUMN lag INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE tombstones ADD COLUMN lag INTEGER NOT NULL DEFAULT 0;
  `)
  fillSums(database, nowMs)
}
