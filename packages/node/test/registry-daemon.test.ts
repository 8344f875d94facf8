/** The daemon of a chain as the registry, played by a server that answers as one does (NODE-127). */
import { loadCrypto } from '@session-v2/crypto'
import { NO_SWARM, type ServiceNode } from '@session-v2/network'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type Announcement,
  DAEMON_PING_MS,
  DAEMON_POLL_MS,
  daemonPeerReports,
  openDaemonRegistry,
  REPORTS_MAX,
  startDaemonPing,
} from '../src/registry/daemon-registry.ts'
import { registryContract } from './registry-contract.ts'
import { type Asked, KeptLog, node, nodes, pollOnce, RpcServer } from './registry-nodes.ts'
import { ManualTimers } from './registry-timers.ts'

const crypto = await loadCrypto()
const LEGACY = 'ef'.repeat(32)

let closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.reverse()) await close()
  closing = []
})

/** An entry as the daemon writes it: the swarm as a number with all its digits, fields of the chain beside it. */
function chainEntry({ ed25519, x25519, host, port, swarmId }: ServiceNode, more: object = {}): string {
  const entry = {
    service_node_pubkey: LEGACY,
    pubkey_ed25519: ed25519,
    pubkey_x25519: x25519,
    public_ip: host,
    storage_port: port,
    storage_lmq_port: port + 1,
    storage_server_version: [2, 8, 0],
    swarm_id: 0,
    funded: true,
    active: swarmId !== NO_SWARM,
    requested_unlock_height: 0,
    registration_height: 5,
    ...more,
  }
  return JSON.stringify(entry).replace('"swarm_id":0', `"swarm_id":${swarmId}`)
}

function chainAnswer(entries: readonly string[], height: number): string {
  const head = `"height":${height},"block_hash":"${height.toString(16).padStart(64, '0')}","hardfork":19,"status":"OK"`
  return `{"jsonrpc":"2.0","id":0,"result":{${head},"service_node_states":[${entries}]}}`
}

/** Answers `unchanged` to whoever has the block, as the daemon does. */
class Chain {
  height = 1
  entries: readonly string[]
  constructor(entries: readonly string[]) {
    this.entries = entries
  }
  readonly answer = ({ method, params }: Asked): object | string => {
    if (method !== 'get_service_nodes') return { status: 'OK' }
    const answered = chainAnswer(this.entries, this.height)
    const { block_hash: hash } = JSON.parse(answered).result
    return params.poll_block_hash === hash ? { unchanged: true, block_hash: hash, status: 'OK' } : answered
  }
  mine(entries: readonly string[]): void {
    this.entries = entries
    this.height++
  }
}

const asHttps = (list: readonly ServiceNode[]): ServiceNode[] => list.map(one => ({ ...one, protocol: 'https' }))

async function daemon(first: readonly string[]) {
  const chain = new Chain(first)
  const server = await RpcServer.start(chain.answer)
  const timers = new ManualTimers()
  const log = new KeptLog()
  return { chain, server, timers, log, options: { crypto, log: log.log, timers, url: server.url } }
}

async function running(first: readonly string[]) {
  const parts = await daemon(first)
  closing.push(() => parts.server.close())
  return parts
}

registryContract('the daemon', async first => {
  const entries = (list: readonly ServiceNode[]) => list.map(one => chainEntry(one))
  const { chain, server, timers, log, options } = await daemon(entries(first))
  return {
    registry: await openDaemonRegistry(options),
    log,
    async change(list) {
      chain.mine(entries(list))
      server.result = chain.answer
      await pollOnce(timers)
    },
    async breakIt() {
      server.result = () => '{"result":'
      await pollOnce(timers)
    },
    pending: () => timers.delaysMs,
    clean: () => server.close(),
  }
})

