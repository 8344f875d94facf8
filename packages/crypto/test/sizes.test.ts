/** Every argument with a fixed size, given another: the C functions below would read past its end. */
import { describe, expect, it } from 'vitest'
import * as api from '../src/index.ts'
import { expectCode, fixedRandom, providers, secret } from './providers.ts'

const zeros = (sizeBytes: number) => new Uint8Array(sizeBytes)
const message = zeros(5)
const random = fixedRandom(zeros(64))
const SECRET = 'x25519-secret'

type Call = (crypto: api.Crypto, sized: Uint8Array) => unknown
/** The size that is right for `sized`, then the call. Everything else in the call is of the right size. */
const cases: [string, number, Call][] = [
  ['ed25519PublicKey', 32, (_, sized) => api.ed25519PublicKey(sized)],
  ['ed25519Signature', 64, (_, sized) => api.ed25519Signature(sized)],
  ['x25519PublicKey', 32, (_, sized) => api.x25519PublicKey(sized)],
  ['mlKem768PublicKey', 1184, (_, sized) => api.mlKem768PublicKey(sized)],
  ['ed25519KeyPair seed', 32, (crypto, sized) => api.ed25519KeyPair(crypto, secret(sized, 'ed25519-seed'))],
  ['ed25519Sign key', 64, (crypto, sized) => api.ed25519Sign(crypto, secret(sized, 'ed25519-secret'), message)],
  ['ed25519Verify key', 32, (crypto, sized) => api.ed25519Verify(crypto, sized, message, zeros(64))],
  ['ed25519Verify signature', 64, (crypto, sized) => api.ed25519Verify(crypto, zeros(32), message, sized)],
  ['ed25519SecretToX25519', 64, (crypto, sized) => api.ed25519SecretToX25519(crypto, secret(sized, 'ed25519-secret'))],
  ['ed25519PublicToX25519', 32, api.ed25519PublicToX25519],
  ['x25519PublicToPositiveEd25519', 32, api.x25519PublicToPositiveEd25519],
  ['x25519KeyPair', 32, (crypto, sized) => api.x25519KeyPair(crypto, secret(sized, SECRET))],
  ['x25519 secret', 32, (crypto, sized) => api.x25519(crypto, secret(sized, SECRET), zeros(32).with(0, 9))],
  ['x25519 public', 32, (crypto, sized) => api.x25519(crypto, secret(zeros(32), SECRET), sized)],
  ['xed25519Sign', 32, (crypto, sized) => api.xed25519Sign(crypto, random, secret(sized, SECRET), message)],
  ['xed25519Verify key', 32, (crypto, sized) => api.xed25519Verify(crypto, sized, message, zeros(64))],
  ['xed25519Verify signature', 64, (crypto, sized) => api.xed25519Verify(crypto, zeros(32), message, sized)],
  ['mlKem768KeyPair', 64, api.mlKem768KeyPair],
  ['prepareMlKem768PublicKey', 1184, api.prepareMlKem768PublicKey],
  [
    'mlKem768Decapsulate',
    1088,
    (crypto, sized) => api.mlKem768Decapsulate(crypto, api.mlKem768KeyPair(crypto, zeros(64)).secretKey, sized),
  ],
  ['xchacha20Poly1305Encrypt key', 32, (crypto, sized) => api.xchacha20Poly1305Encrypt(crypto, sized, zeros(24), message)],
  ['xchacha20Poly1305Encrypt nonce', 24, (crypto, sized) => api.xchacha20Poly1305Encrypt(crypto, zeros(32), sized, message)],
  ['xchacha20Poly1305Decrypt key', 32, (crypto, sized) => api.xchacha20Poly1305Decrypt(crypto, sized, zeros(24), zeros(16))],
  ['xchacha20Poly1305Decrypt nonce', 24, (crypto, sized) => api.xchacha20Poly1305Decrypt(crypto, zeros(32), sized, zeros(16))],
  ['xchacha20 key', 32, (crypto, sized) => api.xchacha20(crypto, sized, zeros(24), message)],
  ['xchacha20 nonce', 24, (crypto, sized) => api.xchacha20(crypto, zeros(32), sized, message)],
  ['aes256GcmEncrypt key', 32, (crypto, sized) => api.aes256GcmEncrypt(crypto, sized, zeros(12), message)],
  ['aes256GcmEncrypt iv', 12, (crypto, sized) => api.aes256GcmEncrypt(crypto, zeros(32), sized, message)],
  ['aes256GcmDecrypt key', 32, (crypto, sized) => api.aes256GcmDecrypt(crypto, sized, zeros(12), zeros(16))],
  ['aes256GcmDecrypt iv', 12, (crypto, sized) => api.aes256GcmDecrypt(crypto, zeros(32), sized, zeros(16))],
  [
    'argon2id salt',
    16,
    (crypto, sized) => api.argon2id(crypto, message, sized, { opsLimit: 1, memoryBytes: 8192, sizeBytes: 32 }),
  ],
  ['sealBox recipient', 32, (crypto, sized) => api.sealBox(crypto, random, sized as api.X25519PublicKey, message)],
  [
    'openSealedBox public',
    32,
    (crypto, sized) => api.openSealedBox(crypto, sized as api.X25519PublicKey, secret(zeros(32), SECRET), zeros(48)),
  ],
  [
    'openSealedBox secret',
    32,
    (crypto, sized) => api.openSealedBox(crypto, api.x25519PublicKey(zeros(32)), secret(sized, SECRET), zeros(48)),
  ],
]

