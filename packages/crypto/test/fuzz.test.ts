/** Bytes from a stranger: every function ends in a result or one of its own errors, on both providers alike. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as api from '../src/index.ts'
import { anyBytes, native, outcome, providers, secret, wasm } from './providers.ts'

const RUNS = Number(process.env.FUZZ_RUNS ?? 2000)
/** For properties that multiply points. */
const CURVE_RUNS = Math.ceil(RUNS / 10)
const sealedBytes = fc.uint8Array({ maxLength: 200 })
const key = new Uint8Array(32).fill(3)
const nonce = new Uint8Array(24).fill(4)

describe('fuzz decryption', () => {
  it('random bytes are refused', () => {
    const property = fc.property(sealedBytes, sealed => {
      for (const [, crypto] of providers) {
        expect(outcome(() => api.xchacha20Poly1305Decrypt(crypto, key, nonce, sealed))).toBe('decrypt-failed')
        expect(outcome(() => api.aes256GcmDecrypt(crypto, key, nonce.subarray(12), sealed))).toBe('decrypt-failed')
      }
    })
    fc.assert(property, { numRuns: RUNS })
  })

  it('random bytes are no sealed box', () => {
    const pairs = providers.map(([, crypto]) => ({ crypto, own: api.x25519KeyPair(crypto, secret(key, 'x25519-secret')) }))
    const property = fc.property(sealedBytes, sealed => {
      for (const { crypto, own } of pairs) {
        expect(outcome(() => api.openSealedBox(crypto, own.publicKey, own.secretKey, sealed))).toBe('decrypt-failed')
      }
    })
    fc.assert(property, { numRuns: CURVE_RUNS })
  })

  it('a flipped bit anywhere is noticed', () => {
    const text = new Uint8Array(100).fill(1)
    const property = fc.property(fc.nat(115), fc.nat(7), (at, bit) => {
      for (const [, crypto] of providers) {
        const sealed = api.xchacha20Poly1305Encrypt(crypto, key, nonce, text, nonce)
        sealed[at] = (sealed[at] as number) ^ (1 << bit)
        expect(outcome(() => api.xchacha20Poly1305Decrypt(crypto, key, nonce, sealed, nonce))).toBe('decrypt-failed')
        const sealedAes = api.aes256GcmEncrypt(crypto, key, nonce.subarray(12), text)
        sealedAes[at] = (sealedAes[at] as number) ^ (1 << bit)
        expect(outcome(() => api.aes256GcmDecrypt(crypto, key, nonce.subarray(12), sealedAes))).toBe('decrypt-failed')
      }
    })
    fc.assert(property, { numRuns: RUNS })
  })
})

describe('fuzz public values', () => {
  it('random signatures and keys do not verify', () => {
    const property = fc.property(anyBytes(32), sealedBytes, anyBytes(64), (publicKey, message, signature) => {
      for (const [, crypto] of providers) {
        expect(api.ed25519Verify(crypto, publicKey, message, signature)).toBe(false)
        expect(outcome(() => api.xed25519Verify(crypto, publicKey, message, signature))).not.toBe(true)
      }
    })
    fc.assert(property, { numRuns: CURVE_RUNS })
  })

  it('random keys convert and agree alike', () => {
    const own = secret(key, 'x25519-secret')
    const property = fc.property(anyBytes(32), publicKey => {
      const operations = [
        (crypto: api.Crypto) => api.x25519(crypto, own, publicKey),
        (crypto: api.Crypto) => api.ed25519PublicToX25519(crypto, publicKey),
        (crypto: api.Crypto) => api.x25519PublicToPositiveEd25519(crypto, publicKey),
      ]
      for (const operation of operations) expect(outcome(() => operation(native))).toEqual(outcome(() => operation(wasm)))
    })
    fc.assert(property, { numRuns: CURVE_RUNS })
  })

  it('random ML-KEM keys are refused, random ciphertexts answered with an unrelated secret', () => {
    const pairs = providers.map(([, crypto]) => ({ crypto, ...api.mlKem768KeyPair(crypto, new Uint8Array(64)) }))
    const property = fc.property(anyBytes(1184), anyBytes(1088), (publicKey, ciphertext) => {
      const secrets = pairs.map(({ crypto, secretKey }) => api.mlKem768Decapsulate(crypto, secretKey, ciphertext))
      expect(secrets[0]).toEqual(secrets[1])
      expect(secrets[0]).toHaveLength(32)
      const prepared = pairs.map(({ crypto }) => outcome(() => api.prepareMlKem768PublicKey(crypto, publicKey).publicKey))
      expect(prepared[0]).toEqual(prepared[1])
    })
    fc.assert(property, { numRuns: CURVE_RUNS })
  })
})
