import { ed25519Verify } from '@session-v2/crypto'
import { decodeBase64, decodeHex } from '@session-v2/encoding'
import {
  buildGetServiceNodes,
  deletedText,
  parseGetSwarmResult,
  parseServiceNodesResult,
  type RequestSigner,
} from '@session-v2/network'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NetworkUnderTest, post } from './network-under-test.ts'

let test: NetworkUnderTest
let alice: RequestSigner

beforeAll(async () => {
  test = await NetworkUnderTest.start()
})
afterAll(() => test.close())

describe('the envelope', () => {
  it.each([
    ['', 'invalid json'],
    ['nonsense', 'invalid json'],
    ['[]', 'invalid json: no `method` field'],
    ['{}', 'invalid json: no `method` field'],
    ['{"method":1,"params":{}}', 'invalid json: no `method` field'],
    ['{"method":"info"}', 'invalid json: no `params` field'],
    ['{"method":"info","params":[]}', 'invalid json: no `params` field'],
    ['{"method":"toString","params":{}}', 'no method toString'],
    ['{"method":"monitor","params":{}}', 'no method monitor'],
  ])('%s: 400 %s', async (body, reason) => {
    expect(await post(test.url(), body)).toMatchObject({ status: 400, body: reason })
  })
  it('is read as UTF-8 without repairs', async () => {
    expect(await post(test.url(), Uint8Array.of(0x22, 0xff, 0x22))).toMatchObject({ status: 400, body: 'invalid json' })
  })
  it('ignores id and jsonrpc and answers the bare result (RPC-01, RPC-02)', async () => {
    const answer = await post(test.url(), '{"jsonrpc":"2.0","id":7,"method":"info","params":{}}')
    expect(answer.body).toEqual({ version: [2, 8, 0], timestamp: test.clock.ms, t: test.clock.ms, hf: [19, 3] })
  })
})

describe('get_swarm and oxend_request', () => {
  it('name the members', async () => {
    const { status, body } = await test.ask('get_swarm', { pubkey: test.account().accountId })
    const { nodes, swarmId } = parseGetSwarmResult(body)
    const [node] = test.network.nodes
    expect(status).toBe(200)
    expect(nodes.map(({ ed25519, port }) => [ed25519, port])).toEqual([[node!.ed25519, Number(new URL(node!.url).port)]])
    expect(swarmId.toString(16)).toBe(node!.swarm)
  })
  it('has an alias', async () => {
    const { accountId: pubkey } = test.account()
    const { body } = await test.ask('get_snodes_for_pubkey', { pubkey })
    expect(body).toEqual((await test.ask('get_swarm', { pubkey })).body)
  })
  it('list all nodes, with the fields that are asked for', async () => {
    const { body } = await test.request(buildGetServiceNodes())
    expect(parseServiceNodesResult(body)).toHaveLength(1)
    const fields = { pubkey_ed25519: true, public_ip: false }
    const few = await test.ask('oxend_request', { endpoint: 'get_service_nodes', params: { fields } })
    expect(few.body.result.service_node_states).toEqual([
      { pubkey_ed25519: test.network.nodes[0]!.ed25519, storage_protocol: 'http' },
    ])
  })
  it('refuse other endpoints', async () => {
    const answer = await test.ask('oxend_request', { endpoint: 'stop' })
    expect(answer).toMatchObject({ status: 400, body: "invalid request: Invalid oxend endpoint 'stop'" })
  })
})

