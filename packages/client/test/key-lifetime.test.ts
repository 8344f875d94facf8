/** An account key's life: published at birth, rotated twice a day, able to open for 16 days, then gone from memory and medium. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client, RecordStore } from '@session-v2/client'
import { openSqliteStore } from '@session-v2/client/sqlite'
import { systemRandom } from '@session-v2/crypto'
import { NAMESPACE } from '@session-v2/network'
import {
  accountFromSeed,
  encodeContent,
  generateSeed,
  type PublishedKeys,
  parseAccountId,
  prepareRecipient,
  sealMessageV2,
  textContent,
  verifyAccountKeyRecord,
} from '@session-v2/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NetworkUnderTest } from './network-under-test.ts'
import { bodies, eventsOf, newClient, reopen } from './people.ts'
import { DAY_MS, HOUR_MS, SimulatedTime } from './simulated-time.ts'

const STEP_MS = 3 * HOUR_MS

let network: NetworkUnderTest
let time: SimulatedTime
/** Every sealed form that the stored keys ever had, with the time it was written. */
const written: { readonly atMs: number; readonly value: Uint8Array }[] = []

beforeAll(async () => {
  time = new SimulatedTime()
  network = await NetworkUnderTest.start({ clock: time })
})
afterAll(() => network.close())

/** The store, noting what is written of the account keys. */
function watched(store: RecordStore): RecordStore {
  return {
    get: (table, key) => store.get(table, key),
    scan: (table, query) => store.scan(table, query),
    commit: (changes, options) => {
      for (const change of changes)
        if (change.table === 'device-group' && change.kind === 'put')
          written.push({ atMs: time.nowMs(), value: change.value.slice() })
      return store.commit(changes, options)
    },
    close: () => store.close(),
  }
}

async function publishedKeys(accountId: string): Promise<PublishedKeys> {
  const id = parseAccountId(accountId)
  const records = await network.retrieve(id, NAMESPACE.accountKeys)
  expect(records).toHaveLength(1)
  return verifyAccountKeyRecord(network.crypto, id, records[0]!)
}

/** A message of a stranger, sealed to given keys whatever is published by now. */
async function sendSealedTo(keys: PublishedKeys, recipient: string, body: string): Promise<void> {
  const { crypto } = network
  const random = systemRandom()
  const sender = accountFromSeed(crypto, generateSeed(random, 13))
  const content = encodeContent(textContent({ body, sentAtMs: time.nowMs(), messageId: random.bytes(8) }))
  const to = prepareRecipient(crypto, parseAccountId(recipient), keys)
  await network.store(parseAccountId(recipient), sealMessageV2(crypto, random, { sender, recipient: to, content }))
}

async function filesHold(path: string, bytes: Uint8Array): Promise<boolean> {
  const files = await Promise.all([path, `${path}-wal`, `${path}-shm`].map(file => readFile(file).catch(() => Buffer.alloc(0))))
  return files.some(file => file.includes(Buffer.from(bytes)))
}

const currentKeyOf = (client: Client) => client.keys().accountKeys.find(key => key.current)!

let alice: Client
let path: string
let first: PublishedKeys
/** When each of Alice's keys was made. */
const births: number[] = []

/** Alice lives on, with a poll every three hours. */
async function live(untilDay: number): Promise<void> {
  const endMs = births[0]! + untilDay * DAY_MS
  while (time.nowMs() < endMs) {
    time.advance(Math.min(STEP_MS, endMs - time.nowMs()))
    await alice.sync()
    const { createdAtMs } = currentKeyOf(alice)
    if (births.at(-1) !== createdAtMs) births.push(createdAtMs)
  }
}

describe('over 20 days', () => {
  beforeAll(async () => {
    path = join(network.folder, 'lifetime.db')
    alice = await newClient(network, 'Alice', { store: watched(await openSqliteStore(path)), clock: time })
    first = await publishedKeys(alice.accountId)
    births.push(currentKeyOf(alice).createdAtMs)
  })
  afterAll(() => alice.close())

  it('a key is published when the account is made, and replaced by every rotation, 11 to 13 hours apart', async () => {
    await live(2)
    const ages = births.slice(1).map((birth, i) => birth - births[i]!)
    expect(ages.length).toBeGreaterThanOrEqual(3)
    for (const ageMs of ages) {
      expect(ageMs).toBeGreaterThanOrEqual(11 * HOUR_MS)
      expect(ageMs).toBeLessThanOrEqual(13 * HOUR_MS + STEP_MS)
    }
    const seen = new Set([first, await publishedKeys(alice.accountId)].map(keys => Buffer.from(keys.x25519).toString('hex')))
    expect(seen.size).toBe(2)
  })

  it('the first key opens what is sealed to it until 16 days after its rotation', async () => {
    await live(16)
    expect(alice.keys().accountKeys.at(-1)!.createdAtMs).toBe(births[0])
    await sendSealedTo(first, alice.accountId, 'slow but in time')
    expect(await alice.sync()).toMatchObject({ received: 1, quarantined: 0 })
    expect(await bodies(alice)).toContain('slow but in time')
    expect((await alice.messages()).at(-1)).toMatchObject({ pfs: true, keyCreatedAtMs: births[0] })
  })

  it('then opens nothing, and what held it is on no page and in no log of the store', async () => {
    expect(await filesHold(path, written.at(-1)!.value.subarray(24, 64))).toBe(true)
    await live(20)
    const held = alice.keys().accountKeys
    const oldestMs = time.nowMs() - 16 * DAY_MS - STEP_MS
    expect(held.every(key => key.rotatedAtMs === undefined || key.rotatedAtMs >= oldestMs)).toBe(true)
    expect(held.length).toBeLessThanOrEqual(16 * 2 + 5)
    const erasures = (await eventsOf(alice)).flatMap(event => (event.type === 'account_keys_erased' ? [event.count] : []))
    expect(erasures.reduce((sum, count) => sum + count, 0)).toBe(births.length - held.length)
    await sendSealedTo(first, alice.accountId, 'too late')
    expect(await alice.sync()).toMatchObject({ received: 0, quarantined: 1 })
    // Whoever has the data key could open these: so they must be gone.
    const outlived = written.filter(({ atMs }) => atMs < births[0]! + 16 * DAY_MS)
    expect(outlived.length).toBeGreaterThan(30)
    for (const { value } of outlived) expect(await filesHold(path, value.subarray(24, 64))).toBe(false)
  })

  it('all of it survives a restart', async () => {
    const before = alice.keys()
    await alice.close()
    alice = await reopen(await openSqliteStore(path), { clock: time })
    expect(alice.keys()).toEqual(before)
    expect(await alice.sync()).toMatchObject({ pushed: 0, received: 0, quarantined: 0 })
  })
})

describe('a client in the background', () => {
  it('rotates and publishes by itself, when its timers say so', async () => {
    const carol = await newClient(network, 'Carol', { clock: time, timers: time })
    const stream = carol.events()
    carol.start()
    time.advance(14 * HOUR_MS)
    const seen: string[] = []
    for await (const event of stream) {
      seen.push(event.type)
      if (event.type === 'account_keys_published') break
    }
    expect(seen).toContain('account_keys_rotated')
    expect(carol.keys().accountKeys).toHaveLength(2)
    await carol.close()
    expect(time.pending).toBe(0)
  })
})
