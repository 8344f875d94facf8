import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadCrypto } from '@session-v2/crypto'
import { concatBytes, encodeUtf8 } from '@session-v2/encoding'
import {
  buildDeleteAll,
  buildDeleteBefore,
  buildExpire,
  buildExpireAll,
  buildGetExpiries,
  buildRevokedSubaccounts,
  buildRevokeSubaccount,
  buildUnrevokeSubaccount,
  encodeAnswer,
  encodeRequest,
  type RequestSigner,
  type RpcRequest,
} from '@session-v2/network'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identityFromSeed } from '../src/identity.ts'
import { openLog } from '../src/log.ts'
import { composeNode, type RunningNode } from '../src/node.ts'
import { systemTimers } from '../src/ports.ts'
import { encodeForwarded } from '../src/swarm/forwarded-request.ts'
import { signPeerRequest } from '../src/swarm/peer-authentication.ts'
import { PEER_PATH } from '../src/swarm/peer-sender.ts'
import { type Answer, HOUR_MS, NetworkUnderTest, postBt } from './network-under-test.ts'

const NONE = 'A'.repeat(43)
const TOKEN = new Uint8Array(36).fill(7)
let test: NetworkUnderTest

/** The writes of an account that has one message, of this hash, in namespace 0. */
function writesOf(signer: RequestSigner, hash: string): Record<string, RpcRequest> {
  const { crypto, clock } = test
  const all = { namespace: 'all' as const, signer }
  const revocation = { tokens: [TOKEN], timestampMs: clock.ms, signer }
  return {
    store: test.storeRequest(signer, 'more', 2),
    expire: buildExpire(crypto, { hashes: [hash, NONE], expiriesMs: [clock.ms + 2 * HOUR_MS, clock.ms], mode: 'extend', signer }),
    expire_all: buildExpireAll(crypto, { ...all, expiryMs: clock.ms + HOUR_MS / 2 }),
    delete: test.deleteRequest(signer, [hash]),
    delete_before: buildDeleteBefore(crypto, { ...all, beforeMs: clock.ms }),
    delete_all: buildDeleteAll(crypto, { ...all, timestampMs: clock.ms }),
    revoke_subaccount: buildRevokeSubaccount(crypto, revocation),
    unrevoke_subaccount: buildUnrevokeSubaccount(crypto, revocation),
  }
}

const METHODS = [
  'store',
  'expire',
  'expire_all',
  'delete',
  'delete_before',
  'delete_all',
  'revoke_subaccount',
  'unrevoke_subaccount',
]

beforeAll(async () => {
  test = await NetworkUnderTest.start({ nodes: 3 })
})
afterAll(() => test.close())

describe('every write is done at every member, which each say the same of it (NODE-32, RPC-40)', () => {
  it.each(METHODS)('%s', async method => {
    const alice = test.account()
    const { hash } = (await test.store(alice, 'first')).body
    if (method === 'unrevoke_subaccount') await test.request(writesOf(alice, hash).revoke_subaccount!)
    const { status, body } = await test.request(writesOf(alice, hash)[method]!, 1)
    expect(status).toBe(200)
    const entries = test.network.nodes.map(({ ed25519 }) => body.swarm[ed25519])
    const said = entries.map(({ signature, ...rest }) => {
      expect(Buffer.from(signature, 'base64')).toHaveLength(64)
      return rest
    })
    expect(said).toEqual([said[0], said[0], said[0]])
    expect(said[0].failed).toBeUndefined()
  })
  it('also of what was there already: 1 in the entries of peers (RPC-41)', async () => {
    const alice = test.account()
    await test.store(alice, 'twice')
    const { body } = await test.store(alice, 'twice')
    const [own, ...peers] = test.network.nodes.map(({ ed25519 }) => body.swarm[ed25519].already)
    expect([own, ...peers]).toEqual([true, 1, 1])
  })
  it('counts times from when the request was taken: the longest life is the same everywhere (NODE-43)', async () => {
    const alice = test.account()
    const { hash } = (await test.store(alice, 'a')).body
    const late = { hashes: [hash], expiriesMs: [test.clock.ms + 90 * 24 * HOUR_MS], signer: alice }
    const { body } = await test.request(buildExpire(test.crypto, late))
    const expiries = Object.values<{ expiry: number }>(body.swarm).map(entry => entry.expiry)
    expect(expiries).toEqual(Array(3).fill(test.clock.ms + 30 * 24 * HOUR_MS))
  })
})

/** A node with one peer that is ours to play, and an owner who asks it. */
class PlayedPeer {
  readonly #directory = mkdtempSync(join(tmpdir(), 'played-peer-'))
  #peer: Server | undefined
  #node: RunningNode | undefined
  key = ''
  nodeKey = ''

