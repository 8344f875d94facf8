/** A database that an earlier version of the node has left (clauses NODE-28, NODE-83). */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { systemTimers } from '../src/ports.ts'
import { TOMBSTONE_MS } from '../src/store/item-version.ts'
import { openDatabase } from '../src/store/sqlite/driver.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import type { MessageStore } from '../src/store/store.ts'
import { ManualClock } from './manual-clock.ts'
import { allVersions, expectedSums, sumsOf } from './message-store-contract-parts.ts'

const LIMIT_BYTES = 1e8
const directories: string[] = []

function newFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sqlite-migrations-'))
  directories.push(directory)
  return join(directory, 'messages.db')
}

function open(file: string, clock: ManualClock): Promise<MessageStore> {
  return openSqliteStore(file, { clock, timers: systemTimers, sizeLimitBytes: LIMIT_BYTES })
}

async function everything(store: MessageStore) {
  const versions = await allVersions(store, await store.accounts(1000))
  return { versions, sums: await sumsOf(store, new Set(versions.map(version => Math.floor(version.expiryMs / 60_000)))) }
}

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

/** The tables as version 1 had them. */
const FIRST_VERSION = `
CREATE TABLE owners (id INTEGER PRIMARY KEY, account BLOB NOT NULL UNIQUE);
CREATE TABLE messages (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, namespace INTEGER NOT NULL, hash TEXT NOT NULL,
  timestamp INTEGER NOT NULL, expiry INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (owner, hash, namespace));
CREATE INDEX mailbox ON messages (owner, namespace);
CREATE INDEX expiries ON messages (expiry);
PRAGMA user_version = 1;
`

/** The tables as version 2 had them. */
const SECOND_VERSION = `
CREATE TABLE owners (id INTEGER PRIMARY KEY, account BLOB NOT NULL UNIQUE);
CREATE TABLE messages (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, namespace INTEGER NOT NULL, hash TEXT NOT NULL,
  timestamp INTEGER NOT NULL, expiry INTEGER NOT NULL, changed INTEGER NOT NULL, proof INTEGER, data BLOB NOT NULL,
  UNIQUE (owner, hash, namespace));
CREATE INDEX mailbox ON messages (owner, namespace);
CREATE INDEX expiries ON messages (expiry);
CREATE INDEX proven ON messages (proof) WHERE proof IS NOT NULL;
CREATE TABLE tombstones (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, namespace INTEGER NOT NULL, hash TEXT NOT NULL,
  changed INTEGER NOT NULL, proof INTEGER, UNIQUE (owner, hash, namespace));
CREATE INDEX buried ON tombstones (changed);
CREATE INDEX proven_buried ON tombstones (proof) WHERE proof IS NOT NULL;
CREATE TABLE proofs (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, body BLOB NOT NULL);
CREATE TABLE sums (minute INTEGER PRIMARY KEY, high INTEGER NOT NULL, low INTEGER NOT NULL);
CREATE TABLE deliveries (id INTEGER PRIMARY KEY AUTOINCREMENT, peer TEXT NOT NULL, due INTEGER NOT NULL, queued INTEGER NOT NULL,
  tries INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX due ON deliveries (due);
CREATE INDEX peers ON deliveries (peer);
CREATE TABLE notes (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
PRAGMA user_version = 2;
`

