/** Subaccounts: tokens, what they permit, and requests that are signed with one. */
import { ed25519Sign, Secret } from '@session-v2/crypto'
import { decodeHex, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  buildDelete,
  buildRetrieve,
  buildStore,
  checkDelete,
  checkExpire,
  checkRetrieve,
  checkStore,
  type DeleteParams,
  decodeRequest,
  encodeRequest,
  encodeSubaccountToken,
  expireMode,
  expireText,
  grantSubaccount,
  parseNamespace,
  parseRequest,
  parseSubaccountToken,
  type RequestSigner,
  type RetrieveParams,
  type RpcRequest,
  type StoreParams,
  SUBACCOUNT_RIGHT,
  signRequest,
  subaccountFault,
} from '@session-v2/network'
import { loadVectors } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyOwner, keyPair, NOW_MS, networkErrorOf, type Owner, providers, sessionOwner, wasm } from './owners.ts'

const vectors = loadVectors('storage-rpc')
const named = (prefix: string) =>
  vectors.filter(({ name }) => name.startsWith(prefix)).map(vector => [vector.name, vector] as const)

const { read, write, delete: remove, anyPrefix } = SUBACCOUNT_RIGHT
const alice = sessionOwner(wasm, 1)
const group = keyOwner(wasm, 3)
const sub = keyPair(wasm, new Uint8Array(32).fill(9))
const HASH = 'A'.repeat(43)
const LIVE = { tokenRevoked: false }

/** Signs for an owner's account, with the subaccount's key. */
function subaccount(owner: Owner, rights: number): RequestSigner {
  const { accountId, publicKey, secretKey } = owner
  const grant = grantSubaccount(wasm, { accountId, secretKey, subaccountKey: sub.publicKey, rights })
  return { accountId, publicKey, secretKey: sub.secretKey, subaccount: grant }
}

describe('a token (SUB-01 to SUB-03)', () => {
  it.each(named('subaccount-token-'))('%s', (_, { in: given, out }) => {
    const { prefix, rights } = given
    const seed = Secret.of(decodeHex(given.seed), 'ed25519-seed')
    const { secretKey } = keyPair(wasm, seed.expose())
    const subaccountKey = decodeHex(given.subaccount_key) as typeof sub.publicKey
    const accountId = prefix.toString(16).padStart(2, '0') + '00'.repeat(32)
    const { token, ownerSignature } = grantSubaccount(wasm, { accountId, secretKey, subaccountKey, rights })
    expect([encodeHex(token), encodeHex(ownerSignature)]).toEqual([out.subaccount, out.subaccount_sig])
    expect(parseSubaccountToken(token)).toEqual({ prefix, rights, publicKey: subaccountKey })
  })

  it('is read as it was written, whatever it permits', () => {
    const anyToken = fc.record({
      prefix: fc.nat(255),
      rights: fc.nat(255),
      publicKey: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    })
    fc.assert(
      fc.property(anyToken, token => {
        expect(parseSubaccountToken(encodeSubaccountToken(token))).toEqual(token)
      }),
    )
  })

  it.each([
    ['a short key', () => encodeSubaccountToken({ prefix: 3, rights: 1, publicKey: new Uint8Array(31) })],
    ['rights beyond a byte', () => encodeSubaccountToken({ prefix: 3, rights: 256, publicKey: new Uint8Array(32) })],
    ['a prefix that is none', () => encodeSubaccountToken({ prefix: Number.NaN, rights: 1, publicKey: new Uint8Array(32) })],
    ['35 bytes', () => parseSubaccountToken(new Uint8Array(35))],
    ['37 bytes', () => parseSubaccountToken(new Uint8Array(37))],
  ])('is malformed with %s', (_, action) => {
    expect(networkErrorOf(action).code).toBe('malformed')
  })
})

describe.each(providers)('a request with a token (SUB-04) (%s)', (_, crypto) => {
  it.each([...named('subaccount-may-'), ...named('subaccount-refused-')])('%s', (_name, { in: given, out, failure }) => {
    const use = {
      account: decodeHex(given.pubkey),
      ed25519: given.pubkey_ed25519 && decodeHex(given.pubkey_ed25519),
      grant: { token: decodeHex(given.subaccount), ownerSignature: decodeHex(given.subaccount_sig) },
      signature: decodeHex(given.signature),
      needed: given.needed,
      revoked: given.revoked,
    }
    expect(subaccountFault(crypto, use, encodeUtf8(given.text))).toBe(out.fault)
    expect(failure).toBe(out.fault && 'forged')
  })

  it('is refused with a token whose key is of small order, with which anything would verify', () => {
    const identity = Uint8Array.of(1, ...new Uint8Array(31))
    const token = encodeSubaccountToken({ prefix: 3, rights: 15, publicKey: identity })
    const grant = { token, ownerSignature: ed25519Sign(crypto, group.secretKey, token) }
    const signature = Uint8Array.of(...identity, ...new Uint8Array(32))
    const use = { account: group.account, ed25519: undefined, grant, signature, needed: read, revoked: false }
    expect(subaccountFault(crypto, use, encodeUtf8('any'))).toBe('request-signature')
  })
})

