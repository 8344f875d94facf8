/**
 * The process dies at every commit of an import, before and after it is written, and the disk is full at every one: the home is as it was
 * or has all of it, and never holds much of it in memory. BK-11, BK-12.
 */
import { type Change, Client, type CommitOptions, openMemoryStore, type RecordStore } from '@session-v2/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BACKUP, collected, homeWith, inParts, messageOf, shown, type WrittenHome, write } from './backup-people.ts'
import { DyingStore } from './faults.ts'
import { NetworkUnderTest } from './network-under-test.ts'
import { codeOf, reopen, UNLOCK } from './people.ts'
import { ReplayedStore } from './replayed-store.ts'
import { StumblingStore } from './stumbling-store.ts'

const MESSAGES = 250
const MOST_COMMITS = 60

let network: NetworkUnderTest
let full: WrittenHome
let backup: Uint8Array
let all: string[]
let unreadThere: string[]

beforeAll(async () => {
  network = await NetworkUnderTest.start({ nodes: 1 })
  full = await homeWith(network, self => Array.from({ length: MESSAGES }, (_, n) => messageOf(self, n)))
  const client = await reopen(full.store)
  backup = await collected(client.backup.export(BACKUP))
  all = (await shown(client)).sort()
  unreadThere = await unreadOf(client)
  await client.close()
})
afterAll(() => network.close())

/** A home of the account with every fourth message, as often as it is needed. */
async function partlyHome(): Promise<ReplayedStore> {
  const store = new ReplayedStore()
  const { recoveryPassword } = full
  await (await Client.restore({ store, unlock: UNLOCK, seeds: network.seeds, recoveryPassword })).close()
  const few = Array.from({ length: MESSAGES / 5 }, (_, n) => messageOf(full.accountId, 4 * n))
  await write(store, few)
  return store
}

async function unreadOf(client: Client): Promise<string[]> {
  return (await client.conversations()).map(({ unread, name }) => `${name} ${unread}`).sort()
}

const pages = (store: RecordStore) => store.scan('backup-pages', { limit: 1 })

/** All messages once, and conversations that agree with them. */
async function expectAll(client: Client, run: string): Promise<void> {
  expect((await shown(client)).sort(), run).toEqual(all)
  expect(
    (await client.conversations()).map(({ messages }) => messages),
    run,
  ).toEqual([MESSAGES / 2, MESSAGES / 2])
}

describe('in a home of the same account', () => {
  it('a death at any commit leaves what was, or all that is to be', async () => {
    const home = await partlyHome()
    const outcomes: string[] = []
    for (const moment of ['before', 'after'] as const) {
      for (let n = 1, isDead = true; isDead; n++) {
        const run = `${n} ${moment}`
        const inner = await home.replayed()
        const dying = new DyingStore(inner, n, moment)
        const victim = await reopen(dying)
        const before = await shown(victim)
        const error = await codeOf(victim.backup.import(inParts(backup), BACKUP))
        isDead = dying.dead
        expect(error, run).toBe(isDead ? 'store-failed' : 'no error')
        await victim.close()
        const client = await reopen(inner)
        const isWhole = (await shown(client)).length === MESSAGES
        outcomes.push(`${moment} ${isWhole}`)
        if (isWhole) await expectAll(client, run)
        else expect(await shown(client), run).toEqual(before)
        expect(await pages(inner), run).toEqual([])
        await client.backup.import(inParts(backup), BACKUP)
        await expectAll(client, run)
        await client.close()
        expect(n).toBeLessThan(MOST_COMMITS)
      }
    }
    // Three pages of messages and one of conversations, each read and added, and the commit that makes them count.
    const runs = (moment: string, wholeFrom: number) => Array.from({ length: 10 }, (_, n) => `${moment} ${n + 1 >= wholeFrom}`)
    expect(outcomes).toEqual([...runs('before', 6), ...runs('after', 5)])
  })

  it('a full disk at any commit is told, and what follows on the same client is whole', async () => {
    const home = await partlyHome()
    let told = 0
    for (let n = 1, hasStumbled = true; hasStumbled; n++) {
      const store = new StumblingStore(await home.replayed(), n)
      const client = await reopen(store)
      const before = await shown(client)
      const error = await codeOf(client.backup.import(inParts(backup), BACKUP))
      hasStumbled = store.stumbled
      expect(error, `${n}`).toBe(hasStumbled ? 'store-failed' : 'no error')
      if (error !== 'no error') told++
      if (n <= 5) expect(await shown(client), `${n}`).toEqual(before)
      store.recover()
      await client.backup.import(inParts(backup), BACKUP)
      await expectAll(client, `${n}`)
      expect(await pages(store)).toEqual([])
      await client.close()
    }
    expect(told).toBe(9)
  })
})

