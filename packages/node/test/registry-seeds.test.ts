/** Registries that ask: seeds and the daemon of a chain, over real HTTP and HTTPS. */
import { X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadCrypto, sha256 } from '@session-v2/crypto'
import { encodeBase64, encodeHex } from '@session-v2/encoding'
import { NO_SWARM, type ServiceNode } from '@session-v2/network'
import { afterEach, describe, expect, it } from 'vitest'
import { QUESTION_TIMEOUT_MS, rpcEndpoint } from '../src/registry/json-rpc.ts'
import { LIST_MAX_BYTES } from '../src/registry/list-decoder.ts'
import type { Registry } from '../src/registry/registry.ts'
import { openSeedRegistry, type SeedSource } from '../src/registry/seed-registry.ts'
import { startSeed } from '../src/seed.ts'
import { registryContract } from './registry-contract.ts'
import { type Asked, KeptLog, keysOf, nodes, pollOnce, RpcServer, states } from './registry-nodes.ts'
import { ManualTimers } from './registry-timers.ts'

const crypto = await loadCrypto()
const PEM = readFileSync(new URL('./fixtures/self-signed.pem', import.meta.url))
const SPKI = new X509Certificate(PEM).publicKey.export({ type: 'spki', format: 'der' })
const PIN = sha256(crypto, [SPKI])
const BROKEN = 'nonsense'

const open: { close(): Promise<void> }[] = []
const folders: string[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'registry-seeds-'))
  folders.push(path)
  return path
}

const listed = (list: readonly ServiceNode[]) => ({ service_node_states: states(list) })

async function server(answer: (asked: Asked) => object | string | number, pem?: Buffer): Promise<RpcServer> {
  const started = await RpcServer.start(answer, pem)
  open.push(started)
  return started
}

async function following(seeds: readonly SeedSource[], file = join(folder(), 'kept', 'nodes.json')) {
  const log = new KeptLog()
  const timers = new ManualTimers()
  const registry: Registry = await openSeedRegistry({ crypto, log: log.log, timers, seeds, file })
  open.push(registry)
  return { registry, log, timers, file, count: () => registry.nodes().nodes.length }
}

registryContract('a seed', async first => {
  let current = first
  const seed = await RpcServer.start(() => listed(current))
  const directory = mkdtempSync(join(tmpdir(), 'registry-seeds-'))
  const timers = new ManualTimers()
  const log = new KeptLog()
  const file = join(directory, 'nodes.json')
  const registry = await openSeedRegistry({ crypto, log: log.log, timers, seeds: [{ url: seed.url }], file })
  return {
    registry,
    log,
    async change(list) {
      current = list
      seed.result = () => listed(current)
      await pollOnce(timers)
    },
    async breakIt() {
      seed.result = () => BROKEN
      await pollOnce(timers)
    },
    pending: () => timers.delaysMs,
    async clean() {
      await seed.close()
      rmSync(directory, { recursive: true })
    },
  }
})

