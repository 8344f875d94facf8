import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ed25519Verify } from '@session-v2/crypto'
import { decodeBase64, decodeHex } from '@session-v2/encoding'
import {
  buildExpire,
  buildExpireAll,
  buildGetExpiries,
  changedText,
  type ExpireMode,
  encodeRequest,
  expiredText,
  type Namespace,
  type RequestSigner,
  type RpcRequest,
} from '@session-v2/network'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { answerClient } from '../src/rpc/rpc.ts'
import { HOUR_MS, NetworkUnderTest, openServices } from './network-under-test.ts'

const DAY_MS = 24 * HOUR_MS
const NONE = 'A'.repeat(43)
let test: NetworkUnderTest
let alice: RequestSigner

beforeAll(async () => {
  test = await NetworkUnderTest.start()
})
afterAll(() => test.close())
beforeEach(() => {
  alice = test.account()
})

async function stored(text: string, namespace = 0, ttlMs = HOUR_MS): Promise<string> {
  return (await test.store(alice, text, namespace, { ttlMs })).body.hash
}

function expire(hashes: readonly string[], afterMs: number | readonly number[], mode: ExpireMode = 'set') {
  const expiriesMs = [afterMs].flat().map(ms => test.clock.ms + ms)
  return buildExpire(test.crypto, { hashes, expiriesMs, mode, signer: alice })
}

function expireAll(afterMs: number, namespace: number | 'all' = 0) {
  return buildExpireAll(test.crypto, {
    expiryMs: test.clock.ms + afterMs,
    namespace: namespace as Namespace | 'all',
    signer: alice,
  })
}

/** What is left of each life, in milliseconds. */
async function lives(hashes: readonly string[] | 'all' = 'all'): Promise<Record<string, number>> {
  const { body } = await test.request(buildGetExpiries(test.crypto, { hashes, timestampMs: test.clock.ms, signer: alice }))
  const entries = Object.entries<number>(body.expiries).map(([hash, ms]) => [hash, ms - test.clock.ms])
  return Object.fromEntries(entries)
}

function isSigned(text: Uint8Array, signature: string): boolean {
  return ed25519Verify(test.crypto, decodeHex(test.network.nodes[0]!.ed25519), text, decodeBase64(signature))
}

describe('expire', () => {
  it('sets one expiry for all, in every namespace, and signs what it did (RPC-93, RPC-23)', async () => {
    const hashes = [await stored('a'), await stored('b', 2)]
    const { status, body } = await test.request(expire([NONE, ...hashes], 2 * HOUR_MS))
    expect(status).toBe(200)
    const entry = body.swarm[test.network.nodes[0]!.ed25519]
    const updated = hashes.toSorted()
    expect(entry).toEqual({ expiry: test.clock.ms + 2 * HOUR_MS, updated, signature: expect.any(String) })
    const parts = { requested: [NONE, ...hashes], updated, expiriesMs: [entry.expiry], unchanged: new Map<string, number>() }
    expect(isSigned(expiredText(decodeHex(alice.accountId), parts), entry.signature)).toBe(true)
    expect(await lives()).toEqual({ [hashes[0]!]: 2 * HOUR_MS, [hashes[1]!]: 2 * HOUR_MS })
  })
  it('sets one for each, answered in the order of the sorted hashes (RPC-93)', async () => {
    const hashes = [await stored('a'), await stored('b'), await stored('c')]
    const after = [3 * HOUR_MS, 1 * HOUR_MS + 5, 2 * HOUR_MS]
    const entry = await test.entry(expire(hashes, after))
    const wanted = new Map(hashes.map((hash, at) => [hash, test.clock.ms + after[at]!]))
    expect(entry.updated).toEqual(hashes.toSorted())
    expect(entry.expiry).toEqual(entry.updated.map((hash: string) => wanted.get(hash)))
    const parts = { requested: hashes, updated: entry.updated, expiriesMs: entry.expiry, unchanged: new Map<string, number>() }
    expect(isSigned(expiredText(decodeHex(alice.accountId), parts), entry.signature)).toBe(true)
  })
  it('with `shorten` only lowers, and signs what stayed (RPC-93)', async () => {
    const [short, long] = [await stored('a', 0, HOUR_MS), await stored('b', 0, 3 * HOUR_MS)]
    const entry = await test.entry(expire([short, long], 2 * HOUR_MS, 'shorten'))
    const unchanged = { [short]: test.clock.ms + HOUR_MS }
    expect(entry).toMatchObject({ updated: [long], unchanged, expiry: test.clock.ms + 2 * HOUR_MS })
    const parts = {
      requested: [short, long],
      updated: [long],
      expiriesMs: [entry.expiry],
      unchanged: new Map(Object.entries(unchanged)),
    }
    expect(isSigned(expiredText(decodeHex(alice.accountId), parts), entry.signature)).toBe(true)
  })
  it('with `extend` only raises (RPC-93)', async () => {
    const [short, long] = [await stored('a', 0, HOUR_MS), await stored('b', 0, 3 * HOUR_MS)]
    expect(await test.entry(expire([short, long, NONE], 2 * HOUR_MS, 'extend'))).toMatchObject({
      updated: [short],
      unchanged: { [long]: test.clock.ms + 3 * HOUR_MS },
    })
  })
  it('leaves a life that an extension would make longer by less than a hundredth (NODE-36)', async () => {
    const hash = await stored('a', 0, 100 * HOUR_MS)
    expect(await test.entry(expire([hash], 101 * HOUR_MS - 1, 'extend'))).toMatchObject({
      updated: [],
      unchanged: { [hash]: test.clock.ms + 100 * HOUR_MS },
    })
    expect(await test.entry(expire([hash], 101 * HOUR_MS, 'extend'))).toMatchObject({ updated: [hash], unchanged: {} })
    expect(await test.entry(expire([hash], 101 * HOUR_MS + 1))).toMatchObject({ updated: [hash] })
    const others = [await stored('b', 0, 100 * HOUR_MS), hash]
    const each = await test.entry(expire(others, [200 * HOUR_MS, 101 * HOUR_MS + 2], 'extend'))
    expect(each).toMatchObject({ updated: [others[0]], expiry: [test.clock.ms + 200 * HOUR_MS] })
  })
  it('extends the owner’s message beside its twin of a stranger, which lives longer (NODE-36, RPC-12)', async () => {
    const squatter = await stored('2secret', 0, 14 * DAY_MS)
    const hash = await stored('secret', 2, HOUR_MS)
    expect(squatter).toBe(hash)
    expect(await test.entry(expire([hash], 14 * DAY_MS, 'extend'))).toMatchObject({ updated: [hash] })
    test.clock.ms += 2 * HOUR_MS
    expect(await test.texts(alice, 2)).toEqual(['secret'])
  })
})

