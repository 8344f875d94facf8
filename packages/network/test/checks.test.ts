import { ed25519Sign } from '@session-v2/crypto'
import {
  buildDelete,
  checkDelete,
  checkRetrieve,
  checkStore,
  type DeleteParams,
  decodeRequest,
  deleteText,
  encodeRequest,
  INBOX_MAX_TTL_MS,
  MAX_TTL_MS,
  parseNamespace,
  parseRequest,
  type RetrieveParams,
  type RpcRequest,
  retrieveText,
  type StoreParams,
  storeText,
} from '@session-v2/network'
import { describe, expect, it } from 'vitest'
import { keyOwner, NOW_MS, type Owner, sessionOwner, wasm } from './owners.ts'

const alice = sessionOwner(wasm, 1)
const bob = sessionOwner(wasm, 2)
const MINUTE_MS = 60_000

function sign(owner: Owner, text: Uint8Array) {
  return { signature: ed25519Sign(wasm, owner.secretKey, text), ed25519: owner.publicKey as Uint8Array }
}

interface StoreFaults {
  namespace?: number
  atMs?: number
  ttlMs?: number
  sigAtMs?: number
  signedFor?: number
  by?: Owner | undefined
}

/** A store without a fault, but for those given. */
function store(faults: StoreFaults): StoreParams {
  const { namespace: number = 2, atMs = NOW_MS, ttlMs = MINUTE_MS, sigAtMs = NOW_MS, signedFor = number } = faults
  const by = 'by' in faults ? faults.by : alice
  const namespace = parseNamespace(number)
  const signed = by && { ...sign(by, storeText(parseNamespace(signedFor), sigAtMs)), sigTimestampMs: sigAtMs }
  return { account: alice.account, namespace, payload: new Uint8Array(1), timestampMs: atMs, expiryMs: atMs + ttlMs, signed }
}

const TTL = { status: 403, body: 'Provided expiry/TTL is not valid.' }
const CLOCK = { status: 406, body: 'Timestamp error: check your clock' }

describe('a store (RPC-51, RPC-71)', () => {
  it('is refused for the first of its faults', () => {
    const stale = NOW_MS - 2 * MINUTE_MS
    const late = { atMs: NOW_MS + MINUTE_MS }
    expect(checkStore(wasm, store({ ttlMs: 1, ...late, by: undefined }), NOW_MS)).toEqual(TTL)
    expect(checkStore(wasm, store({ ...late, by: undefined }), NOW_MS)).toEqual(CLOCK)
    const unsigned = { status: 401, body: 'store: signature required to store to namespace 2' }
    expect(checkStore(wasm, store({ by: undefined }), NOW_MS)).toEqual(unsigned)
    const signatureTime = { status: 406, body: 'store signature timestamp too far from current time' }
    expect(checkStore(wasm, store({ sigAtMs: stale, by: bob }), NOW_MS)).toEqual(signatureTime)
    expect(checkStore(wasm, store({ by: bob }), NOW_MS)).toEqual({ status: 401, body: 'store signature verification failed' })
    expect(checkStore(wasm, store({}), NOW_MS)).toBeUndefined()
  })

  it.each([
    ['a TTL of 10 s', { ttlMs: 10_000 }, undefined],
    ['a shorter TTL', { ttlMs: 9_999 }, TTL],
    ['the longest TTL', { ttlMs: MAX_TTL_MS }, undefined],
    ['a longer TTL', { ttlMs: MAX_TTL_MS + 1 }, TTL],
    ['the longest TTL of an inbox', { namespace: 0, ttlMs: INBOX_MAX_TTL_MS }, undefined],
    ['a longer TTL in an inbox', { namespace: 0, ttlMs: INBOX_MAX_TTL_MS + 1 }, TTL],
    ['a time 10 s ahead', { atMs: NOW_MS + 10_000 }, undefined],
    ['a time further ahead', { atMs: NOW_MS + 10_001 }, CLOCK],
    ['an expiry 10 s ago', { atMs: NOW_MS - MINUTE_MS - 10_000 }, undefined],
    ['an expiry longer ago', { atMs: NOW_MS - MINUTE_MS - 10_001 }, CLOCK],
    ['a time long ago, to be kept yet', { atMs: NOW_MS - MAX_TTL_MS + MINUTE_MS, ttlMs: MAX_TTL_MS }, undefined],
    ['a signature of a minute ago', { sigAtMs: NOW_MS - MINUTE_MS }, undefined],
    ['a signature in a minute', { sigAtMs: NOW_MS + MINUTE_MS }, undefined],
    ['no signature in an inbox', { namespace: 0, by: undefined }, undefined],
    ['a wrong signature in an inbox', { namespace: 0, by: bob }, undefined],
  ])('with %s is judged (RPC-10)', (_, faults: StoreFaults, failure) => {
    expect(checkStore(wasm, store(faults), NOW_MS)).toEqual(failure)
  })

  it.each([
    ['of more than a minute ago', { sigAtMs: NOW_MS - MINUTE_MS - 1 }, 406],
    ['in more than a minute', { sigAtMs: NOW_MS + MINUTE_MS + 1 }, 406],
    ['for another namespace', { signedFor: 3 }, 401],
    ['that an outbox lacks', { namespace: -21, by: undefined }, 401],
  ])('needs a signature: not one %s', (_, faults: StoreFaults, status) => {
    expect(checkStore(wasm, store(faults), NOW_MS)?.status).toBe(status)
  })

  it('into the testing namespace is always refused', () => {
    expect(checkStore(wasm, store({ namespace: -3741 }), NOW_MS)?.status).toBe(403)
  })
})