describe('seeds (NODE-122)', () => {
  it('are asked in order until one has a list', async () => {
    const bad = [
      '',
      '{}',
      '{"result":[]}',
      '{"result":{"service_node_states":[{}]}}',
      '{"result":{"service_node_states":[]}}',
      500,
      302,
    ]
    const seeds: RpcServer[] = []
    for (const answer of bad) seeds.push(await server(() => answer))
    seeds.push(await server(() => ' '.repeat(LIST_MAX_BYTES + 1)))
    seeds.push(await server(() => ({ unchanged: true })))
    seeds.push(await server(() => listed(nodes(3))))
    seeds.push(await server(() => listed(nodes(9))))
    const { count } = await following(seeds.map(({ url }) => ({ url })))
    expect(count()).toBe(3)
    expect(seeds.map(seed => seed.asked.length)).toEqual([...Array(seeds.length - 1).fill(1), 0])
    expect(seeds[0]!.asked[0]).toMatchObject({
      method: 'get_n_service_nodes',
      params: { active_only: true, fields: { swarm: true } },
    })
  })
  it('leave the start without nodes when none has a list, and say who was asked', async () => {
    const seed = await server(() => 503)
    await expect(following([{ url: seed.url }])).rejects.toMatchObject({
      code: 'bad-registry',
      message: expect.stringContaining(seed.url),
    })
    await expect(following([])).rejects.toMatchObject({ code: 'bad-config' })
  })
  it('are given up when they do not answer', async () => {
    const silent = createServer(() => {})
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
    const good = await server(() => listed(nodes(2)))
    const timers = new ManualTimers()
    const seeds = [{ url: `http://127.0.0.1:${(silent.address() as { port: number }).port}` }, { url: good.url }]
    const opened = openSeedRegistry({ crypto, log: new KeptLog().log, timers, seeds, file: join(folder(), 'nodes.json') })
    await timers.pending(delayMs => delayMs === QUESTION_TIMEOUT_MS)
    timers.fire(delayMs => delayMs === QUESTION_TIMEOUT_MS)
    const registry = await opened
    open.push(registry)
    expect(registry.nodes().nodes).toHaveLength(2)
    silent.close()
  })
  it('of this project answer `unchanged` to the hash of the list (NODE-52)', async () => {
    let list = nodes(3)
    const seed = await startSeed({ host: '127.0.0.1', port: 0, nodes: () => list, log: { level: 'silent' } })
    open.push(seed)
    const { registry, timers, log } = await following([{ url: seed.url }])
    let heard = 0
    registry.changes(() => heard++)
    await pollOnce(timers)
    expect([registry.nodes().nodes, heard]).toEqual([nodes(3), 0])
    list = nodes(4)
    await pollOnce(timers)
    expect([registry.nodes().nodes, heard, log.complaints]).toEqual([nodes(4), 1, []])
  })
  it.each(['127.0.0.1:1', 'ftp://h', 'http://u:p@h', 'http://h/?q', 'http://h/#f', 'file:///x'])('are no %s', url => {
    expect(() => rpcEndpoint(url)).toThrow(expect.objectContaining({ code: 'bad-config' }))
  })
  it('may live below a path', () => {
    expect(rpcEndpoint('https://h/a/b').url.href).toBe('https://h/a/b/json_rpc')
    expect(rpcEndpoint('http://[::1]:5/').url.href).toBe('http://[::1]:5/json_rpc')
  })
})

describe('a doubtful list (NODE-123)', () => {
  it('is taken from one seed when it says so twice in a row', async () => {
    const seed = await server(() => listed(nodes(9)))
    const { count, timers, log } = await following([{ url: seed.url }])
    const counts = []
    for (const list of [nodes(4), nodes(9), nodes(4), nodes(3), nodes(3), nodes(2)]) {
      seed.result = () => listed(list)
      await pollOnce(timers)
      counts.push(count())
    }
    expect(counts).toEqual([9, 9, 9, 9, 3, 2])
    expect(log.complaints).toEqual(Array(3).fill('a doubtful node list is not taken yet'))
  })
  it('is taken at once when a second seed says the same, and never against one that says otherwise', async () => {
    const seeds = [await server(() => listed(nodes(9))), await server(() => listed(nodes(9))), await server(() => 500)]
    const { count, timers } = await following(seeds.map(({ url }) => ({ url })))
    seeds[0]!.result = () => listed(nodes(2))
    for (let i = 0; i < 3; i++) await pollOnce(timers)
    expect(count()).toBe(9)
    seeds[1]!.result = () => listed(nodes(3))
    await pollOnce(timers)
    expect(count()).toBe(9)
    seeds[1]!.result = () => 500
    seeds[2]!.result = () => listed(nodes(2).reverse())
    await pollOnce(timers)
    expect(count()).toBe(2)
  })
  it('is one with as many other nodes, and one of an earlier block', async () => {
    const hash = 'ab'.repeat(32)
    const seed = await server(() => ({ ...listed(nodes(4)), height: 7, block_hash: hash }))
    const { registry, timers } = await following([{ url: seed.url }])
    expect(registry.nodes()).toMatchObject({ height: 7, blockHash: hash })
    seed.result = () => ({ ...listed(nodes(4, 5)), height: 8, block_hash: hash })
    await pollOnce(timers)
    expect(keysOf(registry.nodes().nodes)).toEqual(keysOf(nodes(4)))
    seed.result = () => ({ ...listed(nodes(5)), height: 6, block_hash: hash })
    await pollOnce(timers)
    expect(registry.nodes()).toMatchObject({ height: 7 })
    seed.result = () => ({ ...listed(nodes(5)), height: 8, block_hash: 'cd'.repeat(32) })
    await pollOnce(timers)
    expect(registry.nodes()).toMatchObject({ height: 8, nodes: nodes(5) })
    expect(seed.asked.at(-1)!.params.poll_block_hash).toBe(hash)
  })
})

