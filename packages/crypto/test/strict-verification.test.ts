/** Verification refuses what looser verifiers accept: a forger needs no secret key for these signatures (NOT-05). */
import { ed25519 } from '@noble/curves/ed25519.js'
import { decodeHex } from '@session-v2/encoding'
import { loadVectorsOfKind, type Vector } from '@session-v2/vectors'
import { describe, expect, it } from 'vitest'
import { ed25519Verify } from '../src/index.ts'
import { providers } from './providers.ts'

const vectors = loadVectorsOfKind('crypto', 'reject') as (Vector & { readonly reason: string })[]

describe.each(vectors)('$reason', ({ in: given, out }) => {
  const [publicKey, message, signature] = [decodeHex(given.publicKey), decodeHex(given.message), decodeHex(given.signature)]

  it.each(providers)('is refused by %s', (_, crypto) => {
    expect(ed25519Verify(crypto, publicKey, message, signature)).toBe(false)
  })

  it('is judged by ZIP-215 rules as the vector says', () => {
    expect(accepts(() => ed25519.verify(signature, message, publicKey, { zip215: true }))).toBe(out.looseVerifiersAccept)
  })
})

describe('the identity key', () => {
  const identity = new Uint8Array(32)
  identity[0] = 1
  const signature = new Uint8Array(64)
  signature.set(identity)

  it.each(providers)('signs nothing for %s', (_, crypto) => {
    for (const message of [new Uint8Array(0), new Uint8Array(100)]) {
      expect(ed25519.verify(signature, message, identity)).toBe(true)
      expect(ed25519Verify(crypto, identity, message, signature)).toBe(false)
    }
  })
})

function accepts(verify: () => boolean): boolean {
  try {
    return verify()
  } catch {
    return false
  }
}
