/** Onion requests among guards that lie, nodes that die and no network at all: what was sent arrives, and whom it costs what. */
import { randomBytes } from 'node:crypto'
import { Client, fetchHttp, openMemoryStore } from '@session-v2/client'
import { ONION_REPLY_MAX_BYTES, ONION_REQUEST_PATH } from '@session-v2/network'
import { afterEach, describe, expect, it } from 'vitest'
import { type AtProxy, type Intercept, OnionNetwork } from './onion-network.ts'
import { bodies, codeOf, reopen, UNLOCK } from './people.ts'
import { SimulatedTime } from './simulated-time.ts'

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

async function networkOf(nodes: number, swarms = 1): Promise<OnionNetwork> {
  const network = await OnionNetwork.start(nodes, swarms)
  open.push(network)
  return network
}

type Options = Partial<Parameters<typeof Client.create>[0]>

async function join(network: OnionNetwork, name: string, options: Options = {}): Promise<Client> {
  const client = await Client.create({ store: openMemoryStore(), unlock: UNLOCK, seeds: network.seeds, name, ...options })
  open.push(client)
  return client
}

const wayOf = async (client: Client) => (await client.path()).relays.map(({ ed25519 }) => ed25519)

/** The two paths of a client, guards first. */
async function waysOf(client: Client): Promise<string[][]> {
  const ways = new Map<string, string[]>()
  for (let i = 0; ways.size < 2 && i < 30; i++) {
    const way = await wayOf(client)
    ways.set(way.join(), way)
  }
  return [...ways.values()]
}

/** Somebody whose own swarm is reached by both paths: a member that is a relay of one can only be asked over the other. */
async function withTwoWays(network: OnionNetwork): Promise<{ alice: Client; ways: string[][] }> {
  for (;;) {
    const alice = await join(network, 'Alice')
    const ways = await waysOf(alice)
    if (ways.length === 2) return { alice, ways }
    await alice.close()
  }
}

/** From now on the guard does this to onion requests. @returns how often it did */
function spoil(network: OnionNetwork, guards: readonly string[], act: Intercept): { count: number } {
  const done = { count: 0 }
  network.intercept = async request => {
    if (!guards.includes(request.node.ed25519) || request.path !== ONION_REQUEST_PATH) return request.pass()
    done.count++
    await act(request)
  }
  return done
}

const says =
  (status: number, body: string | Uint8Array = ''): Intercept =>
  ({ response }) =>
    void response.writeHead(status).end(body)

/** The proxy of a node gives half of what the node says. */
async function truncated({ ask, response }: AtProxy): Promise<void> {
  const { status, body } = await ask()
  response.writeHead(status, { 'content-length': body.length })
  response.write(body.subarray(0, body.length / 2))
  setTimeout(() => response.destroy(), 10)
}

async function halved({ ask, response }: AtProxy): Promise<void> {
  const { status, body } = await ask()
  response.writeHead(status).end(body.subarray(0, body.length / 2))
}

async function flipped({ ask, response }: AtProxy): Promise<void> {
  const { status, body } = await ask()
  body[body.length >> 1]! ^= 1
  response.writeHead(status).end(body)
}

function endless({ response }: AtProxy): void {
  const part = Buffer.alloc(1_000_000)
  const write = () => {
    while (!response.destroyed && response.write(part));
  }
  response.on('drain', write)
  write()
}

let earlier: Buffer | undefined

/** The first reply there was, again and again. */
async function replayed({ ask, response }: AtProxy): Promise<void> {
  earlier ??= (await ask()).body
  response.writeHead(200).end(earlier)
}

const STRANGER = 'ab'.repeat(32)

const elsewhere = says(421, JSON.stringify({ snodes: [], swarm: '0' }))

const LIES: readonly (readonly [string, Intercept])[] = [
  ['nothing within a 200', says(200)],
  ['noise', says(200, randomBytes(500))],
  ['the reply of another request', replayed],
  ['half of the reply', halved],
  ['a reply that breaks off', truncated],
  ['a reply with one bit changed', flipped],
  ['a reply that is too long', says(200, Buffer.alloc(ONION_REPLY_MAX_BYTES + 1))],
  ['a reply without end', endless],
  ['nothing, and closes', ({ response }) => void response.destroy()],
  ['that it is elsewhere', ({ response }) => void response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()],
  ['that a stranger is missing', says(502, `Next node not found: ${STRANGER}`)],
  ['that a stranger is not ready', says(503, `Snode not ready: ${STRANGER}`)],
  ['that it cannot be opened', says(400, 'Invalid ciphertext')],
  ['that something went wrong', says(500, 'Invalid response from snode')],
  ['that it took too long', says(504, 'Request time out')],
  ['that this is too much', says(429)],
  ['421, unsealed', elsewhere],
  ['406, unsealed', says(406)],
  ['200 with an answer, unsealed', says(200, JSON.stringify({ status: 200, body: '{}' }))],
]

