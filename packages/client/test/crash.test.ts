/**
 * The process dies at every single commit, before and after it is written; the account is opened again, and everything is as if
 * nothing had happened.
 */
import { Client, openMemoryStore, type RecordStore } from '@session-v2/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DyingStore } from './faults.ts'
import { NetworkUnderTest } from './network-under-test.ts'
import { bodies, newClient, reopen, UNLOCK } from './people.ts'

let network: NetworkUnderTest
let bob: Client

beforeAll(async () => {
  network = await NetworkUnderTest.start({ nodes: 2 })
  bob = await newClient(network, 'Bob')
})
afterAll(async () => {
  await bob.close()
  await network.close()
})

const TEXTS = ['one', 'two', 'three']
const MAX_COMMITS = 100

/** Lets something die at its first commit, its second and so on, until it lives through. Returns how many deaths there were. */
async function atEveryCommit(trial: (dieAt: number) => Promise<boolean>): Promise<number> {
  for (let dieAt = 1; dieAt <= MAX_COMMITS; dieAt++) if (!(await trial(dieAt))) return dieAt - 1
  throw new Error(`still dying at commit ${MAX_COMMITS}`)
}

/** Sends the texts until the store dies. Returns those that the client took on. */
async function sendAll(store: RecordStore): Promise<string[]> {
  const client = await reopen(store)
  const taken: string[] = []
  for (const text of TEXTS) {
    try {
      await client.send(bob.accountId, text)
      taken.push(text)
    } catch {
      break
    }
  }
  await client.close()
  return taken
}

type Moment = 'before' | 'after'

async function sendingDies(dieAt: number, moment: Moment): Promise<boolean> {
  const home = openMemoryStore()
  const made = await newClient(network, 'Alice', { store: home })
  await made.close()
  const dying = new DyingStore(home, dieAt, moment)
  const taken = await sendAll(dying)
  const alice = await reopen(home)
  await alice.sync()
  await bob.sync()
  const received = await bodies(bob, made.accountId)
  // What was being written down at the moment of death may or may not have been taken on.
  expect(received.slice(0, taken.length)).toEqual(taken)
  expect(received).toEqual(TEXTS.slice(0, received.length))
  const log = await alice.messages({ with: bob.accountId })
  expect(log.map(({ body, state }) => `${body} ${state}`)).toEqual(received.map(body => `${body} stored`))
  expect((await alice.sync()).pushed).toBe(0)
  await alice.close()
  return dying.dead
}

async function receivingDies(home: RecordStore, sent: string[], dieAt: number, moment: Moment): Promise<boolean> {
  const carol = await reopen(home)
  await carol.close()
  for (const text of TEXTS) {
    sent.push(`${text} ${dieAt}`)
    await bob.send(carol.accountId, `${text} ${dieAt}`)
  }
  const dying = new DyingStore(home, dieAt, moment)
  const client = await reopen(dying)
  await client.sync().catch(() => undefined)
  await client.close()
  const again = await reopen(home)
  await again.sync()
  expect(await bodies(again, bob.accountId)).toEqual(sent)
  const [conversation] = await again.conversations()
  expect(conversation).toMatchObject({ messages: sent.length, unread: sent.length })
  await again.close()
  return dying.dead
}

async function makingDies(dieAt: number, moment: Moment): Promise<boolean> {
  const home = openMemoryStore()
  const dying = new DyingStore(home, dieAt, moment)
  const options = { unlock: UNLOCK, seeds: network.seeds, name: 'Dave' }
  const made = await Client.create({ ...options, store: dying }).catch(() => undefined)
  await made?.close()
  const dave = await reopen(home).catch(() => Client.create({ ...options, store: home }))
  await dave.sync()
  expect(dave.keys().accountKeys.filter(key => key.current)).toHaveLength(1)
  expect((await bob.send(dave.accountId, 'Hello')).protocol).toBe('v2-pfs')
  await dave.sync()
  expect(await bodies(dave)).toEqual(['Hello'])
  await dave.close()
  return dying.dead
}

for (const moment of ['before', 'after'] as const) {
  describe(`dying ${moment} a commit is written`, () => {
    it('while sending loses nothing that was taken on and doubles nothing', async () => {
      const deaths = await atEveryCommit(dieAt => sendingDies(dieAt, moment))
      // One commit to write a message down and two to note its copies, for each; and the recipient's keys.
      expect(deaths).toBeGreaterThanOrEqual(TEXTS.length * 3 + 1)
    })

    it('while receiving shows every message once', async () => {
      const home = openMemoryStore()
      await (await newClient(network, 'Carol', { store: home })).close()
      const sent: string[] = []
      expect(await atEveryCommit(dieAt => receivingDies(home, sent, dieAt, moment))).toBeGreaterThanOrEqual(1)
    })

    it('while an account is made leaves it whole or not there', async () => {
      expect(await atEveryCommit(dieAt => makingDies(dieAt, moment))).toBeGreaterThanOrEqual(3)
    })
  })
}

describe('a full disk', () => {
  it('is told, and what could not be written was not sent', async () => {
    const home = openMemoryStore()
    const alice = await newClient(network, 'Alice', { store: home })
    await alice.close()
    let full = true
    const store: RecordStore = {
      get: (table, key) => home.get(table, key),
      scan: (table, query) => home.scan(table, query),
      commit: (changes, options) => (full ? Promise.reject(new Error('ENOSPC')) : home.commit(changes, options)),
      close: () => home.close(),
    }
    const client = await reopen(store)
    const failure = await client.send(bob.accountId, 'lost?').catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'store-failed' })
    await expect(client.sync()).rejects.toMatchObject({ code: 'store-failed' })
    await bob.send(client.accountId, 'for you')
    await expect(client.sync()).rejects.toMatchObject({ code: 'store-failed' })
    expect(await bodies(client)).toEqual([])
    full = false
    expect((await client.send(bob.accountId, 'now')).state).toBe('stored')
    await client.sync()
    expect((await bodies(client)).toSorted()).toEqual(['for you', 'now'])
    await bob.sync()
    expect(await bodies(bob, client.accountId)).toEqual(['for you', 'now'])
    await client.close()
  })
})
