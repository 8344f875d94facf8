/** Registries of memory and of a file, how lists are read, and what a change of lists means. */
import { mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadCrypto } from '@session-v2/crypto'
import { NO_SWARM, NODE_LIST_MAX, type ServiceNode } from '@session-v2/network'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeList, encodeList, LIST_MAX_BYTES, parseWithSwarmIds } from '../src/registry/list-decoder.ts'
import { listHash } from '../src/registry/list-hash.ts'
import { MemoryRegistry } from '../src/registry/registry.ts'
import { openFileRegistry, readRegistryFile } from '../src/registry/registry-file.ts'
import { swarmChange } from '../src/registry/swarm-change.ts'
import { registryContract } from './registry-contract.ts'
import { KeptLog, keysOf, node, nodes, pollOnce, states } from './registry-nodes.ts'
import { ManualTimers } from './registry-timers.ts'

const crypto = await loadCrypto()

registryContract('a list in memory', async first => {
  const log = new KeptLog()
  const registry = new MemoryRegistry({ crypto, log: log.log }, { nodes: first })
  return {
    registry,
    log,
    change: async list => registry.replace({ nodes: list }),
    pending: () => [],
    clean: async () => {},
  }
})

async function fileRegistry(first: readonly ServiceNode[]) {
  const directory = mkdtempSync(join(tmpdir(), 'registry-'))
  const file = join(directory, 'nodes.json')
  const log = new KeptLog()
  const timers = new ManualTimers()
  const write = (text: string): void => {
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
  }
  const look = async (): Promise<void> => void (await pollOnce(timers))
  write(JSON.stringify({ service_node_states: states(first) }))
  const registry = await openFileRegistry({ crypto, log: log.log, timers, file })
  return {
    registry,
    log,
    file,
    write,
    look,
    async change(list: readonly ServiceNode[]) {
      write(JSON.stringify({ service_node_states: states(list) }))
      await look()
    },
    async breakIt() {
      write('{"service_node_states":[')
      await look()
      await look()
    },
    pending: () => timers.delaysMs,
    clean: async () => rmSync(directory, { recursive: true }),
  }
}

registryContract('a file', fileRegistry)

describe('a registry file (NODE-121)', () => {
  it('is read again when it was written to in place, and left alone otherwise', async () => {
    const { registry, file, look, clean } = await fileRegistry(nodes(3))
    writeFileSync(file, JSON.stringify({ service_node_states: states(nodes(4)) }))
    await look()
    expect(registry.nodes().nodes).toHaveLength(4)
    const { atime, mtime } = statSync(file)
    writeFileSync(file, JSON.stringify({ service_node_states: states([...nodes(3), node(9)]) }))
    utimesSync(file, atime, new Date(mtime.getTime() + 1000))
    await look()
    expect(keysOf(registry.nodes().nodes)).toEqual(keysOf([...nodes(3), node(9)]))
    await registry.close()
    await clean()
  })
  it('may go and come back', async () => {
    const { registry, file, log, look, change, clean } = await fileRegistry(nodes(3))
    rmSync(file)
    await look()
    await look()
    expect([registry.nodes().nodes.length, log.complaints.length]).toEqual([3, 1])
    await change(nodes(2))
    expect(registry.nodes().nodes).toHaveLength(2)
    await registry.close()
    await clean()
  })
  it.each(['', '[]', '{}', '{"service_node_states":[{}]}', '{"unchanged":true}', '"\\ud800'])(
    'is refused at the start: %s',
    async text => {
      const { registry, file, clean, write } = await fileRegistry([])
      write(text)
      const options = { crypto, log: new KeptLog().log, timers: new ManualTimers(), file }
      await expect(openFileRegistry(options)).rejects.toMatchObject({ name: 'NodeError', code: 'bad-registry' })
      await expect(readRegistryFile(file)).rejects.toMatchObject({ code: 'bad-registry' })
      await registry.close()
      await clean()
    },
  )
  it('is refused when it is longer than any list', async () => {
    const { registry, file, clean, write } = await fileRegistry([])
    write(`${' '.repeat(LIST_MAX_BYTES)}{"service_node_states":[]}`)
    await expect(readRegistryFile(file)).rejects.toMatchObject({ code: 'bad-registry' })
    await registry.close()
    await clean()
  })
})

const anyId = fc.bigInt(0n, NO_SWARM)

