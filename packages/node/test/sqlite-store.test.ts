import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { systemTimers } from '../src/ports.ts'
import { TOMBSTONE_MS } from '../src/store/item-version.ts'
import { openDatabase } from '../src/store/sqlite/driver.ts'
import { setAside } from '../src/store/sqlite/set-aside.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import type { MessageStore, StoredMessage, StoreOutcome } from '../src/store/store.ts'
import { ManualClock } from './manual-clock.ts'
import { messageStoreContract } from './message-store-contract.ts'
import { allVersions, expectedSums, sumsOf } from './message-store-contract-parts.ts'

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

function keep(store: MessageStore, message: StoredMessage): Promise<StoreOutcome> {
  return store.store(message, false, { atMs: message.timestampMs, mode: 'asked' })
}

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

messageStoreContract('SQLite', async () => {
  const clock = new ManualClock()
  const store = await open(join(newDirectory(), 'messages.db'), clock)
  const advance = async (ms: number) => {
    clock.ms += ms
  }
  return { store, nowMs: () => clock.ms, advance, close: () => store.close() }
})

describe('SQLite message store', () => {
  it('keeps everything over a restart', async () => {
    const file = join(newDirectory(), 'messages.db')
    const clock = new ManualClock()
    const first = await open(file, clock)
    await keep(first, sample(1, clock))
    await first.close()
    const second = await open(file, clock)
    expect(await second.count()).toBe(1)
    await second.close()
  })
  it('answers that it is full, keeps what it has, and takes more once something went (NODE-28)', async () => {
    const clock = new ManualClock()
    const store = await open(join(newDirectory(), 'messages.db'), clock, MIB)
    const outcomes = await Promise.allSettled(Array.from({ length: 2000 }, (_, n) => keep(store, sample(n, clock))))
    const kept = outcomes.filter(outcome => outcome.status === 'fulfilled').length
    const refused = outcomes.find(outcome => outcome.status === 'rejected')
    expect(refused?.reason).toMatchObject({ name: 'NodeError', code: 'store-full' })
    expect(kept).toBeGreaterThan(400)
    expect(await store.count()).toBe(kept)
    clock.ms += 60_000
    expect(await store.sweep()).toBe(kept)
    expect(await keep(store, sample(1, clock))).toMatchObject({ outcome: 'stored' })
    await store.close()
  })
  it('does not let one write that fails take the others of its group with it (NODE-22)', async () => {
    const clock = new ManualClock()
    const store = await open(join(newDirectory(), 'messages.db'), clock, 2 * MIB)
    const writes = [1, 2, 3, 4].map(n => keep(store, sample(n, clock, n === 3 ? 4 * MIB : 100)))
    const outcomes = await Promise.allSettled(writes)
    expect(outcomes.map(outcome => outcome.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(await store.count()).toBe(3)
    await store.close()
  })
  it('leaves no account behind when its last message went', async () => {
    const file = join(newDirectory(), 'messages.db')
    const clock = new ManualClock()
    const store = await open(file, clock)
    await keep(store, sample(1, clock))
    await keep(store, sample(2, clock))
    await store.deleteAll(sample(1, clock).account, 'all', { atMs: clock.ms - 1, mode: 'asked' })
    clock.ms += 60_000
    await store.sweep()
    await store.close()
    const database = await openDatabase(file)
    expect(database.prepare('SELECT count(*) AS n FROM owners').get()).toMatchObject({ n: 0 })
    database.close()
  })
  it('sweeps what has expired and tells how much (NODE-23)', async () => {
    const clock = new ManualClock()
    const store = await open(join(newDirectory(), 'messages.db'), clock)
    await Promise.all(Array.from({ length: 600 }, (_, n) => keep(store, sample(n, clock))))
    clock.ms += 60_000
    expect(await store.count()).toBe(600)
    expect(await store.sweep()).toBe(600)
    expect(await store.sweep()).toBe(0)
    await store.close()
  })
})

describe('tables of SQLite', () => {
  it('keeps an account of which only a tombstone is left, and nothing of one of which nothing is', async () => {
    const file = join(newDirectory(), 'messages.db')
    const clock = new ManualClock()
    const store = await open(file, clock)
    await keep(store, sample(1, clock))
    await keep(store, sample(2, clock))
    await store.delete(sample(1, clock).account, [sample(1, clock).hash], {
      atMs: clock.ms,
      mode: 'asked',
      proof: new Uint8Array(9),
    })
    await store.revoke(new Uint8Array(33), [], { atMs: clock.ms, mode: 'asked' })
    await store.unrevoke(new Uint8Array(33), [], { atMs: clock.ms, mode: 'asked' })
    clock.ms += 60_000
    await store.sweep()
    expect(await rows(file, 'owners')).toBe(1)
    expect(await rows(file, 'proofs')).toBe(1)
    clock.ms += TOMBSTONE_MS
    await store.sweep()
    for (const table of ['owners', 'messages', 'tombstones', 'proofs', 'sums']) expect(await rows(file, table)).toBe(0)
    await store.close()
  })
  it('keeps one proof for all that it changed, whoever brings it, until nothing refers to it (NODE-84)', async () => {
    const file = join(newDirectory(), 'messages.db')
    const clock = new ManualClock()
    const store = await open(file, clock)
    const [one, two] = [sample(1, clock), { ...sample(1, clock), hash: 'B'.repeat(43) }]
    const proof = new TextEncoder().encode('delete both')
    await keep(store, one)
    await keep(store, two)
    await store.delete(one.account, [one.hash, two.hash, 'none'], { atMs: clock.ms, mode: 'asked', proof })
    await store.delete(one.account, ['none'], { atMs: clock.ms, mode: 'asked', proof: new Uint8Array(3) })
    const items = await store.items([one, two], 1e6)
    await store.merge(
      items.map(item => ({ ...item, changedAtMs: item.changedAtMs + 1, proof: Uint8Array.from(proof) })),
      () => false,
    )
    expect(await rows(file, 'proofs')).toBe(1)
    await keep(store, { ...one, timestampMs: clock.ms + 5 })
    await store.sweep()
    expect(await rows(file, 'proofs')).toBe(1)
    await keep(store, { ...two, timestampMs: clock.ms + 5 })
    await store.sweep()
    expect(await rows(file, 'proofs')).toBe(0)
    await store.close()
  })
})

describe('sums in SQLite', () => {
  it('keeps sums, tombstones, deliveries and notes over a restart', async () => {
    const file = join(newDirectory(), 'messages.db')
    const clock = new ManualClock()
    const first = await open(file, clock)
    for (let n = 0; n < 20; n++) await keep(first, sample(n, clock))
    await first.delete(sample(3, clock).account, [sample(3, clock).hash], { atMs: clock.ms, mode: 'asked' })
    await first.queueDelivery('peer', new Uint8Array(5), clock.ms, 10)
    await first.writeNote('swarm', 'f')
    const before = await everything(first)
    await first.close()
    const second = await open(file, clock)
    expect(await everything(second)).toEqual(before)
    expect(before.sums.size).toBe(2)
    expect(await second.readNote('swarm')).toBe('f')
    expect(await second.dueDeliveries(clock.ms + 60_000, 10)).toHaveLength(1)
    await second.queueDelivery('peer', new Uint8Array(6), clock.ms, 1)
    expect(await second.dueDeliveries(clock.ms + 600_000, 10)).toHaveLength(1)
    await second.close()
  })
  it('does not let a write that fails leave anything in the sums', async () => {
    const clock = new ManualClock()
    const store = await open(join(newDirectory(), 'messages.db'), clock, 2 * MIB)
    const writes = [1, 2, 3, 4].map(n => keep(store, sample(n, clock, n === 3 ? 4 * MIB : 100)))
    await Promise.allSettled(writes)
    const { versions, sums } = await everything(store)
    expect(versions).toHaveLength(3)
    expect(sums).toEqual(expectedSums(versions, clock.ms))
    await store.close()
  })
})

/** Rows of a table, read beside the store. */
async function rows(file: string, table: string): Promise<number> {
  const database = await openDatabase(file)
  const total = Number(database.prepare(`SELECT count(*) AS total FROM ${table}`).get()?.total)
  database.close()
  return total
}

async function everything(store: MessageStore) {
  const versions = await allVersions(store, await store.accounts(1000))
  return { versions, sums: await sumsOf(store, new Set(versions.map(version => Math.floor(version.expiryMs / 60_000)))) }
}

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

describe('a database that cannot be used', () => {
  const damage = (file: string, fromByte: number): void => {
    const content = readFileSync(file)
    writeFileSync(file, content.fill(0xa5, fromByte))
  }
  const filled = async (file: string, clock: ManualClock): Promise<void> => {
    const store = await open(file, clock)
    for (let n = 0; n < 300; n++) await keep(store, sample(n, clock))
    await store.close()
  }
  it('is no database: store-corrupt, and the file stays', async () => {
    const file = join(newDirectory(), 'messages.db')
    writeFileSync(file, 'this is not a database, but it is long enough to be read as the head of one '.repeat(20))
    await expect(open(file, new ManualClock())).rejects.toMatchObject({ code: 'store-corrupt' })
    expect(readFileSync(file, 'utf8')).toContain('this is not a database')
    await expect(open(join(file, 'messages.db'), new ManualClock())).rejects.toMatchObject({ code: 'store-failed' })
  })
  it('is damaged within: store-corrupt where it is read or written, or at once where the whole file is checked (NODE-28)', async () => {
    const file = join(newDirectory(), 'messages.db')
    const clock = new ManualClock()
    await filled(file, clock)
    damage(file, 16 * 4096)
    const options = { clock, timers: systemTimers, sizeLimitBytes: 100 * MIB }
    await expect(openSqliteStore(file, { ...options, checksFile: true })).rejects.toMatchObject({ code: 'store-corrupt' })
    const store = await open(file, clock)
    const all = Array.from({ length: 300 }, (_, n) => sample(n, clock))
    const reads = await Promise.allSettled(
      all.map(({ account, namespace }) => store.retrieve({ account, namespace, budgetBytes: 1e6 })),
    )
    const writes = await Promise.allSettled(all.map(one => keep(store, one)))
    for (const outcomes of [reads, writes]) {
      const refused = outcomes.filter(outcome => outcome.status === 'rejected')
      expect(refused.length).toBeGreaterThan(0)
      for (const { reason } of refused) expect(reason).toMatchObject({ name: 'NodeError', code: 'store-corrupt' })
    }
    await store.close()
  })
  it('is whole: passes the check of the whole file', async () => {
    const file = join(newDirectory(), 'messages.db')
    const clock = new ManualClock()
    await filled(file, clock)
    const store = await openSqliteStore(file, { clock, timers: systemTimers, sizeLimitBytes: 100 * MIB, checksFile: true })
    expect(await store.count()).toBe(300)
    await store.close()
  })
  it('is put aside with its log, the one of before is removed, and an empty one takes its place', async () => {
    const directory = newDirectory()
    const file = join(directory, 'messages.db')
    const clock = new ManualClock()
    for (const round of [1, 2]) {
      await filled(file, clock)
      damage(file, 0)
      await expect(open(file, clock)).rejects.toMatchObject({ code: 'store-corrupt' })
      writeFileSync(`${file}-wal`, `log ${round}`)
      expect(await setAside(file, round)).toBe(`${file}.damaged-${round}`)
      expect(readdirSync(directory).toSorted()).toEqual([`messages.db.damaged-${round}`, `messages.db.damaged-${round}-wal`])
      expect(readFileSync(`${file}.damaged-${round}-wal`, 'utf8')).toBe(`log ${round}`)
    }
    const store = await open(file, clock)
    expect(await store.count()).toBe(0)
    await store.close()
    await expect(setAside(join(directory, 'nowhere', 'messages.db'), 1)).rejects.toMatchObject({ code: 'store-failed' })
  })
})

describe('the plan of a question to SQLite', () => {
  it('goes through an index for what is asked often or of much', async () => {
    const file = join(newDirectory(), 'messages.db')
    const store = await open(file, new ManualClock())
    await store.close()
    const database = await openDatabase(file)
    const plan = (sql: string) =>
      database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(row => row.detail)
    expect(
      plan('SELECT changed FROM messages WHERE owner = 1 AND (hash, namespace) > (2, 3) AND expiry > 4 ORDER BY hash, namespace'),
    ).toEqual(['SEARCH messages USING INDEX sqlite_autoindex_messages_1 (owner=? AND (hash,namespace)>(?,?))'])
    expect(plan('SELECT id FROM deliveries WHERE due <= 1 ORDER BY due, id LIMIT 9')).toEqual([
      'SEARCH deliveries USING COVERING INDEX due (due<?)',
    ])
    expect(plan('SELECT min(namespace) FROM messages WHERE owner = 1 AND namespace > 2 AND namespace < 3')).toEqual([
      'SEARCH messages USING COVERING INDEX mailbox (owner=? AND namespace>? AND namespace<?)',
    ])
    expect(plan('SELECT 1 FROM messages WHERE messages.proof = 5')).toEqual([
      'SEARCH messages USING COVERING INDEX proven (proof=?)',
    ])
    database.close()
  })
})
