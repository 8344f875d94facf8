/** Many things at a time: nothing is lost between them, and closing in their midst ends each in one of two ways. */
import { join } from 'node:path'
import { type Client, ClientError, openMemoryStore, type RecordStore } from '@session-v2/client'
import { openSqliteStore } from '@session-v2/client/sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NetworkUnderTest } from './network-under-test.ts'
import { bodies, newClient, reopen } from './people.ts'

let network: NetworkUnderTest

beforeAll(async () => {
  network = await NetworkUnderTest.start()
})
afterAll(() => network.close())

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `${i + 1}`)

describe('a conversation', () => {
  it('counts every message when many are sent and received at once', async () => {
    const [alice, bob] = await Promise.all([newClient(network, 'Alice'), newClient(network, 'Bob')])
    for (const text of numbered(20)) await bob.send(alice.accountId, text)
    const sending = numbered(20).map(text => alice.send(bob.accountId, `from Alice ${text}`))
    await Promise.all([...sending, alice.sync(), alice.openConversation(bob.accountId)])
    const [conversation] = await alice.conversations()
    expect(await alice.messages()).toHaveLength(40)
    expect(conversation!.messages).toBe(40)
    expect(conversation!.name).toBe('Bob')
    await Promise.all([alice.close(), bob.close()])
  })
})

describe('syncs at the same time', () => {
  it('receive every message once', async () => {
    const [alice, bob] = await Promise.all([newClient(network, 'Alice'), newClient(network, 'Bob')])
    for (const text of numbered(5)) await alice.send(bob.accountId, text)
    const results = await Promise.all([bob.sync(), bob.sync(), bob.sync()])
    expect(results.map(result => result.received)).toEqual([5, 0, 0])
    expect(await bodies(bob)).toEqual(numbered(5))
    await Promise.all([alice.close(), bob.close()])
  })
})

/** A store that lets other things happen before each of its answers, as one on a slow disk does. */
function slowed(store: RecordStore): RecordStore {
  const pause = () => new Promise<void>(resolve => setImmediate(resolve))
  return {
    get: async (table, key) => {
      await pause()
      return store.get(table, key)
    },
    scan: async (table, query) => {
      await pause()
      return store.scan(table, query)
    },
    commit: async (changes, options) => {
      await pause()
      return store.commit(changes, options)
    },
    close: () => store.close(),
  }
}

/** Everything a program may have begun when it closes the client. */
function begun(alice: Client, bob: Client): Promise<PromiseSettledResult<unknown>[]> {
  return Promise.allSettled([
    ...numbered(5).map(text => alice.send(bob.accountId, text)),
    alice.sync(),
    alice.messages(),
    alice.conversations(),
    alice.openConversation(bob.accountId),
    alice.events().next(),
  ])
}

describe('closing in the midst of everything', () => {
  const stores: Record<string, (run: number) => Promise<RecordStore>> = {
    memory: async () => openMemoryStore(),
    SQLite: run => openSqliteStore(join(network.folder, `closing-${run}.db`)),
  }
  for (const [name, open] of Object.entries(stores)) {
    it(`ends each with its result or the error closed, and loses nothing that was taken on (${name})`, async () => {
      const bob = await newClient(network, 'Bob')
      for (let turns = 0; turns < 12; turns++) {
        const store = await open(turns)
        const alice = await newClient(network, 'Alice', { store: slowed(store) })
        const running = begun(alice, bob)
        for (let i = 0; i < turns; i++) await new Promise(resolve => setImmediate(resolve))
        await alice.close()
        const results = await running
        for (const result of results) {
          if (result.status === 'fulfilled') continue
          expect(result.reason).toBeInstanceOf(ClientError)
          expect(['closed', 'network-unavailable']).toContain(result.reason.code)
        }
        const takenOn = results.slice(0, 5).flatMap((result, i) => (result.status === 'fulfilled' ? [`${i + 1}`] : []))
        const again = await reopen(name === 'memory' ? store : await open(turns))
        await again.sync()
        await bob.sync()
        const arrived = await bodies(bob, alice.accountId)
        expect(arrived).toEqual(expect.arrayContaining(takenOn))
        expect(arrived).toEqual(await bodies(again, bob.accountId))
        await again.close()
      }
      await bob.close()
    })
  }
})