const arrived = <T>(request: RpcRequest) => parseRequest(decodeRequest(encodeRequest(request))).params as T

function store(signer: RequestSigner, namespace: number): StoreParams {
  const options = { accountId: signer.accountId, payload: new Uint8Array(1), timestampMs: NOW_MS, ttlMs: 60_000 }
  return arrived(buildStore(wasm, { ...options, namespace: parseNamespace(namespace), signer }))
}

function retrieve(signer: RequestSigner, namespace: number): RetrieveParams {
  const options = { accountId: signer.accountId, namespace: parseNamespace(namespace), timestampMs: NOW_MS }
  return arrived(buildRetrieve(wasm, { ...options, signer }))
}

describe.each([
  ['a Session id', alice],
  ['a group', group],
])('a subaccount of %s (SUB-05, RPC-76)', (_, owner) => {
  const lacks = (method: string) => ({ status: 401, body: `${method} subaccount lacks permission` })

  it('stores with the right to write, into an outbox also with that to delete', () => {
    expect(checkStore(wasm, store(subaccount(owner, write), 2), NOW_MS, LIVE)).toBeUndefined()
    expect(checkStore(wasm, store(subaccount(owner, read | remove), 2), NOW_MS, LIVE)).toEqual(lacks('store'))
    expect(checkStore(wasm, store(subaccount(owner, write), -21), NOW_MS, LIVE)).toEqual(lacks('store'))
    expect(checkStore(wasm, store(subaccount(owner, write | remove), -21), NOW_MS, LIVE)).toBeUndefined()
  })

  it('retrieves with the right to read, deletes with that to delete', () => {
    expect(checkRetrieve(wasm, retrieve(subaccount(owner, read), 2), NOW_MS, LIVE)).toBeUndefined()
    expect(checkRetrieve(wasm, retrieve(subaccount(owner, write), 2), NOW_MS, LIVE)).toEqual(lacks('retrieve'))
    const deletion = (rights: number) =>
      arrived<DeleteParams>(buildDelete(wasm, { hashes: [HASH], signer: subaccount(owner, rights) }))
    expect(checkDelete(wasm, deletion(remove), LIVE)).toBeUndefined()
    expect(checkDelete(wasm, deletion(write), LIVE)).toEqual(lacks('delete_msgs'))
  })

  it('is refused once revoked, but for an unrevocable namespace (SUB-06)', () => {
    const signer = subaccount(owner, read)
    const refusal = { status: 401, body: 'retrieve subaccount is revoked' }
    expect(checkRetrieve(wasm, retrieve(signer, 2), NOW_MS, { tokenRevoked: true })).toEqual(refusal)
    expect(checkRetrieve(wasm, retrieve(signer, -11), NOW_MS, { tokenRevoked: true })).toBeUndefined()
    expect(checkRetrieve(wasm, retrieve(signer, -11), NOW_MS)).toBeUndefined()
  })

  it('is refused by a node that cannot tell whether it is revoked; an owner is not', () => {
    expect(checkRetrieve(wasm, retrieve(subaccount(owner, read), 2), NOW_MS)?.status).toBe(401)
    expect(checkRetrieve(wasm, retrieve(owner, 2), NOW_MS)).toBeUndefined()
  })

  it('is no subaccount of another account of the same prefix', () => {
    const other = owner === alice ? sessionOwner(wasm, 5) : keyOwner(wasm, 5)
    const { subaccount: grant, secretKey } = subaccount(owner, read | anyPrefix)
    const stolen = { accountId: other.accountId, publicKey: other.publicKey, secretKey, subaccount: grant! }
    const wrong = { status: 401, body: 'retrieve signature verification failed' }
    expect(checkRetrieve(wasm, retrieve(stolen, 2), NOW_MS, LIVE)).toEqual(wrong)
  })
})

describe('an expire by a subaccount (RPC-94)', () => {
  const hashes = [HASH]
  const expire = (rights: number, mode: 'set' | 'shorten' | 'extend') => {
    const signed = signRequest(wasm, subaccount(group, rights), expireText(mode, [NOW_MS], hashes))
    return { account: group.account, hashes, expiriesMs: [NOW_MS], mode, signed }
  }

  it('only raises without the right to delete, and is refused if it is to shorten', () => {
    expect((['set', 'shorten', 'extend'] as const).map(mode => expireMode(expire(write, mode)))).toEqual([
      'extend',
      'shorten',
      'extend',
    ])
    expect(checkExpire(wasm, expire(write, 'set'), NOW_MS, LIVE)).toBeUndefined()
    expect(checkExpire(wasm, expire(write, 'shorten'), NOW_MS, LIVE)?.status).toBe(400)
    expect(checkExpire(wasm, expire(read, 'extend'), NOW_MS, LIVE)?.status).toBe(401)
  })

  it('does as it says with the right to delete', () => {
    expect(expireMode(expire(write | remove, 'set'))).toBe('set')
    expect(checkExpire(wasm, expire(write | remove, 'shorten'), NOW_MS, LIVE)).toBeUndefined()
  })
})
