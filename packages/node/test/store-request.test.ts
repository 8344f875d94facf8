import { ed25519Verify } from '@session-v2/crypto'
import { decodeBase64, decodeHex, encodeUtf8 } from '@session-v2/encoding'
import { messageHash, NAMESPACE, type RequestSigner } from '@session-v2/network'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HOUR_MS, NetworkUnderTest } from './network-under-test.ts'

const DAY_MS = 24 * HOUR_MS
let test: NetworkUnderTest
let alice: RequestSigner

beforeAll(async () => {
  test = await NetworkUnderTest.start()
})
afterAll(() => test.close())

function ask(params: object) {
  return test.ask('store', { pubkey: alice.accountId, timestamp: test.clock.ms, ttl: HOUR_MS, data: 'AAAA', ...params })
}

describe('store', () => {
  it('answers hash, expiry and the signature of the member (RPC-52)', async () => {
    alice = test.account()
    const { status, body } = await test.store(alice, 'hello')
    const node = test.network.nodes[0]!.ed25519
    const hash = messageHash(test.crypto, decodeHex(alice.accountId), NAMESPACE.messages, encodeUtf8('hello'))
    expect(status).toBe(200)
    expect(body).toEqual({
      swarm: { [node]: { hash, signature: expect.any(String), expiry: test.clock.ms + HOUR_MS } },
      hash,
      t: test.clock.ms,
      hf: [19, 3],
    })
    const signature = decodeBase64(body.swarm[node].signature)
    expect(ed25519Verify(test.crypto, decodeHex(node), encodeUtf8(hash), signature)).toBe(true)
    expect(await test.texts(alice)).toEqual(['hello'])
  })
  it('says `already` for the same message and raises its expiry, never lowers it (RPC-52, NODE-24)', async () => {
    alice = test.account()
    await test.store(alice, 'twice')
    const longer = await test.store(alice, 'twice', 0, { ttlMs: 2 * HOUR_MS })
    expect(Object.values(longer.body.swarm)[0]).toMatchObject({ already: true, expiry: test.clock.ms + 2 * HOUR_MS })
    const shorter = await test.store(alice, 'twice')
    expect(Object.values(shorter.body.swarm)[0]).toMatchObject({ already: true, expiry: test.clock.ms + 2 * HOUR_MS })
    expect(await test.texts(alice)).toEqual(['twice'])
  })
  it('takes digit strings, pubKey, expiry and unpadded base64', async () => {
    alice = test.account()
    const { accountId } = alice
    const answer = await test.ask('store', {
      pubKey: accountId,
      timestamp: `${test.clock.ms}`,
      expiry: test.clock.ms + HOUR_MS,
      data: 'eA',
    })
    expect(answer.status).toBe(200)
    expect(await test.texts(alice)).toEqual(['x'])
  })
  it('keeps accounts of other prefixes, whose key is Ed25519 itself', async () => {
    const group = test.account('03')
    expect((await test.store(group, 'to a group')).status).toBe(200)
  })
})

describe('what store refuses while reading', () => {
  it.each([
    [{ pubkey: null }, "Required field 'pubkey' missing"],
    [{ pubkey: '05ab' }, 'Pubkey must be 66 hex digits (33 bytes) long'],
    [{ pubKey: `05${'a'.repeat(64)}` }, "Cannot specify both 'pubkey' and 'pubKey'"],
    [{ timestamp: null }, "Required field 'timestamp' missing"],
    [{ ttl: null }, "Required field 'expiry' missing"],
    [{ data: null }, "Required field 'data' missing"],
    [{ data: '*' }, "Invalid value given for 'data': invalid base64"],
    [{ data: Buffer.alloc(76_801).toString('base64') }, 'Message body exceeds maximum allowed length of 76800 bytes'],
    [{ namespace: 32_768 }, 'value out of range'],
    [{ namespace: 'x' }, "Invalid value given for 'namespace': expected integer"],
    [{ signature: 'AAAA' }, 'Provided signature is not of the right length'],
  ])('%j: %s', async (params, reason) => {
    alice = test.account()
    expect(await ask(params)).toMatchObject({ status: 400, body: `invalid request: ${reason}` })
  })
  it('takes the largest message', async () => {
    alice = test.account()
    expect((await ask({ data: Buffer.alloc(76_800).toString('base64') })).status).toBe(200)
  })
})

