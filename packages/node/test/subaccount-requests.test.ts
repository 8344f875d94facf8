import { ed25519Verify } from '@session-v2/crypto'
import { decodeBase64, decodeHex, encodeBase64, encodeHex } from '@session-v2/encoding'
import {
  buildDelete,
  buildDeleteAll,
  buildDeleteBefore,
  buildExpire,
  buildExpireAll,
  buildGetExpiries,
  buildRetrieve,
  buildRevokedSubaccounts,
  buildRevokeSubaccount,
  buildStore,
  buildUnrevokeSubaccount,
  type Namespace,
  type RequestSigner,
  type RpcRequest,
  revokedText,
  SUBACCOUNT_RIGHT,
} from '@session-v2/network'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { HOUR_MS, NetworkUnderTest } from './network-under-test.ts'

const { read, write, delete: remove, anyPrefix } = SUBACCOUNT_RIGHT
const NONE = 'A'.repeat(43)
let test: NetworkUnderTest
let owner: RequestSigner

beforeAll(async () => {
  test = await NetworkUnderTest.start()
})
afterAll(() => test.close())
beforeEach(() => {
  owner = test.account('03')
})

function storeAs(signer: RequestSigner, namespace: number, text = 'x'): RpcRequest {
  return test.storeRequest(signer, text, namespace)
}

function retrieveAs(signer: RequestSigner, namespace: number): RpcRequest {
  return test.retrieveRequest(signer, namespace)
}

/** Each method, with the word of its refusals and the rights that it needs. */
const METHODS: readonly [name: string, refused: string, needed: number, (signer: RequestSigner) => RpcRequest][] = [
  ['store', 'store', write, signer => storeAs(signer, 11)],
  ['store into an outbox', 'store', write | remove, signer => storeAs(signer, -21)],
  ['retrieve', 'retrieve', read, signer => retrieveAs(signer, 11)],
  ['delete', 'delete_msgs', remove, signer => buildDelete(test.crypto, { hashes: [NONE], signer })],
  ['delete_all', 'delete_all', remove, signer => buildDeleteAll(test.crypto, { ...everywhere(), signer })],
  [
    'delete_before',
    'delete_before',
    remove,
    signer => buildDeleteBefore(test.crypto, { namespace: 'all', beforeMs: 1_000_000_000, signer }),
  ],
  ['expire', 'expire:', write, signer => expireAs(signer, 'extend')],
  [
    'expire_all',
    'expire_all',
    remove,
    signer => buildExpireAll(test.crypto, { namespace: 'all', expiryMs: test.clock.ms + HOUR_MS, signer }),
  ],
  [
    'get_expiries',
    'get_expiries',
    read,
    signer => buildGetExpiries(test.crypto, { hashes: 'all', timestampMs: test.clock.ms, signer }),
  ],
]

function everywhere() {
  return { namespace: 'all' as const, timestampMs: test.clock.ms }
}

function expireAs(signer: RequestSigner, mode: 'set' | 'extend' | 'shorten', hashes = [NONE], afterMs = HOUR_MS): RpcRequest {
  return buildExpire(test.crypto, { hashes, expiriesMs: [test.clock.ms + afterMs], mode, signer })
}

function revocation(tokens: readonly Uint8Array[], signer = owner): RpcRequest {
  return buildRevokeSubaccount(test.crypto, { tokens, timestampMs: test.clock.ms, signer })
}

async function revokedTokens(): Promise<string[]> {
  const request = buildRevokedSubaccounts(test.crypto, { timestampMs: test.clock.ms, signer: owner })
  return (await test.request(request)).body.revoked_subaccounts
}