  async start(listener: RequestListener, databaseLimitBytes = 1e8): Promise<void> {
    const peer = createServer(listener)
    this.#peer = peer
    await new Promise<void>(resolve => peer.listen(0, '127.0.0.1', resolve))
    const crypto = await loadCrypto()
    const identity = identityFromSeed(crypto, randomBytes(32))
    const log = openLog({ level: 'silent' })
    const listening = await composeNode({
      ...{ host: '127.0.0.1', port: 0, bodyTimeoutMs: 15_000, corsOrigins: 'none', databaseLimitBytes },
      ...{ databaseFile: join(this.#directory, 'messages.db'), crypto, identity, clock: test.clock, timers: systemTimers, log },
    })
    const place = { host: '127.0.0.1', protocol: 'http' as const, swarmId: 1n, x25519: identity.x25519 }
    this.key = identityFromSeed(crypto, randomBytes(32)).ed25519
    this.nodeKey = identity.ed25519
    this.#node = listening.join([
      { ...place, ed25519: identity.ed25519, port: listening.port },
      { ...place, ed25519: this.key, port: (peer.address() as AddressInfo).port },
    ])
  }

  ask({ method, params }: RpcRequest): Promise<Answer> {
    const body = encodeRequest({ method, params }, 'bt')
    return postBt(`${this.#node!.url}/storage_rpc/v1`, body)
  }

