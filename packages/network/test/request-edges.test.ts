/** Where a request that can be read borders on one that cannot, with the words of the refusal. */
import { encodeBase64 } from '@session-v2/encoding'
import { BATCH_MAX_REQUESTS, buildInfo, parseRequest, REQUEST_MAX_HASHES } from '@session-v2/network'
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
    ['delete_all', {}],
    ['delete_before', { before: NOW_MS }],
    ['expire', { messages: 'A'.repeat(43), expiry: NOW_MS }],
    ['expire_all', { expiry: NOW_MS }],
    ['get_expiries', { messages: 'A'.repeat(43) }],
  ] as const
  const grant = { subaccount: 'A'.repeat(48), subaccount_sig: signature }

  it.each(methods)('sign a %s with token and signature together', (method, fields) => {
    const params = { pubkey: accountId, ...signed, ...fields }
    const read = (more: object) => parseRequest({ method, params: { ...params, ...more } }).params as { signed?: object }
    expect(read({ subaccount: '', subaccount_sig: '' }).signed).not.toHaveProperty('subaccount')
    const subaccount = { token: new Uint8Array(36), ownerSignature: new Uint8Array(64) }
    for (const token of ['A'.repeat(48), '00'.repeat(36)])
      expect(read({ ...grant, subaccount: token }).signed).toMatchObject({ subaccount })
    for (const field of ['subaccount', 'subaccount_sig'])
      expect(textOf(method, { ...params, ...grant, [field]: undefined })).toBe(
        `invalid request: Required field '${field}' missing`,
      )
    for (const token of [5, [], true])
      expect(textOf(method, { ...params, subaccount: token })).toContain("for 'subaccount': expected string")
    expect(textOf(method, { ...params, ...grant, subaccount: '!'.repeat(48) })).toContain('invalid base64')
    expect(textOf(method, { ...params, ...grant, subaccount: 'A'.repeat(44) })).toContain('a subaccount has 36 bytes')
    expect(textOf(method, { ...params, ...grant, subaccount_sig: 'A'.repeat(84) })).toContain('not of the right length')
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
    expect(parseRequest({ method: 'delete', params: params(REQUEST_MAX_HASHES) }).params).toHaveProperty('hashes.length', 10_000)
    expect(textOf('delete', params(REQUEST_MAX_HASHES + 1))).toContain('at most 10000 items')
    expect(textOf('delete', params(0))).toBe('invalid request: messages does not contain any message hashes')
  })
})

describe('a field', () => {
  it('of the prototype is none', () => {
    const params = Object.create({ pubkey: accountId })
    expect(textOf('get_swarm', params)).toBe("invalid request: Required field 'pubkey' missing")
  })
})
