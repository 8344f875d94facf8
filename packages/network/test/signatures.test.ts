import { ed25519Sign } from '@session-v2/crypto'
import { decodeHex, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  changedText,
  deleteAllText,
  deleteBeforeText,
  deletedText,
  deleteText,
  expireAllText,
  expiredEntryText,
  expireText,
  getExpiriesText,
  messageHash,
  monitorText,
  type Namespace,
  parseNamespace,
  retrieveText,
  revokedSubaccountsText,
  revokedText,
  revokeText,
  storedText,
  storeText,
  verifyAccountSignature,
} from '@session-v2/network'
import { loadVectors } from '@session-v2/vectors'
import { describe, expect, it } from 'vitest'
import { keyOwner, keyPair, providers, sessionOwner, wasm } from './owners.ts'

const vectors = loadVectors('storage-rpc')
const named = (prefix: string) =>
  vectors.filter(({ name }) => name.startsWith(prefix)).map(vector => [vector.name, vector] as const)

describe.each(providers)('hashes of messages (%s)', (_, crypto) => {
  it.each(named('hash-'))('%s', (_name, vector) => {
    const { pubkey, namespace, data } = vector.in
    expect(messageHash(crypto, decodeHex(pubkey), parseNamespace(namespace), decodeHex(data))).toBe(vector.out.hash)
  })
})

describe('hashes of messages', () => {
  it('do not tell two namespaces apart: only account, namespace and hash together name a message', () => {
    const account = new Uint8Array(33)
    const data = encodeUtf8('x')
    const squatted = encodeUtf8('21x')
    expect(messageHash(wasm, account, parseNamespace(0), squatted)).toBe(messageHash(wasm, account, parseNamespace(21), data))
  })
})

// biome-ignore lint/suspicious/noExplicitAny: the shape of vectors
function signedTextOf(request: any): Uint8Array {
  const { method, timestamp, messages, pubkey, t, d, n } = request
  const namespace = request.namespace === 'all' ? 'all' : parseNamespace(request.namespace ?? 0)
  const mode = request.shorten ? 'shorten' : request.extend ? 'extend' : 'set'
  const texts: Record<string, () => Uint8Array> = {
    store: () => storeText(namespace as Namespace, timestamp),
    retrieve: () => retrieveText(namespace as Namespace, timestamp),
    delete: () => deleteText(messages),
    delete_all: () => deleteAllText(namespace, timestamp),
    delete_before: () => deleteBeforeText(namespace, request.before),
    expire_all: () => expireAllText(namespace, request.expiry),
    expire: () => expireText(mode, request.expiry, messages),
    get_expiries: () => getExpiriesText(timestamp, messages),
    revoke_subaccount: () =>
      revokeText(
        method,
        timestamp,
        request.tokens.map((token: string) => decodeHex(token)),
      ),
    unrevoke_subaccount: () =>
      revokeText(
        method,
        timestamp,
        request.tokens.map((token: string) => decodeHex(token)),
      ),
    revoked_subaccounts: () => revokedSubaccountsText(timestamp),
    monitor: () => monitorText(decodeHex(pubkey), t, d === 1, n.map(parseNamespace)),
  }
  return texts[method]!()
}

// biome-ignore lint/suspicious/noExplicitAny: the shape of vectors
function memberTextOf(answer: any): Uint8Array {
  const { method, pubkey, messages, time } = answer
  if (method === 'store') return storedText(answer.hash)
  const account = decodeHex(pubkey)
  if (method === 'delete') return deletedText(account, messages, answer.deleted)
  if (method === 'revoke_subaccount')
    return revokedText(
      account,
      time,
      answer.tokens.map((token: string) => decodeHex(token)),
    )
  if (method !== 'expire') return changedText(account, time, answer.changed)
  const { updated, expiry, unchanged } = answer
  const rest = unchanged && new Map<string, number>(Object.entries(unchanged))
  return expiredEntryText(account, messages, { updated, expiriesMs: expiry, unchanged: rest })
}

describe('signed texts (RPC-20)', () => {
  it.each(named('signs-'))('%s', (_, vector) => {
    expectSigned(vector, signedTextOf(vector.in))
  })

  it.each(named('member-signs-'))('%s', (_, vector) => {
    expectSigned(vector, memberTextOf(vector.in))
  })
})

// biome-ignore lint/suspicious/noExplicitAny: the shape of vectors
function expectSigned(vector: { in?: any; out?: any }, text: Uint8Array): void {
  const { secretKey } = keyPair(wasm, decodeHex(vector.in.seed))
  if (vector.out.text === undefined) expect(encodeHex(text)).toBe(vector.out.text_bytes)
  else expect(new TextDecoder().decode(text)).toBe(vector.out.text)
  expect(encodeHex(ed25519Sign(wasm, secretKey, text))).toBe(vector.out.signature)
}

describe.each(providers)('the signature of an owner, RPC-30 to RPC-32 (%s)', (_, crypto) => {
  const text = encodeUtf8('retrieve1750000000123')
  const alice = sessionOwner(crypto, 1)
  const bob = sessionOwner(crypto, 2)
  const group = keyOwner(crypto, 3)
  const signature = ed25519Sign(crypto, alice.secretKey, text)

  it('is that of the Ed25519 key which converts to a Session id', () => {
    expect(verifyAccountSignature(crypto, alice.account, { signature, ed25519: alice.publicKey }, text)).toBe(true)
  })

  it('is no good with the key of another, though it verifies with that', () => {
    const ofBob = { signature: ed25519Sign(crypto, bob.secretKey, text), ed25519: bob.publicKey }
    expect(verifyAccountSignature(crypto, bob.account, ofBob, text)).toBe(true)
    expect(verifyAccountSignature(crypto, alice.account, ofBob, text)).toBe(false)
  })

  it('is no good for another text, or by another', () => {
    const signed = { signature, ed25519: alice.publicKey }
    expect(verifyAccountSignature(crypto, alice.account, signed, encodeUtf8('retrieve1750000000124'))).toBe(false)
    const forged = { signature: ed25519Sign(crypto, bob.secretKey, text), ed25519: alice.publicKey }
    expect(verifyAccountSignature(crypto, alice.account, forged, text)).toBe(false)
  })

  it('of a Session id does not verify without its Ed25519 key', () => {
    expect(verifyAccountSignature(crypto, alice.account, { signature, ed25519: undefined }, text)).toBe(false)
  })

  it('of another account is that of its key', () => {
    const signed = { signature: ed25519Sign(crypto, group.secretKey, text), ed25519: undefined }
    expect(verifyAccountSignature(crypto, group.account, signed, text)).toBe(true)
    expect(verifyAccountSignature(crypto, keyOwner(crypto, 4).account, signed, text)).toBe(false)
  })

  it('is refused for keys of small order, with which anything would verify', () => {
    const identity = Uint8Array.of(1, ...new Uint8Array(31))
    const anything = Uint8Array.of(...identity, ...new Uint8Array(32))
    const asKey = decodeHex(`03${encodeHex(identity)}`)
    expect(verifyAccountSignature(crypto, asKey, { signature: anything, ed25519: undefined }, text)).toBe(false)
    const session = decodeHex(`05${'00'.repeat(32)}`)
    expect(verifyAccountSignature(crypto, session, { signature: anything, ed25519: identity }, text)).toBe(false)
  })
})