describe('delete', () => {
  it('deletes in every namespace, names what was there, and signs it (RPC-61)', async () => {
    alice = test.account()
    const first = (await test.store(alice, 'first')).body.hash
    const second = (await test.store(alice, 'second', 2)).body.hash
    const none = 'A'.repeat(43)
    const { status, body } = await test.request(test.deleteRequest(alice, [second, none, first]))
    const node = test.network.nodes[0]!.ed25519
    const deleted = [first, second].sort()
    expect(status).toBe(200)
    expect(body).toMatchObject({ swarm: { [node]: { deleted } }, t: test.clock.ms, hf: [19, 3] })
    const text = deletedText(decodeHex(alice.accountId), [second, none, first], deleted)
    expect(ed25519Verify(test.crypto, decodeHex(node), text, decodeBase64(body.swarm[node].signature))).toBe(true)
    expect(await test.texts(alice)).toEqual([])
    expect(await test.texts(alice, 2)).toEqual([])
  })
  it('answers 404 with the whole body when something had to be there (RPC-62)', async () => {
    alice = test.account()
    const { hash } = (await test.store(alice, 'once')).body
    expect((await test.request(test.deleteRequest(alice, [hash], true))).status).toBe(200)
    const again = await test.request(test.deleteRequest(alice, [hash], true))
    expect(again).toMatchObject({ status: 404, body: { swarm: { [test.network.nodes[0]!.ed25519]: { deleted: [] } } } })
    expect((await test.request(test.deleteRequest(alice, [hash]))).status).toBe(200)
  })
  it('refuses what the owner did not sign', async () => {
    alice = test.account()
    const { hash } = (await test.store(alice, 'kept')).body
    const { params } = test.deleteRequest(alice, ['A'.repeat(43)])
    const forged = await test.ask('delete', { ...params, messages: [hash] })
    expect(forged).toMatchObject({ status: 401, body: 'delete_msgs signature verification failed' })
    expect((await test.ask('delete', { pubkey: alice.accountId, messages: [hash] })).status).toBe(400)
    expect((await test.ask('delete', { ...params, messages: [] })).status).toBe(400)
    expect(await test.texts(alice)).toEqual(['kept'])
  })
})

describe('batch and sequence', () => {
  const broken = { method: 'retrieve', params: {} }
  it('answers each part with a code, in order', async () => {
    alice = test.account()
    const unsigned = { method: 'retrieve', params: { pubkey: alice.accountId } }
    const requests = [test.storeRequest(alice, 'in a batch'), unsigned, { method: 'info', params: {} }]
    const { status, body } = await test.ask('batch', { requests })
    expect(status).toBe(200)
    expect(Object.keys(body)).toEqual(['results'])
    expect(body.results.map((result: { code: number }) => result.code)).toEqual([200, 401, 200])
    expect(body.results[1].body).toBe('retrieve: request signature required')
    expect(body.results[2].body).toMatchObject({ t: test.clock.ms })
  })
  it('stops a sequence behind the first failure, and executes in order (RPC-69)', async () => {
    alice = test.account()
    const refused = { method: 'retrieve', params: { pubkey: alice.accountId } }
    const requests = [test.storeRequest(alice, 'x'), test.retrieveRequest(alice), refused, { method: 'info', params: {} }]
    const { status, body } = await test.ask('sequence', { requests })
    expect(status).toBe(200)
    expect(body.results.map((result: { code: number }) => result.code)).toEqual([200, 200, 401])
    expect(body.results[1].body.messages).toHaveLength(1)
  })
  it.each(['batch', 'sequence'])('shares the budget of one answer among the retrieves of a %s (NODE-29)', async method => {
    const alice = test.account()
    for (let i = 0; i < 30; i++) await test.store(alice, `${i}`.padEnd(60_000, '.'))
    const largest = test.retrieveRequest(alice, 0, { max_size: -1 })
    const { body } = await test.ask(method, { requests: Array(20).fill(largest) })
    // A message counts 100 + 43 + 80,000, a twentieth of the budget is 390,000.
    for (const part of body.results) expect(part.body).toMatchObject({ more: true, messages: { length: 4 } })
    expect((await test.request(largest)).body).toMatchObject({ more: false, messages: { length: 30 } })
  })
  it.each(['batch', 'sequence'])('refuses a whole %s for one part that cannot be read, before executing any', async method => {
    alice = test.account()
    const answer = await test.ask(method, { requests: [test.storeRequest(alice, 'y'), broken] })
    expect(answer).toMatchObject({ status: 400, body: "invalid request: Required field 'pubkey' missing" })
    expect(await test.texts(alice)).toEqual([])
  })
  it.each(['batch', 'sequence'])('refuses nesting in a %s, however deep, and more than 20 parts', async method => {
    let nested: object = { method: 'info', params: {} }
    for (let depth = 0; depth < 5_000; depth++) nested = { method, params: { requests: [nested] } }
    expect((await test.ask(method, { requests: [nested] })).status).toBe(400)
    const many = Array.from({ length: 21 }, () => ({ method: 'info', params: {} }))
    expect((await test.ask(method, { requests: many })).status).toBe(400)
    expect((await test.ask(method, { requests: [] })).status).toBe(400)
    expect((await test.ask(method, { requests: many.slice(1) })).body.results).toHaveLength(20)
  })
})
