import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ed25519Verify, loadCrypto } from '@session-v2/crypto'
import { type BtDict, decodeBase64, decodeHex, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import { decodeRequest, parseGetSwarmResult, type ServiceNode } from '@session-v2/network'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { identityFromSeed } from '../src/identity.ts'
import { openLog } from '../src/log.ts'
import { composeNode, type RunningNode } from '../src/node.ts'
import { systemTimers, type Timers } from '../src/ports.ts'
import { signPeerRequest } from '../src/swarm/peer-authentication.ts'
import { PEER_PATH } from '../src/swarm/peer-sender.ts'
import { type Answer, HOUR_MS, NetworkUnderTest, post } from './network-under-test.ts'

describe('a swarm of three', () => {
  let test: NetworkUnderTest

  beforeAll(async () => {
    test = await NetworkUnderTest.start({ nodes: 3 })
  })
  afterAll(() => test.close())

  it('stores at every member, each with its signature (NODE-32, RPC-40)', async () => {
    const alice = test.account()
    const { body } = await test.store(alice, 'to all')
    expect(Object.keys(body.swarm).sort()).toEqual(test.network.nodes.map(node => node.ed25519).sort())
    for (const [node, entry] of Object.entries<{ hash: string; signature: string }>(body.swarm)) {
      expect(entry.hash).toBe(body.hash)
      expect(ed25519Verify(test.crypto, decodeHex(node), encodeUtf8(body.hash), decodeBase64(entry.signature))).toBe(true)
    }
    for (const node of [0, 1, 2]) expect(await test.texts(alice, 0, node)).toEqual(['to all'])
  })
  it('stores signed messages and deletes at every member', async () => {
    const alice = test.account()
    const { hash } = (await test.store(alice, 'keys', -21, { node: 1 })).body
    expect(await test.texts(alice, -21, 2)).toEqual(['keys'])
    const { body } = await test.request(test.deleteRequest(alice, [hash]), 2)
    for (const entry of Object.values(body.swarm)) expect(entry).toMatchObject({ deleted: [hash] })
    for (const node of [0, 1, 2]) expect(await test.texts(alice, -21, node)).toEqual([])
  })
  it('fans out from a batch', async () => {
    const alice = test.account()
    await test.ask('batch', { requests: [test.storeRequest(alice, 'a'), test.storeRequest(alice, 'b')] })
    expect((await test.texts(alice, 0, 2)).sort()).toEqual(['a', 'b'])
  })
  it('goes on without a member that is down, and says so (NODE-33)', async () => {
    const alice = test.account()
    const [first, second, third] = test.network.nodes
    await second!.close()
    const { status, body } = await test.store(alice, 'two of three')
    expect(status).toBe(200)
    expect(body.swarm[second!.ed25519]).toEqual({ failed: true, timeout: true })
    expect(body.swarm[first!.ed25519]).toMatchObject({ hash: body.hash })
    expect(body.swarm[third!.ed25519]).toMatchObject({ hash: body.hash })
    expect(await test.texts(alice, 0, 2)).toEqual(['two of three'])
    await test.restart()
  })
})

describe('several swarms', () => {
  let test: NetworkUnderTest

  beforeAll(async () => {
    test = await NetworkUnderTest.start({ nodes: 4, swarms: 2 })
  })
  afterAll(() => test.close())

  it('send a client away with 421 and the right members, before they look at the request (NODE-30, RPC-70)', async () => {
    const alice = test.account()
    const home = parseGetSwarmResult((await test.ask('get_swarm', { pubkey: alice.accountId })).body)
    const isHome = (node: RunningNode) => home.nodes.some(member => member.ed25519 === node.ed25519)
    const stranger = test.network.nodes.findIndex(node => !isHome(node))
    const expected = { status: 421, body: { swarm: home.swarmId.toString(16), t: test.clock.ms, hf: [19, 3] } }
    const refused = await test.ask('store', { ...test.storeRequest(alice, 'x').params, ttl: 1 }, stranger)
    expect(refused).toMatchObject(expected)
    expect(parseGetSwarmResult(refused.body).nodes).toEqual(home.nodes)
    expect(await test.request(test.retrieveRequest(alice), stranger)).toMatchObject(expected)
    const { params } = test.deleteRequest(alice, ['A'.repeat(43)])
    expect(await test.ask('delete', { ...params, messages: ['B'.repeat(43)] }, stranger)).toMatchObject(expected)
    const inBatch = await test.ask('batch', { requests: [test.retrieveRequest(alice)] }, stranger)
    expect(inBatch.body.results[0]).toMatchObject({ code: 421, body: { swarm: home.swarmId.toString(16) } })
  })
})

/** A node with one peer that is ours to play. */
class NodeAndPeer {
  readonly directory = mkdtempSync(join(tmpdir(), 'node-and-peer-'))
  peer: Server | undefined
  node: RunningNode | undefined

  async start(
    listener: RequestListener,
    timers: Timers = systemTimers,
  ): Promise<{ node: RunningNode; peerKey: string; ask(text: string): Promise<Answer> }> {
    const peer = createServer(listener)
    this.peer = peer
    await new Promise<void>(resolve => peer.listen(0, '127.0.0.1', resolve))
    const crypto = await loadCrypto()
    const identity = identityFromSeed(crypto, randomBytes(32))
    const listening = await composeNode({
      host: '127.0.0.1',
      port: 0,
      databaseFile: join(this.directory, 'messages.db'),
      databaseLimitBytes: 1e8,
      bodyTimeoutMs: 15_000,
      corsOrigins: 'none',
      crypto,
      identity,
      clock: { nowMs: () => Date.now() },
      timers,
      log: openLog({ level: 'silent' }),
    })
    const peerKey = identityFromSeed(crypto, randomBytes(32)).ed25519
    const place = { host: '127.0.0.1', protocol: 'http' as const, swarmId: 1n }
    const nodes: ServiceNode[] = [
      { ...place, ed25519: identity.ed25519, x25519: identity.x25519, port: listening.port },
      { ...place, ed25519: peerKey, x25519: '0'.repeat(64), port: (peer.address() as AddressInfo).port },
    ]
    const node = listening.join(nodes)
    this.node = node
    const ask = (text: string) => {
      const params = {
        pubkey: `05${encodeHex(randomBytes(32))}`,
        timestamp: Date.now(),
        ttl: HOUR_MS,
        data: Buffer.from(text).toString('base64'),
      }
      return post(`${node.url}/storage_rpc/v1`, JSON.stringify({ method: 'store', params }))
    }
    return { node, peerKey, ask }
  }

  async close(): Promise<void> {
    this.peer?.closeAllConnections()
    this.peer?.close()
    await this.node?.close()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

describe('a peer (NODE-33)', () => {
  let pair: NodeAndPeer

  afterEach(() => pair.close())

  async function entryOf(listener: RequestListener, timers?: Timers): Promise<unknown> {
    pair = new NodeAndPeer()
    const { node, peerKey, ask } = await pair.start(listener, timers)
    const { status, body } = await ask('hello')
    expect(status).toBe(200)
    expect(body.swarm[node.ed25519]).toMatchObject({ hash: body.hash })
    return body.swarm[peerKey]
  }

  it('that refuses is quoted with its code', async () => {
    const entry = await entryOf((_, response) => response.writeHead(401).end('store signature verification failed'))
    expect(entry).toEqual({ failed: true, code: '401', reason: 'store signature verification failed' })
  })
  it.each(['nonsense', '[]', 'null', '1'])('that answers %s gave a bad response', async text => {
    expect(await entryOf((_, response) => response.end(text))).toEqual({ failed: true, bad_peer_response: true })
  })
  it('that answers without end gave a bad response', async () => {
    const endless: RequestListener = (_, response) => {
      const more = (): void => void (!response.destroyed && response.write(Buffer.alloc(65_536, 0x20), more))
      more()
    }
    expect(await entryOf(endless)).toEqual({ failed: true, bad_peer_response: true })
  })
  it('that hangs up or never answers timed out', async () => {
    expect(await entryOf(request => request.socket.destroy())).toEqual({ failed: true, timeout: true })
    await pair.close()
    const hasty: Timers = { ...systemTimers, after: (delayMs, run) => systemTimers.after(delayMs / 50, run) }
    expect(await entryOf(() => {}, hasty)).toEqual({ failed: true, timeout: true })
  })
  it('gets the request signed, and only the fields of the method (NODE-40)', async () => {
    let seen: { headers: object; body: Buffer } | undefined
    await entryOf((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', chunk => chunks.push(chunk))
      request.on('end', () => {
        seen = { headers: request.headers, body: Buffer.concat(chunks) }
        response.end('{}')
      })
    })
    expect(seen?.headers).toMatchObject({ 'x-session-node': pair.node!.ed25519, 'x-session-signature': expect.any(String) })
    const { form, params } = decodeRequest(seen!.body)
    expect([form, ...(params as BtDict).keys()]).toEqual(['bt', 'data', 'expiry', 'pubkey', 'timestamp'])
  })
})

describe('/swarm_rpc/v1 (NODE-41)', () => {
  let test: NetworkUnderTest

  beforeAll(async () => {
    test = await NetworkUnderTest.start({ nodes: 2 })
    await test.network.nodes[1]!.close()
  })
  afterAll(() => test.close())

  /** As the second member, whose key file is ours to read. */
  function asMember(body: string, nowMs = test.clock.ms) {
    const seed = decodeHex(readFileSync(join(test.directory, 'node-2', 'node.key'), 'utf8').trim())
    return signPeerRequest(test.crypto, identityFromSeed(test.crypto, seed), Buffer.from(body), nowMs)
  }

  function send(body: string, headers: Record<string, string>): Promise<Answer> {
    return post(test.network.nodes[0]!.url + PEER_PATH, body, headers)
  }

  it('executes a member’s store, answers its own entry and forwards nothing', async () => {
    const alice = test.account()
    const body = JSON.stringify(test.storeRequest(alice, 'from a peer'))
    const answer = await send(body, asMember(body))
    expect(answer).toMatchObject({ status: 200, body: { hash: expect.any(String), signature: expect.any(String) } })
    expect(answer.body.swarm).toBeUndefined()
    expect(await test.texts(alice)).toEqual(['from a peer'])
  })
  it('checks everything again', async () => {
    const alice = test.account()
    const { method, params } = test.storeRequest(alice, 'x', 2)
    const unsigned = JSON.stringify({ method, params: { ...params, signature: null, pubkey_ed25519: null } })
    expect((await send(unsigned, asMember(unsigned))).status).toBe(401)
    const late = JSON.stringify({ method, params: { ...params, ttl: 1 } })
    expect((await send(late, asMember(late))).status).toBe(403)
  })
  it.each(['info', 'retrieve', 'batch', 'get_swarm', 'oxend_request'])('does not take %s', async method => {
    const alice = test.account()
    const params = {
      ...test.retrieveRequest(alice).params,
      requests: [{ method: 'info', params: {} }],
      endpoint: 'get_service_nodes',
    }
    const body = JSON.stringify({ method, params })
    expect(await send(body, asMember(body))).toMatchObject({ status: 400, body: `no method ${method}` })
  })
  it('refuses strangers, other bodies, no signature and other times', async () => {
    const alice = test.account()
    const body = JSON.stringify(test.storeRequest(alice, 'forged'))
    const refused = { status: 403, body: 'swarm request is not signed by a member of this swarm' }
    const stranger = signPeerRequest(
      test.crypto,
      identityFromSeed(test.crypto, randomBytes(32)),
      Buffer.from(body),
      test.clock.ms,
    )
    const member = asMember(body)
    expect(await send(body, stranger)).toMatchObject(refused)
    expect(await send(body, {})).toMatchObject(refused)
    expect(await send(`${body} `, member)).toMatchObject(refused)
    expect(await send(body, { ...member, 'x-session-signature': stranger['x-session-signature'] })).toMatchObject(refused)
    expect(await send(body, { ...member, 'x-session-signature': '*' })).toMatchObject(refused)
    expect(await send(body, { ...member, 'x-session-timestamp': 'soon' })).toMatchObject(refused)
    expect(await send(body, asMember(body, test.clock.ms - 70_001))).toMatchObject({ status: 406 })
    expect((await send(body, asMember(body, test.clock.ms + 70_000))).status).toBe(200)
  })
})

describe('a full database', () => {
  it('answers query_failure, takes nothing away, and the node lives (NODE-28, NODE-32)', async () => {
    const test = await NetworkUnderTest.start({ databaseLimitBytes: 200_000 })
    const alice = test.account()
    const answers: Answer[] = []
    for (let i = 0; i < 10; i++) answers.push(await test.store(alice, String(i).repeat(40_000)))
    const refused = answers.filter(answer => answer.status === 500)
    expect(refused.length).toBeGreaterThan(3)
    const node = test.network.nodes[0]!.ed25519
    expect(refused[0]!.body.swarm[node]).toEqual({ failed: true, query_failure: true, reason: 'the database is full' })
    expect(await test.texts(alice)).toHaveLength(answers.length - refused.length)
    expect((await test.ask('info', {})).status).toBe(200)
    await test.close()
  })
})
