/** Networks that are down, wrong or silent: each ends in a known error or a retry, and nothing is lost, doubled or overtaken. */
import { type Client, openMemoryStore, type Transport, type TransportAnswer } from '@session-v2/client'
import { encodeUtf8 } from '@session-v2/encoding'
import { NAMESPACE } from '@session-v2/network'
import { parseAccountId } from '@session-v2/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { faultyTransport, transportWith } from './faults.ts'
import { NetworkUnderTest, signerOf } from './network-under-test.ts'
import { bodies, codeOf, newClient, reopen } from './people.ts'
import { HOUR_MS, SimulatedTime } from './simulated-time.ts'

let network: NetworkUnderTest
let time: SimulatedTime

beforeAll(async () => {
  time = new SimulatedTime()
  network = await NetworkUnderTest.start({ clock: time })
})
afterAll(() => network.close())

const create = (name: string, transport?: Transport) =>
  newClient(network, name, { clock: time, ...(transport === undefined ? {} : { transport }) })

const closeAll = (...clients: Client[]) => Promise.all(clients.map(client => client.close()))

describe('a swarm that is gone and comes back', () => {
  it('gets what waited in the order in which it was written', async () => {
    let isDown = false
    const alice = await create(
      'Alice',
      faultyTransport(() => (isDown ? 'request-lost' : 'none')),
    )
    const bob = await create('Bob')
    const texts = Array.from({ length: 12 }, (_, i) => `${i + 1}`)
    isDown = true
    for (const text of texts.slice(0, 8)) expect((await alice.send(bob.accountId, text)).state).toBe('queued')
    isDown = false
    await Promise.all([...texts.slice(8).map(text => alice.send(bob.accountId, text)), alice.sync()])
    await bob.sync()
    expect(await bodies(bob)).toEqual(texts)
    await closeAll(alice, bob)
  })

  it('gets it from a client in the background, without being told to', async () => {
    let isDown = false
    let underWay = 0
    const transport = transportWith(async (_sent, send) => {
      if (isDown) throw new Error('down')
      underWay++
      return send().finally(() => underWay--)
    })
    const alice = await newClient(network, 'Alice', { clock: time, timers: time, transport })
    const bob = await create('Bob')
    isDown = true
    alice.start()
    await alice.send(bob.accountId, 'patience')
    const stream = alice.events()
    isDown = false
    const stored = stream.next()
    // No deadline passes while the real network is at work.
    const pulse = setInterval(() => underWay === 0 && time.advance(100), 1)
    expect((await stored).value).toMatchObject({ type: 'message_state_changed', state: 'stored' })
    clearInterval(pulse)
    await closeAll(alice, bob)
  })
})

describe('an answer that is lost after the swarm has stored', () => {
  it('leaves two copies in the swarm and one message at the recipient', async () => {
    let isLost = true
    const alice = await create(
      'Alice',
      faultyTransport(({ method }) => (method === 'store' && isLost ? 'answer-lost' : 'none')),
    )
    const bob = await create('Bob')
    expect((await alice.send(bob.accountId, 'Hello')).state).toBe('queued')
    isLost = false
    await alice.sync()
    const owner = signerOf(network.account(bob.recoveryPassword()))
    expect(await network.retrieve(parseAccountId(bob.accountId), NAMESPACE.messages, owner)).toHaveLength(2)
    expect(await bob.sync()).toMatchObject({ received: 1 })
    expect(await bodies(bob)).toEqual(['Hello'])
    expect((await alice.messages()).map(message => message.state)).toEqual(['stored'])
    await closeAll(alice, bob)
  })
})

describe('without seeds', () => {
  it('a client that knows the nodes goes on', async () => {
    const store = openMemoryStore()
    const bob = await create('Bob')
    const alice = await newClient(network, 'Alice', { store, clock: time })
    await alice.close()
    const sendToSeed = async () => {
      throw new Error('no seed')
    }
    const again = await reopen(store, { clock: time, transport: { ...faultyTransport(() => 'none'), sendToSeed } })
    expect((await again.send(bob.accountId, 'who needs seeds')).state).toBe('stored')
    expect(await codeOf(again.sync())).toBe('no error')
    await closeAll(again, bob)
  })
})

const RUBBISH = [
  '',
  'null',
  '0',
  '"text"',
  '[]',
  '{}',
  '<html>',
  '\u0000',
  '{"swarm":{}}',
  '{"swarm":{"a":1}}',
  '{"results":[]}',
  '{"results":[{"code":200},{"code":200},{"code":200}]}',
  '{"results":[null,null,null]}',
  '{"messages":[{"hash":1}],"more":true}',
  '{"snodes":[{}],"swarm":"x"}',
  '{"__proto__":{"messages":[]}}',
]

