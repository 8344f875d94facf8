/** Requests that change many messages, and those about subaccounts: built, sent in either form, read; their answers signed and read. */
import { ed25519Sign } from '@session-v2/crypto'
import { compareBytes, encodeBase64, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  allHashes,
  buildDeleteAll,
  buildDeleteBefore,
  buildExpire,
  buildExpireAll,
  buildGetExpiries,
  buildRevokedSubaccounts,
  buildRevokeSubaccount,
  buildUnrevokeSubaccount,
  cappedExpiryMs,
  changedText,
  decodeAnswer,
  decodeRequest,
  encodeAllDeletedEntry,
  encodeAllExpiredEntry,
  encodeAnswer,
  encodeDeleteAll,
  encodeDeleteBefore,
  encodeDeletedBeforeEntry,
  encodeExpire,
  encodeExpireAll,
  encodeExpiredEntry,
  encodeExpiries,
  encodeRequest,
  encodeRevokedEntry,
  encodeRevokedSubaccounts,
  encodeRevokeSubaccount,
  encodeUnrevokedEntry,
  encodeUnrevokeSubaccount,
  expiredEntryText,
  MAX_TTL_MS,
  type NamespacedHashes,
  type ParsedRequest,
  parseDeleteAllResult,
  parseDeleteBeforeResult,
  parseExpireAllResult,
  parseExpireResult,
  parseGetExpiriesResult,
  parseNamespace,
  parseRequest,
  parseRevokedSubaccountsResult,
  parseRevokeResult,
  parseUnrevokeResult,
  type RequestForm,
  type RpcRequest,
  revokedText,
} from '@session-v2/network'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyOwner, keyPair, NOW_MS, networkErrorOf, type Owner, sessionOwner, wasm } from './owners.ts'

const [A, B] = ['A'.repeat(43), 'B'.repeat(43)]
const alice = sessionOwner(wasm, 1)
const { accountId, account } = alice
const group = keyOwner(wasm, 3)
const tokens = [1, 2].map(byte => new Uint8Array(36).fill(byte))
const forms = ['json', 'bt'] as const

const anyOwner = fc.constantFrom(alice, group)
const anyNamespace = fc.oneof(fc.integer({ min: -32768, max: 32767 }).map(parseNamespace), fc.constant('all' as const))
const anyTime = fc.integer({ min: 1_000_000_000, max: 8_640_000_000_000_000 })
const anyHash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => encodeBase64(bytes, { padding: false }))
const anyHashes = fc.array(anyHash, { minLength: 1, maxLength: 5 })

function arrived(request: RpcRequest, form: RequestForm = 'json'): ParsedRequest {
  return parseRequest(decodeRequest(encodeRequest(request, form)))
}

/** The request is read as `expected` in either form, and is the same again when a member passes it on. */
function expectRead(request: RpcRequest, owner: Owner, expected: object, passOn?: (params: never) => RpcRequest): void {
  const ed25519 = owner === alice ? owner.publicKey : undefined
  for (const form of forms) {
    const { method, params } = arrived(request, form)
    expect({ method, params }).toEqual({
      method: request.method,
      params: { account: owner.account, ...expected, signed: { signature: expect.any(Uint8Array), ed25519 } },
    })
    if (passOn !== undefined) expect(arrived(passOn(params as never), form)).toEqual({ method, params })
  }
}

describe('a request that is built is read again, in JSON and bt (RPC-15)', () => {
  it('delete_all, delete_before, expire_all (RPC-90 to RPC-92)', () => {
    fc.assert(
      fc.property(anyOwner, anyNamespace, anyTime, (signer, namespace, time) => {
        const parts = { namespace, signer }
        expectRead(
          buildDeleteAll(wasm, { ...parts, timestampMs: time }),
          signer,
          { namespace, timestampMs: time },
          encodeDeleteAll,
        )
        expectRead(
          buildDeleteBefore(wasm, { ...parts, beforeMs: time }),
          signer,
          { namespace, beforeMs: time },
          encodeDeleteBefore,
        )
        expectRead(buildExpireAll(wasm, { ...parts, expiryMs: time }), signer, { namespace, expiryMs: time }, encodeExpireAll)
      }),
      { numRuns: 30 },
    )
  })

  it('expire, with one expiry or one for each (RPC-93)', () => {
    const anyMode = fc.constantFrom('set', 'shorten', 'extend')
    fc.assert(
      fc.property(anyOwner, anyHashes, anyTime, anyMode, fc.boolean(), (signer, hashes, time, mode, each) => {
        const expiriesMs = each ? hashes.map((_, at) => time + at) : [time]
        expectRead(buildExpire(wasm, { hashes, expiriesMs, mode, signer }), signer, { hashes, expiriesMs, mode }, encodeExpire)
      }),
      { numRuns: 30 },
    )
  })

  it('get_expiries, of some or all (RPC-95)', () => {
    fc.assert(
      fc.property(anyOwner, fc.oneof(anyHashes, fc.constant('all' as const)), anyTime, (signer, hashes, timestampMs) => {
        expectRead(buildGetExpiries(wasm, { hashes, timestampMs, signer }), signer, { hashes, timestampMs })
      }),
      { numRuns: 30 },
    )
  })

  it.each([
    ['an account', alice],
    ['a group', group],
  ])('revoke_subaccount, unrevoke_subaccount, revoked_subaccounts of %s (RPC-96, RPC-97)', (_, signer) => {
    const options = { tokens, timestampMs: NOW_MS, signer }
    const expected = { tokens, timestampMs: NOW_MS }
    expectRead(buildRevokeSubaccount(wasm, options), signer, expected, encodeRevokeSubaccount)
    expectRead(buildUnrevokeSubaccount(wasm, options), signer, expected, encodeUnrevokeSubaccount)
    expectRead(buildRevokedSubaccounts(wasm, options), signer, { timestampMs: NOW_MS })
  })
})

