import { Client, openMemoryStore } from '@session-v2/client'
import { loadCrypto, seededRandom } from '@session-v2/crypto'
import { decodeUtf8, encodeUtf8 } from '@session-v2/encoding'
import { encodeServiceNode, type ServiceNode } from '@session-v2/network'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Fault, faultyTransport, type Sent, transportWith } from './faults.ts'
import { NetworkUnderTest } from './network-under-test.ts'
import { bodies, codeOf, eventTypes, newClient, reopen, UNLOCK } from './people.ts'
import { HOUR_MS, SimulatedTime } from './simulated-time.ts'

let network: NetworkUnderTest
let bob: Client

beforeAll(async () => {
  network = await NetworkUnderTest.start({ nodes: 6, swarms: 2 })
  bob = await newClient(network, 'Bob')
})
afterAll(async () => {
  await bob.close()
  await network.close()
})

describe('swarm members that do not answer', () => {
  it('cost a retry and nothing else', async () => {
    const [down] = await network.swarm(bob.accountId)
    const transport = faultyTransport(({ node }) => (node.ed25519 === down!.ed25519 ? 'request-lost' : 'none'))
    const alice = await newClient(network, 'Alice', { transport })
    for (const text of ['a', 'b', 'c', 'd', 'e']) expect((await alice.send(bob.accountId, text)).state).toBe('stored')
    await bob.sync()
    expect(await bodies(bob, alice.accountId)).toEqual(['a', 'b', 'c', 'd', 'e'])
    await alice.close()
  })

  it('that are silent are given up after a while', async () => {
    const [silent] = await network.swarm(bob.accountId)
    const time = new SimulatedTime(Date.now())
    let asked = 0
    const transport = transportWith((sent, send) => {
      if (sent.node.ed25519 !== silent!.ed25519) return send()
      asked++
      return new Promise(() => {})
    })
    const pulse = setInterval(() => time.advance(1_000), 20)
    const alice = await newClient(network, 'Alice', { transport: abortable(transport), clock: time, timers: time })
    do expect((await alice.send(bob.accountId, 'Hello', { timeoutMs: 1_000_000 })).state).toBe('stored')
    while (asked === 0)
    clearInterval(pulse)
    await alice.close()
  })

  it('that are all gone leave the message waiting, and it goes out later', async () => {
    let down = true
    const alice = await newClient(network, 'Alice', { transport: faultyTransport(() => (down ? 'request-lost' : 'none')) })
    expect((await alice.send(bob.accountId, 'later')).state).toBe('queued')
    expect(await codeOf(alice.sync())).toBe('network-unavailable')
    down = false
    await alice.sync()
    expect((await alice.messages()).map(({ state }) => state)).toEqual(['stored'])
    await alice.close()
  })

  it('that refuse everything are passed over', async () => {
    const [liar] = await network.swarm(bob.accountId)
    const refusal = { status: 400, body: encodeUtf8('invalid request') }
    const transport = transportWith(async ({ node }, send) => (node.ed25519 === liar!.ed25519 ? refusal : send()))
    const alice = await newClient(network, 'Alice', { transport })
    for (const text of ['a', 'b', 'c', 'd']) expect((await alice.send(bob.accountId, text)).state).toBe('stored')
    await alice.close()
  })

  it('that claim to have stored what they have not are not believed', async () => {
    const transport = transportWith(async ({ method }, send) => {
      const answer = await send()
      if (method !== 'store') return answer
      const body = JSON.parse(decodeUtf8(answer.body)) as { swarm: Record<string, { signature?: string }> }
      for (const entry of Object.values(body.swarm)) entry.signature = 'A'.repeat(86)
      return { ...answer, body: encodeUtf8(JSON.stringify(body)) }
    })
    const alice = await newClient(network, 'Alice', { transport })
    expect((await alice.send(bob.accountId, 'really?')).state).toBe('queued')
    await alice.close()
  })
})