/** The first reply that is replayed is the right one; fetch by itself asks twice where the answer is 421. */
const COUNTS = new Map<Intercept, number>([
  [replayed, 4],
  [elsewhere, 6],
])

describe('a guard that answers', () => {
  it.each(LIES)('%s is gone after three times, now and after a restart, and everything arrives', async (_what, lie) => {
    earlier = undefined
    const network = await networkOf(8)
    const store = openMemoryStore()
    const alice = await join(network, 'Alice', { store })
    const [[liar]] = (await waysOf(alice)) as [[string]]
    const done = spoil(network, [liar], lie)
    for (let i = 0; done.count < 3 && i < 60; i++) expect(await codeOf(alice.path())).toBe('no error')
    for (const text of ['a', 'b', 'c']) expect((await alice.send(alice.accountId, text)).state).toBe('stored')
    for (let i = 0; i < 10; i++) expect((await wayOf(alice))[0]).not.toBe(liar)
    await alice.close()
    const again = await reopen(store)
    open.push(again)
    for (let i = 0; i < 10; i++) expect((await wayOf(again))[0]).not.toBe(liar)
    expect(done.count).toBe(COUNTS.get(lie) ?? 3)
  })

  it('that the node behind it is missing costs itself as much, and nothing is lost', async () => {
    const network = await networkOf(8)
    const alice = await join(network, 'Alice')
    const [[liar, victim]] = (await waysOf(alice)) as [[string, string]]
    const done = spoil(network, [liar], says(502, `Next node not found: ${victim}`))
    for (let i = 0; done.count < 3 && i < 60; i++) expect(await codeOf(alice.path())).toBe('no error')
    for (let i = 0; i < 10; i++) expect((await wayOf(alice))[0]).not.toBe(liar)
    expect((await alice.send(alice.accountId, 'note')).state).toBe('stored')
    expect(done.count).toBe(3)
  })
})

describe('a storage node that is said to be missing', () => {
  /** Nine swarms of one: there is nobody else to ask. */
  async function alone() {
    const network = await networkOf(9, 9)
    const { alice, ways } = await withTwoWays(network)
    const { destination } = await alice.path()
    return {
      network,
      alice,
      guards: ways.map(([guard]) => guard!),
      claim: says(502, `Next node not found: ${destination.ed25519}`),
    }
  }

  it('by one path is asked over the other, and the liar goes', async () => {
    const { network, alice, guards, claim } = await alone()
    const done = spoil(network, guards.slice(0, 1), claim)
    for (let i = 0; done.count < 3 && i < 60; i++) expect(await codeOf(alice.path())).toBe('no error')
    for (let i = 0; i < 10; i++) expect((await wayOf(alice))[0]).not.toBe(guards[0])
    // Fewer when the storage node has become a relay behind the liar: that path then does not lead to it.
    expect([1, 2, 3]).toContain(done.count)
  })

  it('by both is believed for the moment; but they cannot keep it from us', async () => {
    const { network, alice, guards, claim } = await alone()
    const done = spoil(network, guards, claim)
    let failures = 0
    while (failures < 20 && (await codeOf(alice.path())) === 'network-unavailable') failures++
    expect(failures).toBeGreaterThanOrEqual(5)
    expect(failures).toBeLessThanOrEqual(18)
    for (let i = 0; i < 30; i++) expect(await codeOf(alice.path())).toBe('no error')
    for (let i = 0; i < 10; i++) expect(guards).not.toContain((await wayOf(alice))[0])
    // Two at a time eighteen times, and while one of them is left a few alone.
    expect(done.count).toBeLessThanOrEqual(40)
  })

  it('and is, costs the guards nothing, however often', async () => {
    const network = await networkOf(9, 3)
    const { alice, ways } = await withTwoWays(network)
    const guards = ways.map(([guard]) => guard!)
    const used = ways.flat()
    const members = new Set<string>()
    for (let i = 0; members.size < 3 && i < 100; i++) members.add((await alice.path()).destination.ed25519)
    // Only what is no relay of theirs: a dead relay is another story.
    const dead = [...members].filter(member => !used.includes(member))
    await Promise.all(dead.map(member => network.kill(member)))
    for (let i = 0; i < 12; i++) {
      expect((await alice.send(alice.accountId, `${i}`)).state).toMatch(/stored|queued/)
      await codeOf(alice.sync())
    }
    network.seen.length = 0
    for (let i = 0; i < 20; i++) await codeOf(alice.path())
    expect(guards).toEqual(expect.arrayContaining(network.guards))
  })
})

