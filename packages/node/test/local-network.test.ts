import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseServiceNodesResult } from '@session-v2/network'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startLocalNetwork } from '../src/local-network.ts'
import { NetworkUnderTest, post } from './network-under-test.ts'

let test: NetworkUnderTest

beforeAll(async () => {
  test = await NetworkUnderTest.start({ nodes: 9, swarms: 3 })
})
afterAll(() => test.close())

function askSeed(method: string, params: object = {}) {
  return post(`${test.network.seedUrl}/json_rpc`, JSON.stringify({ jsonrpc: '2.0', id: 3, method, params }))
}

describe('a local network (NODE-05)', () => {
  it('has nine nodes in three swarms, spread over 64 bits', () => {
    const swarms = new Map<string, number>()
    for (const node of test.network.nodes) swarms.set(node.swarm, (swarms.get(node.swarm) ?? 0) + 1)
    expect([...swarms]).toEqual([
      ['2aaaaaaaaaaaaaaa', 3],
      ['8000000000000000', 3],
      ['d555555555555555', 3],
    ])
    expect(new Set(test.network.nodes.map(node => node.ed25519)).size).toBe(9)
  })
  it('keeps keys, swarms and messages over a restart', async () => {
    const before = test.network.nodes.map(({ ed25519, x25519, swarm }) => ({ ed25519, x25519, swarm }))
    const alice = test.account()
    const home = async () => {
      const { body } = await test.ask('get_swarm', { pubkey: alice.accountId })
      return test.network.nodes.findIndex(node => node.ed25519 === body.snodes[0].pubkey_ed25519)
    }
    await test.store(alice, 'over a restart', 0, { node: await home() })
    await test.restart()
    expect(test.network.nodes.map(({ ed25519, x25519, swarm }) => ({ ed25519, x25519, swarm }))).toEqual(before)
    expect(await test.texts(alice, 0, await home())).toEqual(['over a restart'])
  })
  it('refuses more swarms than nodes, and leaves nothing running when it cannot start', async () => {
    const dataDirectory = test.directory
    await expect(startLocalNetwork({ nodes: 2, swarms: 3, dataDirectory })).rejects.toMatchObject({ code: 'bad-config' })
    await expect(startLocalNetwork({ nodes: Number.NaN, dataDirectory })).rejects.toMatchObject({ code: 'bad-config' })
    await expect(startLocalNetwork({ nodes: 9, dataDirectory, port: 65_530 })).rejects.toMatchObject({ code: 'bad-config' })
    const port = Number(new URL(test.network.seedUrl).port)
    const taken = startLocalNetwork({
      nodes: 1,
      swarms: 1,
      dataDirectory: join(dataDirectory, 'other'),
      port,
      log: { level: 'silent' },
    })
    await expect(taken).rejects.toMatchObject({ code: 'listen-failed' })
  })
})

describe('its seed (NODE-50)', () => {
  it.each(['get_n_service_nodes', 'get_service_nodes'])('answers %s', async method => {
    const { status, body } = await askSeed(method, { active_only: true })
    expect(status).toBe(200)
    expect(body).toMatchObject({ jsonrpc: '2.0', id: 3, result: { status: 'OK', height: 0 } })
    const nodes = parseServiceNodesResult(body)
    expect(nodes.map(node => node.ed25519)).toEqual(test.network.nodes.map(node => node.ed25519))
  })
  it('knows fields and limit', async () => {
    const { body } = await askSeed('get_n_service_nodes', { limit: 2, fields: ['swarm', 'public_ip'] })
    expect(body.result.service_node_states).toEqual(
      test.network.nodes.slice(0, 2).map(({ swarm }) => ({ public_ip: '127.0.0.1', storage_protocol: 'http', swarm })),
    )
  })
  it('answers what it does not know with an error of JSON-RPC', async () => {
    expect((await askSeed('get_info')).body).toEqual({
      jsonrpc: '2.0',
      id: 3,
      error: { code: -32601, message: 'Method not found' },
    })
    const broken = await post(`${test.network.seedUrl}/json_rpc`, 'nonsense')
    expect(broken.body).toMatchObject({ error: { code: -32700 } })
    expect((await post(`${test.network.seedUrl}/elsewhere`, '')).status).toBe(404)
  })
})

describe('silence (NODE-70)', () => {
  it('leaves no account, address, hash or text in log and statistics', async () => {
    const file = join(test.directory, 'silence.log')
    const quiet = await NetworkUnderTest.start({ nodes: 2, databaseLimitBytes: 120_000, log: { level: 'debug', file } })
    const alice = quiet.account()
    const hashes: string[] = []
    for (let i = 0; i < 8; i++) hashes.push((await quiet.store(alice, `a secret text ${'x'.repeat(30_000)}${i}`)).body.hash)
    await quiet.request(quiet.retrieveRequest(alice))
    await quiet.request(quiet.deleteRequest(alice, hashes))
    await post(quiet.url(), `{"method":"store","params":{"pubkey":"${alice.accountId}","data":"${'\\u0000'}"}}`)
    await quiet.network.nodes[1]!.close()
    await quiet.store(alice, 'a secret text')
    const statistics = await (await fetch(`${quiet.network.nodes[0]!.url}/get_stats/v1`)).text()
    const written = readFileSync(file, 'utf8') + statistics
    expect(written).toContain('the store refused')
    expect(written).toContain('a peer did not take a request')
    for (const secret of [alice.accountId, alice.accountId.slice(2), 'secret text', '127.0.0.1', ...hashes]) {
      expect(written).not.toContain(secret)
    }
    await quiet.close()
  })
})