describe('a field', () => {
  const signature = 'A'.repeat(86)
  const paramsOf = (method: string, params: object) =>
    arrived({ method, params: { pubkey: accountId, signature, ...params } }).params

  it('may be one integer where a list is due, and one token, in base64 or hexadecimal', () => {
    const [token] = tokens as [Uint8Array, Uint8Array]
    expect(paramsOf('expire', { messages: A, expiry: NOW_MS })).toMatchObject({ hashes: [A], expiriesMs: [NOW_MS] })
    for (const revoke of [encodeBase64(token), encodeHex(token), encodeHex(token).toUpperCase()])
      expect(paramsOf('revoke_subaccount', { timestamp: NOW_MS, revoke })).toMatchObject({ tokens: [token] })
  })

  it('of expiries is not held to milliseconds, so that a check refuses it', () => {
    expect(paramsOf('expire', { messages: A, expiry: [5] })).toMatchObject({ expiriesMs: [5] })
  })

  it('is not `all` beside others (RPC-16)', () => {
    const params = { timestamp: NOW_MS, messages: ['all', A] }
    expect(networkErrorOf(() => paramsOf('get_expiries', params)).message).toBe(
      'invalid request: invalid message hash: expected base64',
    )
    expect(paramsOf('get_expiries', { ...params, messages: ['all'] })).toMatchObject({ hashes: 'all' })
  })
})

it('an expiry is set to 30 days from now at most (RPC-94)', () => {
  expect([NOW_MS, NOW_MS + MAX_TTL_MS, NOW_MS + MAX_TTL_MS + 1].map(time => cappedExpiryMs(time, NOW_MS))).toEqual([
    NOW_MS,
    NOW_MS + MAX_TTL_MS,
    NOW_MS + MAX_TTL_MS,
  ])
})

/** In the order of their keys, which is that of a dict. */
const members = [1, 2, 3]
  .map(byte => keyPair(wasm, new Uint8Array(32).fill(byte)))
  .toSorted((a, b) => compareBytes(a.publicKey, b.publicKey))
const keys = members.map(({ publicKey }) => encodeHex(publicKey))
const sign = (at: number, text: Uint8Array) => ed25519Sign(wasm, members[at]!.secretKey, text)

/** The answer of members, as a client decodes it in a form. */
function answered(form: RequestForm, entries: readonly object[]): unknown {
  const swarm = Object.fromEntries(entries.map((entry, at) => [keys[at], entry]))
  const body = encodeAnswer(form, { swarm, t: NOW_MS, hf: [19, 4] })
  return decodeAnswer(form, typeof body === 'string' ? encodeUtf8(body) : body)
}

const asked = { accountId, timestampMs: NOW_MS, beforeMs: NOW_MS, expiryMs: NOW_MS }

describe.each(forms)('the answer of a swarm in %s (RPC-42, RPC-43)', form => {
  const everywhere: NamespacedHashes = new Map([
    [parseNamespace(-21), [B, A]],
    [parseNamespace(0), []],
  ])

  it.each([
    [
      'delete_all',
      parseDeleteAllResult,
      (deleted: NamespacedHashes, signature: Uint8Array) => encodeAllDeletedEntry({ deleted, signature }),
    ],
    [
      'delete_before',
      parseDeleteBeforeResult,
      (deleted: NamespacedHashes, signature: Uint8Array) => encodeDeletedBeforeEntry({ deleted, signature }),
    ],
    [
      'expire_all',
      parseExpireAllResult,
      (updated: NamespacedHashes, signature: Uint8Array) => encodeAllExpiredEntry({ updated, signature }),
    ],
  ])('to %s says what members changed, and who has not signed that has failed', (_, parse, encode) => {
    const entry = (at: number, hashes: NamespacedHashes, signed = hashes) =>
      encode(hashes, sign(at, changedText(account, NOW_MS, allHashes(signed))))
    const answer = answered(form, [entry(0, [B, A]), entry(1, everywhere), entry(2, [A], [B])])
    expect(parse(wasm, answer, asked)).toEqual({
      done: [
        { node: keys[0], entry: [A, B] },
        {
          node: keys[1],
          entry: new Map([
            [-21, [A, B]],
            [0, []],
          ]),
        },
      ],
      failed: [keys[2]],
      nodeTimeMs: NOW_MS,
    })
    const other = { ...asked, timestampMs: NOW_MS + 1, beforeMs: NOW_MS + 1, expiryMs: NOW_MS + 1 }
    expect(parse(wasm, answer, other).failed).toEqual(keys)
    expect(parse(wasm, answer, { ...asked, accountId: group.accountId }).failed).toEqual(keys)
  })
})

