/** The order in which a node checks requests that change many messages, and those about subaccounts. */
import { ed25519Sign } from '@session-v2/crypto'
import {
  checkDeleteAll,
  checkDeleteBefore,
  checkExpire,
  checkExpireAll,
  checkGetExpiries,
  checkRevocation,
  checkRevokedSubaccounts,
  deleteAllText,
  deleteBeforeText,
  expireAllText,
  expireText,
  getExpiriesText,
  NAMESPACE,
  type RequestContext,
  type RpcFailure,
  revokedSubaccountsText,
  revokeText,
} from '@session-v2/network'
import { describe, expect, it } from 'vitest'
import { NOW_MS, type Owner, sessionOwner, wasm } from './owners.ts'

const alice = sessionOwner(wasm, 1)
const bob = sessionOwner(wasm, 2)
const { account } = alice
const namespace = NAMESPACE.contacts
const tokens = [new Uint8Array(36).fill(1)]
const hashes = ['A'.repeat(43), 'B'.repeat(43)]
const MINUTE_MS = 60_000

function sign(owner: Owner, text: Uint8Array) {
  return { signature: ed25519Sign(wasm, owner.secretKey, text), ed25519: owner.publicKey as Uint8Array }
}

type Check = (by: Owner, timeMs: number, context?: RequestContext) => RpcFailure | undefined

type Method =
  | 'delete_all'
  | 'delete_before'
  | 'expire_all'
  | 'expire'
  | 'get_expiries'
  | 'revoke_subaccount'
  | 'unrevoke_subaccount'
  | 'revoked_subaccounts'

/** Each with a signature by somebody over a time. */
const checks: Record<Method, Check> = {
  delete_all: (by, timestampMs, context) => {
    const signed = sign(by, deleteAllText(namespace, timestampMs))
    return checkDeleteAll(wasm, { account, namespace, timestampMs, signed }, NOW_MS, context)
  },
  delete_before: (by, beforeMs, context) => {
    const signed = sign(by, deleteBeforeText('all', beforeMs))
    return checkDeleteBefore(wasm, { account, namespace: 'all', beforeMs, signed }, NOW_MS, context)
  },
  expire_all: (by, expiryMs, context) => {
    const signed = sign(by, expireAllText(namespace, expiryMs))
    return checkExpireAll(wasm, { account, namespace, expiryMs, signed }, NOW_MS, context)
  },
  expire: (by, timeMs, context) => {
    const expiriesMs = [NOW_MS, timeMs]
    const signed = sign(by, expireText('set', expiriesMs, hashes))
    return checkExpire(wasm, { account, hashes, expiriesMs, mode: 'set', signed }, NOW_MS, context)
  },
  get_expiries: (by, timestampMs, context) => {
    const signed = sign(by, getExpiriesText(timestampMs, hashes))
    return checkGetExpiries(wasm, { account, hashes, timestampMs, signed }, NOW_MS, context)
  },
  revoke_subaccount: (by, timestampMs) => {
    const signed = sign(by, revokeText('revoke_subaccount', timestampMs, tokens))
    return checkRevocation(wasm, 'revoke_subaccount', { account, timestampMs, tokens, signed }, NOW_MS)
  },
  unrevoke_subaccount: (by, timestampMs) => {
    const signed = sign(by, revokeText('unrevoke_subaccount', timestampMs, tokens))
    return checkRevocation(wasm, 'unrevoke_subaccount', { account, timestampMs, tokens, signed }, NOW_MS)
  },
  revoked_subaccounts: (by, timestampMs) => {
    const signed = sign(by, revokedSubaccountsText(timestampMs))
    return checkRevokedSubaccounts(wasm, { account, timestampMs, signed }, NOW_MS)
  },
}

const named = (names: readonly Method[]) => names.map(name => [name, checks[name]] as const)

describe('a request with a time of its own (RPC-74)', () => {
  const both = named(['delete_all', 'get_expiries', 'revoke_subaccount', 'unrevoke_subaccount', 'revoked_subaccounts'])

  it.each(both)('%s is refused for its time, then for its signature', (method, check) => {
    const tooFar = { status: 406, body: `${method} timestamp too far from current time` }
    for (const by of [alice, bob]) {
      expect(check(by, NOW_MS - MINUTE_MS - 1)).toEqual(tooFar)
      expect(check(by, NOW_MS + MINUTE_MS + 1)).toEqual(tooFar)
    }
    expect(check(bob, NOW_MS)).toEqual({ status: 401, body: `${method} signature verification failed` })
    for (const timeMs of [NOW_MS - MINUTE_MS, NOW_MS + MINUTE_MS]) expect(check(alice, timeMs)).toBeUndefined()
  })
})

describe('a request whose time is what it asks for (RPC-75)', () => {
  it('delete_before may reach a minute ahead, and back for ever', () => {
    const ahead = { status: 401, body: 'delete_before timestamp too far in the future' }
    expect(checks.delete_before(bob, NOW_MS + MINUTE_MS + 1)).toEqual(ahead)
    expect(checks.delete_before(bob, NOW_MS)).toEqual({ status: 401, body: 'delete_before signature verification failed' })
    for (const timeMs of [1, NOW_MS + MINUTE_MS]) expect(checks.delete_before(alice, timeMs)).toBeUndefined()
  })

  it('expire sets nothing that is over for a minute', () => {
    const past = { status: 401, body: 'expire: timestamp should be >= current time' }
    expect(checks.expire(bob, NOW_MS - MINUTE_MS - 1)).toEqual(past)
    expect(checks.expire(bob, NOW_MS)).toEqual({ status: 401, body: 'expire: signature verification failed' })
    for (const timeMs of [NOW_MS - MINUTE_MS, Number.MAX_SAFE_INTEGER]) expect(checks.expire(alice, timeMs)).toBeUndefined()
  })

  it('expire_all neither', () => {
    const past = { status: 406, body: 'expire_all timestamp should be >= current time' }
    expect(checks.expire_all(bob, NOW_MS - MINUTE_MS - 1)).toEqual(past)
    expect(checks.expire_all(bob, NOW_MS)).toEqual({ status: 401, body: 'expire_all signature verification failed' })
    for (const timeMs of [NOW_MS - MINUTE_MS, Number.MAX_SAFE_INTEGER]) expect(checks.expire_all(alice, timeMs)).toBeUndefined()
  })
})

describe('a request that a member passes on (RPC-77)', () => {
  const peer = { origin: 'peer' } as const

  it.each(named(['delete_all', 'expire_all']))('%s may be 70 s old', (_, check) => {
    expect(check(alice, NOW_MS - 70_000, peer)).toBeUndefined()
    expect(check(alice, NOW_MS - 70_001, peer)?.status).toBe(406)
    expect(check(alice, NOW_MS - 70_000, { origin: 'client' })?.status).toBe(406)
    expect(check(bob, NOW_MS - 70_000, peer)?.status).toBe(401)
  })

  it.each(named(['delete_before', 'expire', 'get_expiries']))('%s is held to what a client is held to', (method, check) => {
    const beyond = method === 'delete_before' ? NOW_MS + MINUTE_MS + 1 : NOW_MS - MINUTE_MS - 1
    expect(check(alice, beyond, peer)).toEqual(check(alice, beyond))
    expect(check(alice, beyond, peer)).toBeDefined()
  })
})
