import { encodeBase64, encodeUtf8 } from '@session-v2/encoding'
import {
  buildDeleteAll,
  buildDeleteBefore,
  buildExpire,
  buildExpireAll,
  buildGetExpiries,
  buildGetServiceNodes,
  buildGetSwarm,
  buildIfelse,
  buildRevokedSubaccounts,
  buildRevokeSubaccount,
  buildUnrevokeSubaccount,
  encodeRequest,
  type RequestSigner,
  type RpcRequest,
} from '@session-v2/network'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HOUR_MS, NetworkUnderTest, postBt } from './network-under-test.ts'

const NONE = 'A'.repeat(43)
let test: NetworkUnderTest

beforeAll(async () => {
  test = await NetworkUnderTest.start()
})
afterAll(() => test.close())

/** An answer in bt as it would be in JSON, where that is known from the answer in JSON: bytes as base64, 1 as true. */
function asJson(value: unknown, like: unknown): unknown {
  if (value instanceof Uint8Array) return encodeBase64(value)
  if (typeof like === 'boolean') return value === 1
  if (Array.isArray(value)) return value.map((item, at) => asJson(item, (like as unknown[] | undefined)?.[at]))
  if (typeof value !== 'object' || value === null) return value
  const known = (like ?? {}) as Record<string, unknown>
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, asJson(item, known[name])]))
}

const retrieveTwice = (signer: RequestSigner) => [test.retrieveRequest(signer), test.retrieveRequest(signer, 2)]

/** Requests whose answer is the same each time. */
const REQUESTS: readonly [string, (signer: RequestSigner) => RpcRequest][] = [
  ['info', () => ({ method: 'info', params: {} })],
  ['get_swarm', signer => buildGetSwarm(signer.accountId)],
  ['oxend_request', () => buildGetServiceNodes()],
  ['store', signer => test.storeRequest(signer, 'again', 2)],
  ['retrieve', signer => test.retrieveRequest(signer, 2, { max_size: -1 })],
  ['delete', signer => test.deleteRequest(signer, [NONE], false)],
  ['delete that finds nothing', signer => test.deleteRequest(signer, [NONE], true)],
  ['delete_all', signer => buildDeleteAll(test.crypto, { namespace: 'all', timestampMs: test.clock.ms - 1, signer })],
  ['delete_before', signer => buildDeleteBefore(test.crypto, { ...zero, beforeMs: test.clock.ms - HOUR_MS, signer })],
  ['expire', signer => buildExpire(test.crypto, { hashes: [NONE], expiriesMs: [test.clock.ms], mode: 'shorten', signer })],
  ['expire_all', signer => buildExpireAll(test.crypto, { ...zero, expiryMs: test.clock.ms + 2 * HOUR_MS, signer })],
  ['get_expiries', signer => buildGetExpiries(test.crypto, { hashes: 'all', timestampMs: test.clock.ms, signer })],
  ['revoke_subaccount', signer => buildRevokeSubaccount(test.crypto, { ...tokens, timestampMs: test.clock.ms, signer })],
  ['unrevoke_subaccount', signer => buildUnrevokeSubaccount(test.crypto, { ...others, timestampMs: test.clock.ms, signer })],
  ['revoked_subaccounts', signer => buildRevokedSubaccounts(test.crypto, { timestampMs: test.clock.ms, signer })],
  ['batch', signer => ({ method: 'batch', params: { requests: retrieveTwice(signer) } })],
  ['sequence', signer => ({ method: 'sequence', params: { requests: retrieveTwice(signer) } })],
  ['ifelse', signer => buildIfelse({ condition: { hfAtLeast: [1] }, whenHolds: test.retrieveRequest(signer, 2) })],
]

const zero = { namespace: 0 as never }
const tokens = { tokens: [new Uint8Array(36).fill(1)] }
const others = { tokens: [new Uint8Array(36).fill(2)] }

describe.each(REQUESTS)('%s in bt (RPC-04, RPC-15)', (_, request) => {
  it('is answered in bt with what the same in JSON is', async () => {
    const alice = test.account()
    // Later than what the deletes concern.
    for (const [text, namespace] of [
      ['a', 0],
      ['again', 2],
    ] as const)
      await test.store(alice, text, namespace)
    await test.request(request(alice))
    const json = await test.request(request(alice))
    const bt = await test.requestBt(request(alice))
    expect(bt.headers.get('content-type')).toBe('application/octet-stream')
    expect(bt.status).toBe(json.status)
    expect(asJson(bt.body, json.body)).toEqual(json.body)
  })
})

describe('a message in bt', () => {
  it('is the one of JSON, with every byte', async () => {
    const alice = test.account()
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    const { method, params } = test.storeRequest(alice, '')
    const request = { method, params: { ...params, data: encodeBase64(all) } }
    const { hash } = (await test.requestBt(request)).body
    expect((await test.entry(request)).already).toBe(true)
    const [message] = (await test.requestBt(test.retrieveRequest(alice))).body.messages
    expect(message).toEqual({ hash, data: all, timestamp: test.clock.ms, expiration: test.clock.ms + HOUR_MS })
    const [json] = (await test.request(test.retrieveRequest(alice))).body.messages
    expect(json.data).toBe(encodeBase64(all))
  })
})

describe('what is refused in bt', () => {
  it('is the text of JSON, as text', async () => {
    const alice = test.account()
    const unsigned = { method: 'retrieve', params: { pubkey: alice.accountId } }
    const answer = await test.requestBt(unsigned)
    expect(answer).toMatchObject({ status: 401, body: 'retrieve: request signature required' })
    expect(answer.headers.get('content-type')).toBe('text/plain')
  })
  it.each([
    ['d', 'invalid json'],
    ['de', 'invalid json: no `method` field'],
    ['d6:method4:infoe', 'invalid json: no `params` field'],
    ['d6:method4:info6:paramsdee ', 'invalid json'],
    ['d6:paramsde6:method4:infoe', 'invalid json'],
    ['d6:method4:nope6:paramsdee', 'no method nope'],
    ['d6:method8:retrieve6:paramsdee', "invalid request: Required field 'pubkey' missing"],
    [`d6:method4:info6:params${'l'.repeat(30)}${'e'.repeat(30)}e`, 'invalid json'],
  ])('%s: 400 %s', async (body, reason) => {
    expect(await postBt(test.url(), encodeUtf8(body))).toMatchObject({ status: 400, body: reason })
  })
  it('within a batch leaves the others', async () => {
    const alice = test.account()
    const requests = [
      { method: 'retrieve', params: { pubkey: alice.accountId } },
      { method: 'info', params: {} },
    ]
    const { body } = await postBt(test.url(), encodeRequest({ method: 'batch', params: { requests } }, 'bt'))
    expect(body.results).toMatchObject([
      { code: 401, body: 'retrieve: request signature required' },
      { code: 200, body: { t: test.clock.ms } },
    ])
  })
})
