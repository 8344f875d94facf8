/** Sealed boxes whose one-time key follows from a seed. Known answers and agreement of the plain ones stand with the other primitives. */
import { decodeHex, encodeHex } from '@session-v2/encoding'
import { loadVectorsOfKind } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as api from '../src/index.ts'
import { anyBytes, anyMessage, expectCode, fixedRandom, native, outcome, providers, secret, wasm } from './providers.ts'

const zeros = (sizeBytes: number) => new Uint8Array(sizeBytes)
const seedOf = (bytes: Uint8Array) => secret(bytes, 'box-seed')

/** The same provider; the hashes of SHA-512 that it hands out are shown to `watch`, live. */
function hashing(crypto: api.Crypto, watch: (hash: Uint8Array) => void): api.Crypto {
  const [hidden] = Object.getOwnPropertySymbols(crypto) as [keyof api.Crypto]
  const raw = crypto[hidden] as unknown as Record<string, (inputs: readonly Uint8Array[]) => Uint8Array>
  const sha512 = (inputs: readonly Uint8Array[]) => {
    const hash = raw.sha512!(inputs)
    watch(hash)
    return hash
  }
  return { ...crypto, [hidden]: { ...raw, sha512 } }
}

describe.each(providers)('sealed box from a seed (%s)', (_, crypto) => {
  const own = api.x25519KeyPair(crypto, secret(zeros(32).fill(7), 'x25519-secret'))

  it('is the published one', () => {
    // The seed is BLAKE2b-32(sender's seed ‖ recipient ‖ text) with a label as key, for the text without what is appended to it.
    const { in: given, out } = loadVectorsOfKind('crypto', 'seal')[0]!
    const recipient = api.x25519PublicKey(decodeHex(given.recipient))
    const senderSeed = decodeHex(`0123456789abcdef0123456789abcdef${'00'.repeat(16)}`)
    const key = new TextEncoder().encode('SessionBoxEphemeralHashKey')
    const seed = api.blake2b(crypto, 32, [senderSeed, recipient, new TextEncoder().encode('hello')], { key })
    expect(encodeHex(api.sealBoxFromSeed(crypto, seedOf(seed), recipient, decodeHex(given.message)))).toBe(out.sealed)
  })

  it('is the box of the one-time key that is the first half of SHA-512(seed), and opens', () => {
    fc.assert(
      fc.property(anyBytes(32), anyMessage, (seed, message) => {
        const sealed = api.sealBoxFromSeed(crypto, seedOf(seed), own.publicKey, message)
        expect(sealed).toEqual(api.sealBox(crypto, fixedRandom(api.sha512(crypto, [seed])), own.publicKey, message))
        expect(api.openSealedBox(crypto, own.publicKey, own.secretKey, sealed)).toEqual(message)
      }),
      { numRuns: 60 },
    )
  })

  it('leaves the seed to its owner', () => {
    const seed = seedOf(zeros(32).fill(3))
    api.sealBoxFromSeed(crypto, seed, own.publicKey, zeros(5))
    expect(seed.expose()).toEqual(zeros(32).fill(3))
    seed.wipe()
    expectCode('bad-key', () => api.sealBoxFromSeed(crypto, seed, own.publicKey, zeros(5)))
  })

  it.each([own.publicKey, zeros(32)])('leaves nothing of the hash of the seed, whether it can be sealed or not', recipient => {
    const hashes: Uint8Array[] = []
    const watched = hashing(crypto, hash => hashes.push(hash))
    outcome(() => api.sealBoxFromSeed(watched, seedOf(zeros(32)), recipient, zeros(5)))
    expect(hashes).toEqual([zeros(64)])
  })

  it('is refused for another size of seed or recipient, and for a recipient of small order', () => {
    for (const wrong of [0, 31, 33, 64]) {
      expectCode('bad-size', () => api.sealBoxFromSeed(crypto, seedOf(zeros(wrong)), own.publicKey, zeros(5)))
      expectCode('bad-size', () => api.sealBoxFromSeed(crypto, seedOf(zeros(32)), zeros(wrong), zeros(5)))
    }
    expectCode('bad-point', () => api.sealBoxFromSeed(crypto, seedOf(zeros(32)), zeros(32), zeros(5)))
  })
})

describe('sealed box from a seed', () => {
  it('is the same with both providers', () => {
    fc.assert(
      fc.property(anyBytes(32), anyBytes(32), anyMessage, (seed, recipient, message) => {
        const [one, other] = [native, wasm].map(crypto =>
          outcome(() => api.sealBoxFromSeed(crypto, seedOf(seed), recipient, message)),
        )
        expect(one).toEqual(other)
      }),
      { numRuns: 60 },
    )
  })
})
