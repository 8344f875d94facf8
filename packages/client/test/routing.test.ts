/** Where the list of nodes comes from, once there is one: nodes that agree, seeds where they do not. */
import { fetchHttp, openMemoryStore, type Transport } from '@session-v2/client'
import { loadCrypto, systemRandom } from '@session-v2/crypto'
import { decodeUtf8, encodeUtf8 } from '@session-v2/encoding'
import type { ServiceNode } from '@session-v2/network'
import { afterEach, describe, expect, it } from 'vitest'
import { EventLog } from '../src/events/event-log.ts'
import { agreedNodes, isSameList } from '../src/routing/node-consensus.ts'
import { type DirectoryRecord, NodeDirectory } from '../src/routing/node-directory.ts'
import { Scheduler } from '../src/scheduler/scheduler.ts'
import { systemTimers } from '../src/scheduler/system-timers.ts'
import { SealedStore } from '../src/store/sealed/sealed-store.ts'
import { createVault } from '../src/store/sealed/vault.ts'
import { openWay, type TransportChoice } from '../src/transport/way.ts'
import { OnionNetwork } from './onion-network.ts'
import { UNLOCK } from './people.ts'
import { SimulatedTime } from './simulated-time.ts'

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

async function networkOf(nodes: number): Promise<OnionNetwork> {
  const network = await OnionNetwork.start(nodes)
  open.push(network)
  return network
}

/** A directory that has asked the seed already, long enough ago to ask anew. */
async function directoryOf(network: OnionNetwork, choice: TransportChoice) {
  const crypto = await loadCrypto()
  const random = systemRandom()
  const store = new SealedStore(crypto, random, openMemoryStore(), createVault(crypto, random, UNLOCK).dataKey)
  const clock = new SimulatedTime(Date.now())
  const scheduler = new Scheduler(systemTimers, random)
  const { transport, learn, notices } = await openWay(choice, { crypto, random, clock, scheduler, store, http: fetchHttp })
  const events = await EventLog.open(store)
  const table = store.table<DirectoryRecord>('network')
  const seeds = network.seeds
  const directory = await NodeDirectory.open({ clock, transport, scheduler, events, table, seeds, learn, notices })
  await directory.nodes()
  clock.advance(60_000)
  return directory
}

/** The onion transport, with lists of nodes changed on their way here. */
const changing =
  (change: (states: object[], asked: number) => object[]): ((onion: Transport) => Transport) =>
  onion => {
    let asked = 0
    return {
      sendToSeed: (url, body, signal) => onion.sendToSeed(url, body, signal),
      hidesAddress: () => onion.hidesAddress?.() ?? false,
      send: async (node, body, signal) => {
        const answer = await onion.send(node, body, signal)
        const content = JSON.parse(decodeUtf8(answer.body)) as { result: { service_node_states: object[] } }
        content.result.service_node_states = change(content.result.service_node_states, asked++)
        return { ...answer, body: encodeUtf8(JSON.stringify(content)) }
      },
    }
  }

const ports = (nodes: readonly ServiceNode[]) => nodes.map(({ port }) => port).sort()

