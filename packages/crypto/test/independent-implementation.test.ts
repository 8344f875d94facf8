/** The noble libraries, written independently of libsodium and OpenSSL, give the same results. */
import { gcm } from '@noble/ciphers/aes.js'
import { xchacha20, xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { argon2id } from '@noble/hashes/argon2.js'
import { blake2b } from '@noble/hashes/blake2.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { sha3_256, shake256 } from '@noble/hashes/sha3.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as api from '../src/index.ts'
import { anyBytes, anyInputs, anyMessage, fixedRandom, providers, secret } from './providers.ts'

const FAST = { numRuns: 60 }
const SLOW = { numRuns: 15 }
const PERSONAL = 'SessionV2Message'

describe.each(providers)('noble agrees with %s on hashes and ciphers', (_, crypto) => {
  it('hashes (NOT-02, NOT-03)', () => {
    const property = fc.property(anyInputs, fc.integer({ min: 1, max: 64 }), (inputs, dkLen) => {
      const all = concatBytes(...inputs)
      expect(api.blake2b(crypto, dkLen, inputs)).toEqual(blake2b(all, { dkLen }))
      expect(api.sha256(crypto, inputs)).toEqual(sha256(all))
      expect(api.sha512(crypto, inputs)).toEqual(sha512(all))
      expect(api.sha3_256(crypto, inputs)).toEqual(sha3_256(all))
      expect(concatBytes(...api.shake256(crypto, inputs, [dkLen, 0, 200]))).toEqual(shake256(all, { dkLen: dkLen + 200 }))
    })
    fc.assert(property, FAST)
  })

  it('BLAKE2b with key and personalisation (NOT-02)', () => {
    const personalization = new TextEncoder().encode(PERSONAL)
    const property = fc.property(anyInputs, fc.uint8Array({ minLength: 1, maxLength: 64 }), (inputs, key) => {
      const digest = api.blake2b(crypto, 24, inputs, { key, personal: PERSONAL })
      expect(digest).toEqual(blake2b(concatBytes(...inputs), { dkLen: 24, key, personalization }))
    })
    fc.assert(property, FAST)
  })

  it('HMAC-SHA-256', () => {
    const property = fc.property(anyMessage, anyInputs, (key, inputs) => {
      expect(api.hmacSha256(crypto, key, inputs)).toEqual(hmac(sha256, key, concatBytes(...inputs)))
    })
    fc.assert(property, FAST)
  })

  it('Argon2id', () => {
    const [password, salt] = [new Uint8Array(9).fill(1), new Uint8Array(16).fill(2)]
    const key = api.argon2id(crypto, password, salt, { opsLimit: 2, memoryBytes: 256 * 1024, sizeBytes: 48 })
    expect(key).toEqual(argon2id(password, salt, { t: 2, m: 256, p: 1, dkLen: 48 }))
  })

  it('ciphers (NOT-08)', () => {
    const property = fc.property(anyBytes(32), anyBytes(24), anyMessage, anyMessage, (key, nonce, text, associated) => {
      const iv = nonce.slice(0, 12)
      expect(api.xchacha20(crypto, key, nonce, text)).toEqual(xchacha20(key, nonce, text))
      const sealed = xchacha20poly1305(key, nonce, associated).encrypt(text)
      expect(api.xchacha20Poly1305Encrypt(crypto, key, nonce, text, associated)).toEqual(sealed)
      expect(api.xchacha20Poly1305Decrypt(crypto, key, nonce, sealed, associated)).toEqual(text)
      expect(api.aes256GcmEncrypt(crypto, key, iv, text)).toEqual(gcm(key, iv).encrypt(text))
    })
    fc.assert(property, FAST)
  })
})

describe.each(providers)('noble agrees with %s on public keys', (_, crypto) => {
  it('Ed25519 and X25519', () => {
    const property = fc.property(anyBytes(32), anyBytes(32), anyMessage, (seed, other, message) => {
      const pair = api.ed25519KeyPair(crypto, secret(seed, 'ed25519-seed'))
      expect(pair.publicKey).toEqual(ed25519.getPublicKey(seed))
      expect(api.ed25519Sign(crypto, pair.secretKey, message)).toEqual(ed25519.sign(message, seed))
      const own = api.ed25519SecretToX25519(crypto, pair.secretKey)
      expect(own.expose()).toEqual(ed25519.utils.toMontgomerySecret(seed))
      expect(api.ed25519PublicToX25519(crypto, pair.publicKey)).toEqual(ed25519.utils.toMontgomery(pair.publicKey))
      expect(api.x25519(crypto, own, x25519.getPublicKey(other))).toEqual(
        x25519.getSharedSecret(other, x25519.getPublicKey(own.expose())),
      )
    })
    fc.assert(property, SLOW)
  })

  it('XEd25519: its signatures are Ed25519 signatures of the positive key', () => {
    const property = fc.property(anyBytes(32), anyBytes(64), anyMessage, (own, random, message) => {
      const pair = api.x25519KeyPair(crypto, secret(own, 'x25519-secret'))
      const publicKey = api.x25519PublicToPositiveEd25519(crypto, pair.publicKey)
      const signature = api.xed25519Sign(crypto, fixedRandom(random), pair.secretKey, message)
      expect(ed25519.verify(signature, message, publicKey, { zip215: false })).toBe(true)
      expect(api.xed25519Verify(crypto, pair.publicKey, message, signature)).toBe(true)
    })
    fc.assert(property, SLOW)
  })

  it('ML-KEM-768', () => {
    const property = fc.property(anyBytes(64), anyBytes(32), (seed, coins) => {
      const theirs = ml_kem768.keygen(seed)
      const { publicKey, secretKey } = api.mlKem768KeyPair(crypto, seed)
      expect(publicKey).toEqual(theirs.publicKey)
      expect(secretKey.export().expose()).toEqual(theirs.secretKey)
      const sent = ml_kem768.encapsulate(publicKey, coins)
      const handle = api.prepareMlKem768PublicKey(crypto, publicKey)
      expect(api.mlKem768Encapsulate(crypto, fixedRandom(coins), handle)).toEqual({
        ciphertext: sent.cipherText,
        sharedSecret: sent.sharedSecret,
      })
      expect(api.mlKem768Decapsulate(crypto, secretKey, sent.cipherText)).toEqual(sent.sharedSecret)
    })
    fc.assert(property, SLOW)
  })
})
