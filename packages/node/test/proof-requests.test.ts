import { loadCrypto } from '@session-v2/crypto'
import { concatBytes, decodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  buildDelete,
  buildDeleteAll,
  buildDeleteBefore,
  buildExpire,
  buildExpireAll,
  buildRevokeSubaccount,
  buildUnrevokeSubaccount,
  decodeRequest,
  encodeRequest,
  type Namespace,
  parseRequest,
  type RequestSigner,
  type RpcRequest,
} from '@session-v2/network'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeProof, verifyProof } from '../src/rpc/proof.ts'
import { tokenHash } from '../src/store/item-version.ts'
import { type Item, NEVER_MS, REVOCATIONS } from '../src/store/store.ts'
import { NetworkUnderTest } from './network-under-test.ts'

const crypto = await loadCrypto()
const NOW_MS = 1_800_000_000_000
const DAY_MS = 86_400_000
const [A, B, C] = ['A'.repeat(43), 'B'.repeat(43), 'C'.repeat(43)]
const [TOKEN, OTHER_TOKEN] = [new Uint8Array(36).fill(1), new Uint8Array(36).fill(2)]
let test: NetworkUnderTest
let owner: RequestSigner
let account: Uint8Array

beforeAll(async () => {
  test = await NetworkUnderTest.start()
  owner = test.account()
  account = decodeHex(owner.accountId)
})
afterAll(() => test.close())

/** The request as a node keeps it. */
function proofOf(request: RpcRequest): Uint8Array {
  return encodeProof(parseRequest(decodeRequest(encodeRequest(request))))!
}

function tombstone(fields: Partial<Item> = {}): Item {
  const times = { decidedAtMs: NOW_MS, changedAtMs: NOW_MS, expiryMs: NOW_MS + 30 * DAY_MS }
  return { account, namespace: 2, hash: A, ...times, isTombstone: true, ...fields }
}

function message(expiryMs: number, fields: Partial<Item> = {}): Item {
  const content = { message: { timestampMs: NOW_MS, data: new Uint8Array() } }
  const times = { decidedAtMs: NOW_MS, changedAtMs: NOW_MS, expiryMs }
  return { account, namespace: 2, hash: A, ...times, isTombstone: false, ...content, ...fields }
}

function covers(request: RpcRequest, item: Item, context = {}): boolean {
  return verifyProof(crypto, proofOf(request), item, { nowMs: NOW_MS, ...context })
}

const remove = (hashes = [A, B], signer = owner) => buildDelete(crypto, { hashes, signer })
const removeAll = (namespace: number | 'all', timestampMs = NOW_MS, signer = owner) =>
  buildDeleteAll(crypto, { namespace: namespace as Namespace | 'all', timestampMs, signer })
const removeBefore = (namespace: number | 'all', beforeMs = NOW_MS, signer = owner) =>
  buildDeleteBefore(crypto, { namespace: namespace as Namespace | 'all', beforeMs, signer })
const expire = (expiriesMs: number[], mode: 'set' | 'shorten' | 'extend' = 'set', signer = owner) =>
  buildExpire(crypto, { hashes: [B, A], expiriesMs, mode, signer })
const expireAll = (namespace: number | 'all', expiryMs: number, signer = owner) =>
  buildExpireAll(crypto, { namespace: namespace as Namespace | 'all', expiryMs, signer })
const revoke = (timestampMs = NOW_MS) => buildRevokeSubaccount(crypto, { tokens: [TOKEN], timestampMs, signer: owner })
const unrevoke = (timestampMs = NOW_MS) => buildUnrevokeSubaccount(crypto, { tokens: [TOKEN], timestampMs, signer: owner })

describe('a delete (NODE-44)', () => {
  it('covers the deletion of what it names, in any namespace and whenever', () => {
    expect(covers(remove(), tombstone())).toBe(true)
    expect(covers(remove(), tombstone({ namespace: -21, changedAtMs: NOW_MS + 9 * DAY_MS }))).toBe(true)
    expect(covers(remove(), tombstone({ hash: C }))).toBe(false)
    expect(covers(remove(), message(NOW_MS + 1))).toBe(false)
  })
  it('covers nothing of another account', () => {
    expect(covers(remove(), tombstone({ account: decodeHex(test.account().accountId) }))).toBe(false)
  })
})

describe('a delete_all and a delete_before (NODE-44)', () => {
  it('cover deletions in their namespace, or in all', () => {
    for (const request of [removeAll(2), removeAll('all'), removeBefore(2), removeBefore('all')]) {
      expect(covers(request, tombstone())).toBe(true)
      expect(covers(request, message(NOW_MS + 1))).toBe(false)
    }
    for (const request of [removeAll(0), removeBefore(0)]) expect(covers(request, tombstone())).toBe(false)
  })
  it('cover no change after a delete_all could be passed on', () => {
    expect(covers(removeAll('all', NOW_MS - 70_000), tombstone())).toBe(true)
    expect(covers(removeAll('all', NOW_MS - 70_001), tombstone())).toBe(false)
  })
  it('cover no message that is known to be from after a delete_before', () => {
    expect(covers(removeBefore('all', NOW_MS), tombstone(), { timestampMs: NOW_MS })).toBe(true)
    expect(covers(removeBefore('all', NOW_MS - 1), tombstone(), { timestampMs: NOW_MS })).toBe(false)
  })
})

