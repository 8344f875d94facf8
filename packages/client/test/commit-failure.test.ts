/**
 * The store fails at every commit in turn, of sending and of a poll that also rotates keys: once as an error, after which it works
 * again; once as the end of the process. What follows on the same file neither loses nor doubles anything.
 */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, type RecordStore } from '@session-v2/client'
import { openSqliteStore } from '@session-v2/client/sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DyingStore } from './faults.ts'
import { NetworkUnderTest } from './network-under-test.ts'
import { codeOf, eventsOf, newClient, reopen, UNLOCK } from './people.ts'
import { HOUR_MS, SimulatedTime } from './simulated-time.ts'
import { StumblingStore } from './stumbling-store.ts'

/** More commits than anything here takes: what goes on for ever is told. */
const MOST_COMMITS = 30

let network: NetworkUnderTest
let time: SimulatedTime
let bob: Client
let files = 0

beforeAll(async () => {
  time = new SimulatedTime()
  network = await NetworkUnderTest.start({ clock: time })
  bob = await newClient(network, 'Bob', { clock: time })
})
afterAll(async () => {
  await bob.close()
  await network.close()
})

const newPath = () => join(network.folder, `commit-failure-${++files}.db`)

/** A closed account on disk, to be copied for every run. */
async function accountOnDisk(name: string): Promise<{ path: string; id: string }> {
  const path = newPath()
  const client = await newClient(network, name, { store: await openSqliteStore(path), clock: time })
  await client.close()
  return { path, id: client.accountId }
}

function copyOf(path: string): string {
  const copy = newPath()
  copyFileSync(path, copy)
  return copy
}

type Attempt = (client: Client, run: string) => Promise<unknown>
type Check = (client: Client, run: string, error: string) => Promise<void>

/** Lets the process end at commit 1, 2 and so on, before and after it is written. Opens the file again for `check`. */
async function dieAtEveryCommit(path: string, attempt: Attempt, check: Check): Promise<number> {
  for (let n = 1; n < MOST_COMMITS; n++) {
    let isDead = false
    for (const moment of ['before', 'after'] as const) {
      const file = copyOf(path)
      const inner = await openSqliteStore(file)
      const dying = new DyingStore(inner, n, moment)
      const victim = await reopen(dying, { clock: time })
      const error = await codeOf(attempt(victim, `${n} ${moment}`))
      await victim.close()
      await inner.close()
      isDead ||= dying.dead
      const survivor = await reopen(await openSqliteStore(file), { clock: time })
      await check(survivor, `${n} ${moment}`, error)
      await survivor.close()
    }
    if (!isDead) return n - 1
  }
  throw new Error('it never ended')
}

/** Refuses commit 1, 2 and so on, and none after that. `check` goes on with the same client. */
async function stumbleAtEveryCommit(path: string, attempt: Attempt, check: Check): Promise<number> {
  for (let n = 1; n < MOST_COMMITS; n++) {
    const store = new StumblingStore(await openSqliteStore(copyOf(path)), n)
    const client = await reopen(store, { clock: time })
    const error = await codeOf(attempt(client, `${n}`))
    const hasStumbled = store.stumbled
    store.recover()
    await check(client, `${n}`, error)
    await client.close()
    if (!hasStumbled) return n - 1
  }
  throw new Error('it never ended')
}

const withBody = async (client: Client, body: string) =>
  (await client.messages({ limit: 10_000 })).filter(message => message.body === body)

/** Exactly once and under one id, here and there; or nowhere. */
async function expectDelivered(alice: Client, text: string, times: 0 | 1): Promise<void> {
  await alice.sync()
  await bob.sync()
  const here = await withBody(alice, text)
  const there = await withBody(bob, text)
  expect(
    here.map(({ state, outgoing }) => `${state} ${outgoing}`),
    text,
  ).toEqual(Array(times).fill('stored true'))
  expect(
    there.map(message => message.messageId),
    text,
  ).toEqual(here.map(message => message.messageId))
  expect((await alice.sync()).pushed, text).toBe(0)
}

