/** Where a request that can be read borders on one that cannot, with the words of the refusal. */
import { encodeBase64 } from '@session-v2/encoding'
import { BATCH_MAX_REQUESTS, buildInfo, DELETE_MAX_HASHES, parseRequest } from '@session-v2/network'
import { describe, expect, it } from 'vitest'
import { NOW_MS, refusalOf, sessionOwner, wasm } from './owners.ts'

const { accountId } = sessionOwner(wasm, 1)
const key = 'ab'.repeat(32)
const signature = encodeBase64(new Uint8Array(64))
const signed = { namespace: 2, timestamp: NOW_MS, signature }

const textOf = (method: string, params: Record<string, unknown>) => refusalOf(() => parseRequest({ method, params })).text

describe('batches', () => {
  const info = (count: number) => ({ requests: Array.from({ length: count }, buildInfo) })

  it.each(['batch', 'sequence'])('%s has 1 to 20 parts', method => {
    for (const count of [1, BATCH_MAX_REQUESTS])
      expect(parseRequest({ method, params: info(count) }).params).toMatchObject({ requests: { length: count } })
    expect(textOf(method, info(0))).toBe('invalid request: Invalid batch request: empty "requests" list')
    const tooMany = 'invalid request: Invalid batch request: subrequest limit exceeded (20)'
    expect(textOf(method, info(BATCH_MAX_REQUESTS + 1))).toBe(tooMany)
  })

  it.each(['batch', 'sequence', 'ifelse'])('hold no %s, well-formed or not', inner => {
    for (const params of [{}, info(1)]) {
      const nested = 'invalid request: Invalid batch subrequest: subrequests may not contain meta-requests'
      expect(textOf('batch', { requests: [{ method: inner, params }] })).toBe(nested)
    }
  })
})

describe('subaccounts (RPC-33)', () => {
  const methods = [
    ['store', { data: 'AA==', ttl: 60_000 }],
    ['retrieve', {}],
    ['delete', { messages: 'A'.repeat(43) }],
  ] as const

  it.each(methods)('are refused by %s, the token and its signature alike', (method, fields) => {
    const params = { pubkey: accountId, ...signed, ...fields }
    expect(parseRequest({ method, params }).method).toBe(method)
    for (const field of ['subaccount', 'subaccount_sig']) {
      expect(textOf(method, { ...params, [field]: 'A'.repeat(48) })).toBe('invalid request: subaccounts are not supported')
      expect(parseRequest({ method, params: { ...params, [field]: '' } }).method).toBe(method)
    }
  })
})

describe('the Ed25519 key of a request', () => {
  it.each(['00', '03', '04', '06', '15', '25', '41', 'ff'])('is not for accounts with the prefix %s', prefix => {
    const params = { pubkey: prefix + accountId.slice(2), ...signed, pubkey_ed25519: key }
    expect(textOf('retrieve', params)).toBe('invalid request: pubkey_ed25519 is only permitted for 05[...] pubkeys')
    expect(parseRequest({ method: 'retrieve', params: { ...params, pubkey_ed25519: null } }).method).toBe('retrieve')
  })
})

describe('a delete', () => {
  const params = (count: number) => ({ pubkey: accountId, signature, messages: Array(count).fill('A'.repeat(43)) })

  it('has 1 to 10,000 hashes', () => {
    expect(parseRequest({ method: 'delete', params: params(DELETE_MAX_HASHES) }).params).toHaveProperty('hashes.length', 10_000)
    expect(textOf('delete', params(DELETE_MAX_HASHES + 1))).toContain('at most 10000 items')
    expect(textOf('delete', params(0))).toBe('invalid request: messages does not contain any message hashes')
  })
})

describe('a field', () => {
  it('of the prototype is none', () => {
    const params = Object.create({ pubkey: accountId })
    expect(textOf('get_swarm', params)).toBe("invalid request: Required field 'pubkey' missing")
  })
})
