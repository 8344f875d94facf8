import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  buildActiveNodesBin,
  buildIfelse,
  decodeActiveNodes,
  encodeRequest,
  type IfelseCondition,
  type RpcRequest,
} from '@session-v2/network'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openLog } from '../src/log.ts'
import { MemoryRegistry } from '../src/registry/registry.ts'
import { AnswerRoom } from '../src/rpc/answer-room.ts'
import { answerClient } from '../src/rpc/rpc.ts'
import { NetworkUnderTest, openServices } from './network-under-test.ts'

const INFO: RpcRequest = { method: 'info', params: {} }
let test: NetworkUnderTest

beforeAll(async () => {
  test = await NetworkUnderTest.start({ nodes: 2 })
})
afterAll(() => test.close())

describe('ifelse (RPC-98)', () => {
  const ask = (condition: IfelseCondition, branches: { whenHolds?: RpcRequest; otherwise?: RpcRequest } = { whenHolds: INFO }) =>
    test.request(buildIfelse({ condition, ...branches }))

  it.each<[IfelseCondition, boolean]>([
    [{ hfAtLeast: [19, 3] }, true],
    [{ hfAtLeast: [19, 4] }, false],
    [{ hfAtLeast: [19] }, true],
    [{ hfAtLeast: [20] }, false],
    [{ hfBefore: [19, 3] }, false],
    [{ hfBefore: [20] }, true],
    [{ versionAtLeast: [2, 8, 0] }, true],
    [{ versionAtLeast: [2, 8, 1] }, false],
    [{ versionBefore: [2, 8] }, false],
    [{ versionBefore: [3] }, true],
    [{ heightAtLeast: 0 }, true],
    [{ heightAtLeast: 1 }, false],
    [{ heightBefore: 1 }, true],
    [{ heightBefore: 0 }, false],
    [{ hfAtLeast: [1], versionAtLeast: [9] }, false],
  ])('%j is %s here', async (condition, holds) => {
    const { status, body } = await ask(condition)
    expect(status).toBe(200)
    expect(body).toMatchObject({ hf: [19, 3], v: [2, 8, 0], height: 0, condition: holds })
    expect(Object.hasOwn(body, 'result')).toBe(holds)
    expect(Object.hasOwn(body, 't')).toBe(false)
  })
  it('answers the branch that is taken, with its status', async () => {
    const { accountId } = test.account()
    const refused = { method: 'retrieve', params: { pubkey: accountId } }
    const { body } = await ask({ hfAtLeast: [99] }, { whenHolds: INFO, otherwise: refused })
    expect(body.result).toEqual({ code: 401, body: 'retrieve: request signature required' })
    const { body: yes } = await ask({ hfAtLeast: [1] }, { whenHolds: INFO, otherwise: refused })
    expect(yes.result).toMatchObject({ code: 200, body: { version: [2, 8, 0] } })
  })
  it('executes one branch only, and none when either cannot be read (RPC-99)', async () => {
    const alice = test.account()
    const stores = (text: string) => test.storeRequest(alice, text)
    await ask({ hfAtLeast: [1] }, { whenHolds: stores('yes'), otherwise: stores('no') })
    const broken = { method: 'retrieve', params: {} }
    expect((await ask({ hfAtLeast: [1] }, { whenHolds: stores('neither'), otherwise: broken })).status).toBe(400)
    expect(await test.texts(alice)).toEqual(['yes'])
  })
  it('may hold a batch and stand in another, five deep (RPC-10)', async () => {
    let request: RpcRequest = { method: 'batch', params: { requests: [INFO, INFO] } }
    for (let depth = 0; depth < 5; depth++) request = buildIfelse({ condition: { hfAtLeast: [1] }, whenHolds: request })
    let { body } = await test.request(request)
    for (let depth = 0; depth < 5; depth++) body = body.result.body
    expect(body.results).toHaveLength(2)
    const deeper = await test.request(buildIfelse({ condition: { hfAtLeast: [1] }, whenHolds: request }))
    expect(deeper).toMatchObject({ status: 400, body: 'invalid request: Invalid ifelse request: nested more than 5 deep' })
  })
  it.each([
    [{}, "Required field 'if' missing"],
    [{ if: {} }, 'Invalid ifelse request: at least one condition is required'],
    [{ if: { hf_at_least: [1] } }, "Invalid ifelse request: at least one of 'then' and 'else' is required"],
    [{ if: { hf_at_least: [1, 2, 3] }, else: INFO }, "Invalid value given for 'hf_at_least': at most 2 items"],
    [{ if: { height_at_least: 'x' }, else: INFO }, "Invalid value given for 'height_at_least': expected integer"],
  ])('%j: 400 %s', async (params, reason) => {
    expect(await test.ask('ifelse', params)).toMatchObject({ status: 400, body: `invalid request: ${reason}` })
  })
  it.each(['batch', 'sequence'])('has no place in a %s', async method => {
    const requests = [buildIfelse({ condition: { hfAtLeast: [1] }, whenHolds: INFO })]
    expect(await test.ask(method, { requests })).toMatchObject({
      status: 400,
      body: 'invalid request: Invalid batch subrequest: subrequests may not contain meta-requests',
    })
  })
})

