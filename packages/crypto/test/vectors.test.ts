/** Known answers: published test vectors of each primitive, on both providers. */
import { decodeHex, encodeHex } from '@session-v2/encoding'
import { loadVectors } from '@session-v2/vectors'
import { describe, expect, it } from 'vitest'
import * as api from '../src/index.ts'
import { fixedRandom, providers, secret } from './providers.ts'

/** By strict-verification.test.ts. */
const TESTED_ELSEWHERE = 'ed25519-strict'

/** The fields of all kinds together; every string of a vector's `in` is bytes in hexadecimal. */
interface Given {
  readonly associated?: Uint8Array
  readonly ed25519Secret: Uint8Array
  readonly ephemeralSecret: Uint8Array
  readonly iv: Uint8Array
  readonly key: Uint8Array
  readonly message: Uint8Array
  readonly nonce: Uint8Array
  readonly publicKey: Uint8Array
  readonly recipient: Uint8Array
  readonly recipientSecret: Uint8Array
  readonly sealed: Uint8Array
  readonly secretKey: Uint8Array
  readonly seed: Uint8Array
  readonly sizeBytes: number
  readonly sizes: number[]
  readonly x25519: Uint8Array
}
/** Computes the `out` of a vector from its `in`. */
type Check = (crypto: api.Crypto, given: Given) => Record<string, unknown>

const checks: Record<string, Check> = {
  'blake2b/blake2b': (crypto, { sizeBytes, message, key }) => ({
    digest: encodeHex(api.blake2b(crypto, sizeBytes, [message], key === undefined ? {} : { key })),
  }),
  'sha2/sha256': (crypto, { message }) => ({ digest: encodeHex(api.sha256(crypto, [message])) }),
  'sha2/sha512': (crypto, { message }) => ({ digest: encodeHex(api.sha512(crypto, [message])) }),
  'sha3/sha3-256': (crypto, { message }) => ({ digest: encodeHex(api.sha3_256(crypto, [message])) }),
  'sha3/shake256': (crypto, { message, sizes }) => ({ outputs: api.shake256(crypto, [message], sizes).map(encodeHex) }),
  'hmac-sha256/hmac-sha256': (crypto, { key, message }) => ({
    code: encodeHex(api.hmacSha256(crypto, key, [message])),
  }),
  'ed25519/ed25519': (crypto, { seed, message }) => {
    const { publicKey, secretKey } = api.ed25519KeyPair(crypto, secret(seed, 'ed25519-seed'))
    const signature = api.ed25519Sign(crypto, secretKey, message)
    return { publicKey: encodeHex(publicKey), signature: encodeHex(signature) }
  },
  'x25519/x25519': (crypto, { secretKey, publicKey }) => ({
    shared: encodeHex(api.x25519(crypto, secret(secretKey, 'x25519-secret'), publicKey)),
  }),
  'ed25519-x25519-map/public': (crypto, { seed }) => {
    const { publicKey } = api.ed25519KeyPair(crypto, secret(seed, 'ed25519-seed'))
    return { ed25519: encodeHex(publicKey), x25519: encodeHex(api.ed25519PublicToX25519(crypto, publicKey)) }
  },
  'ed25519-x25519-map/positive': (crypto, { x25519 }) => ({
    ed25519: encodeHex(api.x25519PublicToPositiveEd25519(crypto, x25519)),
  }),
  'ed25519-x25519-map/secret': (crypto, { ed25519Secret }) => ({
    x25519Secret: encodeHex(api.ed25519SecretToX25519(crypto, secret(ed25519Secret, 'ed25519-secret')).expose()),
  }),
  'xchacha20-poly1305/decrypt': (crypto, { key, nonce, sealed, associated }) => ({
    text: encodeHex(api.xchacha20Poly1305Decrypt(crypto, key, nonce, sealed, associated)),
  }),
  'aes-256-gcm/decrypt': (crypto, { key, iv, sealed }) => ({
    text: encodeHex(api.aes256GcmDecrypt(crypto, key, iv, sealed)),
  }),
  'sealed-box/seal': (crypto, given) => {
    const recipient = api.x25519PublicKey(given.recipient)
    const sealed = api.sealBox(crypto, fixedRandom(given.ephemeralSecret), recipient, given.message)
    const opened = api.openSealedBox(crypto, recipient, secret(given.recipientSecret, 'x25519-secret'), sealed)
    expect(encodeHex(opened)).toBe(encodeHex(given.message))
    return { sealed: encodeHex(sealed) }
  },
}

describe.each(providers)('known answers, %s', (_, crypto) => {
  for (const family of loadVectors('crypto').filter(({ name }) => name !== TESTED_ELSEWHERE)) {
    it(family.name, () => {
      const vectors = family.vectors ?? []
      expect(vectors.length).toBeGreaterThan(0)
      for (const vector of vectors) {
        const check = checks[`${family.name}/${vector.kind}`]
        if (check === undefined) throw new Error(`nothing checks the kind ${vector.kind} of ${family.name}`)
        expect(check(crypto, fromHex(vector.in))).toEqual(vector.out)
      }
    })
  }
})

function fromHex(fields: Record<string, unknown>): Given {
  const decoded = Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? decodeHex(value) : value])
  return Object.fromEntries(decoded)
}
