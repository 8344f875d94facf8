/** A seed over HTTP: what clients and nodes ask of it. */
import { readFileSync } from 'node:fs'
import { loadCrypto } from '@session-v2/crypto'
import { encodeServiceNode, NO_SWARM, parseServiceNodesResult } from '@session-v2/network'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemTimers } from '../src/ports.ts'
import { askJsonRpc, rpcEndpoint } from '../src/registry/json-rpc.ts'
import { listHash } from '../src/registry/list-hash.ts'
import { MemoryRegistry } from '../src/registry/registry.ts'
import { type RunningSeed, startSeed } from '../src/seed.ts'
import { post } from './network-under-test.ts'
import { KeptLog, keysOf, node, nodes } from './registry-nodes.ts'

const crypto = await loadCrypto()
const QUIET = { host: '127.0.0.1', port: 0, log: { level: 'silent' as const } }
const registry = new MemoryRegistry({ crypto, log: new KeptLog().log }, { nodes: [] })
let seed: RunningSeed

beforeAll(async () => {
  seed = await startSeed({ ...QUIET, registry })
})
afterAll(() => seed.close())

async function ask(params: unknown = {}, method = 'get_n_service_nodes', of = seed) {
  const { body } = await post(`${of.url}/json_rpc`, JSON.stringify({ jsonrpc: '2.0', id: 'x', method, params }))
  return body.result
}

describe('the list of a seed (NODE-51)', () => {
  it('is that of its registry now', async () => {
    registry.replace({ nodes: nodes(2), height: 77, blockHash: 'ab'.repeat(32) })
    const { service_node_states: entries, ...head } = await ask()
    expect(head).toEqual({
      height: 77,
      target_height: 77,
      block_hash: 'ab'.repeat(32),
      hardfork: 19,
      snode_revision: 3,
      status: 'OK',
    })
    expect(keysOf(parseServiceNodesResult({ result: { service_node_states: entries } }))).toEqual(keysOf(nodes(2)))
    registry.replace({ nodes: nodes(3) })
    expect(await ask({}, 'get_service_nodes')).toMatchObject({ height: 0, service_node_states: { length: 3 } })
  })
  it('has the fields that clients look for, with their types', async () => {
    registry.replace({ nodes: [{ ...node(1, 0xabcn), legacy: 'cd'.repeat(32), omqPort: 7, version: [2, 8, 0] }] })
    expect((await ask()).service_node_states).toEqual([
      {
        service_node_pubkey: 'cd'.repeat(32),
        pubkey_ed25519: node(1).ed25519,
        pubkey_x25519: node(1).x25519,
        public_ip: '127.0.0.1',
        storage_port: 20_001,
        storage_lmq_port: 7,
        storage_protocol: 'http',
        storage_server_version: [2, 8, 0],
        swarm: 'abc',
        swarm_id: 0xabc,
        funded: true,
        active: true,
        requested_unlock_height: 0,
        height: 0,
      },
    ])
  })
  it('is cut as asked, and what is not understood is ignored', async () => {
    registry.replace({ nodes: [...nodes(3), node(4, NO_SWARM)] })
    const count = async (params: unknown) => (await ask(params)).service_node_states.length
    expect(await count({ limit: 2 })).toBe(2)
    expect(await count({ active_only: true })).toBe(3)
    expect(await count({ active_only: true, limit: 9 })).toBe(3)
    for (const odd of [
      null,
      [],
      5,
      { limit: '2' },
      { limit: -1 },
      { limit: {} },
      { fields: 5 },
      { fields: [] },
      { active_only: 1 },
    ]) {
      expect(await count(odd)).toBe(4)
    }
    const wanted = { swarm: true, public_ip: true, height: false, ['__proto__']: true, toString: true }
    const [entry] = (await ask({ fields: wanted })).service_node_states
    expect(entry).toEqual({ swarm: '1', public_ip: '127.0.0.1', storage_protocol: 'http' })
    expect((await ask({ fields: ['swarm', 5, null] })).service_node_states[0]).toEqual({ swarm: '1', storage_protocol: 'http' })
    expect((await ask({ fields: ['all'] })).service_node_states[0]).toEqual(encodeServiceNode(node(1)))
  })
})

describe('the hash of the list (NODE-52)', () => {
  it('is answered with `unchanged` for as long as the list holds', async () => {
    registry.replace({ nodes: nodes(3) })
    const { block_hash: hash } = await ask()
    expect(hash).toBe(listHash(crypto, nodes(3)))
    const { service_node_states: none, ...head } = await ask({ poll_block_hash: hash })
    expect([none, head]).toEqual([undefined, expect.objectContaining({ unchanged: true, block_hash: hash, status: 'OK' })])
    for (const other of ['', '0'.repeat(64), null, [hash]]) {
      expect(await ask({ poll_block_hash: other })).toMatchObject({ service_node_states: { length: 3 } })
    }
    registry.replace({ nodes: nodes(4) })
    const changed = await ask({ poll_block_hash: hash })
    expect([changed.unchanged, changed.service_node_states.length]).toEqual([undefined, 4])
  })
  it('is there without a registry too', async () => {
    let list = nodes(2)
    const plain = await startSeed({ ...QUIET, nodes: () => list })
    const { block_hash: hash } = await ask({}, 'get_n_service_nodes', plain)
    expect(await ask({ poll_block_hash: hash }, 'get_n_service_nodes', plain)).toMatchObject({ unchanged: true })
    list = nodes(3)
    expect((await ask({ poll_block_hash: hash }, 'get_n_service_nodes', plain)).service_node_states).toHaveLength(3)
    await plain.close()
  })
})

describe('a seed (NODE-50)', () => {
  it('serves pages of the origins it is told, and preflights', async () => {
    const open = await startSeed({ ...QUIET, registry, corsOrigins: ['https://chat.example'] })
    const origin = { origin: 'https://chat.example' }
    const answer = await post(`${open.url}/json_rpc`, '{"method":"get_service_nodes"}', origin)
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://chat.example')
    const preflight = await fetch(`${open.url}/json_rpc`, { method: 'OPTIONS', headers: origin })
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([204, 'GET, POST'])
    const foreign = await post(`${open.url}/json_rpc`, '{"method":"get_service_nodes"}', { origin: 'https://other.example' })
    expect(foreign.headers.get('access-control-allow-origin')).toBe(null)
    await open.close()
  })
  it('speaks HTTPS when it has a certificate', async () => {
    const pem = readFileSync(new URL('./fixtures/self-signed.pem', import.meta.url), 'utf8')
    const secure = await startSeed({ ...QUIET, registry, tls: { certificate: pem, key: pem } })
    const endpoint = rpcEndpoint(secure.url, '00'.repeat(32))
    const asked = askJsonRpc({ crypto, timers: systemTimers }, endpoint, { method: 'get_service_nodes', params: {} })
    await expect(asked).rejects.toMatchObject({ message: expect.stringContaining('not the pinned one') })
    await secure.close()
  })
  it.each(['', 'null', '5', '[]', '{"method":5}', '{"method":"get_n_service_nodes","params":"x"}', '\u0000', '{"id":{"a":[1]}}'])(
    'survives %j',
    async body => {
      const answer = await post(`${seed.url}/json_rpc`, body)
      expect([answer.status, answer.body.jsonrpc]).toEqual([200, '2.0'])
    },
  )
})