describe('nodes that die while messages are sent', () => {
  it('lose none, whether guard or relay', async () => {
    const network = await networkOf(12, 3)
    const alice = await join(network, 'Alice')
    const bob = await join(network, 'Bob')
    const used = (await waysOf(alice)).flat()
    const guard = used[0]!
    const swarmOfNode = (ed25519: string) => network.nodes.find(node => node.ed25519 === ed25519)!.swarmId
    // Of another swarm: two of four would be too many.
    const relay = used.find(other => swarmOfNode(other) !== swarmOfNode(guard))!
    const texts = Array.from({ length: 30 }, (_, i) => `${i + 1}`)
    const sent: Promise<{ state: string }>[] = []
    for (const [i, text] of texts.entries()) {
      sent.push(alice.send(bob.accountId, text))
      if (i === 9) void network.kill(guard)
      if (i === 19) void network.kill(relay)
      if (i % 10 === 9) await sent.at(-1)
    }
    await Promise.all(sent)
    for (let i = 0; i < 3 && (await alice.messages()).some(({ state }) => state !== 'stored'); i++) await codeOf(alice.sync())
    expect((await alice.messages()).map(({ state }) => state)).toEqual(texts.map(() => 'stored'))
    await bob.sync()
    expect(await bodies(bob)).toEqual(texts)
  })

  it('may be both guards: a third is found, and stays', async () => {
    const network = await networkOf(10)
    const store = openMemoryStore()
    const alice = await join(network, 'Alice', { store })
    const guards = (await waysOf(alice)).map(([guard]) => guard!)
    await Promise.all(guards.map(guard => network.kill(guard)))
    for (let i = 0; i < 12; i++) expect(await codeOf(alice.path())).toBe('no error')
    network.seen.length = 0
    const later = new Set<string>()
    for (let i = 0; i < 12; i++) later.add((await wayOf(alice))[0]!)
    expect(later.size).toBe(2)
    expect(guards.some(guard => later.has(guard))).toBe(false)
    expect(new Set(network.guards)).toEqual(later)
  })
})

describe('no connection at all', () => {
  it('is held against nobody', async () => {
    const network = await networkOf(10)
    const store = openMemoryStore()
    let isDown = false
    const toNode: typeof fetchHttp.toNode = async (url, body, signal) => {
      if (isDown) throw new Error('no connection')
      return fetchHttp.toNode(url, body, signal)
    }
    const alice = await join(network, 'Alice', { store, http: { ...fetchHttp, toNode } })
    const ways = await waysOf(alice)
    isDown = true
    for (let i = 0; i < 10; i++) expect(await codeOf(alice.path())).toBe('network-unavailable')
    expect((await alice.send(alice.accountId, 'note')).state).toBe('queued')
    isDown = false
    for (let i = 0; i < 10; i++) expect(ways).toContainEqual(await wayOf(alice))
    await alice.sync()
    expect((await alice.messages()).map(({ state }) => state)).toEqual(['stored'])
  })
})

describe('a guard that is silent', () => {
  it('is waited for ten seconds, then the request goes another way', async () => {
    const network = await networkOf(8)
    const time = new SimulatedTime(Date.now())
    const alice = await join(network, 'Alice', { timers: time })
    const [[silent]] = (await waysOf(alice)) as [[string]]
    const done = spoil(network, [silent], () => {})
    while (done.count < 3) {
      const before = done.count
      const way = wayOf(alice)
      const pulse = setInterval(() => done.count > before && time.advance(1_000), 20)
      expect((await way)[0]).not.toBe(silent)
      clearInterval(pulse)
    }
    for (let i = 0; i < 10; i++) expect((await wayOf(alice))[0]).not.toBe(silent)
  })

  it('does not hold up closing', async () => {
    const network = await networkOf(8)
    const alice = await join(network, 'Alice')
    const guards = (await waysOf(alice)).map(([guard]) => guard!)
    const done = spoil(network, guards, () => {})
    const sync = codeOf(alice.sync())
    while (done.count === 0) await new Promise(resolve => setTimeout(resolve, 5))
    await alice.close()
    expect(await sync).toBe('network-unavailable')
  })
})