  async close(): Promise<void> {
    this.#peer?.closeAllConnections()
    this.#peer?.close()
    await this.#node?.close()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

const SIGNATURE = new Uint8Array(64)
/** A right entry of each method, as a peer could say it, and fields that make it wrong. */
const ENTRIES: readonly [string, Record<string, unknown>, Record<string, unknown>[]][] = [
  [
    'store',
    { hash: NONE, expiry: 1_800_000_000_000, already: 1 },
    [{ hash: 'x' }, { expiry: 'soon' }, { expiry: -1 }, { already: 2 }],
  ],
  ['delete', { deleted: [NONE] }, [{ deleted: NONE }, { deleted: ['x'] }, { deleted: [[NONE]] }]],
  ['delete_all', { deleted: { 0: [NONE], '-21': [] } }, [{ deleted: { x: [NONE] } }, { deleted: { 0: NONE } }, { deleted: 1 }]],
  ['delete_before', { deleted: [NONE] }, [{ deleted: [1] }]],
  ['expire_all', { updated: {} }, [{ updated: 'all' }]],
  [
    'expire',
    { expiry: [1_800_000_000_000], updated: [NONE], unchanged: { [NONE]: 1_800_000_000_000 } },
    [{ expiry: ['x'] }, { unchanged: { x: 1 } }, { unchanged: [] }, { updated: {} }],
  ],
  ['revoke_subaccount', {}, [{ signature: new Uint8Array(63) }, { signature: 'x' }]],
  ['unrevoke_subaccount', { count: 0 }, [{ count: -1 }, { count: 'none' }]],
]

describe('what a peer says it did (NODE-33, NODE-34)', () => {
  it.each(ENTRIES)('%s: goes on when it has the form it must have, with these fields alone', async (method, fields, wrongs) => {
    const pair = new PlayedPeer()
    let reply: string | Uint8Array = ''
    await pair.start((_, response) => response.end(reply))
    const alice = test.account()
    const request = writesOf(alice, NONE)[method]!
    const ask = async (body: unknown): Promise<unknown> => {
      reply = encodeAnswer('bt', body)
      const answer = await pair.ask(request)
      expect(answer.status).toBe(200)
      expect(answer.body.swarm[pair.nodeKey].failed).toBeUndefined()
      return answer.body.swarm[pair.key]
    }
    const right = { ...fields, signature: SIGNATURE }
    const failed = { failed: 1, bad_peer_response: 1 }
    expect(await ask({ ...right, more: { of: ['the', 'same'] }, t: 5 })).toEqual(right)
    for (const wrong of wrongs) expect(await ask({ ...right, ...wrong })).toEqual(failed)
    expect(await ask({ ...right, signature: undefined })).toEqual(failed)
    expect(await ask({ failed: 1, query_failure: 1, reason: 'full', x: 1 })).toEqual({
      failed: 1,
      query_failure: 1,
      reason: 'full',
    })
    expect(await ask({ failed: 1 })).toEqual(failed)
    expect(await ask({ failed: 1, query_failure: 1, reason: 'x'.repeat(201) })).toEqual(failed)
    await pair.close()
  })
  it('is none when it is JSON, a list, deep, or nothing', async () => {
    const pair = new PlayedPeer()
    let reply: string | Uint8Array = ''
    await pair.start((_, response) => response.end(reply))
    const deep = 'l'.repeat(100_000) + 'e'.repeat(100_000)
    for (const body of [JSON.stringify({ hash: NONE }), 'le', '3:abc', 'i1e', '', 'de', `d4:deep${deep}e`, deep]) {
      reply = body
      const { body: answer } = await pair.ask(test.storeRequest(test.account(), 'x'))
      expect(answer.swarm[pair.key]).toEqual({ failed: 1, bad_peer_response: 1 })
    }
    await pair.close()
  })
})

describe('a write that nobody could do', () => {
  it('is 500 with all entries, and a required delete stays 500 then (NODE-32, RPC-62)', async () => {
    const pair = new PlayedPeer()
    await pair.start((_, response) => response.writeHead(401).end('no'), 200_000)
    const alice = test.account()
    const fill = (i: number) => pair.ask(test.storeRequest(alice, String(i).repeat(40_000)))
    const answers = []
    for (let i = 0; i < 10; i++) answers.push(await fill(i))
    const refused = answers.find(answer => answer.status === 500)!
    expect(refused.body.swarm).toEqual({
      [pair.nodeKey]: { failed: 1, query_failure: 1, reason: 'the database is full' },
      [pair.key]: { failed: 1, code: '401', reason: 'no' },
    })
    await pair.close()
  })
  it('is 500 when this node alone did it, and its peer knows nothing of it (NODE-32)', async () => {
    const pair = new PlayedPeer()
    let status = 403
    await pair.start((_, response) => response.writeHead(status).end('who are you'))
    const { status: refused, body } = await pair.ask(test.storeRequest(test.account(), 'a'))
    expect([refused, body.swarm[pair.key].code, body.swarm[pair.nodeKey].failed]).toEqual([500, '403', undefined])
    status = 401
    expect((await pair.ask(test.storeRequest(test.account(), 'a'))).status).toBe(200)
    await pair.close()
  })
  it('is 404 when a required delete found nothing at any member, and 200 when a peer had it', async () => {
    const pair = new PlayedPeer()
    let deleted: string[] = []
    await pair.start((_, response) => response.end(encodeAnswer('bt', { deleted, signature: SIGNATURE })))
    const request = test.deleteRequest(test.account(), [NONE], true)
    expect((await pair.ask(request)).status).toBe(404)
    deleted = [NONE]
    expect((await pair.ask(request)).status).toBe(200)
    await pair.close()
  })
})

/** Passes a request on as node 2 would, to node 1. */
function passOn(rpc: RpcRequest, atMs: number, late = false): Promise<Answer> {
  return sendAsMember(encodeForwarded(encodeRequest(rpc, 'bt'), { atMs, late }))
}

function sendAsMember(body: Uint8Array): Promise<Answer> {
  const seed = Buffer.from(readFileSync(join(test.directory, 'node-2', 'node.key'), 'utf8').trim(), 'hex')
  const headers = signPeerRequest(test.crypto, identityFromSeed(test.crypto, seed), body, test.clock.ms)
  return postBt(test.network.nodes[0]!.url + PEER_PATH, body, headers)
}

describe('a request that was passed on (NODE-41, NODE-43)', () => {
  it('is checked as of then, and refused for a time that cannot be', async () => {
    const alice = test.account()
    const request = buildDeleteAll(test.crypto, { namespace: 0, timestampMs: test.clock.ms, signer: alice } as never)
    const takenMs = test.clock.ms
    test.clock.ms += 3 * HOUR_MS
    const stale = { status: 406, body: 'swarm request timestamp too far from current time' }
    expect(await passOn(request, takenMs)).toMatchObject(stale)
    expect(await passOn(request, test.clock.ms)).toMatchObject({
      status: 406,
      body: 'delete_all timestamp too far from current time',
    })
    expect((await passOn(request, takenMs, true)).body).toEqual({ deleted: [], signature: expect.any(Uint8Array) })
    test.clock.ms += 23 * HOUR_MS
    expect(await passOn(request, takenMs, true)).toMatchObject(stale)
  })
  it('has ten seconds more for a delete_all and expire_all (RPC-77)', async () => {
    const alice = test.account()
    const all = { namespace: 'all' as const, signer: alice }
    for (const request of [
      buildDeleteAll(test.crypto, { ...all, timestampMs: test.clock.ms - 70_000 }),
      buildExpireAll(test.crypto, { ...all, expiryMs: test.clock.ms - 70_000 }),
    ]) {
      expect((await passOn(request, test.clock.ms)).status).toBe(200)
      expect((await test.request(request)).status).toBe(406)
    }
  })
  it('does not bring back what was deleted while it was under way (NODE-43)', async () => {
    const alice = test.account()
    const store = test.storeRequest(alice, 'a')
    const takenMs = test.clock.ms
    const { hash } = (await test.store(alice, 'a')).body
    test.clock.ms += 1000
    await test.request(test.deleteRequest(alice, [hash]))
    test.clock.ms += 4001
    expect((await passOn(store, takenMs)).status).toBe(200)
    expect(await test.texts(alice)).toEqual([])
  })
  it('does not undo, when it is late, what was done since (NODE-81)', async () => {
    const alice = test.account()
    const { hash } = (await test.store(alice, 'a')).body
    const takenMs = test.clock.ms
    const remove = test.deleteRequest(alice, [hash])
    test.clock.ms += 1000
    await test.request(remove)
    test.clock.ms += 1000
    await test.store(alice, 'a')
    expect((await passOn(remove, takenMs + 1000, true)).body.deleted).toEqual([])
    expect(await test.texts(alice)).toEqual(['a'])
    expect((await passOn(remove, test.clock.ms)).body.deleted).toEqual([hash])
    expect(await test.texts(alice)).toEqual([])
    expect((await passOn(test.storeRequest(alice, 'a', 0, { timestampMs: takenMs }), takenMs, true)).status).toBe(200)
    expect(await test.texts(alice)).toEqual([])
  })
})

describe('what is passed on (NODE-41)', () => {
  it.each(METHODS)('may be a %s', async method => {
    const alice = test.account()
    const { hash } = (await test.store(alice, 'first')).body
    const answer = await passOn(writesOf(alice, hash)[method]!, test.clock.ms)
    expect(answer.status).toBe(200)
    expect(answer.body.signature).toHaveLength(64)
    expect(answer.body.swarm).toBeUndefined()
  })
  it('is not one that only reads or holds others', async () => {
    const alice = test.account()
    const reads: RpcRequest[] = [
      { method: 'active_nodes_bin', params: {} },
      { method: 'ifelse', params: { if: { hf_at_least: [1] }, else: test.storeRequest(alice, 'x') } },
      { method: 'sequence', params: { requests: [test.storeRequest(alice, 'x')] } },
      buildRevokedSubaccounts(test.crypto, { timestampMs: test.clock.ms, signer: alice }),
    ]
    for (const request of reads) {
      expect(await passOn(request, test.clock.ms)).toMatchObject({ status: 400, body: `no method ${request.method}` })
    }
  })
  it('is checked for revoked subaccounts too (SUB-04, NODE-39)', async () => {
    const alice = test.account()
    const own = test.subaccount(alice, 7)
    const revoke = buildRevokeSubaccount(test.crypto, { tokens: [own.token], timestampMs: test.clock.ms, signer: alice })
    await test.request(revoke)
    expect(await passOn(test.deleteRequest(own, [NONE]), test.clock.ms)).toMatchObject({
      status: 401,
      body: 'delete_msgs subaccount is revoked',
    })
  })
  it('with junk behind its time is refused as what it is', async () => {
    const body = concatBytes(encodeUtf8(`d2:ati${test.clock.ms}e`), encodeUtf8('nonsense'))
    expect(await sendAsMember(body)).toMatchObject({ status: 400, body: 'invalid json' })
  })
})

describe('a node of another swarm (NODE-30, RPC-70)', () => {
  it('answers 421 with the right one, before it looks at anything else', async () => {
    const two = await NetworkUnderTest.start({ nodes: 2, swarms: 2, clock: test.clock })
    const alice = test.account()
    const { body: home } = await two.ask('get_swarm', { pubkey: alice.accountId })
    const stranger = two.network.nodes.findIndex(node => node.swarm !== home.swarm)
    const { crypto, clock } = test
    const requests = [
      ...Object.values(writesOf(alice, NONE)),
      test.retrieveRequest(alice),
      buildGetExpiries(crypto, { hashes: 'all', timestampMs: clock.ms, signer: alice }),
      buildRevokedSubaccounts(crypto, { timestampMs: clock.ms, signer: alice }),
    ]
    for (const { method, params } of requests) {
      const answer = await two.ask(method, { ...params, signature: Buffer.alloc(64).toString('base64') }, stranger)
      expect(answer).toMatchObject({ status: 421, body: home })
    }
    await two.close()
  })
})

describe('a member that is down', () => {
  it.each(METHODS)('%s goes on without it and says so (NODE-33)', async method => {
    const down = await NetworkUnderTest.start({ nodes: 2, clock: test.clock })
    await down.network.nodes[1]!.close()
    const alice = test.account()
    const { status, body } = await down.request(writesOf(alice, NONE)[method]!)
    expect(status).toBe(200)
    expect(body.swarm[down.network.nodes[1]!.ed25519]).toEqual({ failed: true, timeout: true })
    expect(body.swarm[down.network.nodes[0]!.ed25519]).toMatchObject({ signature: expect.any(String) })
    await down.close()
  })
})