describe('swarm members that do less than they say', () => {
  /** Rewrites the answers to one method. */
  const rewriting = (method: string, change: (body: StoreAnswer, sent: Sent) => void) =>
    transportWith(async (sent, send) => {
      const answer = await send()
      if (sent.method !== method) return answer
      const body = JSON.parse(decodeUtf8(answer.body)) as StoreAnswer
      change(body, sent)
      return { ...answer, body: encodeUtf8(JSON.stringify(body)) }
    })

  it('are not enough when half of them failed', async () => {
    const transport = rewriting('store', ({ swarm }) => {
      for (const node of Object.keys(swarm!).slice(1)) swarm![node] = { failed: true, timeout: true }
    })
    const alice = await newClient(network, 'Alice', { transport })
    expect((await alice.send(bob.accountId, 'to one of three')).state).toBe('queued')
    await alice.close()
  })

  it('are not believed when what they stored is something else (RPC-54)', async () => {
    let old: StoreAnswer['swarm']
    const transport = rewriting('store', (body, { text }) => {
      if (!text.includes(bob.accountId)) return
      old ??= body.swarm
      body.swarm = old
    })
    const alice = await newClient(network, 'Alice', { transport })
    expect((await alice.send(bob.accountId, 'really stored')).state).toBe('stored')
    expect((await alice.send(bob.accountId, 'said to be stored')).state).toBe('queued')
    await alice.close()
  })

  it('cannot hide a message alone', async () => {
    for (let i = 0; i < 4; i++) {
      let liar: string | undefined
      const transport = rewriting('batch', (body, { node }) => {
        // Whichever member is asked first keeps the messages to itself.
        liar ??= node.ed25519
        if (node.ed25519 === liar) body.results![2]!.body.messages = []
      })
      const alice = await newClient(network, 'Alice', { transport })
      await bob.send(alice.accountId, 'seen')
      await alice.sync()
      expect(await bodies(alice)).toEqual(['seen'])
      await alice.close()
    }
  })
})

/** What the tests touch of an answer. */
interface StoreAnswer {
  swarm?: Record<string, object> | undefined
  results?: { body: { messages: unknown[] } }[]
}

/** The transport, giving up when it is told to even where a fault keeps it waiting. */
function abortable(transport: ReturnType<typeof transportWith>): ReturnType<typeof transportWith> {
  return {
    ...transport,
    send: (node, body, signal) => {
      const aborted = new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
      })
      return Promise.race([transport.send(node, body, signal), aborted])
    },
  }
}

describe('a network that loses, doubles, delays and reorders', () => {
  it('delivers every message once and in order all the same', async () => {
    const crypto = await loadCrypto()
    for (const seed of [1, 2, 3]) {
      const random = seededRandom(crypto, new Uint8Array(32).fill(seed))
      const pick = <T>(choices: readonly T[]): T => choices[random.bytes(1)[0]! % choices.length]!
      const faults: Fault[] = ['none', 'none', 'none', 'request-lost', 'answer-lost', 'doubled']
      let calm = true
      const faulty = faultyTransport(() => (calm ? 'none' : pick(faults)))
      const transport = { ...faulty, send: delayed(faulty.send, () => (calm ? 0 : pick([0, 0, 3, 9]))) }
      const [alice, carol] = await Promise.all(['Alice', 'Carol'].map(name => newClient(network, name, { transport })))
      calm = false
      const texts = Array.from({ length: 30 }, (_, i) => `${seed}/${i}`)
      await Promise.all(texts.map(text => alice!.send(carol!.accountId, text)))
      for (let i = 0; i < 5; i++) await Promise.all([alice!.sync().catch(() => 0), carol!.sync().catch(() => 0)])
      calm = true
      for (let i = 0; i < 3; i++) for (const client of [alice!, carol!]) await client.sync()
      expect(await bodies(carol!, alice!.accountId)).toEqual(texts)
      expect((await alice!.messages()).map(({ body, state }) => `${body} ${state}`)).toEqual(texts.map(text => `${text} stored`))
      await Promise.all([alice!.close(), carol!.close()])
    }
  })
})

type SendTo = Client extends never ? never : ReturnType<typeof faultyTransport>['send']

function delayed(send: SendTo, delayMs: () => number): SendTo {
  return async (...request) => {
    const ms = delayMs()
    if (ms > 0) await new Promise(resolve => setTimeout(resolve, ms))
    return send(...request)
  }
}

