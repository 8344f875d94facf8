/** Both providers give the same bytes for the same arguments, and plain Uint8Arrays. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as api from '../src/index.ts'
import { anyBytes, anyInputs, anyMessage, fixedRandom, native, outcome, secret, wasm } from './providers.ts'

const RUNS = { numRuns: 60 }

/** Runs `call` with both providers on random arguments and compares what comes out, errors included. */
function agree<Arguments extends unknown[]>(
  name: string,
  arguments_: { [Index in keyof Arguments]: fc.Arbitrary<Arguments[Index]> },
  call: (crypto: api.Crypto, ...values: Arguments) => unknown,
): void {
  it(name, () => {
    const property = fc.property(fc.tuple(...arguments_) as fc.Arbitrary<Arguments>, values => {
      const results = [native, wasm].map(crypto => outcome(() => call(crypto, ...values)))
      expect(results[0]).toEqual(results[1])
      for (const result of results.flat()) if (result instanceof Uint8Array) expect(result.constructor).toBe(Uint8Array)
    })
    fc.assert(property, RUNS)
  })
}

const key = anyBytes(32)
const nonce = anyBytes(24)
const iv = anyBytes(12)

describe('providers agree on hashes', () => {
  const size = fc.integer({ min: 1, max: 64 })
  const options = fc.record(
    { key: fc.uint8Array({ maxLength: 64 }), personal: fc.constantFrom('SessionV2Message', 'Session-Msg-KISS') },
    { requiredKeys: [] },
  )
  agree('blake2b', [size, anyInputs, options], api.blake2b)
  agree('sha256', [anyInputs], api.sha256)
  agree('sha512', [anyInputs], api.sha512)
  agree('sha3_256', [anyInputs], api.sha3_256)
  agree('shake256', [anyInputs, fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 3 })], api.shake256)
  agree('hmacSha256', [anyMessage, anyInputs], api.hmacSha256)
  agree('argon2id', [anyMessage, anyBytes(16)], (crypto, password, salt) =>
    api.argon2id(crypto, password, salt, { opsLimit: 1, memoryBytes: 8192, sizeBytes: 32 }),
  )
})

describe('providers agree on ciphers', () => {
  agree('xchacha20Poly1305Encrypt', [key, nonce, anyMessage, anyMessage], api.xchacha20Poly1305Encrypt)
  agree('xchacha20Poly1305Encrypt without associated data', [key, nonce, anyMessage], api.xchacha20Poly1305Encrypt)
  agree('xchacha20Poly1305Decrypt', [key, nonce, anyMessage, anyMessage], (crypto, ...values) =>
    api.xchacha20Poly1305Decrypt(crypto, values[0], values[1], api.xchacha20Poly1305Encrypt(wasm, ...values), values[3]),
  )
  agree('xchacha20', [key, nonce, anyMessage], api.xchacha20)
  agree('aes256GcmEncrypt', [key, iv, anyMessage], api.aes256GcmEncrypt)
  agree('aes256GcmDecrypt', [key, iv, anyMessage], (crypto, ...values) =>
    api.aes256GcmDecrypt(crypto, values[0], values[1], api.aes256GcmEncrypt(wasm, ...values)),
  )
  agree('sealBox', [key, key, anyMessage], (crypto, ephemeral, recipient, message) =>
    api.sealBox(crypto, fixedRandom(ephemeral), api.x25519PublicKey(recipient), message),
  )
  agree('openSealedBox', [key, key, anyMessage], (crypto, ephemeral, own, message) => {
    const pair = api.x25519KeyPair(crypto, secret(own, 'x25519-secret'))
    const sealed = api.sealBox(wasm, fixedRandom(ephemeral), pair.publicKey, message)
    return api.openSealedBox(crypto, pair.publicKey, pair.secretKey, sealed)
  })
})

describe('providers agree on curves', () => {
  agree('ed25519KeyPair and ed25519Sign', [key, anyMessage], (crypto, seed, message) => {
    const pair = api.ed25519KeyPair(crypto, secret(seed, 'ed25519-seed'))
    const x25519Secret = api.ed25519SecretToX25519(crypto, pair.secretKey)
    const signature = api.ed25519Sign(crypto, pair.secretKey, message)
    expect(api.ed25519Verify(crypto, pair.publicKey, message, signature)).toBe(true)
    return [pair.publicKey, pair.secretKey.expose(), x25519Secret.expose(), signature]
  })
  agree('ed25519PublicToX25519 of any bytes', [key], api.ed25519PublicToX25519)
  agree('x25519PublicToPositiveEd25519', [key], api.x25519PublicToPositiveEd25519)
  agree('x25519', [key, key], (crypto, own, other) => {
    const pair = api.x25519KeyPair(crypto, secret(own, 'x25519-secret'))
    return [pair.publicKey, api.x25519(crypto, pair.secretKey, other)]
  })
  agree('xed25519Sign', [key, anyBytes(64), anyMessage], (crypto, own, random, message) =>
    api.xed25519Sign(crypto, fixedRandom(random), secret(own, 'x25519-secret'), message),
  )
})

describe('providers agree on ML-KEM-768', () => {
  agree('keys, encapsulation and decapsulation', [anyBytes(64), key, anyBytes(1088)], (crypto, seed, coins, unrelated) => {
    const { publicKey, secretKey } = api.mlKem768KeyPair(crypto, seed)
    const sent = api.mlKem768Encapsulate(crypto, fixedRandom(coins), api.prepareMlKem768PublicKey(crypto, publicKey))
    expect(api.mlKem768Decapsulate(crypto, secretKey, sent.ciphertext)).toEqual(sent.sharedSecret)
    const rejected = api.mlKem768Decapsulate(crypto, secretKey, unrelated)
    return [publicKey, secretKey.export().expose(), sent.ciphertext, sent.sharedSecret, rejected]
  })
})