describe('a database of another version', () => {
  it('of the first keeps its messages, changed when they were sent but not later than now, and gets sums (NODE-28, NODE-83)', async () => {
    const file = newFile()
    const clock = new ManualClock()
    const database = await openDatabase(file)
    database.exec(FIRST_VERSION)
    const add = database.prepare(
      'INSERT INTO messages (owner, namespace, hash, timestamp, expiry, data) VALUES (1, ?, ?, ?, ?, ?)',
    )
    database.prepare('INSERT INTO owners (id, account) VALUES (1, ?)').run(new Uint8Array(33))
    const expiry = clock.ms + 600_000
    add.run(0, 'A'.repeat(43), clock.ms - 50, expiry, new Uint8Array(5000).fill(7))
    add.run(0, 'B'.repeat(43), clock.ms + 9000, expiry, new Uint8Array(3))
    add.run(2, 'C'.repeat(43), clock.ms - 9000, clock.ms, new Uint8Array(3))
    database.close()
    const store = await open(file, clock)
    const page = await store.retrieve({ account: new Uint8Array(33), namespace: 0, budgetBytes: 1e6 })
    expect(page.messages.map(found => [found.timestampMs, found.data.length])).toEqual([
      [clock.ms - 50, 5000],
      [clock.ms + 9000, 3],
    ])
    const { versions, sums } = await everything(store)
    for (const time of ['changedAtMs', 'decidedAtMs'] as const) {
      expect(versions.map(version => version[time])).toEqual([clock.ms - 50, clock.ms])
    }
    expect(sums).toEqual(expectedSums(versions, clock.ms))
    await store.delete(new Uint8Array(33), ['A'.repeat(43)], { atMs: clock.ms, mode: 'asked' })
    const after = await everything(store)
    expect(after.sums).toEqual(expectedSums(after.versions, clock.ms))
    await store.close()
    const again = await open(file, clock)
    expect(await everything(again)).toEqual(after)
    await again.close()
  })
  it('stays as it is when it cannot be brought up to date', async () => {
    const file = newFile()
    const database = await openDatabase(file)
    database.exec(`${FIRST_VERSION} CREATE TABLE notes (other TEXT);`)
    await expect(open(file, new ManualClock())).rejects.toMatchObject({ code: 'store-failed' })
    expect(database.prepare('PRAGMA user_version').get()).toMatchObject({ user_version: 1 })
    expect(database.prepare("SELECT count(*) AS n FROM pragma_table_info('messages')").get()).toMatchObject({ n: 7 })
    database.close()
  })
  it('to come is refused', async () => {
    const newer = newFile()
    const database = await openDatabase(newer)
    database.exec('PRAGMA user_version = 4')
    database.close()
    await expect(open(newer, new ManualClock())).rejects.toMatchObject({ code: 'store-failed' })
  })
})

describe('a database of the second version', () => {
  it('keeps everything, decided when it changed, and gets its sums anew (NODE-28, NODE-83)', async () => {
    const file = newFile()
    const clock = new ManualClock()
    const database = await openDatabase(file)
    database.exec(SECOND_VERSION)
    const account = new Uint8Array(33)
    database.prepare('INSERT INTO owners (id, account) VALUES (1, ?)').run(account)
    database.prepare('INSERT INTO proofs (digest, body) VALUES (?, ?)').run(new Uint8Array(32), new Uint8Array(9))
    const add = database.prepare(`INSERT INTO messages (owner, namespace, hash, timestamp, expiry, changed, proof, data)
      VALUES (1, 0, ?, ?, ?, ?, ?, ?)`)
    add.run('A'.repeat(43), clock.ms - 50, clock.ms + 600_000, clock.ms - 40, null, new Uint8Array(5000).fill(7))
    add.run('B'.repeat(43), clock.ms - 60, clock.ms, clock.ms - 30, 1, new Uint8Array(3))
    const bury = database.prepare('INSERT INTO tombstones (owner, namespace, hash, changed) VALUES (1, 0, ?, ?)')
    bury.run('C'.repeat(43), clock.ms - 20)
    bury.run('D'.repeat(43), clock.ms - TOMBSTONE_MS)
    for (const minute of [0, Math.floor(clock.ms / 60_000) + 10, Math.floor(clock.ms / 60_000) + 99]) {
      database.prepare('INSERT INTO sums (minute, high, low) VALUES (?, 5, 5)').run(minute)
    }
    database.close()
    const store = await open(file, clock)
    const held = await store.heldVersions(['A', 'B', 'C'].map(name => ({ account, namespace: 0, hash: name.repeat(43) })))
    expect(held.map(version => [version?.decidedAtMs, version?.changedAtMs, version?.isTombstone])).toEqual([
      [clock.ms - 40, clock.ms - 40, false],
      [clock.ms - 30, clock.ms - 30, true],
      [clock.ms - 20, clock.ms - 20, true],
    ])
    const { versions, sums } = await everything(store)
    expect(versions.map(({ hash }) => hash[0])).toEqual(['A', 'C'])
    expect(sums).toEqual(expectedSums(versions, clock.ms))
    const beside = await openDatabase(file)
    expect(beside.prepare('SELECT count(*) AS n FROM sums').get()).toMatchObject({ n: 2 })
    beside.close()
    await store.setExpiries(account, ['A'.repeat(43)], [clock.ms + 900_000], 'set', { atMs: clock.ms, mode: 'asked' })
    await store.sweep()
    const after = await everything(store)
    expect(after.versions).toMatchObject([
      { decidedAtMs: clock.ms - 40, changedAtMs: clock.ms },
      { decidedAtMs: clock.ms - 30, changedAtMs: clock.ms - 30 },
      { decidedAtMs: clock.ms - 20 },
    ])
    expect(after.sums).toEqual(expectedSums(after.versions, clock.ms))
    await store.close()
    const again = await open(file, clock)
    expect(await everything(again)).toEqual(after)
    await again.close()
  })
})