describe('an expire and an expire_all (NODE-44)', () => {
  const lifeMs = NOW_MS + DAY_MS

  it('cover a life that is as long as asked for, or longer', () => {
    for (const request of [expire([lifeMs]), expire([lifeMs], 'shorten'), expireAll(2, lifeMs), expireAll('all', lifeMs)]) {
      expect(covers(request, message(lifeMs))).toBe(true)
      expect(covers(request, message(lifeMs + 1))).toBe(true)
      expect(covers(request, message(lifeMs - 1))).toBe(false)
    }
    expect(covers(expireAll(0, lifeMs), message(lifeMs))).toBe(false)
    expect(covers(expire([lifeMs]), message(lifeMs, { hash: C }))).toBe(false)
  })
  it('count for each message its own expiry', () => {
    expect(covers(expire([lifeMs, lifeMs + 5]), message(lifeMs + 5))).toBe(true)
    expect(covers(expire([lifeMs, lifeMs + 5]), message(lifeMs + 4))).toBe(false)
    expect(covers(expire([lifeMs, lifeMs + 5]), message(lifeMs, { hash: B }))).toBe(true)
  })
  it('never cover a shorter life by a request that only raises', () => {
    expect(covers(expire([lifeMs], 'extend'), message(lifeMs))).toBe(false)
    const mayNotDelete = test.subaccount(owner, 2)
    expect(covers(expire([lifeMs], 'set', mayNotDelete), message(lifeMs))).toBe(false)
    expect(covers(expire([lifeMs], 'set', test.subaccount(owner, 6)), message(lifeMs))).toBe(true)
  })
  it('cover what the longest life made of a longer one', () => {
    const far = expire([NOW_MS + 90 * DAY_MS])
    expect(covers(far, message(NOW_MS + 30 * DAY_MS))).toBe(true)
    expect(covers(far, message(NOW_MS + 30 * DAY_MS - 140_001))).toBe(false)
  })
  it('cover the end of a life once it is over, of a version from before that', () => {
    for (const request of [expire([NOW_MS]), expireAll('all', NOW_MS)]) {
      expect(covers(request, tombstone())).toBe(true)
      expect(covers(request, tombstone(), { nowMs: NOW_MS - 1 })).toBe(false)
      expect(covers(request, tombstone({ changedAtMs: NOW_MS + 140_000 }))).toBe(true)
      expect(covers(request, tombstone({ changedAtMs: NOW_MS + 140_001 }))).toBe(false)
    }
  })
})

describe('a revocation (NODE-44)', () => {
  const item = (fields: Partial<Item> = {}): Item =>
    message(NEVER_MS, {
      namespace: REVOCATIONS,
      hash: tokenHash(crypto, TOKEN),
      message: { timestampMs: NOW_MS, data: TOKEN },
      ...fields,
    })
  const end = (): Item => tombstone({ namespace: REVOCATIONS, hash: tokenHash(crypto, TOKEN) })

  it('covers the tokens that it names', () => {
    expect(covers(revoke(), item())).toBe(true)
    expect(covers(unrevoke(), end())).toBe(true)
    const other = { hash: tokenHash(crypto, OTHER_TOKEN), message: { timestampMs: NOW_MS, data: OTHER_TOKEN } }
    expect(covers(revoke(), item(other))).toBe(false)
    expect(covers(revoke(), item({ message: other.message }))).toBe(false)
  })
  it('is not the end of one, and the other way round', () => {
    expect(covers(unrevoke(), item())).toBe(false)
    expect(covers(revoke(), end())).toBe(false)
    for (const request of [removeAll('all'), remove([tokenHash(crypto, TOKEN)]), removeBefore('all'), expireAll('all', NOW_MS)]) {
      expect(covers(request, end())).toBe(false)
      expect(covers(request, item())).toBe(false)
    }
    expect(covers(revoke(), message(NEVER_MS, { hash: tokenHash(crypto, TOKEN) }))).toBe(false)
  })
  it('covers no change after it could be passed on', () => {
    expect(covers(revoke(NOW_MS - 140_000), item())).toBe(true)
    expect(covers(revoke(NOW_MS - 140_001), item())).toBe(false)
  })
})