describe.each(providers)('a wrong size with %s is refused by', (_, crypto) => {
  it.each(cases)('%s', (_name, sizeBytes, call) => {
    for (const wrong of [0, sizeBytes - 1, sizeBytes + 1, 2 * sizeBytes]) expectCode('bad-size', () => call(crypto, zeros(wrong)))
    expect(codeOf(() => call(crypto, zeros(sizeBytes)))).not.toBe('bad-size')
  })

  it.each([0, -1, 65, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('blake2b, digest of %s bytes', sizeBytes => {
    expectCode('bad-size', () => api.blake2b(crypto, sizeBytes, [message]))
  })

  it('blake2b, key and personalisation', () => {
    expectCode('bad-size', () => api.blake2b(crypto, 32, [message], { key: zeros(65) }))
    for (const personal of ['', 'fifteen letters', 'seventeen letters', 'sixteen letterſ!']) {
      expectCode('bad-size', () => api.blake2b(crypto, 32, [message], { personal }))
    }
  })

  it.each([[[-1]], [[1.5]], [[Number.NaN]], [[2 ** 20 + 1]], [[2 ** 20, 1]]])('shake256, outputs of %s bytes', sizes => {
    expectCode('bad-size', () => api.shake256(crypto, [message], sizes))
  })

  it.each([
    { opsLimit: 0 },
    { opsLimit: 1.5 },
    { opsLimit: 2 ** 32 },
    { memoryBytes: 8191 },
    { memoryBytes: 2 ** 30 + 1 },
    { memoryBytes: Number.NaN },
    { sizeBytes: 15 },
    { sizeBytes: 1025 },
  ])('argon2id, %j', cost => {
    const valid = { opsLimit: 1, memoryBytes: 8192, sizeBytes: 32 }
    expectCode('bad-size', () => api.argon2id(crypto, message, zeros(16), { ...valid, ...cost }))
  })
})

describe.each(providers)('too short to carry a tag with %s', (_, crypto) => {
  const own = api.x25519KeyPair(crypto, secret(zeros(32).with(0, 8), SECRET))

  it.each([0, 1, 15])('%s bytes do not decrypt', sizeBytes => {
    expectCode('decrypt-failed', () => api.xchacha20Poly1305Decrypt(crypto, zeros(32), zeros(24), zeros(sizeBytes)))
    expectCode('decrypt-failed', () => api.aes256GcmDecrypt(crypto, zeros(32), zeros(12), zeros(sizeBytes)))
    expectCode('decrypt-failed', () => api.openSealedBox(crypto, own.publicKey, own.secretKey, zeros(32 + sizeBytes)))
  })
})

function codeOf(call: () => unknown): string | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    return (error as api.CryptoError).code
  }
}