describe('nodes that answer rubbish', () => {
  it('change nothing, with any status, and are known as a network that does not work', async () => {
    let answer: TransportAnswer | undefined
    const store = openMemoryStore()
    const transport = transportWith(async (_sent, send) => answer ?? send())
    const alice = await newClient(network, 'Alice', { store, clock: time, transport })
    const bob = await create('Bob')
    const keys = alice.keys()
    for (const status of [200, 421, 500, 302, 999]) {
      for (const text of RUBBISH) {
        answer = { status, body: encodeUtf8(text) }
        expect(await codeOf(alice.sync()), `${status} ${text}`).toBe('network-unavailable')
      }
    }
    answer = { status: 200, body: Uint8Array.of(0xff, 0xfe, 0) }
    expect((await alice.send(bob.accountId, 'through the noise')).state).toBe('queued')
    expect(alice.keys()).toEqual(keys)
    answer = undefined
    await alice.sync()
    await bob.sync()
    expect(await bodies(bob)).toEqual(['through the noise'])
    await closeAll(alice, bob)
  })

  it('in a seed leave the known nodes as they are', async () => {
    const store = openMemoryStore()
    const alice = await newClient(network, 'Alice', { store, clock: time })
    await alice.close()
    for (const text of [...RUBBISH, '{"result":{"service_node_states":[]}}']) {
      const body = encodeUtf8(text)
      let isDown = true
      const faulty = faultyTransport(() => (isDown ? 'request-lost' : 'none'))
      const transport = { ...faulty, sendToSeed: async () => ({ status: 200, body }) }
      const again = await reopen(store, { clock: time, transport })
      expect(await codeOf(again.sync()), text).toBe('network-unavailable')
      isDown = false
      expect(await codeOf(again.sync()), text).toBe('no error')
      await again.close()
    }
  })
})

describe('one node with a wrong idea of the time', () => {
  it('does not keep a client with the right one from syncing and sending', async () => {
    const bob = await create('Bob')
    const alice = await create('Alice')
    for (const account of [bob.accountId, alice.accountId]) {
      const [wrong] = await network.swarm(parseAccountId(account))
      const transport = transportWith(async ({ node, method }, send) => {
        if (node.ed25519 !== wrong!.ed25519) return send()
        if (method !== 'info') return { status: 406, body: encodeUtf8('Timestamp error: check your clock') }
        const info = { version: [2, 9, 0], timestamp: time.nowMs() + 5 * HOUR_MS }
        return { status: 200, body: encodeUtf8(JSON.stringify(info)) }
      })
      const carol = await create('Carol', transport)
      for (let i = 0; i < 6; i++) {
        expect((await carol.send(bob.accountId, `${i}`)).state).toBe('stored')
        expect(await codeOf(carol.sync())).toBe('no error')
      }
      expect((await carol.messages()).every(message => message.sentAtMs < time.nowMs() + HOUR_MS)).toBe(true)
      await carol.close()
    }
    await closeAll(alice, bob)
  })
})

describe('what was learnt of the network', () => {
  it('about the time is known at the next start', async () => {
    const store = openMemoryStore()
    const clock = { nowMs: () => time.nowMs() - HOUR_MS }
    await (await newClient(network, 'Alice', { store, clock })).close()
    const statuses: number[] = []
    const transport = transportWith(async ({ method }, send) => {
      const answer = await send()
      statuses.push(method === 'info' ? 0 : answer.status)
      return answer
    })
    const again = await reopen(store, { clock, transport })
    await again.sync()
    expect(new Set(statuses)).toEqual(new Set([200]))
    await again.close()
  })

  it('about what a member has shown is known at the next start', async () => {
    const store = openMemoryStore()
    const alice = await newClient(network, 'Alice', { store, clock: time })
    const bob = await create('Bob')
    await bob.send(alice.accountId, 'Hello')
    for (let i = 0; i < 40 && (await store.scan('cursors', { limit: 9 })).length < 6; i++) await alice.sync()
    await alice.close()
    const shown: number[] = []
    const transport = transportWith(async ({ method }, send) => {
      const answer = await send()
      if (method === 'batch') shown.push(JSON.parse(Buffer.from(answer.body).toString()).results[2].body.messages.length)
      return answer
    })
    const again = await reopen(store, { clock: time, transport })
    await again.sync()
    expect(shown).toEqual([0, 0])
    await Promise.all([again.close(), bob.close()])
  })
})

describe('nodes that never answer', () => {
  it('cost a sync its deadlines and no more', async () => {
    let isSilent = false
    const silence = (signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
    const real = faultyTransport(() => 'none')
    const transport: Transport = {
      ...real,
      send: (node, body, signal) => (isSilent ? silence(signal) : real.send(node, body, signal)),
    }
    const alice = await newClient(network, 'Alice', { clock: time, timers: time, transport })
    isSilent = true
    const beganMs = time.nowMs()
    const syncing = codeOf(alice.sync())
    const pulse = setInterval(() => time.advance(1000), 1)
    expect(await syncing).toBe('network-unavailable')
    clearInterval(pulse)
    // Three members, ten seconds each, and what passes while the test itself waits.
    expect(time.nowMs() - beganMs).toBeGreaterThanOrEqual(30_000)
    isSilent = false
    expect(await codeOf(alice.sync())).toBe('no error')
    await alice.close()
    expect(time.pending).toBe(0)
  })
})