describe('what store refuses, in order', () => {
  const TTL = 'Provided expiry/TTL is not valid.'
  const CLOCK = 'Timestamp error: check your clock'
  it('403 for a TTL out of bounds, before the clock', async () => {
    alice = test.account()
    for (const ttl of [9_999, 14 * DAY_MS + 1]) expect(await ask({ ttl, timestamp: 1 })).toMatchObject({ status: 403, body: TTL })
    expect((await ask({ ttl: 10_000 })).status).toBe(200)
    expect((await ask({ ttl: 14 * DAY_MS })).status).toBe(200)
  })
  it('406 for a clock that is off, before the signature', async () => {
    alice = test.account()
    const ahead = { timestamp: test.clock.ms + 10_001 }
    expect(await ask(ahead)).toMatchObject({ status: 406, body: CLOCK })
    expect(await ask({ ...ahead, namespace: 2 })).toMatchObject({ status: 406, body: CLOCK })
    expect(await ask({ timestamp: test.clock.ms - HOUR_MS - 10_001 })).toMatchObject({ status: 406, body: CLOCK })
    expect((await ask({ timestamp: test.clock.ms + 10_000 })).status).toBe(200)
  })
  it('401 without a signature, 406 for an old one, 401 for a wrong one', async () => {
    alice = test.account()
    const signed = test.storeRequest(alice, 'config', 2).params
    const missing = 'store: signature required to store to namespace 2'
    expect(await ask({ namespace: 2 })).toMatchObject({ status: 401, body: missing })
    const old = { ...signed, sig_timestamp: test.clock.ms - 60_001 }
    expect(await ask(old)).toMatchObject({ status: 406, body: 'store signature timestamp too far from current time' })
    const wrong = { ...signed, sig_timestamp: test.clock.ms + 1 }
    expect(await ask(wrong)).toMatchObject({ status: 401, body: 'store signature verification failed' })
    const otherKey = { ...signed, pubkey_ed25519: Buffer.from(test.account().publicKey).toString('hex') }
    expect(await ask(otherKey)).toMatchObject({ status: 401, body: 'store signature verification failed' })
    expect((await ask(signed)).status).toBe(200)
    expect(await test.texts(alice, 2)).toEqual(['config'])
  })
  it('30 days where the namespace is the owner’s', async () => {
    alice = test.account()
    expect((await test.store(alice, 'a', 2, { ttlMs: 30 * DAY_MS })).status).toBe(200)
    expect((await test.store(alice, 'b', 2, { ttlMs: 30 * DAY_MS + 1 })).status).toBe(403)
  })
})

describe('outbox', () => {
  it('replaces, even as the only message of the account, and the newest wins', async () => {
    alice = test.account()
    const at = (ms: number) => ({ timestampMs: test.clock.ms + ms })
    await test.store(alice, 'first', -21, at(0))
    expect(await test.store(alice, 'second', -21, at(2))).toMatchObject({ status: 200 })
    const older = await test.store(alice, 'between', -21, at(1))
    expect(older.status).toBe(200)
    expect(Object.values(older.body.swarm)[0]).toMatchObject({ hash: older.body.hash, expiry: test.clock.ms + 1 + HOUR_MS })
    expect(await test.texts(alice, -21)).toEqual(['second'])
  })
  it('is open to read and closed to strangers', async () => {
    alice = test.account()
    await test.store(alice, 'keys', -21)
    const open = await test.ask('retrieve', { pubkey: alice.accountId, namespace: -21 })
    expect(open.body.messages).toHaveLength(1)
    expect((await ask({ namespace: -21 })).status).toBe(401)
  })
})

describe('expiry', () => {
  it('is not served from the moment on, swept or not', async () => {
    alice = test.account()
    await test.store(alice, 'brief', 0, { ttlMs: 10_000 })
    test.clock.ms += 9_999
    expect(await test.texts(alice)).toEqual(['brief'])
    test.clock.ms += 1
    expect(await test.texts(alice)).toEqual([])
  })
})

describe('a hash that a stranger took through an open namespace', () => {
  it('does not keep the owner’s message out, nor extend its life (NODE-20, RPC-12)', async () => {
    alice = test.account()
    const squatter = await test.store(alice, '2secret', 0, { ttlMs: 14 * DAY_MS })
    const owner = await test.store(alice, 'secret', 2)
    expect(owner.body.hash).toBe(squatter.body.hash)
    expect(Object.values(owner.body.swarm)[0]).toEqual({
      hash: owner.body.hash,
      signature: expect.any(String),
      expiry: test.clock.ms + HOUR_MS,
    })
    expect(await test.texts(alice, 2)).toEqual(['secret'])
  })
})