describe('a clock that is off by an hour', () => {
  for (const [direction, offMs] of Object.entries({ fast: HOUR_MS, slow: -HOUR_MS })) {
    it(`when ${direction} is put right by the network, for messages, keys and the next start`, async () => {
      const clock = { nowMs: () => Date.now() + offMs }
      const store = openMemoryStore()
      const alice = await newClient(network, 'Alice', { clock, store })
      const { state } = await alice.send(bob.accountId, 'What time is it?')
      expect(state).toBe('stored')
      await alice.sync()
      const isNow = (ms: number) => Math.abs(ms - Date.now()) < 60_000
      expect((await alice.messages()).every(({ sentAtMs }) => isNow(sentAtMs))).toBe(true)
      expect(alice.keys().accountKeys.every(({ createdAtMs }) => isNow(createdAtMs))).toBe(true)
      await alice.close()
      const again = await reopen(store, { clock })
      await again.send(bob.accountId, 'And now?')
      await again.close()
      await bob.sync()
      const received = await bob.messages({ with: alice.accountId })
      expect(received.map(({ body }) => body)).toEqual(['What time is it?', 'And now?'])
      expect(received.every(({ sentAtMs }) => isNow(sentAtMs))).toBe(true)
    })
  }

  it('that goes wrong while running is put right too, for many requests at a time', async () => {
    let offMs = 0
    const alice = await newClient(network, 'Alice', { clock: { nowMs: () => Date.now() + offMs } })
    const others = await Promise.all(['C', 'D', 'E'].map(name => newClient(network, name)))
    offMs = HOUR_MS
    const sent = await Promise.all(others.map(other => alice.send(other.accountId, 'Hello')))
    expect(sent.map(({ state }) => state)).toEqual(['stored', 'stored', 'stored'])
    offMs = -HOUR_MS
    await alice.sync()
    await Promise.all([alice, ...others].map(client => client.close()))
  })
})

describe('a clock that goes wrong', () => {
  it('and that another request has put right meanwhile is no error', async () => {
    let offMs = 0
    let release = () => {}
    const released = new Promise<void>(resolve => {
      release = resolve
    })
    const late = await newClient(network, 'Late')
    const transport = transportWith(async ({ method, text }, send) => {
      const answer = await send()
      // The refusal of this one comes when the clock is right again.
      if (method === 'store' && answer.status === 406 && text.includes(late.accountId)) await released
      return answer
    })
    const alice = await newClient(network, 'Alice', { transport, clock: { nowMs: () => Date.now() + offMs } })
    for (const { accountId } of [late, bob]) await alice.send(accountId, 'Hello')
    offMs = HOUR_MS
    const waiting = alice.send(late.accountId, 'Still there?')
    expect((await alice.send(bob.accountId, 'What time is it?')).state).toBe('stored')
    release()
    expect((await waiting).state).toBe('stored')
    await Promise.all([alice.close(), late.close()])
  })

  it('is not made wrong by one node that lies while the others cannot be asked', async () => {
    const [liar] = await network.swarm(bob.accountId)
    let lies = false
    const transport = transportWith(async ({ node, method }, send) => {
      if (!lies) return send()
      if (node.ed25519 !== liar!.ed25519) throw new Error('lost')
      const refusal = { status: 406, body: encodeUtf8('Timestamp error: check your clock') }
      if (method !== 'info') return refusal
      const info = JSON.parse(decodeUtf8((await send()).body))
      return {
        status: 200,
        body: encodeUtf8(JSON.stringify({ ...info, t: Date.now() + HOUR_MS, timestamp: Date.now() + HOUR_MS })),
      }
    })
    const alice = await newClient(network, 'Alice', { transport })
    await alice.send(bob.accountId, 'before')
    lies = true
    for (let i = 0; i < 5; i++) expect((await alice.send(bob.accountId, `${i}`)).state).toBe('queued')
    expect(Math.abs(alice.nowMs() - Date.now())).toBeLessThan(60_000)
    await alice.close()
  })

  it('is told when no node can be agreed with, and nothing is lost', async () => {
    let refuse = true
    const refusal = { status: 406, body: encodeUtf8('Timestamp error: check your clock') }
    const transport = transportWith(async ({ method }, send) => (refuse && method !== 'info' ? refusal : send()))
    const alice = await newClient(network, 'Alice', { transport })
    expect(await codeOf(alice.sync())).toBe('clock-off')
    expect((await alice.send(bob.accountId, 'patience')).state).toBe('queued')
    refuse = false
    await alice.sync()
    await bob.sync()
    expect(await bodies(bob, alice.accountId)).toEqual(['patience'])
    await alice.close()
  })
})