describe('the list of the daemon', () => {
  it('has every running node, with all digits of its swarm and its own keys', async () => {
    const id = 0x8000_0000_0000_0001n
    const { options } = await running([
      chainEntry(node(1, id)),
      chainEntry(node(2, NO_SWARM)),
      chainEntry(node(3), { funded: false }),
      chainEntry(node(4), { public_ip: '0.0.0.0', storage_port: 0, pubkey_ed25519: '', pubkey_x25519: '' }),
      chainEntry(node(5), { public_ip: undefined }),
      chainEntry(node(6), { pubkey_ed25519: '' }),
    ])
    const registry = await openDaemonRegistry(options)
    closing.push(() => registry.close())
    const more = { legacy: LEGACY, version: [2, 8, 0] }
    expect(registry.nodes()).toEqual({
      height: 1,
      blockHash: '1'.padStart(64, '0'),
      nodes: asHttps([node(1, id), node(2, NO_SWARM)]).map(one => ({ ...one, ...more, omqPort: one.port + 1 })),
    })
  })
  it('is asked for with the block that is known, and a block that changes no node tells nobody', async () => {
    const entries = nodes(3).map(one => chainEntry(one))
    const { chain, server, timers, options } = await running(entries)
    const registry = await openDaemonRegistry(options)
    closing.push(() => registry.close())
    let heard = 0
    registry.changes(() => heard++)
    expect(await pollOnce(timers)).toBe(DAEMON_POLL_MS)
    chain.mine(entries)
    await pollOnce(timers)
    await pollOnce(timers)
    expect([heard, registry.nodes().height]).toEqual([0, 2])
    const hashes = server.asked.map(({ params }) => params.poll_block_hash)
    expect(hashes).toEqual([undefined, ...[1, 1, 2].map(n => String(n).padStart(64, '0'))])
    expect(server.asked[0]).toMatchObject({
      method: 'get_service_nodes',
      params: { active_only: false, fields: { swarm_id: true } },
    })
  })
  it('is nothing to start with when it cannot be read', async () => {
    const { server, options } = await running([])
    for (const answer of [
      500,
      '',
      '{"error":{"code":-1}}',
      { unchanged: true },
      { service_node_states: [{ public_ip: 1 }, 5] },
    ]) {
      server.result = () => answer
      await expect(openDaemonRegistry(options)).rejects.toMatchObject({ code: 'bad-registry' })
    }
    await expect(openDaemonRegistry({ ...options, url: 'chain' })).rejects.toMatchObject({ code: 'bad-config' })
  })
})

const isPing = (delayMs: number): boolean => delayMs === DAEMON_PING_MS

describe('what the daemon is told', () => {
  it('every 30 s that the node runs, also after the daemon was away or the state could not be told', async () => {
    const { server, timers, log, options } = await running([])
    let announced: Announcement | undefined = { ed25519: LEGACY, port: 1, omqPort: 2 }
    const stop = startDaemonPing(options, () => announced as Announcement)
    const again = async () => {
      await timers.pending(isPing)
      timers.fire(isPing)
      await timers.pending(isPing)
    }
    await again()
    server.result = () => 500
    await again()
    await again()
    announced = undefined
    await again()
    server.result = () => ({ status: 'OK' })
    announced = { ed25519: LEGACY, port: 1, omqPort: 2, error: 'not in any swarm' }
    await again()
    const told = { version: [2, 8, 0], https_port: 1, omq_port: 2, pubkey_ed25519: LEGACY }
    expect(server.asked.map(({ params }) => params)).toEqual([...Array(4).fill(told), { ...told, error: 'not in any swarm' }])
    expect(new Set(server.asked.map(({ method }) => method))).toEqual(new Set(['storage_server_ping']))
    expect(log.complaints).toEqual(['the daemon does not take a message'])
    stop()
    expect(timers.delaysMs.filter(isPing)).toEqual([])
  })
  it('results of tests, under the key of the chain, so many at once', async () => {
    const { server, options } = await running([])
    const reports = daemonPeerReports(options)
    const all = new Promise<void>(resolve => {
      server.result = () => {
        if (server.asked.length === REPORTS_MAX) resolve()
        return { status: 'OK' }
      }
    })
    reports.report({ ...node(1), legacy: LEGACY }, false)
    for (let n = 2; n <= REPORTS_MAX + 9; n++) reports.report(node(n), true)
    await all
    expect(server.asked).toHaveLength(REPORTS_MAX)
    const told = server.asked.map(({ params }) => params)
    expect(told).toContainEqual({ type: 'storage', pubkey: LEGACY, passed: false })
    expect(told).toContainEqual({ type: 'storage', pubkey: node(2).ed25519, passed: true })
    reports.close()
    reports.report(node(1), true)
    expect(server.asked).toHaveLength(REPORTS_MAX)
  })
})
