/** Clients over onion requests, with real nodes: who is asked, who is not, and what lives on after a restart. */
import { Client, fetchHttp, type Http, openMemoryStore } from '@session-v2/client'
import { ONION_REQUEST_PATH, type ServiceNode, serviceNodeUrl, swarmOf } from '@session-v2/network'
import { accountIdBytes, parseAccountId } from '@session-v2/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { PATH_LIFE_MS } from '../src/transport/paths.ts'
import { OnionNetwork } from './onion-network.ts'
import { bodies, codeOf, eventsOf, eventTypes, reopen, UNLOCK } from './people.ts'
import { DAY_MS, SimulatedTime } from './simulated-time.ts'

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

async function networkOf(nodes: number, swarms = 1, clock?: { nowMs(): number }): Promise<OnionNetwork> {
  const network = await OnionNetwork.start(nodes, swarms, clock)
  open.push(network)
  return network
}

type Options = Partial<Parameters<typeof Client.create>[0]>

async function join(network: OnionNetwork, name: string, options: Options = {}): Promise<Client> {
  const client = await Client.create({ store: openMemoryStore(), unlock: UNLOCK, seeds: network.seeds, name, ...options })
  open.push(client)
  return client
}

const pathsOf = (network: OnionNetwork) => new Set(network.seen.map(({ path }) => path))

/** Members of an account's swarm. */
function swarm(network: OnionNetwork, accountId: string): ServiceNode[] {
  const id = swarmOf(accountIdBytes(parseAccountId(accountId)), [...new Set(network.nodes.map(node => node.swarmId))])
  return network.nodes.filter(node => node.swarmId === id)
}

describe('in a network of eight nodes', () => {
  it('two people exchange messages, and no node is asked but through three relays', async () => {
    const network = await networkOf(8, 2)
    const alice = await join(network, 'Alice')
    const aliceGuards = network.guards
    const bob = await join(network, 'Bob')
    const sent = await Promise.all(['a', 'b', 'c'].map(text => alice.send(bob.accountId, text)))
    expect(sent.map(({ state, protocol }) => `${state} ${protocol}`)).toEqual(Array(3).fill('stored v2-pfs'))
    await bob.sync()
    await bob.send(alice.accountId, 'd')
    await alice.sync()
    expect(await bodies(bob)).toEqual(['a', 'b', 'c', 'd'])
    expect(await bodies(alice)).toEqual(['a', 'b', 'c', 'd'])
    expect(pathsOf(network)).toEqual(new Set([ONION_REQUEST_PATH]))
    expect(aliceGuards.length).toBeLessThanOrEqual(2)
    expect(network.guards.length).toBeLessThanOrEqual(4)
    expect(network.seedRequests).toBe(2)
    expect(alice.transport()).toBe('onion')
  })

  it('the path that is shown has three different relays, a guard in use and a destination that is none of them', async () => {
    const network = await networkOf(8, 2)
    const alice = await join(network, 'Alice')
    for (let i = 0; i < 12; i++) {
      const { transport, relays, destination } = await alice.path()
      expect(transport).toBe('onion')
      expect(new Set([...relays, destination].map(({ ed25519 }) => ed25519)).size).toBe(4)
      expect(network.guards).toContain(relays[0]!.ed25519)
      expect(swarm(network, alice.accountId).map(({ ed25519 }) => ed25519)).toContain(destination.ed25519)
      const known = network.nodes.map(({ ed25519, host, port }) => ({ ed25519, address: `${host}:${port}` }))
      expect(known).toEqual(expect.arrayContaining([...relays, destination]))
    }
    expect(network.guards.length).toBeLessThanOrEqual(2)
  })

  it('a program may watch the requests before they are sealed', async () => {
    const network = await networkOf(8)
    const methods: string[] = []
    const alice = await join(network, 'Alice', {
      transport: onion => ({
        send: (node, body, signal) => {
          methods.push(JSON.parse(Buffer.from(body).toString()).method)
          return onion.send(node, body, signal)
        },
        sendToSeed: (url, body, signal) => onion.sendToSeed(url, body, signal),
      }),
    })
    await alice.send(alice.accountId, 'note')
    expect(methods).toContain('store')
    expect(pathsOf(network)).toEqual(new Set([ONION_REQUEST_PATH]))
  })

  it('who chose to go directly does so', async () => {
    const network = await networkOf(8)
    const alice = await join(network, 'Alice', { transport: 'direct' })
    expect((await alice.send(alice.accountId, 'note')).state).toBe('stored')
    expect(pathsOf(network)).toEqual(new Set(['/storage_rpc/v1']))
    expect(await alice.path()).toMatchObject({ transport: 'direct', relays: [] })
    expect(await eventTypes(alice)).not.toContain('requests_direct')
  })
})

