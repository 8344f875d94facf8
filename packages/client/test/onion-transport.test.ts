/** The onion transport by itself: the contract of transports, and the nodes and requests that no path can carry. */
import { fetchHttp, openMemoryStore } from '@session-v2/client'
import { transportContract } from '@session-v2/client/testing'
import { loadCrypto, seededRandom, systemRandom } from '@session-v2/crypto'
import { buildRetrieve, encodeRequest, NAMESPACE, type ServiceNode, swarmOf } from '@session-v2/network'
import { type AccountId, accountFromSeed, accountIdBytes } from '@session-v2/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { Scheduler } from '../src/scheduler/scheduler.ts'
import { systemTimers } from '../src/scheduler/system-timers.ts'
import { SealedStore } from '../src/store/sealed/sealed-store.ts'
import { createVault } from '../src/store/sealed/vault.ts'
import { OnionTransport } from '../src/transport/onion.ts'
import { Paths } from '../src/transport/paths.ts'
import { OnionNetwork } from './onion-network.ts'
import { UNLOCK } from './people.ts'

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

async function networkOf(nodes: number, swarms = 1): Promise<OnionNetwork> {
  const network = await OnionNetwork.start(nodes, swarms)
  open.push(network)
  return network
}

/** Members of an account's swarm. */
function swarm(network: OnionNetwork, accountId: AccountId): ServiceNode[] {
  const id = swarmOf(accountIdBytes(accountId), [...new Set(network.nodes.map(node => node.swarmId))])
  return network.nodes.filter(node => node.swarmId === id)
}

async function transportOn(nodes: readonly ServiceNode[]) {
  const crypto = await loadCrypto()
  const random = systemRandom()
  const store = new SealedStore(crypto, random, openMemoryStore(), createVault(crypto, random, UNLOCK).dataKey)
  const paths = await Paths.open(random, { nowMs: () => Date.now() }, store)
  paths.learn(nodes)
  const scheduler = new Scheduler(systemTimers, random)
  return new OnionTransport({ crypto, random, scheduler, http: fetchHttp, paths })
}

/** A request about an account that is not the node's. */
async function misdirectedRequest(network: OnionNetwork, node: ServiceNode): Promise<Uint8Array> {
  const crypto = await loadCrypto()
  for (;;) {
    const { id } = accountFromSeed(crypto, systemRandom().bytes(32))
    if (swarm(network, id).includes(node)) continue
    return encodeRequest(buildRetrieve(crypto, { accountId: id, namespace: NAMESPACE.accountKeys, timestampMs: Date.now() }))
  }
}

describe('the onion transport', () => {
  for (const check of transportContract) {
    it(check.name, async () => {
      const network = await networkOf(6, 2)
      const [node, silentNode] = network.nodes as [ServiceNode, ServiceNode]
      // No relay knows it.
      const absentNode = { ...node, ed25519: '00'.repeat(32) }
      const misdirected = await misdirectedRequest(network, node)
      const transport = await transportOn(network.nodes)
      await check.run({ transport, node, misdirected, silentNode, absentNode, seedUrl: network.seeds[0]! })
    })
  }

  it('never uses a node that nothing can be sealed to, and says so when it is the one to be asked', async () => {
    const network = await networkOf(6)
    const bad = { ...network.nodes[0]!, x25519: '00'.repeat(32) }
    const nodes = network.nodes.with(0, bad)
    for (let i = 0; i < 12; i++) {
      const transport = await transportOn(nodes)
      const { status, relays } = await transport.send(nodes[1]!, Buffer.from('{}'), new AbortController().signal)
      expect([status, relays!.includes(bad)]).toEqual([400, false])
      await expect(transport.send(bad, Buffer.from('{}'), new AbortController().signal)).rejects.toMatchObject({
        retry: 'other-node',
      })
    }
  })

  it('refuses a request that is too large, without a word to anybody', async () => {
    const network = await networkOf(4)
    const transport = await transportOn(network.nodes)
    const sending = transport.send(network.nodes[0]!, new Uint8Array(11_000_000), new AbortController().signal)
    await expect(sending).rejects.toMatchObject({ code: 'too-large', retry: 'never' })
    expect(network.seen).toEqual([])
  })

  it('carries a hundred requests at once', async () => {
    const network = await networkOf(8)
    const transport = await transportOn(network.nodes)
    const send = (i: number) =>
      transport.send(network.nodes[i % 8]!, Buffer.from('{"method":"info","params":{}}'), new AbortController().signal)
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => send(i)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    answers.forEach(({ relays }, i) => {
      expect(relays).not.toContainEqual(network.nodes[i % 8])
    })
  })
})

describe('a restart', () => {
  it('holds a guard to what it did before a restart', async () => {
    const crypto = await loadCrypto()
    const random = seededRandom(crypto, new Uint8Array(32))
    const store = new SealedStore(crypto, random, openMemoryStore(), createVault(crypto, random, UNLOCK).dataKey)
    const nodes = Array.from({ length: 12 }, (_, i): ServiceNode => {
      const key = i.toString(16).padStart(64, '0')
      return { ed25519: key, x25519: key, host: '127.0.0.1', port: 1 + i, protocol: 'http', swarmId: 0n }
    })
    const opened = async () => {
      const paths = await Paths.open(random, { nowMs: () => 1_000 }, store)
      paths.learn(nodes)
      return paths
    }
    const guardOf = async (paths: Paths) => (await paths.choose('none'))!.hops[0]!.ed25519
    const guard = await guardOf(await opened())
    for (let lies = 0; lies < 3; lies++) {
      const paths = await opened()
      let path = (await paths.choose('none'))!
      while (path.hops[0]!.ed25519 !== guard) path = (await paths.choose('none'))!
      await paths.failed(path, { kind: 'path' })
    }
    const paths = await opened()
    for (let i = 0; i < 40; i++) expect(await guardOf(paths)).not.toBe(guard)
  })
})