describe('active_nodes_bin (RPC-81)', () => {
  it('is bytes over HTTP, whatever the form of the request', async () => {
    for (const body of ['{"method":"active_nodes_bin","params":{}}', 'd6:method16:active_nodes_bin6:paramsdee']) {
      const response = await fetch(test.url(), { method: 'POST', body })
      expect(response.headers.get('content-type')).toBe('application/octet-stream')
      const nodes = decodeActiveNodes(test.crypto, new Uint8Array(await response.arrayBuffer()))
      expect(nodes.map(node => node.ed25519)).toEqual(test.network.nodes.map(node => node.ed25519))
    }
  })
  it('is base64 within a batch, and bytes within one in bt', async () => {
    const batch = { method: 'batch', params: { requests: [buildActiveNodesBin()] } }
    const { body } = await test.request(batch)
    expect(Buffer.from(body.results[0].body, 'base64')).toHaveLength(2 * 51)
    const response = await fetch(test.url(), { method: 'POST', body: Buffer.from(encodeRequest(batch, 'bt')) })
    expect(Buffer.from(await response.arrayBuffer()).toString('latin1')).toContain('d4:body102:')
  })
})

describe('oxend_request', () => {
  it('has no names without a chain (NODE-38)', async () => {
    const answer = await test.ask('oxend_request', { endpoint: 'ons_resolve', params: { type: 0, name_hash: 'x' } })
    expect(answer).toMatchObject({ status: 400, body: 'ons_resolve: this network has no chain that keeps names' })
  })
  it('lists as many nodes as are asked for', async () => {
    const params = { endpoint: 'get_service_nodes', params: { limit: 1 } }
    const { body } = await test.ask('oxend_request', params)
    expect(body).toMatchObject({ result: { service_node_states: { length: 1 }, height: 0 }, hf: [19, 3] })
  })
})

describe('a node that has a registry', () => {
  it('answers with its list, its block and its height (NODE-38, NODE-50)', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'registry-'))
    const { crypto, clock } = test
    const nodes = [2, 3].map(port => ({
      ed25519: '1'.repeat(64),
      x25519: '2'.repeat(64),
      host: '192.0.2.1',
      port,
      protocol: 'https' as const,
      swarmId: 5n,
    }))
    const list = { nodes, height: 1234, blockHash: 'ab'.repeat(32) }
    const registry = new MemoryRegistry({ crypto, log: openLog({ level: 'silent' }) }, list)
    const services = await openServices(directory, clock, { registry })
    const ask = async (request: RpcRequest) => (await answerClient(services, encodeRequest(request))).body
    const oxend = { method: 'oxend_request', params: { endpoint: 'get_service_nodes', params: {} } }
    expect(await ask(oxend)).toMatchObject({
      result: { height: 1234, block_hash: 'ab'.repeat(32), service_node_states: { length: 2 } },
    })
    const poll = { endpoint: 'get_service_nodes', params: { poll_block_hash: 'ab'.repeat(32) } }
    expect(await ask({ method: 'oxend_request', params: poll })).toMatchObject({ result: { unchanged: true, height: 1234 } })
    const high = buildIfelse({ condition: { heightAtLeast: 1234, heightBefore: 1235 }, whenHolds: INFO })
    expect(await ask(high)).toMatchObject({ height: 1234, condition: true, result: { code: 200 } })
    await services.store.close()
    rmSync(directory, { recursive: true })
  })
})

describe('a store that fails', () => {
  it('is 500 `request failed` for who reads, query_failure for who writes, and 500 within a batch (NODE-01, NODE-32)', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'failing-'))
    const services = await openServices(directory, test.clock)
    await services.store.close()
    const alice = test.account()
    const ask = (request: RpcRequest) => answerClient(services, encodeRequest(request))
    const failed = { status: 500, body: 'request failed' }
    const read = test.retrieveRequest(alice)
    expect(await ask(read)).toEqual(failed)
    expect(await ask(test.deleteRequest(test.subaccount(alice, 4), ['A'.repeat(43)]))).toEqual(failed)
    const entry = { failed: true, query_failure: true, reason: expect.any(String) }
    expect(await ask(test.storeRequest(alice, 'x'))).toMatchObject({
      status: 500,
      body: { swarm: { [services.identity.ed25519]: entry } },
    })
    const { body } = await ask({ method: 'batch', params: { requests: [read, INFO] } })
    expect(body).toMatchObject({ results: [{ code: 500, body: 'request failed' }, { code: 200 }] })
    rmSync(directory, { recursive: true })
  })
})

describe('the room that answers in a batch share (NODE-35)', () => {
  it('is as much as a client reads; what does not fit is 413, and what is small still does', () => {
    const room = new AnswerRoom()
    const large = { status: 200, body: { data: new Uint8Array(5_000_000) } }
    expect(room.fit(large)).toBe(large)
    const refused = { status: 413, body: 'the answer has no room beside the others: ask for it by itself' }
    expect(room.fit(large)).toEqual(refused)
    const small = { status: 200, body: { list: [1, 'text', { a: true }] } }
    expect(room.fit(small)).toBe(small)
    expect(room.fit({ status: 200, body: 'x'.repeat(4_000_000) })).toEqual(refused)
  })
})