describe('in a small network', () => {
  it('of four nodes three are the path to the fourth', async () => {
    const network = await networkOf(4)
    const alice = await join(network, 'Alice')
    expect((await alice.send(alice.accountId, 'note')).state).toBe('stored')
    expect(pathsOf(network)).toEqual(new Set([ONION_REQUEST_PATH]))
    const { relays, destination } = await alice.path()
    expect(new Set([...relays, destination].map(({ ed25519 }) => ed25519)).size).toBe(4)
  })

  it.each([1, 3])('of %i on this computer requests go directly, and that is told once', async nodes => {
    const network = await networkOf(nodes)
    const store = openMemoryStore()
    const alice = await join(network, 'Alice', { store })
    expect((await alice.send(alice.accountId, 'note')).state).toBe('stored')
    expect(alice.transport()).toBe('direct')
    expect(await alice.path()).toMatchObject({ transport: 'direct', relays: [] })
    await alice.close()
    const again = await reopen(store)
    open.push(again)
    await again.sync()
    expect((await eventsOf(again)).filter(({ type }) => type === 'requests_direct')).toMatchObject([{ nodes }])
  })

  it.each(['node.example', '203.0.113.7', 'localhost.example', '128.0.0.1', '::2'])(
    'of three with %s among them nothing goes directly that was not chosen to',
    async host => {
      const network = await networkOf(3)
      const asked: string[] = []
      const elsewhere = serviceNodeUrl({ ...network.nodes[0]!, host })
      const http: Http = {
        toSeed: fetchHttp.toSeed,
        toNode: (url, body, signal) => {
          asked.push(url)
          return fetchHttp.toNode(url.replace(elsewhere, serviceNodeUrl(network.nodes[0]!)), body, signal)
        },
      }
      network.listed = network.nodes.with(0, { ...network.nodes[0]!, host })
      const store = openMemoryStore()
      const alice = await join(network, 'Alice', { http, store })
      expect((await alice.send(alice.accountId, 'note')).state).toBe('queued')
      expect([await codeOf(alice.sync()), await codeOf(alice.path())]).toEqual(['no-path', 'no-path'])
      expect([alice.transport(), asked]).toEqual(['none', []])
      expect(await eventTypes(alice)).not.toContain('requests_direct')
      await alice.close()
      const chosen = await reopen(store, { http, transport: 'direct' })
      open.push(chosen)
      await chosen.sync()
      expect((await chosen.messages()).map(({ state }) => state)).toEqual(['stored'])
      expect(asked.length).toBeGreaterThan(0)
    },
  )

  it('that grows, requests go through relays from then on', async () => {
    const network = await networkOf(6)
    const [first, second, ...others] = network.nodes
    network.listed = [first!, second!]
    const store = openMemoryStore()
    const alice = await join(network, 'Alice', { store })
    expect(alice.transport()).toBe('direct')
    await alice.close()
    await Promise.all([network.kill(first!.ed25519), network.kill(second!.ed25519)])
    network.listed = others
    network.seen.length = 0
    const again = await reopen(store)
    open.push(again)
    await again.sync()
    expect([again.transport(), pathsOf(network)]).toEqual(['onion', new Set([ONION_REQUEST_PATH])])
  })
})

describe('a restart', () => {
  it('keeps guards and paths', async () => {
    const network = await networkOf(12)
    const store = openMemoryStore()
    const alice = await join(network, 'Alice', { store })
    const ways = new Set<string>()
    const way = async (client: Client) => (await client.path()).relays.map(({ ed25519 }) => ed25519).join()
    for (let i = 0; i < 20; i++) ways.add(await way(alice))
    await alice.close()
    expect(ways.size).toBe(2)
    for (let restarts = 0; restarts < 4; restarts++) {
      const again = await reopen(store)
      for (let i = 0; i < 4; i++) expect(ways).toContain(await way(again))
      await again.close()
    }
  })

  it.each([DAY_MS + 1, -DAY_MS - 1])('after %i ms keeps the guards, with new relays behind them', async laterMs => {
    const time = new SimulatedTime(Date.now())
    const network = await networkOf(30, 1, time)
    const store = openMemoryStore()
    const alice = await join(network, 'Alice', { store, clock: time })
    const ways = new Set<string>()
    for (let i = 0; i < 20; i++) ways.add((await alice.path()).relays.map(({ ed25519 }) => ed25519).join())
    await alice.close()
    const guards = [...ways].map(way => way.split(',')[0])
    expect(PATH_LIFE_MS).toBe(DAY_MS)
    // The clock of the device; the network's own went on too.
    const later = new SimulatedTime(time.nowMs() + laterMs)
    time.advance(Math.max(0, laterMs))
    const again = await reopen(store, { clock: later })
    open.push(again)
    for (let i = 0; i < 8; i++) {
      const relays = (await again.path()).relays.map(({ ed25519 }) => ed25519)
      expect(guards).toContain(relays[0])
      expect(ways).not.toContain(relays.join())
    }
  })
})

describe('what nodes answer', () => {
  it('406: the clock is corrected', async () => {
    const time = new SimulatedTime(Date.now() - 3_600_000)
    const network = await networkOf(6)
    const alice = await join(network, 'Alice', { clock: time })
    expect((await alice.send(alice.accountId, 'note')).state).toBe('stored')
    expect(pathsOf(network)).toEqual(new Set([ONION_REQUEST_PATH]))
  })

  it('421: the account is found in its other swarm', async () => {
    const network = await networkOf(8, 2)
    const [low, high] = [...new Set(network.nodes.map(node => node.swarmId))] as [bigint, bigint]
    network.listed = network.nodes.map(node => ({ ...node, swarmId: node.swarmId === low ? high : low }))
    const alice = await join(network, 'Alice')
    expect((await alice.send(alice.accountId, 'note')).state).toBe('stored')
    expect(pathsOf(network)).toEqual(new Set([ONION_REQUEST_PATH]))
    const members = swarm(network, alice.accountId).map(({ ed25519 }) => ed25519)
    expect(members).toContain((await alice.path()).destination.ed25519)
  })
})