describe('the expiry that an expire sets', () => {
  it('goes 30 days ahead at most, in any namespace (RPC-94)', async () => {
    const hash = await stored('a')
    expect(await test.entry(expire([hash], 60 * DAY_MS))).toMatchObject({ expiry: test.clock.ms + 30 * DAY_MS, updated: [hash] })
    expect(await lives()).toEqual({ [hash]: 30 * DAY_MS })
  })
  it('takes a hash twice as once', async () => {
    const hash = await stored('a')
    const entry = await test.entry(expire([hash, hash], [2 * HOUR_MS, 3 * HOUR_MS]))
    expect(entry).toMatchObject({ updated: [hash], expiry: [test.clock.ms + 2 * HOUR_MS] })
  })
  it('ends a message at once when asked to', async () => {
    const hash = await stored('a')
    expect(await test.entry(expire([hash], -1))).toMatchObject({ updated: [hash] })
    expect(await test.texts(alice)).toEqual([])
  })
})

describe('what expire refuses', () => {
  it('refuses a time that is over before it looks at the signature (RPC-75)', async () => {
    const hash = await stored('a')
    const past = { status: 401, body: 'expire: timestamp should be >= current time' }
    expect(await test.request(expire([hash, NONE], [HOUR_MS, -60_001]))).toMatchObject(past)
    const { params } = expire([hash], -60_001)
    expect(await test.ask('expire', { ...params, shorten: true })).toMatchObject(past)
    const wrong = { status: 401, body: 'expire: signature verification failed' }
    expect(await test.ask('expire', { ...expire([hash], HOUR_MS).params, shorten: true })).toMatchObject(wrong)
    expect(await test.ask('expire', { ...expire([hash], HOUR_MS).params, messages: [NONE] })).toMatchObject(wrong)
    expect(await lives()).toEqual({ [hash]: HOUR_MS })
  })
  it.each([
    [{ expiry: null }, "Required field 'expiry' missing"],
    [{ expiry: 'soon' }, "Invalid value given for 'expiry': expected integer array"],
    [{ expiry: [1, 2, 3] }, "Invalid value given for 'expiry': expected one, or one for each of 'messages'"],
    [{ shorten: true, extend: true }, "Cannot specify both 'shorten' and 'extend'"],
    [{ shorten: 1 }, "Invalid value given for 'shorten': expected boolean"],
    [{ messages: [] }, 'messages does not contain any message hashes'],
    [{ messages: ['x'] }, 'invalid message hash: expected base64'],
    [{ signature: null }, "Required field 'signature' missing"],
  ])('%j: 400 %s', async (extra, reason) => {
    const answer = await test.ask('expire', { ...expire([NONE], HOUR_MS).params, ...extra })
    expect(answer).toMatchObject({ status: 400, body: `invalid request: ${reason}` })
  })
})

