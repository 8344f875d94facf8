import type { RequestSigner } from '@session-v2/network'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HOUR_MS, NetworkUnderTest } from './network-under-test.ts'

let test: NetworkUnderTest
let alice: RequestSigner

beforeAll(async () => {
  test = await NetworkUnderTest.start()
})
afterAll(() => test.close())

async function storeMany(count: number, sizeBytes = 10): Promise<string[]> {
  alice = test.account()
  const hashes: string[] = []
  for (let i = 0; i < count; i++) hashes.push((await test.store(alice, `${i}`.padEnd(sizeBytes, '.'))).body.hash)
  return hashes
}

function retrieve(extra: object = {}, namespace = 0) {
  return test.request(test.retrieveRequest(alice, namespace, extra))
}

describe('retrieve', () => {
  it('gives hash, timestamp, expiration and data, oldest first (RPC-57)', async () => {
    const hashes = await storeMany(3)
    const { status, body } = await retrieve()
    expect(status).toBe(200)
    expect(body).toMatchObject({ more: false, t: test.clock.ms, hf: [19, 3] })
    expect(body.messages.map((message: { hash: string }) => message.hash)).toEqual(hashes)
    const data = Buffer.from('0.........').toString('base64')
    expect(body.messages[0]).toEqual({ hash: hashes[0], timestamp: test.clock.ms, expiration: test.clock.ms + HOUR_MS, data })
  })
  it('continues after last_hash, its alias, and from the start after an empty or unknown one (RPC-55)', async () => {
    const hashes = await storeMany(3)
    expect((await retrieve({ last_hash: hashes[1] })).body.messages).toHaveLength(1)
    expect((await retrieve({ lastHash: hashes[2] })).body.messages).toHaveLength(0)
    expect((await retrieve({ last_hash: '' })).body.messages).toHaveLength(3)
    expect((await retrieve({ last_hash: 'A'.repeat(43) })).body.messages).toHaveLength(3)
    expect((await retrieve({ last_hash: 'short' })).status).toBe(400)
  })
  it('stops at max_count', async () => {
    await storeMany(3)
    expect((await retrieve({ max_count: 2 })).body).toMatchObject({ more: true, messages: { length: 2 } })
    expect((await retrieve({ max_count: 3 })).body).toMatchObject({ more: false, messages: { length: 3 } })
    expect((await retrieve({ max_count: 0 })).body).toMatchObject({ more: false, messages: { length: 3 } })
  })
  it('stops at max_size: bytes, or −k for a k-th of the budget (RPC-55)', async () => {
    await storeMany(10, 60_000)
    // A message counts 100 + 43 + 80,000; the whole budget is 7,800,000.
    const count = async (maxSize: number) => (await retrieve({ max_size: maxSize })).body.messages.length
    expect(await count(80_143 * 2)).toBe(2)
    expect(await count(80_143 * 2 - 1)).toBe(1)
    expect(await count(1)).toBe(1)
    expect(await count(-20)).toBe(4)
    expect(await count(-1)).toBe(10)
    expect(await count(0)).toBe(10)
  })
  it('takes a fifth of the budget when nothing is said', async () => {
    await storeMany(22, 60_000)
    expect((await retrieve()).body).toMatchObject({ more: true, messages: { length: 19 } })
    expect((await retrieve({ max_size: 1e9 })).body).toMatchObject({ more: false, messages: { length: 22 } })
  })
})

describe('what retrieve refuses', () => {
  it('401 without a signature in namespace 0, 400 in others', async () => {
    alice = test.account()
    const { accountId: pubkey } = alice
    expect(await test.ask('retrieve', { pubkey })).toMatchObject({ status: 401, body: 'retrieve: request signature required' })
    const missing = (field: string) => ({ status: 400, body: `invalid request: Required field '${field}' missing` })
    expect(await test.ask('retrieve', { pubkey, namespace: 2 })).toMatchObject(missing('signature'))
    expect(await retrieve({ timestamp: null })).toMatchObject(missing('timestamp'))
    expect(await test.ask('retrieve', { pubkey, namespace: -10, timestamp: test.clock.ms })).toMatchObject(missing('signature'))
    expect(await retrieve({ timestamp: 1000 })).toMatchObject({
      status: 400,
      body: "invalid request: Invalid timestamp for 'timestamp': timestamp must be in milliseconds",
    })
  })
  it('406 for another time, before 401 for a wrong signature', async () => {
    alice = test.account()
    const late = { timestamp: test.clock.ms - 60_001 }
    expect(await retrieve(late)).toMatchObject({ status: 406, body: 'retrieve timestamp too far from current time' })
    const wrong = { status: 401, body: 'retrieve signature verification failed' }
    expect(await retrieve({ timestamp: test.clock.ms - 60_000 })).toMatchObject(wrong)
    expect(await retrieve({ namespace: 2 })).toMatchObject(wrong)
    expect(await retrieve({ pubkey: test.account().accountId })).toMatchObject(wrong)
    const group = test.account('03')
    const forGroup = { pubkey: group.accountId }
    expect(await retrieve(forGroup)).toMatchObject({
      status: 400,
      body: 'invalid request: pubkey_ed25519 is only permitted for 05[...] pubkeys',
    })
  })
  it('nothing in open namespaces, and in −3741 there is never anything', async () => {
    const { accountId: pubkey } = test.account()
    expect((await test.ask('retrieve', { pubkey, namespace: -10 })).body).toMatchObject({ messages: [], more: false })
    expect((await test.ask('retrieve', { pubkey, namespace: -3741 })).body).toMatchObject({ messages: [], more: false })
  })
})