function retrieve(namespace: number, signed?: { by: Owner; atMs: number; signedFor?: number }): RetrieveParams {
  const { by, atMs, signedFor = namespace } = signed ?? {}
  return {
    account: alice.account,
    namespace: parseNamespace(namespace),
    lastHash: undefined,
    maxCount: undefined,
    maxSize: undefined,
    signed: by && { ...sign(by, retrieveText(parseNamespace(signedFor), atMs!)), timestampMs: atMs! },
  }
}

describe('a retrieve (RPC-72)', () => {
  it('is refused for the first of its faults', () => {
    expect(checkRetrieve(wasm, retrieve(0), NOW_MS)).toEqual({ status: 401, body: 'retrieve: request signature required' })
    const stale = retrieve(0, { by: bob, atMs: NOW_MS - MINUTE_MS - 1 })
    expect(checkRetrieve(wasm, stale, NOW_MS)).toEqual({ status: 406, body: 'retrieve timestamp too far from current time' })
    const wrong = { status: 401, body: 'retrieve signature verification failed' }
    expect(checkRetrieve(wasm, retrieve(0, { by: bob, atMs: NOW_MS }), NOW_MS)).toEqual(wrong)
    expect(checkRetrieve(wasm, retrieve(0, { by: alice, atMs: NOW_MS, signedFor: 2 }), NOW_MS)).toEqual(wrong)
    expect(checkRetrieve(wasm, retrieve(0, { by: alice, atMs: NOW_MS + MINUTE_MS }), NOW_MS)).toBeUndefined()
  })

  it.each([-21, -10, -3741])('of namespace %i is open', namespace => {
    expect(checkRetrieve(wasm, retrieve(namespace), NOW_MS)).toBeUndefined()
  })

  it('with a signature must have a right one, in an open namespace too', () => {
    expect(checkRetrieve(wasm, retrieve(-21, { by: bob, atMs: NOW_MS }), NOW_MS)?.status).toBe(401)
    expect(checkRetrieve(wasm, retrieve(-21, { by: alice, atMs: NOW_MS }), NOW_MS)).toBeUndefined()
  })
})

describe('a delete (RPC-73)', () => {
  const hashes = ['A'.repeat(43), 'B'.repeat(43)]
  const params = (by: Owner, signedFor: readonly string[]): DeleteParams => {
    return { account: alice.account, hashes, required: false, signed: sign(by, deleteText(signedFor)) }
  }

  it('needs a right signature, over the hashes in their order', () => {
    const failure = { status: 401, body: 'delete_msgs signature verification failed' }
    expect(checkDelete(wasm, params(alice, hashes))).toBeUndefined()
    expect(checkDelete(wasm, params(bob, hashes))).toEqual(failure)
    expect(checkDelete(wasm, params(alice, hashes.toReversed()))).toEqual(failure)
  })
})

describe('what an owner builds', () => {
  it.each([
    ['a Session id', alice],
    ['a group', keyOwner(wasm, 3)],
    ['an account of any other prefix', keyOwner(wasm, 3, '41')],
  ])('for %s is accepted', (_, owner) => {
    const parsed = <T>(request: RpcRequest) => parseRequest(decodeRequest(encodeRequest(request))).params as T
    expect(
      checkDelete(wasm, parsed<DeleteParams>(buildDelete(wasm, { hashes: ['A'.repeat(43)], signer: owner }))),
    ).toBeUndefined()
  })
})
