import { join } from 'node:path'
import { Client, openMemoryStore } from '@session-v2/client'
import { openSqliteStore } from '@session-v2/client/sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NetworkUnderTest } from './network-under-test.ts'
import { bodies, eventsOf, eventTypes, newClient, reopen, UNLOCK } from './people.ts'

let network: NetworkUnderTest

beforeAll(async () => {
  network = await NetworkUnderTest.start({ nodes: 6, swarms: 2 })
})
afterAll(() => network.close())

const numbered = (who: string, count: number) => Array.from({ length: count }, (_, i) => `${who} ${i + 1}`)

describe('two accounts', () => {
  it('exchange 200 messages both ways, each once and in order, with forward secrecy', async () => {
    const alice = await newClient(network, 'Alice')
    const bob = await newClient(network, 'Bob')
    const sendAll = (from: Client, to: Client, texts: string[]) =>
      Promise.all(texts.map(text => from.send(to.accountId, text, { timeoutMs: 600_000 })))
    const sent = await Promise.all([sendAll(alice, bob, numbered('alice', 200)), sendAll(bob, alice, numbered('bob', 200))])
    expect(new Set(sent.flat().map(({ state, protocol }) => `${state} ${protocol}`))).toEqual(new Set(['stored v2-pfs']))
    for (const client of [alice, bob]) await client.sync()
    const received = async (client: Client) => (await client.messages({ limit: 1000 })).filter(message => !message.outgoing)
    const atBob = await received(bob)
    expect(atBob.map(message => message.body)).toEqual(numbered('alice', 200))
    expect((await received(alice)).map(message => message.body)).toEqual(numbered('bob', 200))
    expect(atBob.every(message => message.pfs && message.protocol === 'v2-pfs' && message.sender === alice.accountId)).toBe(true)
    expect((await bob.sync()).received).toBe(0)
    await Promise.all([alice.close(), bob.close()])
  })

  it('go on where they were after a restart from disk', async () => {
    const path = join(network.folder, 'restart.db')
    const bob = await newClient(network, 'Bob')
    const alice = await newClient(network, 'Alice', { store: await openSqliteStore(path) })
    await alice.send(bob.accountId, 'before')
    await alice.close()
    const again = await reopen(await openSqliteStore(path))
    expect(again.accountId).toBe(alice.accountId)
    await again.send(bob.accountId, 'after')
    await bob.send(again.accountId, 'answer')
    await Promise.all([again.sync(), bob.sync()])
    expect(await bodies(again)).toEqual(['before', 'after', 'answer'])
    expect(await bodies(bob)).toEqual(['before', 'after', 'answer'].toSorted((a, b) => order.indexOf(a) - order.indexOf(b)))
    await Promise.all([again.close(), bob.close()])
  })

  it('know the same message by the same id', async () => {
    const alice = await newClient(network, 'Alice')
    const bob = await newClient(network, 'Bob')
    const { messageId } = await alice.send(bob.accountId, 'Hello')
    await bob.sync()
    expect((await bob.messages()).map(message => message.messageId)).toEqual([messageId])
    await Promise.all([alice.close(), bob.close()])
  })
})

/** Bob writes his answer before he polls. */
const order = ['answer', 'before', 'after']

describe('a note to oneself', () => {
  it('is stored once and not counted as unread', async () => {
    const alice = await newClient(network, 'Alice')
    await alice.send(alice.accountId, 'milk')
    await alice.sync()
    expect(await bodies(alice)).toEqual(['milk'])
    expect(await alice.conversations()).toMatchObject([{ id: alice.accountId, messages: 1, unread: 0 }])
    await alice.close()
  })
})

describe('conversations', () => {
  it('count, name and order what came, until they are opened', async () => {
    const bob = await newClient(network, 'Bob')
    for (const name of ['Alice', 'Carol']) {
      const client = await newClient(network, name)
      await client.send(bob.accountId, `I am ${name}`)
      await client.send(bob.accountId, `Still ${name}`)
      await client.close()
    }
    await bob.sync()
    const list = await bob.conversations()
    expect(list).toMatchObject([
      { name: 'Carol', messages: 2, unread: 2, last: { body: 'Still Carol', outgoing: false } },
      { name: 'Alice', messages: 2, unread: 2 },
    ])
    await bob.openConversation(list[0]!.id)
    expect((await bob.conversations()).map(({ unread }) => unread)).toEqual([0, 2])
    await bob.close()
  })

  it('are read in pages, oldest first, from a cursor', async () => {
    const alice = await newClient(network, 'Alice')
    for (const text of ['1', '2', '3']) await alice.send(alice.accountId, text)
    const [first] = await alice.messages({ limit: 1 })
    expect(first!.body).toBe('1')
    expect((await alice.messages({ after: first!.cursor })).map(message => message.body)).toEqual(['2', '3'])
    await alice.close()
  })
})

describe('the event stream', () => {
  it('tells what happened, goes on behind a cursor, also after a restart, and ends with its signal', async () => {
    const store = openMemoryStore()
    const alice = await newClient(network, 'Alice', { store })
    const { messageId } = await alice.send(alice.accountId, 'note')
    const events = await eventsOf(alice)
    expect(events.map(event => event.type)).toEqual([
      'network_changed',
      'devices_replaced',
      'account_keys_rotated',
      'membership_changed',
      'account_keys_published',
      'message_state_changed',
    ])
    expect(events.at(-1)).toMatchObject({ messageId, conversation: alice.accountId, state: 'stored' })
    await alice.close()
    const again = await reopen(store)
    expect(await eventTypes(again)).toEqual(events.map(event => event.type))
    const stop = new AbortController()
    const seen: string[] = []
    const reader = (async () => {
      for await (const event of again.events({ after: events[3]!.cursor, signal: stop.signal })) {
        seen.push(event.type)
        if (seen.length === 3) stop.abort()
      }
    })()
    await again.send(again.accountId, 'another')
    await reader
    expect(seen).toEqual(['account_keys_published', 'message_state_changed', 'message_state_changed'])
    await again.close()
  })

  it('ends when its signal says so, also while nothing happens', async () => {
    const alice = await newClient(network, 'Alice')
    const stop = new AbortController()
    const next = alice.events({ signal: stop.signal }).next()
    await new Promise(resolve => setTimeout(resolve, 20))
    stop.abort()
    expect((await next).done).toBe(true)
    await alice.close()
  })

  it('misses nothing between its call and its first step, and ends when the client closes', async () => {
    const alice = await newClient(network, 'Alice')
    const stream = alice.events()
    await alice.send(alice.accountId, 'note')
    expect((await stream.next()).value).toMatchObject({ type: 'message_state_changed' })
    const last = stream.next()
    await alice.close()
    expect((await last).done).toBe(true)
  })
})

describe('start', () => {
  it('receives and sends in the background', async () => {
    const alice = await newClient(network, 'Alice')
    const bob = await Client.create({ store: openMemoryStore(), unlock: UNLOCK, seeds: network.seeds, name: 'Bob' })
    await alice.send(bob.accountId, 'ping')
    const stream = bob.events()
    bob.start()
    for await (const event of stream) if (event.type === 'message_received') break
    expect(await bodies(bob)).toEqual(['ping'])
    await Promise.all([alice.close(), bob.close()])
  })
})