describe.each(forms)('the answer of a swarm, member by member, in %s (RPC-42)', form => {
  it('to expire (RPC-23)', () => {
    const hashes = [B, A]
    const each = { updated: [B, A], expiriesMs: [5, 6] }
    const kept = { updated: [A], expiriesMs: 7, unchanged: new Map([[B, 9]]) }
    const entry = (at: number, done: typeof each | typeof kept) =>
      encodeExpiredEntry({ ...done, signature: sign(at, expiredEntryText(account, hashes, done)) })
    const lying = { ...entry(2, kept), expiry: 8 }
    const { done, failed } = parseExpireResult(wasm, answered(form, [entry(0, each), entry(1, kept), lying]), {
      accountId,
      hashes,
    })
    expect(done.map(member => member.entry)).toEqual([{ updated: [A, B], expiriesMs: [5, 6], unchanged: undefined }, kept])
    expect(failed).toEqual([keys[2]])
  })

  it('to revoke_subaccount and unrevoke_subaccount (RPC-96)', () => {
    const text = revokedText(account, NOW_MS, tokens)
    const revoked = answered(form, [
      encodeRevokedEntry(sign(0, text)),
      encodeRevokedEntry(sign(0, text)),
      { failed: true, timeout: true },
    ])
    const question = { accountId, timestampMs: NOW_MS, tokens }
    expect(parseRevokeResult(wasm, revoked, question)).toMatchObject({ done: [{ node: keys[0] }], failed: keys.slice(1) })
    expect(parseRevokeResult(wasm, revoked, { ...question, tokens: tokens.toReversed() }).done).toEqual([])
    const unrevoked = answered(form, [encodeUnrevokedEntry(2, sign(0, text)), { ...encodeRevokedEntry(sign(1, text)) }])
    expect(parseUnrevokeResult(wasm, unrevoked, question)).toMatchObject({
      done: [{ node: keys[0], entry: 2 }],
      failed: [keys[1]],
    })
  })

  it.each([
    ['no list', { deleted: 5 }],
    ['a hash that is none', { deleted: ['x'] }],
    ['a namespace that is none', { deleted: { x: [A] } }],
    ['a namespace beyond 16 bits', { deleted: { 32768: [A] } }],
    ['a namespace written twice over', { deleted: { '00': [A] } }],
    ['no signature', { deleted: [A], signature: undefined }],
    ['a short signature', { deleted: [A], signature: new Uint8Array(63) }],
  ])('fails a member with %s, and that member alone', (_, fields) => {
    const good = encodeAllDeletedEntry({ deleted: [A], signature: sign(0, changedText(account, NOW_MS, [A])) })
    const bad = { signature: sign(1, changedText(account, NOW_MS, [A])), ...fields }
    expect(parseDeleteAllResult(wasm, answered(form, [good, bad]), asked)).toMatchObject({
      done: [{ node: keys[0] }],
      failed: [keys[1]],
    })
  })
})

describe.each(forms)('the answer of one node in %s', form => {
  const read = (body: object) => {
    const bytes = encodeAnswer(form, body)
    return decodeAnswer(form, typeof bytes === 'string' ? encodeUtf8(bytes) : bytes)
  }

  it('to get_expiries and revoked_subaccounts is read as it was written', () => {
    const expiries = new Map([
      [A, NOW_MS],
      [B, 5],
    ])
    expect(parseGetExpiriesResult(read(encodeExpiries(expiries)))).toEqual(expiries)
    const body = { ...encodeRevokedSubaccounts(tokens), t: NOW_MS }
    expect(parseRevokedSubaccountsResult(read(body))).toEqual({ tokens, nodeTimeMs: NOW_MS })
  })

  it.each([
    ['expiries that are a list', () => parseGetExpiriesResult(read({ expiries: [] }))],
    ['an expiry that is text', () => parseGetExpiriesResult(read({ expiries: { [A]: '5' } }))],
    ['a hash that is none', () => parseGetExpiriesResult(read({ expiries: { x: 5 } }))],
    ['a short token', () => parseRevokedSubaccountsResult(read(encodeRevokedSubaccounts([new Uint8Array(35)])))],
    ['51 tokens', () => parseRevokedSubaccountsResult(read(encodeRevokedSubaccounts(Array(51).fill(tokens[0]))))],
  ])('is malformed with %s', (_, action) => {
    expect(networkErrorOf(action)).toMatchObject({ code: 'malformed', retry: 'other-node' })
  })
})