describe('the kept list (NODE-124)', () => {
  it('starts a node without its seed, and is replaced when the seed is back', async () => {
    const seed = await server(() => listed(nodes(3)))
    const { file, registry } = await following([{ url: seed.url }])
    await registry.close()
    seed.result = () => 503
    const later = await following([{ url: seed.url }], file)
    expect(later.count()).toBe(3)
    await later.timers.pending(delayMs => delayMs === 60_000)
    expect(later.log.complaints).toEqual(['the node list cannot be read; the last one stays in force'])
    seed.result = () => listed(nodes(4))
    await pollOnce(later.timers)
    expect(later.count()).toBe(4)
    await later.registry.close()
    seed.result = () => 503
    expect((await following([{ url: seed.url }], file)).count()).toBe(4)
  })
  it.each(['', '{}', '{"service_node_states":[]}', '\u0000'])('is nothing when it is %j', async text => {
    const file = join(folder(), 'nodes.json')
    writeFileSync(file, text)
    const seed = await server(() => listed(nodes(3)))
    const { count } = await following([{ url: seed.url }], file)
    expect(count()).toBe(3)
    expect(JSON.parse(readFileSync(file, 'utf8')).service_node_states).toHaveLength(3)
    expect(existsSync(`${file}.new`)).toBe(false)
  })
  it('that cannot be kept is no reason to stop', async () => {
    const path = join(folder(), 'file')
    writeFileSync(path, '')
    const seed = await server(() => listed(nodes(3)))
    const { count, log } = await following([{ url: seed.url }], join(path, 'nodes.json'))
    expect(count()).toBe(3)
    expect(log.complaints).toContain('the node list cannot be kept')
  })
})

describe('the pause between questions (NODE-125)', () => {
  it('doubles up to five minutes, and is the old one after an answer', async () => {
    const seed = await server(() => listed(nodes(3)))
    const { timers } = await following([{ url: seed.url }])
    const pauses = [await pollOnce(timers)]
    seed.result = () => BROKEN
    for (let i = 0; i < 6; i++) pauses.push(await pollOnce(timers))
    seed.result = () => listed(nodes(3))
    pauses.push(await pollOnce(timers), await pollOnce(timers))
    expect(pauses.map(ms => ms / 1000)).toEqual([30, 30, 60, 120, 240, 300, 300, 300, 30])
  })
})

describe('a pinned certificate (NODE-126)', () => {
  it.each([encodeHex(PIN), encodeHex(PIN).toUpperCase(), encodeBase64(PIN)])(
    'is accepted though nobody else signed it: %s',
    async pin => {
      const seed = await server(() => listed(nodes(3)), PEM)
      const { count, timers } = await following([{ url: seed.url, pin }])
      seed.result = () => listed(nodes(4))
      await pollOnce(timers)
      expect(count()).toBe(4)
    },
  )
  it('is the only one: another key, or none given for such a certificate, is refused', async () => {
    const seed = await server(() => listed(nodes(3)), PEM)
    const other = await following([{ url: seed.url, pin: '00'.repeat(32) }]).catch((error: Error) => error)
    expect(other).toMatchObject({ code: 'bad-registry', message: expect.stringContaining('not the pinned one') })
    await expect(following([{ url: seed.url }])).rejects.toMatchObject({ code: 'bad-registry' })
  })
  it.each(['', 'ab', '00'.repeat(31), 'é'.repeat(64), encodeBase64(PIN).slice(4)])('is not given by %j', pin => {
    expect(() => rpcEndpoint('https://h', pin)).toThrow(expect.objectContaining({ code: 'bad-config' }))
  })
  it('needs HTTPS', () => {
    expect(() => rpcEndpoint('http://h', encodeHex(PIN))).toThrow(expect.objectContaining({ code: 'bad-config' }))
  })
})

describe('a list with nodes in no swarm', () => {
  it('keeps them', async () => {
    const seed = await server(() => listed([...nodes(2), { ...nodes(1, 3)[0]!, swarmId: NO_SWARM }]))
    expect((await following([{ url: seed.url }])).count()).toBe(3)
  })
})