describe('a new home', () => {
  it('has no account or all of it, whenever the process dies', async () => {
    const seen = new Set<string>()
    for (const moment of ['before', 'after'] as const) {
      for (let n = 1, isDead = true; isDead && n < 12; n++) {
        const run = `${n} ${moment}`
        const home = openMemoryStore()
        const dying = new DyingStore(home, n, moment)
        const make = (store: RecordStore) =>
          Client.fromBackup({ store, unlock: UNLOCK, seeds: network.seeds, backup: inParts(backup), backupUnlock: BACKUP })
        await make(dying).then(
          client => client.close(),
          () => undefined,
        )
        isDead = dying.dead
        const error = await codeOf(reopen(home).then(client => client.close()))
        seen.add(error)
        const client = error === 'no-account' ? await make(home) : await reopen(home)
        await expectAll(client, run)
        expect(await unreadOf(client), run).toEqual(unreadThere)
        expect(await pages(home), run).toEqual([])
        await client.close()
      }
    }
    expect([...seen].sort()).toEqual(['no error', 'no-account'])
    expect(unreadThere).toEqual(['Bob 🧱 1', 'undefined 0'])
  })
})

describe('what an interrupted new home leaves', () => {
  it('is in the way of no other account in the same file', async () => {
    const home = openMemoryStore()
    const dying = new DyingStore(home, 3, 'after')
    const common = { unlock: UNLOCK, seeds: network.seeds }
    const parts = { backup: inParts(backup), backupUnlock: BACKUP }
    expect(await codeOf(Client.fromBackup({ ...common, ...parts, store: dying }))).toBe('store-failed')
    expect(await pages(home)).toHaveLength(1)
    const { recoveryPassword } = full
    await (await Client.restore({ ...common, store: home, recoveryPassword })).close()
    const client = await reopen(home)
    expect(await client.backup.import(inParts(backup), BACKUP)).toMatchObject({ added: MESSAGES })
    await expectAll(client, 'after another account')
    await client.close()
  })
})

/** Counts bytes that were read out of a store and written into it. */
class CountingStore implements RecordStore {
  readonly #inner: RecordStore
  read = 0
  written = 0
  largestRead = 0
  largestCommit = 0

  constructor(inner: RecordStore) {
    this.#inner = inner
  }

  get(table: string, key: Uint8Array) {
    return this.#inner.get(table, key)
  }

  async scan(table: string, query: Parameters<RecordStore['scan']>[1]) {
    const records = await this.#inner.scan(table, query)
    const sizeBytes = records.reduce((sum, { value }) => sum + value.length, 0)
    this.read += sizeBytes
    this.largestRead = Math.max(this.largestRead, sizeBytes)
    return records
  }

  async commit(changes: readonly Change[], options?: CommitOptions) {
    const sizeBytes = changes.reduce((sum, change) => sum + (change.kind === 'put' ? change.value.length : 0), 0)
    this.written += sizeBytes
    this.largestCommit = Math.max(this.largestCommit, sizeBytes)
    await this.#inner.commit(changes, options)
  }

  close() {
    return this.#inner.close()
  }
}

describe('20,000 messages', { timeout: 240_000 }, () => {
  const MANY = 20_000
  const HELD_BYTES = 300_000

  it('are never in memory at once, on neither way', async () => {
    const { store } = await homeWith(network, self => Array.from({ length: MANY }, (_, n) => messageOf(self, n)))
    const from = new CountingStore(store)
    const source = await reopen(from)
    const [readBefore, to] = [from.read, new CountingStore(openMemoryStore())]
    let [emitted, mostUnsent, mostUnwritten] = [0, 0, 0]
    /** What was read and did not come out yet; what went in and is not written yet. A record at rest is larger than in the backup. */
    async function* watched() {
      for await (const part of source.backup.export(BACKUP)) {
        emitted += part.length
        mostUnwritten = Math.max(mostUnwritten, emitted - to.written)
        yield part
      }
    }
    const progress: string[] = []
    const common = { unlock: UNLOCK, seeds: network.seeds, backupUnlock: BACKUP }
    let lastRead = readBefore
    const restored = await Client.fromBackup({
      ...{ ...common, store: to, backup: watched() },
      onProgress: ({ step, done, total }) => {
        mostUnsent = Math.max(mostUnsent, from.read - lastRead)
        lastRead = from.read
        if (done === total) progress.push(`${step} ${done}`)
      },
    })
    expect(progress).toEqual([`reading ${MANY}`, `adding ${MANY}`])
    expect(emitted).toBeGreaterThan(4_000_000)
    for (const held of [mostUnsent, mostUnwritten, from.largestRead, to.largestRead, to.largestCommit])
      expect(held).toBeLessThan(HELD_BYTES)
    expect((await restored.conversations()).map(({ messages }) => messages)).toEqual([MANY / 2, MANY / 2])
    expect((await restored.messages({ limit: MANY + 1 })).map(({ body }) => body)).toEqual(
      Array.from({ length: MANY }, (_, n) => `message ${n}`),
    )
    await Promise.all([source.close(), restored.close()])
  })
})