describe('who signs a proof (NODE-44)', () => {
  it('is the owner, or a subaccount that may delete', () => {
    for (const request of [remove, (_: string[], s: RequestSigner) => removeAll('all', NOW_MS, s)]) {
      expect(covers(request([A], test.subaccount(owner, 4)), tombstone())).toBe(true)
      expect(covers(request([A], test.subaccount(owner, 3)), tombstone())).toBe(false)
      expect(covers(request([A], test.subaccount(owner, 4, '03')), tombstone())).toBe(false)
      expect(covers(request([A], { ...owner, secretKey: test.account().secretKey }), tombstone())).toBe(false)
    }
  })
  it('signed exactly this', () => {
    const { method, params } = remove([A])
    expect(covers({ method, params: { ...params, messages: [A, B] } }, tombstone({ hash: B }))).toBe(false)
    const before = removeBefore('all', NOW_MS - 5)
    expect(covers({ ...before, params: { ...before.params, before: NOW_MS } }, tombstone())).toBe(false)
  })
})

describe('the form of a proof (NODE-45)', () => {
  const verify = (proof: Uint8Array): boolean => verifyProof(crypto, proof, tombstone(), { nowMs: NOW_MS })

  it('is the request in canonical bt', () => {
    const proof = proofOf(remove([A]))
    expect(verify(proof)).toBe(true)
    expect(verify(encodeRequest(remove([A]), 'json'))).toBe(false)
    const { method, params } = remove([A])
    expect(verify(encodeRequest({ method, params: { ...params, required: true } }, 'bt'))).toBe(false)
    expect(verify(encodeRequest({ method, params: { ...params, junk: 'x' } }, 'bt'))).toBe(false)
    expect(verify(concatBytes(encodeUtf8('d2:ati5e'), proof.subarray(1)))).toBe(false)
    expect(proofOf({ method, params: { ...params, required: true } })).toEqual(proof)
  })
  it('is no request that deletes nothing, and no junk', () => {
    const info = parseRequest({ method: 'info', params: {} })
    expect(encodeProof(info)).toBeUndefined()
    for (const request of [{ method: 'info', params: {} }, test.storeRequest(owner, 'x'), test.retrieveRequest(owner)]) {
      expect(verify(encodeRequest(request, 'bt'))).toBe(false)
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), bytes => !verify(bytes)))
    const proof = proofOf(remove([A]))
    const changed = fc.tuple(fc.nat(proof.length - 1), fc.integer({ min: 1, max: 255 }))
    fc.assert(
      fc.property(changed, ([at, difference]) => {
        const copy = proof.slice()
        copy[at]! ^= difference
        return !verify(copy)
      }),
    )
  })
})

describe('of any request and any item (NODE-44)', () => {
  const hash = fc.constantFrom(A, B, C)
  const namespace = fc.constantFrom(0, 2, -21)
  const choice = fc.constantFrom<(number | 'all')[]>(0, 2, -21, 'all')
  const time = fc.integer({ min: -5, max: 5 }).map(steps => NOW_MS + steps * 60_000)

  /** Each request with what it says of (hash, namespace): undefined when it does not concern it. */
  const request = fc.oneof(
    fc.uniqueArray(hash, { minLength: 1 }).map(hashes => ({ rpc: remove(hashes), names: (h: string) => hashes.includes(h) })),
    fc.tuple(choice, time).map(([where, at]) => ({ rpc: removeAll(where, at), names: inside(where) })),
    fc.tuple(choice, time).map(([where, at]) => ({ rpc: removeBefore(where, at), names: inside(where) })),
    fc.tuple(choice, time).map(([where, at]) => ({ rpc: expireAll(where, at), names: inside(where), atMs: at })),
    fc.tuple(time, fc.constantFrom('set' as const, 'shorten' as const, 'extend' as const)).map(([at, mode]) => ({
      rpc: expire([at], mode),
      names: (h: string) => mode !== 'extend' && h !== C,
      atMs: at,
    })),
  )

  function inside(where: number | 'all') {
    return (_: string, of: number) => where === 'all' || where === of
  }

  it('none covers an item that it does not name, nor a life shorter than it asks for', () => {
    const item = fc.record({ hash, namespace, decidedAtMs: time, changedAtMs: time, isTombstone: fc.boolean(), expiryMs: time })
    let covered = 0
    const property = fc.property(request, item, time, ({ rpc, names, ...asked }, fields, nowMs) => {
      const atMs = (asked as { atMs?: number }).atMs
      const holds = covers(rpc, { account, ...fields }, { nowMs })
      if (!holds) return
      covered++
      expect(names(fields.hash, fields.namespace)).toBe(true)
      if (!fields.isTombstone) expect(fields.expiryMs).toBeGreaterThanOrEqual(atMs ?? Number.POSITIVE_INFINITY)
      else if (atMs !== undefined) expect(atMs).toBeLessThanOrEqual(nowMs)
    })
    fc.assert(property, { numRuns: 400 })
    expect(covered).toBeGreaterThan(20)
  })
})
