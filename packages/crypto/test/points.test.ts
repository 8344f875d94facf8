/** Public values that are no honest keys. */
import { describe, expect, it } from 'vitest'
import * as api from '../src/index.ts'
import { expectCode, fixedRandom, providers, secret } from './providers.ts'

const P = 2n ** 255n - 19n
const ownBytes = new Uint8Array(32).fill(9)

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n))
}

/** Montgomery points of order 1, 2, 4 and 8, and encodings of them that are not canonical. */
const SMALL_ORDER_U: [string, bigint][] = [
  ['0', 0n],
  ['1', 1n],
  ['order 8, first', 325606250916557431795983626356110631294008115727848805560023387167927233504n],
  ['order 8, second', 39382357235489614581723060781553021112529911719440698176882885853963445705823n],
  ['p - 1', P - 1n],
  ['p', P],
  ['p + 1', P + 1n],
]

describe.each(providers)('X25519 with %s refuses a public key of small order (NOT-04)', (_, crypto) => {
  it.each(SMALL_ORDER_U)('u = %s', (_, u) => {
    const publicKey = littleEndian(u)
    const own = api.x25519KeyPair(crypto, secret(ownBytes, 'x25519-secret'))
    expectCode('bad-point', () => api.x25519(crypto, own.secretKey, publicKey))
    expectCode('bad-point', () => api.sealBox(crypto, fixedRandom(ownBytes), api.x25519PublicKey(publicKey), new Uint8Array(3)))
    const sealed = new Uint8Array(80)
    sealed.set(publicKey)
    expectCode('decrypt-failed', () => api.openSealedBox(crypto, own.publicKey, own.secretKey, sealed))
  })
})

describe.each(providers)('the map to X25519 with %s refuses', (_, crypto) => {
  const cases: [string, bigint][] = [
    ['the identity', 1n],
    ['y = 0', 0n],
    ['y = -1', P - 1n],
    ['y off the curve', 2n],
    ['y + p', P + 3n],
    ['the identity plus p', P + 1n],
  ]
  it.each(cases)('%s', (_, y) => {
    expectCode('bad-point', () => api.ed25519PublicToX25519(crypto, littleEndian(y)))
  })
})

describe.each(providers)('the map to the positive Ed25519 key with %s (NOT-06)', (_, crypto) => {
  const positive = (u: bigint) => api.x25519PublicToPositiveEd25519(crypto, littleEndian(u))

  it.each([P - 1n, P, P + 1n, 2n ** 255n, 2n ** 256n - 1n])('refuses u = %s', u => {
    expectCode('bad-point', () => positive(u))
  })

  it('gives -1 for 0, 0 for 1 and never sets the sign bit', () => {
    expect(positive(0n)).toEqual(littleEndian(P - 1n))
    expect(positive(1n)).toEqual(littleEndian(0n))
    for (const u of [2n, 9n, P - 2n]) expect((positive(u)[31] as number) & 0x80).toBe(0)
  })

  it('is undone by the way back', () => {
    for (let i = 0; i < 20; i++) {
      const { publicKey } = api.x25519KeyPair(crypto, secret(new Uint8Array(32).fill(i), 'x25519-secret'))
      const ed25519 = api.x25519PublicToPositiveEd25519(crypto, publicKey)
      expect(api.ed25519PublicToX25519(crypto, ed25519)).toEqual(publicKey)
    }
  })

  it('reads a view into a larger buffer', () => {
    const { publicKey } = api.x25519KeyPair(crypto, secret(ownBytes, 'x25519-secret'))
    const larger = new Uint8Array(40).fill(255)
    larger.set(publicKey, 5)
    const view = larger.subarray(5, 37)
    expect(api.x25519PublicToPositiveEd25519(crypto, view)).toEqual(api.x25519PublicToPositiveEd25519(crypto, publicKey))
  })
})

describe.each(providers)('XEd25519 with %s (NOT-06)', (_, crypto) => {
  const message = new Uint8Array([1, 2, 3])

  it('signs for keys of both signs and verifies only under the positive one', () => {
    const signs = new Set<number>()
    for (let i = 0; i < 20; i++) {
      const identity = api.ed25519KeyPair(crypto, secret(new Uint8Array(32).fill(i), 'ed25519-seed'))
      const sign = (identity.publicKey[31] as number) >> 7
      signs.add(sign)
      const own = api.x25519KeyPair(crypto, api.ed25519SecretToX25519(crypto, identity.secretKey))
      const signature = api.xed25519Sign(crypto, api.systemRandom(), own.secretKey, message)
      expect(api.xed25519Verify(crypto, own.publicKey, message, signature)).toBe(true)
      expect(api.ed25519Verify(crypto, identity.publicKey, message, signature)).toBe(sign === 0)
    }
    expect(signs.size).toBe(2)
  })

  it('is randomised, and refuses another message or key', () => {
    const own = api.generateX25519(crypto, api.systemRandom())
    const other = api.generateX25519(crypto, api.systemRandom())
    const sign = () => api.xed25519Sign(crypto, api.systemRandom(), own.secretKey, message)
    const signature = sign()
    expect(sign()).not.toEqual(signature)
    expect(api.xed25519Verify(crypto, own.publicKey, new Uint8Array([1, 2]), signature)).toBe(false)
    expect(api.xed25519Verify(crypto, other.publicKey, message, signature)).toBe(false)
  })
})