describe('a list of nodes that is not true any more', () => {
  /** What a seed answers, with the swarms exchanged. */
  const exchanged = (nodes: readonly ServiceNode[]) => {
    const ids = [...new Set(nodes.map(node => node.swarmId))]
    const other = (id: bigint) => ids.find(candidate => candidate !== id)!
    return nodes.map(node => ({ ...node, swarmId: other(node.swarmId) }))
  }
  const listed = (nodes: readonly ServiceNode[]) => ({
    status: 200,
    body: encodeUtf8(JSON.stringify({ result: { service_node_states: nodes.map(node => encodeServiceNode(node)) } })),
  })

  it('about swarms is corrected by the nodes', async () => {
    const wrong = listed(exchanged(await network.nodes()))
    const alice = await newClient(network, 'Alice', {
      transport: { ...faultyTransport(() => 'none'), sendToSeed: async () => wrong },
    })
    expect(await alice.send(bob.accountId, 'found you')).toMatchObject({ state: 'stored', protocol: 'v2-pfs' })
    await Promise.all([alice.sync(), bob.sync()])
    expect(await bodies(bob, alice.accountId)).toEqual(['found you'])
    await alice.close()
  })

  it('is not replaced by a node naming machines of its own', async () => {
    const [liar] = await network.swarm(bob.accountId)
    const seen: string[] = []
    const transport = transportWith(async ({ node, method }, send) => {
      seen.push(node.ed25519)
      if (node.ed25519 !== liar!.ed25519 || method === 'info') return send()
      const own = { ip: '127.0.0.1', port_https: 1, pubkey_ed25519: 'ee'.repeat(32), pubkey_x25519: 'ee'.repeat(32) }
      return { status: 421, body: encodeUtf8(JSON.stringify({ snodes: [own], swarm: '1' })) }
    })
    const alice = await newClient(network, 'Alice', { transport })
    for (const text of ['a', 'b', 'c', 'd']) expect((await alice.send(bob.accountId, text)).state).toBe('stored')
    expect(seen).not.toContain('ee'.repeat(32))
    await alice.close()
  })

  it('because the network moved is fetched again', async () => {
    const moved = (await network.nodes()).map((node, i) => ({ ...node, port: i + 1 }))
    const store = openMemoryStore()
    const real = faultyTransport(() => 'none')
    const old = { ...real, sendToSeed: async () => listed(moved) }
    const alice = await Client.create({ store, unlock: UNLOCK, seeds: network.seeds, name: 'Alice', transport: old })
    await alice.close()
    const again = await reopen(store)
    expect((await again.send(bob.accountId, 'here again')).state).toBe('stored')
    expect((await eventTypes(again)).filter(type => type === 'network_changed')).toHaveLength(2)
    await again.close()
  })
})

describe('what a storage node sees', () => {
  it('is neither the sender nor the text', async () => {
    const seen: Sent[] = []
    const alice = await newClient(network, 'Alice', {
      transport: transportWith((sent, send) => {
        seen.push(sent)
        return send()
      }),
    })
    await alice.send(bob.accountId, 'between us')
    const stores = seen.filter(({ method, text }) => method === 'store' && text.includes(bob.accountId))
    expect(stores).toHaveLength(1)
    const { params } = JSON.parse(stores[0]!.text) as { params: Record<string, string> }
    expect(Object.keys(params).toSorted()).toEqual(['data', 'pubkey', 'timestamp', 'ttl'])
    expect(stores[0]!.text).not.toContain(alice.accountId.slice(2))
    expect(Buffer.from(params.data!, 'base64').toString('latin1')).not.toContain('between us')
    await alice.close()
  })
})