describe.each(METHODS)('%s by a subaccount (SUB-05, RPC-76)', (_, refused, needed, request) => {
  const text = (reason: string) => ({ status: 401, body: `${refused} ${reason}` })

  it('is answered when it has the rights', async () => {
    expect((await test.request(request(test.subaccount(owner, needed)))).status).toBe(200)
    const session = test.account()
    expect((await test.request(request(test.subaccount(session, needed)))).status).toBe(200)
  })
  it('is refused for want of any of them', async () => {
    for (const right of [read, write, remove].filter(right => (needed & right) !== 0)) {
      const rights = (read | write | remove) & ~right
      expect(await test.request(request(test.subaccount(owner, rights)))).toMatchObject(text('subaccount lacks permission'))
    }
  })
  it('is refused for accounts with another prefix, unless it is for all', async () => {
    const foreign = test.subaccount(owner, needed, '05')
    const prefix = text('subaccount is for accounts with another prefix')
    expect(await test.request(request(foreign))).toMatchObject(prefix)
    expect((await test.request(request(test.subaccount(owner, needed | anyPrefix, '05')))).status).toBe(200)
  })
  it('is refused when the owner did not let it', async () => {
    const stranger = test.subaccount(test.account('03'), needed)
    const forged = { ...stranger, accountId: owner.accountId }
    expect(await test.request(request(forged))).toMatchObject(text('signature verification failed'))
  })
  it('is refused when its own key did not sign', async () => {
    const own = test.subaccount(owner, needed)
    const other = { ...own, secretKey: test.subaccount(owner, needed).secretKey }
    expect(await test.request(request(other))).toMatchObject(text('signature verification failed'))
  })
  it('is refused once it is revoked, before anything else is looked at, and answered when it is let in again (SUB-04)', async () => {
    const own = test.subaccount(owner, needed)
    await test.request(revocation([own.token]))
    expect(await test.request(request(own))).toMatchObject(text('subaccount is revoked'))
    const forged = { ...own, secretKey: test.subaccount(owner, needed).secretKey }
    expect(await test.request(request(forged))).toMatchObject(text('subaccount is revoked'))
    expect((await test.request(request(test.subaccount(owner, needed)))).status).toBe(200)
    expect((await test.request(request(owner))).status).toBe(200)
    const again = { tokens: [own.token], timestampMs: test.clock.ms, signer: owner }
    expect((await test.entry(buildUnrevokeSubaccount(test.crypto, again))).count).toBe(1)
    expect((await test.request(request(own))).status).toBe(200)
  })
})

describe('expire by a subaccount that may not delete (RPC-94)', () => {
  it('only raises, and tells what stayed', async () => {
    const own = test.subaccount(owner, write)
    const { hash } = (await test.store(owner, 'a', 11, { ttlMs: 2 * HOUR_MS })).body
    expect(await test.entry(expireAs(own, 'set', [hash], HOUR_MS))).toMatchObject({
      updated: [],
      unchanged: { [hash]: test.clock.ms + 2 * HOUR_MS },
    })
    expect(await test.entry(expireAs(own, 'set', [hash], 3 * HOUR_MS))).toMatchObject({ updated: [hash] })
    expect(await test.request(expireAs(own, 'shorten', [hash], HOUR_MS))).toMatchObject({
      status: 400,
      body: 'expire: this subaccount may not shorten expiries',
    })
    const mayDelete = test.subaccount(owner, write | remove)
    expect(await test.entry(expireAs(mayDelete, 'shorten', [hash], HOUR_MS))).toMatchObject({ updated: [hash] })
  })
})

describe('a revoked subaccount', () => {
  it('still reads the namespace that tells it, and nothing else (SUB-06, NS-05)', async () => {
    const own = test.subaccount(owner, read | write)
    await test.store(owner, 'you are out', -11)
    await test.request(revocation([own.token]))
    const { status, body } = await test.request(retrieveAs(own, -11))
    expect([status, body.messages.length]).toEqual([200, 1])
    expect((await test.request(retrieveAs(own, 12))).body).toBe('retrieve subaccount is revoked')
    expect((await test.request(storeAs(own, -11))).body).toBe('store subaccount is revoked')
    const stranger = test.subaccount(test.account('03'), read)
    const forged = retrieveAs({ ...stranger, accountId: owner.accountId }, -11)
    expect((await test.request(forged)).body).toBe('retrieve signature verification failed')
  })
  it('is revoked within a batch too, and of this account alone', async () => {
    const own = test.subaccount(owner, read)
    const requests = [revocation([own.token]), retrieveAs(own, 11)]
    const { body } = await test.ask('sequence', { requests })
    expect(body.results.map((result: { code: number }) => result.code)).toEqual([200, 401])
    const other = test.account('03')
    expect((await test.request(retrieveAs(test.subaccount(other, read), 11))).status).toBe(200)
  })
})