describe('expire_all', () => {
  it('lowers what lives longer, in one namespace, and raises nothing (RPC-92)', async () => {
    const [short, long, other] = [await stored('a'), await stored('b', 0, 3 * HOUR_MS), await stored('c', 2, 3 * HOUR_MS)]
    const request = expireAll(2 * HOUR_MS)
    const entry = await test.entry(request)
    expect(entry).toEqual({ updated: [long], signature: expect.any(String) })
    const text = changedText(decodeHex(alice.accountId), test.clock.ms + 2 * HOUR_MS, [long])
    expect(isSigned(text, entry.signature)).toBe(true)
    expect(await lives()).toEqual({ [short]: HOUR_MS, [long]: 2 * HOUR_MS, [other]: 3 * HOUR_MS })
    expect((await test.entry(request)).updated).toEqual([])
  })
  it('with `all` lists each namespace by itself, and signs all together (RPC-43)', async () => {
    const [a, b, c] = [await stored('a'), await stored('b', 2), await stored('c', -21)]
    const entry = await test.entry(expireAll(HOUR_MS / 2, 'all'))
    expect(entry.updated).toEqual({ 0: [a], 2: [b], '-21': [c] })
    const text = changedText(decodeHex(alice.accountId), test.clock.ms + HOUR_MS / 2, [a, b, c])
    expect(isSigned(text, entry.signature)).toBe(true)
    expect((await test.entry(expireAll(HOUR_MS, 'all'))).updated).toEqual({})
  })
  it('refuses a time that is over, then a wrong signature (RPC-75)', async () => {
    const past = { status: 406, body: 'expire_all timestamp should be >= current time' }
    const { params } = expireAll(-60_001)
    expect(await test.ask('expire_all', { ...params, namespace: 2 })).toMatchObject(past)
    expect((await test.request(expireAll(-60_000))).status).toBe(200)
    const wrong = { status: 401, body: 'expire_all signature verification failed' }
    expect(await test.ask('expire_all', { ...expireAll(HOUR_MS).params, namespace: 'all' })).toMatchObject(wrong)
    const seconds = await test.ask('expire_all', { ...params, expiry: 1_000 })
    expect(seconds.body).toBe("invalid request: Invalid timestamp for 'expiry': timestamp must be in milliseconds")
    expect((await test.ask('expire_all', { ...params, namespace: 'some' })).status).toBe(400)
  })
})

describe('get_expiries', () => {
  it('tells expiries alone, without time or hard fork, and leaves out what is not there (RPC-95, RPC-02)', async () => {
    const hash = await stored('a')
    const request = buildGetExpiries(test.crypto, { hashes: [NONE, hash], timestampMs: test.clock.ms, signer: alice })
    expect((await test.request(request)).body).toEqual({ expiries: { [hash]: test.clock.ms + HOUR_MS } })
  })
  it('tells all of them, of which what was deleted, has expired or was revoked is none (RPC-95)', async () => {
    const [gone, kept, other] = [await stored('a'), await stored('b', 0, 2 * HOUR_MS), await stored('c', 2, 3 * HOUR_MS)]
    await stored('d', 0, 20_000)
    await test.request(test.deleteRequest(alice, [gone]))
    test.clock.ms += 20_000
    expect(await lives()).toEqual({ [kept]: 2 * HOUR_MS - 20_000, [other]: 3 * HOUR_MS - 20_000 })
    expect(await lives([gone])).toEqual({})
  })
  it('tells a limited number of all, and the parts of a batch share it (NODE-37)', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'expiries-'))
    const services = await openServices(directory, test.clock)
    const account = decodeHex(alice.accountId)
    const expiryMs = test.clock.ms + HOUR_MS
    const messages = Array.from({ length: 3_001 }, (_, i) => {
      const content = { hash: `${i}`.padStart(43, '0'), timestampMs: test.clock.ms, expiryMs, data: new Uint8Array() }
      return { account, namespace: 0, ...content }
    })
    const change = { atMs: test.clock.ms, mode: 'asked' as const }
    await Promise.all(messages.map(message => services.store.store(message, false, change)))
    const all = buildGetExpiries(test.crypto, { hashes: 'all', timestampMs: test.clock.ms, signer: alice })
    const ask = async (request: RpcRequest) => (await answerClient(services, encodeRequest(request))).body as never
    expect(Object.keys(((await ask(all)) as { expiries: object }).expiries)).toHaveLength(3_001)
    const { results } = (await ask({ method: 'batch', params: { requests: Array(20).fill(all) } })) as {
      results: { body: { expiries: object } }[]
    }
    const told = Object.keys(results[19]!.body.expiries)
    expect(told).toEqual(messages.slice(0, 3_000).map(message => message.hash))
    await services.store.close()
    rmSync(directory, { recursive: true })
  })
  it('refuses another time, then a wrong signature (RPC-74)', async () => {
    const { params } = buildGetExpiries(test.crypto, { hashes: [NONE], timestampMs: test.clock.ms, signer: alice })
    const far = { status: 406, body: 'get_expiries timestamp too far from current time' }
    expect(await test.ask('get_expiries', { ...params, timestamp: test.clock.ms - 60_001 })).toMatchObject(far)
    expect(await test.ask('get_expiries', { ...params, timestamp: test.clock.ms + 60_001 })).toMatchObject(far)
    const wrong = { status: 401, body: 'get_expiries signature verification failed' }
    expect(await test.ask('get_expiries', { ...params, timestamp: test.clock.ms + 60_000 })).toMatchObject(wrong)
    expect(await test.ask('get_expiries', { ...params, messages: 'all' })).toMatchObject(wrong)
  })
})
