import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { systemTimers } from '../src/ports.ts'
import { openDatabase } from '../src/store/sqlite/driver.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import type { MessageStore, StoredMessage } from '../src/store/store.ts'
import { ManualClock } from './manual-clock.ts'
import { messageStoreContract } from './message-store-contract.ts'

const MIB = 1024 * 1024
const directories: string[] = []

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sqlite-store-'))
  directories.push(directory)
  return directory
}

function open(file: string, clock: ManualClock, sizeLimitBytes = 100 * MIB): Promise<MessageStore> {
  return openSqliteStore(file, { clock, timers: systemTimers, sizeLimitBytes })
}

function sample(n: number, clock: ManualClock, sizeBytes = 1000): StoredMessage {
  const account = new Uint8Array(33).fill(n % 50)
  const times = { timestampMs: clock.ms, expiryMs: clock.ms + 60_000 }
  return { account, namespace: 0, hash: String(n).padEnd(43, 'A'), data: new Uint8Array(sizeBytes).fill(n), ...times }
}

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

messageStoreContract('SQLite', async () => {
  const clock = new ManualClock()
  const store = await open(join(newDirectory(), 'messages.db'), clock)
  return { store, clock, close: () => store.close() }
})

describe('SQLite message store', () => {
  it('keeps everything over a restart', async () => {
    const file = join(newDirectory(), 'messages.db')
    const clock = new ManualClock()
    const first = await open(file, clock)
    await first.store(sample(1, clock), false)
    await first.close()
    const second = await open(file, clock)
    expect(await second.count()).toBe(1)
    await second.close()
  })
  it('answers that it is full, keeps what it has, and takes more once something went (NODE-28)', async () => {
    const clock = new ManualClock()
    const store = await open(join(newDirectory(), 'messages.db'), clock, MIB)
    const outcomes = await Promise.allSettled(Array.from({ length: 2000 }, (_, n) => store.store(sample(n, clock), false)))
    const kept = outcomes.filter(outcome => outcome.status === 'fulfilled').length
    const refused = outcomes.find(outcome => outcome.status === 'rejected')
    expect(refused?.reason).toMatchObject({ name: 'NodeError', code: 'store-full' })
    expect(kept).toBeGreaterThan(400)
    expect(await store.count()).toBe(kept)
    clock.ms += 60_000
    expect(await store.sweep()).toBe(kept)
    expect(await store.store(sample(1, clock), false)).toMatchObject({ outcome: 'stored' })
    await store.close()
  })
  it('does not let one write that fails take the others of its group with it (NODE-22)', async () => {
    const clock = new ManualClock()
    const store = await open(join(newDirectory(), 'messages.db'), clock, 2 * MIB)
    const writes = [1, 2, 3, 4].map(n => store.store(sample(n, clock, n === 3 ? 4 * MIB : 100), false))
    const outcomes = await Promise.allSettled(writes)
    expect(outcomes.map(outcome => outcome.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(await store.count()).toBe(3)
    await store.close()
  })
  it('leaves no account behind when its last message went', async () => {
    const file = join(newDirectory(), 'messages.db')
    const clock = new ManualClock()
    const store = await open(file, clock)
    await store.store(sample(1, clock), false)
    await store.store(sample(2, clock), false)
    await store.delete(sample(1, clock).account, [sample(1, clock).hash])
    clock.ms += 60_000
    await store.sweep()
    await store.close()
    const database = await openDatabase(file)
    expect(database.prepare('SELECT count(*) AS n FROM owners').get()).toMatchObject({ n: 0 })
    database.close()
  })
  it('refuses a file that is not a database, and one of another version, with a code', async () => {
    const broken = join(newDirectory(), 'messages.db')
    writeFileSync(broken, 'this is not a database, but it is long enough to be read as the head of one '.repeat(20))
    await expect(open(broken, new ManualClock())).rejects.toMatchObject({ code: 'store-failed' })
    expect(readFileSync(broken, 'utf8')).toContain('this is not a database')
    const newer = join(newDirectory(), 'messages.db')
    const database = await openDatabase(newer)
    database.exec('PRAGMA user_version = 99')
    database.close()
    await expect(open(newer, new ManualClock())).rejects.toMatchObject({ code: 'store-failed' })
    await expect(open(join(broken, 'messages.db'), new ManualClock())).rejects.toMatchObject({ code: 'store-failed' })
  })
})

describe('retrieving from SQLite', () => {
  it('reads a page through the mailbox index, without sorting (NODE-26)', async () => {
    const file = join(newDirectory(), 'messages.db')
    const store = await open(file, new ManualClock())
    await store.close()
    const database = await openDatabase(file)
    const plan = database
      .prepare(
        'EXPLAIN QUERY PLAN SELECT hash FROM messages WHERE owner = 1 AND namespace = 0 AND id > 5 AND expiry > 9 ORDER BY id',
      )
      .all()
    database.close()
    expect(plan.map(row => row.detail)).toEqual(['SEARCH messages USING INDEX mailbox (owner=? AND namespace=? AND rowid>?)'])
  })
})
