import { ed25519Verify } from '@session-v2/crypto'
import { decodeBase64, decodeHex } from '@session-v2/encoding'
import { buildDeleteAll, buildDeleteBefore, changedText, type Namespace, type RequestSigner } from '@session-v2/network'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { NetworkUnderTest } from './network-under-test.ts'

let test: NetworkUnderTest
let alice: RequestSigner

beforeAll(async () => {
  test = await NetworkUnderTest.start()
})
afterAll(() => test.close())
beforeEach(() => {
  alice = test.account()
})

async function stored(text: string, namespace = 0, agoMs = 0): Promise<string> {
  return (await test.store(alice, text, namespace, { timestampMs: test.clock.ms - agoMs })).body.hash
}

function deleteAll(namespace: number | 'all' = 0, timestampMs = test.clock.ms) {
  return buildDeleteAll(test.crypto, { namespace: namespace as Namespace | 'all', timestampMs, signer: alice })
}

function deleteBefore(agoMs: number, namespace: number | 'all' = 0) {
  const beforeMs = test.clock.ms - agoMs
  return buildDeleteBefore(test.crypto, { namespace: namespace as Namespace | 'all', beforeMs, signer: alice })
}

function isSigned(text: Uint8Array, signature: string): boolean {
  return ed25519Verify(test.crypto, decodeHex(test.network.nodes[0]!.ed25519), text, decodeBase64(signature))
}

describe('delete_all', () => {
  it('empties one namespace and signs what was there (RPC-90)', async () => {
    const deleted = [await stored('a'), await stored('b')].sort()
    await stored('c', 2)
    const entry = await test.entry(deleteAll())
    expect(entry).toEqual({ deleted, signature: expect.any(String) })
    expect(isSigned(changedText(decodeHex(alice.accountId), test.clock.ms, deleted), entry.signature)).toBe(true)
    expect([await test.texts(alice), await test.texts(alice, 2)]).toEqual([[], ['c']])
    expect((await test.entry(deleteAll())).deleted).toEqual([])
  })
  it('with `all` empties every namespace, and lists each (RPC-43)', async () => {
    const [a, b, c] = [await stored('a'), await stored('b', 2), await stored('c', -21)]
    const entry = await test.entry(deleteAll('all'))
    expect(entry.deleted).toEqual({ 0: [a], 2: [b], '-21': [c] })
    expect(isSigned(changedText(decodeHex(alice.accountId), test.clock.ms, [a, b, c]), entry.signature)).toBe(true)
    expect(await test.texts(alice, 2)).toEqual([])
  })
  it('lets the same message be stored again (NODE-27)', async () => {
    await stored('a')
    await test.request(deleteAll())
    expect(await stored('a')).toHaveLength(43)
    expect(await test.texts(alice)).toEqual(['a'])
  })
  it('holds for a minute: sent again later it is refused (RPC-74)', async () => {
    const request = deleteAll()
    test.clock.ms += 60_000
    expect((await test.request(request)).status).toBe(200)
    await stored('a')
    test.clock.ms += 1
    const far = { status: 406, body: 'delete_all timestamp too far from current time' }
    expect(await test.request(request)).toMatchObject(far)
    expect(await test.request(deleteAll(0, test.clock.ms + 60_001))).toMatchObject(far)
    expect(await test.texts(alice)).toEqual(['a'])
  })
  it('refuses what the owner did not sign (RPC-74)', async () => {
    await stored('a')
    const wrong = { status: 401, body: 'delete_all signature verification failed' }
    const { params } = deleteAll(2)
    expect(await test.ask('delete_all', { ...params, namespace: 0 })).toMatchObject(wrong)
    expect(await test.ask('delete_all', { ...params, namespace: 'all' })).toMatchObject(wrong)
    const stranger = { ...deleteAll().params, pubkey: test.account().accountId }
    expect(await test.ask('delete_all', stranger)).toMatchObject(wrong)
    expect(await test.texts(alice)).toEqual(['a'])
  })
  it.each([
    [{ timestamp: null }, "Required field 'timestamp' missing"],
    [{ timestamp: 1000 }, "Invalid timestamp for 'timestamp': timestamp must be in milliseconds"],
    [{ signature: null }, "Required field 'signature' missing"],
    [{ namespace: 40_000 }, 'value out of range'],
  ])('%j: 400 %s', async (extra, reason) => {
    const answer = await test.ask('delete_all', { ...deleteAll().params, ...extra })
    expect(answer).toMatchObject({ status: 400, body: `invalid request: ${reason}` })
  })
})

describe('delete_before', () => {
  it('deletes up to and including a timestamp, and signs it (RPC-91)', async () => {
    const [old, same] = [await stored('old', 0, 2000), await stored('same', 0, 1000)]
    await stored('new', 0, 999)
    await stored('other', 2, 2000)
    const entry = await test.entry(deleteBefore(1000))
    const deleted = [old, same].sort()
    expect(entry).toEqual({ deleted, signature: expect.any(String) })
    expect(isSigned(changedText(decodeHex(alice.accountId), test.clock.ms - 1000, deleted), entry.signature)).toBe(true)
    expect([await test.texts(alice), await test.texts(alice, 2)]).toEqual([['new'], ['other']])
  })
  it('with `all` does so in every namespace (RPC-43)', async () => {
    const [a, b] = [await stored('a', 0, 2000), await stored('b', 2, 2000)]
    await stored('c', 2)
    expect((await test.entry(deleteBefore(1000, 'all'))).deleted).toEqual({ 0: [a], 2: [b] })
    expect(await test.texts(alice, 2)).toEqual(['c'])
  })
  it('reaches a minute ahead, and as far back as one likes (RPC-75)', async () => {
    await stored('a')
    expect(await test.request(deleteBefore(-60_001))).toMatchObject({
      status: 401,
      body: 'delete_before timestamp too far in the future',
    })
    expect((await test.entry(deleteBefore(1_000_000_000))).deleted).toEqual([])
    expect((await test.entry(deleteBefore(-60_000))).deleted).toHaveLength(1)
  })
  it('refuses what the owner did not sign (RPC-75)', async () => {
    const { params } = deleteBefore(0)
    const wrong = { status: 401, body: 'delete_before signature verification failed' }
    expect(await test.ask('delete_before', { ...params, before: test.clock.ms - 1 })).toMatchObject(wrong)
    expect(await test.ask('delete_before', { ...params, namespace: 'all' })).toMatchObject(wrong)
    const missing = await test.ask('delete_before', { ...params, before: null })
    expect(missing.body).toBe("invalid request: Required field 'before' missing")
  })
})

describe('a delete that is sent again', () => {
  it('deletes what was stored again: it has no time', async () => {
    const request = test.deleteRequest(alice, [await stored('a')])
    await test.request(request)
    await stored('a')
    test.clock.ms += 1_000_000
    expect((await test.entry(request)).deleted).toHaveLength(1)
  })
})