describe('revoke_subaccount, unrevoke_subaccount and revoked_subaccounts', () => {
  it('work without any message, and survive a restart (RPC-96, RPC-97)', async () => {
    const tokens = [test.subaccount(owner, read).token, test.subaccount(owner, read).token]
    const entry = await test.entry(revocation(tokens))
    expect(Object.keys(entry)).toEqual(['signature'])
    const text = revokedText(decodeHex(owner.accountId), test.clock.ms, tokens)
    const node = decodeHex(test.network.nodes[0]!.ed25519)
    expect(ed25519Verify(test.crypto, node, text, decodeBase64(entry.signature))).toBe(true)
    await test.restart()
    expect((await revokedTokens()).toSorted()).toEqual(tokens.map(token => encodeBase64(token)).sort())
    const back = { tokens: [tokens[1]!, test.subaccount(owner, read).token], timestampMs: test.clock.ms, signer: owner }
    const readmitted = await test.entry(buildUnrevokeSubaccount(test.crypto, back))
    expect(readmitted.count).toBe(1)
    const backText = revokedText(decodeHex(owner.accountId), test.clock.ms, back.tokens)
    expect(ed25519Verify(test.crypto, node, backText, decodeBase64(readmitted.signature))).toBe(true)
    expect(await revokedTokens()).toEqual([encodeBase64(tokens[0]!)])
  })
  it('take tokens in hexadecimal and one alone', async () => {
    const { token } = test.subaccount(owner, read)
    const { params } = revocation([token])
    expect((await test.ask('revoke_subaccount', { ...params, revoke: encodeHex(token) })).status).toBe(200)
    expect(await revokedTokens()).toEqual([encodeBase64(token)])
  })
  it('keep the newest 50 (RPC-10)', async () => {
    const first = test.subaccount(owner, read).token
    await test.request(revocation([first]))
    test.clock.ms += 1
    await test.request(revocation(Array.from({ length: 50 }, () => test.subaccount(owner, read).token)))
    const tokens = await revokedTokens()
    expect(tokens).toHaveLength(50)
    expect(tokens).not.toContain(encodeBase64(first))
  })
  it('are not told as messages', async () => {
    await test.request(revocation([test.subaccount(owner, read).token]))
    const request = buildGetExpiries(test.crypto, { hashes: 'all', timestampMs: test.clock.ms, signer: owner })
    expect((await test.request(request)).body).toEqual({ expiries: {} })
    const all = buildDeleteAll(test.crypto, { ...everywhere(), signer: owner })
    expect((await test.entry(all)).deleted).toEqual({})
    expect(await revokedTokens()).toHaveLength(1)
  })
  it('are the owner’s alone, at their time (RPC-74, RPC-96)', async () => {
    const own = test.subaccount(owner, read | write | remove)
    const builders = [
      ['revoke_subaccount', revocation([own.token], own)],
      [
        'unrevoke_subaccount',
        buildUnrevokeSubaccount(test.crypto, { tokens: [own.token], timestampMs: test.clock.ms, signer: own }),
      ],
      ['revoked_subaccounts', buildRevokedSubaccounts(test.crypto, { timestampMs: test.clock.ms, signer: own })],
    ] as const
    for (const [method, request] of builders) {
      expect(await test.request(request)).toMatchObject({ status: 401, body: `${method} signature verification failed` })
      const far = { ...request.params, timestamp: test.clock.ms + 60_001 }
      expect(await test.ask(method, far)).toMatchObject({ status: 406, body: `${method} timestamp too far from current time` })
    }
    expect(await revokedTokens()).toEqual([])
  })
  it.each([
    ['revoke', [], "'revoke' holds no subaccount"],
    ['revoke', Array(51).fill('A'.repeat(48)), "Invalid value given for 'revoke': at most 50 items"],
    ['unrevoke', ['A'.repeat(47)], "Invalid value given for 'unrevoke': a subaccount has 36 bytes"],
    ['unrevoke', null, "Required field 'unrevoke' missing"],
  ])('%s %j: 400 %s', async (field, value, reason) => {
    const { params } = revocation([test.subaccount(owner, read).token])
    const answer = await test.ask(`${field}_subaccount`, { ...params, [field]: value })
    expect(answer).toMatchObject({ status: 400, body: `invalid request: ${reason}` })
  })
})

describe('a token without the owner’s signature over it, or that without it', () => {
  it('is a missing field (RPC-33)', async () => {
    const own = test.subaccount(owner, read)
    const parts = { accountId: owner.accountId, namespace: 11 as Namespace, timestampMs: test.clock.ms, signer: own }
    const { params } = buildRetrieve(test.crypto, parts)
    for (const name of ['subaccount', 'subaccount_sig']) {
      const answer = await test.ask('retrieve', { ...params, [name]: '' })
      expect(answer).toMatchObject({ status: 400, body: `invalid request: Required field '${name}' missing` })
    }
    const both = await test.ask('retrieve', { ...params, subaccount: '', subaccount_sig: '' })
    expect(both).toMatchObject({ status: 401, body: 'retrieve signature verification failed' })
  })
  it('is not looked at where anyone may store', async () => {
    const parts = { accountId: owner.accountId, namespace: 0 as Namespace, payload: new Uint8Array(1) }
    const request = buildStore(test.crypto, { ...parts, timestampMs: test.clock.ms, ttlMs: HOUR_MS })
    const own = test.subaccount(owner, 0)
    await test.request(revocation([own.token]))
    const { token, ownerSignature } = own.subaccount!
    const fields = {
      subaccount: encodeBase64(token),
      subaccount_sig: encodeBase64(ownerSignature),
      signature: encodeBase64(new Uint8Array(64)),
    }
    expect((await test.ask('store', { ...request.params, ...fields })).status).toBe(200)
  })
})