describe('a list that is asked for again', () => {
  it('comes from nodes through relays, and from no seed', async () => {
    const network = await networkOf(8)
    const directory = await directoryOf(network, 'onion')
    expect(ports(await directory.nodes())).toEqual(ports(network.nodes))
    // The nodes list themselves where they are, not where their proxies are.
    expect(await directory.changed()).toBe(true)
    expect(ports(await directory.nodes()).some(port => ports(network.nodes).includes(port))).toBe(false)
    expect([await directory.nodes(), network.seedRequests]).toMatchObject([{ length: 8 }, 1])
    expect(new Set(network.seen.map(({ path }) => path))).toEqual(new Set(['/onion_req/v2']))
    expect(await directory.changed()).toBe(false)
  })

  it('comes from the seed where nodes would see who asks', async () => {
    const network = await networkOf(8)
    const directory = await directoryOf(network, 'direct')
    expect(await directory.changed()).toBe(false)
    expect([network.seedRequests, network.seen]).toEqual([2, []])
  })

  it('comes from the seed where there are too few nodes for a path', async () => {
    const network = await networkOf(3)
    const directory = await directoryOf(network, 'onion')
    expect(await directory.changed()).toBe(false)
    expect([network.seedRequests, network.seen]).toEqual([2, []])
  })

  it.each<[string, Parameters<typeof changing>[0]]>([
    ['adds nodes', (states, asked) => (asked === 1 ? [...states, ...states.map(renamed)] : states)],
    ['leaves some out', (states, asked) => (asked === 1 ? states.slice(2) : states)],
    ['has nothing to say', (states, asked) => (asked === 1 ? [] : states)],
    ['talks nonsense', (states, asked) => (asked === 1 ? [{}] : states)],
  ])('comes from the seed when one of three %s', async (_what, change) => {
    const network = await networkOf(8)
    const directory = await directoryOf(network, changing(change))
    expect(await directory.changed()).toBe(false)
    expect(network.seedRequests).toBe(2)
    expect(ports(await directory.nodes())).toEqual(ports(network.nodes))
  })

  it('comes from the seed when a node is silent', async () => {
    const network = await networkOf(8)
    const directory = await directoryOf(network, onion => ({
      sendToSeed: (url, body, signal) => onion.sendToSeed(url, body, signal),
      hidesAddress: () => true,
      send: () => Promise.reject(new Error('silent')),
    }))
    expect(await directory.changed()).toBe(false)
    expect(network.seedRequests).toBe(2)
  })
})

const renamed = (state: object) => ({ ...state, pubkey_ed25519: 'ab'.repeat(32) })

const node = (i: number): ServiceNode => {
  const key = i.toString(16).padStart(64, '0')
  return { ed25519: key, x25519: key, host: 'node.example', port: i + 1, protocol: 'https', swarmId: BigInt(i % 3) }
}
const list = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => node(from + i))

describe('lists of nodes', () => {
  it('agree in what all of them hold, in any order', () => {
    expect(agreedNodes([list(0, 20), list(0, 20).reverse(), list(0, 20)])).toEqual(list(0, 20))
    expect(agreedNodes([list(0, 20), list(1, 20), list(0, 19)])).toEqual(list(1, 19))
  })

  it('do not agree when they differ in more than a tenth', () => {
    expect(agreedNodes([list(0, 20), list(2, 20), list(0, 19)])).toBeUndefined()
    expect(agreedNodes([list(0, 20), list(0, 20), list(0, 23)])).toBeUndefined()
    expect(agreedNodes([[], [], []])).toBeUndefined()
    expect(agreedNodes([list(0, 5), [], list(0, 5)])).toBeUndefined()
  })

  it('count a node once, however often it is named', () => {
    const padded = [...list(0, 10), ...Array.from({ length: 10 }, () => node(0))]
    expect(agreedNodes([padded, list(0, 20), list(0, 20)])).toBeUndefined()
    expect(agreedNodes([padded, list(0, 10), list(0, 10)])).toEqual(list(0, 10))
    expect(isSameList(padded, list(0, 10))).toBe(true)
  })

  it.each<[string, Partial<ServiceNode>]>([
    ['key', { x25519: 'ff'.repeat(32) }],
    ['host', { host: 'other.example' }],
    ['port', { port: 9 }],
    ['protocol', { protocol: 'http' }],
    ['swarm', { swarmId: 2n ** 63n }],
  ])('differ where a node has another %s', (_what, change) => {
    const other = list(0, 5).with(2, { ...node(2), ...change })
    expect(agreedNodes([list(0, 5), list(0, 5), other])).toBeUndefined()
    expect(isSameList(list(0, 5), other)).toBe(false)
    expect(isSameList(list(0, 5), list(0, 5).reverse())).toBe(true)
    expect(isSameList(list(0, 5), list(0, 4))).toBe(false)
  })
})