describe('a list (NODE-128)', () => {
  const list = (entry: object, id: string) => {
    const text = JSON.stringify({ service_node_states: [{ ...states([node(1)])[0], swarm: undefined, swarm_id: 0, ...entry }] })
    return text.replace('"swarm_id":0', `"swarm_id":${id}`)
  }
  it('keeps all digits of a swarm id that is a number', () => {
    const property = fc.property(anyId, fc.constantFrom('', ' ', '\n\t'), (id, space) => {
      const [read] = decodeList(parseWithSwarmIds(list({}, `${space}${id}${space}`)))!.nodes
      expect(read?.swarmId).toBe(id)
    })
    fc.assert(property)
  })
  it('prefers the hexadecimal field', () => {
    expect(decodeList(parseWithSwarmIds(list({ swarm: 'ff' }, '7')))!.nodes[0]!.swarmId).toBe(0xffn)
  })
  it.each(['18446744073709551616', '-1', '1.0', '1e3', '007', '"x"', 'null', '[1]', 'true'])('refuses the swarm id %s', id => {
    expect(() => decodeList(parseWithSwarmIds(list({}, id)))).toThrow()
  })
  it('takes a key for one only where it is one', () => {
    const texts = ['a "swarm_id":5, b', '\\"swarm_id":5,', '"swarm_id" : 5}']
    for (const text of texts) expect(parseWithSwarmIds(JSON.stringify({ text, [text]: 1 }))).toEqual({ text, [text]: 1 })
    const property = fc.property(fc.json(), json => {
      expect(parseWithSwarmIds(json)).toEqual(JSON.parse(json))
    })
    fc.assert(property)
    expect(parseWithSwarmIds('{"a\\"swarm_id":5}')).toEqual({ 'a"swarm_id': 5 })
    expect(() => parseWithSwarmIds(`{"swarm_id"${' '.repeat(1_000_000)}`)).toThrow(SyntaxError)
  })
  it('is read as it was written, with nodes in no swarm', () => {
    const all = [node(1), node(2, NO_SWARM - 1n), node(3, NO_SWARM), { ...node(4), legacy: 'ab'.repeat(32), omqPort: 7 }]
    const read = decodeList(parseWithSwarmIds(encodeList({ nodes: all, height: 12, blockHash: 'cd'.repeat(32) })))
    expect(read).toEqual({ nodes: all, height: 12, blockHash: 'cd'.repeat(32) })
    expect(decodeList(parseWithSwarmIds(encodeList({ nodes: all, height: 0, blockHash: 'x' })))).toEqual({ nodes: all })
  })
  it.each([
    ['no object', []],
    ['no list', { service_node_states: {} }],
    ['one key twice', { service_node_states: states([node(1), node(2), node(1)]) }],
    ['an entry that is none', { service_node_states: [...states([node(1)]), null] }],
    ['too many entries', { service_node_states: Array(NODE_LIST_MAX + 1).fill({}) }],
    ['a height below 0', { height: -1, service_node_states: [] }],
    ['a height beyond all integers', { height: 2 ** 53, service_node_states: [] }],
    ['a block hash that is none', { height: 1, block_hash: 'AB'.repeat(32), service_node_states: [] }],
  ])('is refused with %s (NODE-122)', (_, value) => {
    expect(() => decodeList(value)).toThrow()
  })
  it('has a hash of all that it says and not of its order (NODE-52)', () => {
    const hash = listHash(crypto, nodes(3))
    expect(listHash(crypto, nodes(3).reverse())).toBe(hash)
    const others = [nodes(2), [...nodes(2), node(3, 2n)], [...nodes(2), { ...node(3), host: '::1' }], []]
    expect(new Set([hash, ...others.map(list => listHash(crypto, list))]).size).toBe(5)
  })
})

describe('a change of lists (NODE-129)', () => {
  const SELF = node(0).ed25519
  const swarmIds = fc.constantFrom(0n, 1n, 2n, NO_SWARM - 1n, NO_SWARM)
  const lists = fc
    .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 8 }), swarmIds), { selector: ([n]) => n, maxLength: 9 })
    .map(members => members.map(([n, id]) => node(n, id)))
  const peers = (list: readonly ServiceNode[]) => {
    const own = list.find(({ ed25519 }) => ed25519 === SELF)?.swarmId ?? NO_SWARM
    return own === NO_SWARM ? [] : list.filter(one => one.swarmId === own && one.ed25519 !== SELF)
  }
  it('leads from the old peers to the new ones, and backwards', () => {
    const property = fc.property(lists, lists, (old, next) => {
      const change = swarmChange(old, next, SELF)
      const left = new Set(keysOf(change.left))
      const stayed = peers(old).filter(({ ed25519 }) => !left.has(ed25519))
      expect(keysOf([...stayed, ...change.joined])).toEqual(keysOf(peers(next)))
      for (const { ed25519 } of change.joined) expect(keysOf(peers(old))).not.toContain(ed25519)
      const back = swarmChange(next, old, SELF)
      expect([keysOf(back.joined), keysOf(back.left)]).toEqual([keysOf(change.left), keysOf(change.joined)])
      expect([back.newSwarms, back.goneSwarms]).toEqual([change.goneSwarms, change.newSwarms])
      expect(back.ours).toEqual({ before: change.ours.after, after: change.ours.before })
    })
    fc.assert(property, { numRuns: 1000 })
  })
  it('is none between a list and itself in another order or with other addresses', () => {
    const property = fc.property(lists, old => {
      const next = old.map(one => ({ ...one, host: '::1', port: 9 })).reverse()
      expect(swarmChange(old, next, SELF)).toMatchObject({
        joined: [],
        left: [],
        moved: false,
        dissolved: false,
        newSwarms: [],
        goneSwarms: [],
      })
    })
    fc.assert(property)
  })
  it('tells joining, moving, dissolving and leaving apart', () => {
    const old = [node(0, 5n), node(1, 5n), node(2, 9n)]
    expect(swarmChange(old, [...old, node(3, 5n)], SELF)).toMatchObject({ joined: [node(3, 5n)], left: [], moved: false })
    const moved = swarmChange(old, [node(0, 9n), node(1, 5n), node(2, 9n)], SELF)
    expect(moved).toMatchObject({ joined: [node(2, 9n)], left: [node(1, 5n)], moved: true, dissolved: false, goneSwarms: [] })
    const dissolved = swarmChange(old, [node(0, 9n), node(1, 9n), node(2, 9n)], SELF)
    expect(dissolved).toMatchObject({ joined: [node(2, 9n)], left: [], moved: true, dissolved: true, goneSwarms: [5n] })
    const out = swarmChange(old, [node(0, NO_SWARM), node(1, 5n), node(2, NO_SWARM - 1n)], SELF)
    expect(out).toMatchObject({ ours: { before: 5n, after: undefined }, left: [node(1, 5n)], moved: false, dissolved: false })
    expect([out.newSwarms, out.goneSwarms]).toEqual([[NO_SWARM - 1n], [9n]])
    expect(swarmChange([], old, SELF)).toMatchObject({
      ours: { before: undefined, after: 5n },
      joined: [node(1, 5n)],
      moved: false,
    })
  })
})