describe('sending', () => {
  const send = (text: (run: string) => string) => (alice: Client, run: string) => alice.send(bob.accountId, text(run))

  it('loses and doubles nothing when the process ends at any commit', async () => {
    const { path } = await accountOnDisk('Alice')
    const commits = await dieAtEveryCommit(
      path,
      send(run => `dead ${run}`),
      async (alice, run, error) => {
        await expectDelivered(alice, `dead ${run}`, run === '1 before' ? 0 : 1)
        if (run.startsWith('1 ')) expect(error).toBe('store-failed')
      },
    )
    // Written down, keys of the recipient, two copies noted.
    expect(commits).toBeGreaterThanOrEqual(4)
  })

  it('tells of a commit that fails, goes on after it, and loses and doubles nothing', async () => {
    const { path } = await accountOnDisk('Alice')
    const commits = await stumbleAtEveryCommit(
      path,
      send(run => `refused ${run}`),
      async (alice, run, error) => {
        await expectDelivered(alice, `refused ${run}`, run === '1' ? 0 : 1)
        if (run === '1') expect(error).toBe('store-failed')
      },
    )
    expect(commits).toBeGreaterThanOrEqual(4)
  })
})

const TEXTS = ['one', 'two', 'three']

/** The messages, the conversation and the events agree: each once. */
async function expectAllOnce(carol: Client, run: string): Promise<void> {
  // −21 is replaced by what is newer only, and the run before has just written there.
  time.advance(1000)
  await carol.sync()
  const received = (await carol.messages()).filter(message => !message.outgoing)
  expect(
    received.map(message => message.body),
    run,
  ).toEqual(TEXTS)
  expect(await carol.conversations(), run).toMatchObject([{ messages: 3, unread: 3 }])
  const told = (await eventsOf(carol)).flatMap(event => (event.type === 'message_received' ? [event.messageId] : []))
  expect(told, run).toEqual(received.map(message => message.messageId))
  expect(
    carol.keys().accountKeys.map(key => key.current),
    run,
  ).toEqual([true, false])
  expect(await carol.sync(), run).toMatchObject({ received: 0, pushed: 0 })
}

describe('a poll that receives, rotates keys and publishes them', () => {
  let path: string

  beforeAll(async () => {
    const carol = await accountOnDisk('Carol')
    path = carol.path
    for (const text of TEXTS) await bob.send(carol.id, text)
    time.advance(14 * HOUR_MS)
  })

  it('loses and doubles nothing when the process ends at any commit', async () => {
    const commits = await dieAtEveryCommit(path, carol => carol.sync(), expectAllOnce)
    expect(commits).toBeGreaterThanOrEqual(3)
  })

  it('tells of a commit that fails, goes on after it, and loses and doubles nothing', async () => {
    const commits = await stumbleAtEveryCommit(
      path,
      carol => carol.sync(),
      async (carol, run, error) => {
        if (Number(run) <= 3) expect(error, run).toBe('store-failed')
        await expectAllOnce(carol, run)
      },
    )
    expect(commits).toBeGreaterThanOrEqual(3)
  })
})

describe('making an account', () => {
  const options = (store: RecordStore) => ({ store, unlock: UNLOCK, seeds: network.seeds, clock: time })

  it('gives the file back when it fails, whichever commit it was', async () => {
    const ways = [
      (store: RecordStore) => Client.create({ ...options(store), name: 'Erin' }),
      (store: RecordStore) => Client.restore({ ...options(store), recoveryPassword: bob.recoveryPassword() }),
    ]
    for (const make of ways) {
      for (let n = 1, hasStumbled = true; hasStumbled; n++) {
        const path = newPath()
        const store = new StumblingStore(await openSqliteStore(path), n)
        const error = await codeOf(make(store).then(client => client.close()))
        hasStumbled = store.stumbled
        expect(error, `commit ${n}`).toBe(hasStumbled ? 'store-failed' : 'no error')
        await (await openSqliteStore(path)).close()
      }
    }
  })
})
