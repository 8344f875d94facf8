import { ed25519KeyPair, ed25519Verify, Secret } from '@session-v2/crypto'
import { encodeUtf8, padWithZeros } from '@session-v2/encoding'
import { accountIdBytes, ProtocolError } from '@session-v2/protocol'
import { inTime } from '@session-v2/tools/fuzz'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { signContent, verifyContent } from '../src/message-v2/signed-content.ts'
import { fuzzRuns, native, someAccount } from './providers.ts'

describe('plaintext of a V2 message', () => {
  it('carries a Pro signature over everything before it, the first signature too', () => {
    const pro = ed25519KeyPair(native, Secret.of(new Uint8Array(32).fill(5), 'ed25519-seed'))
    const recipient = accountIdBytes(someAccount(native, 2).id)
    const plaintext = signContent(native, someAccount(native, 1), recipient, encodeUtf8('hello'), pro.secretKey)
    const tailBytes = '2:~P64:'.length + 64 + 'e'.length
    const { proSignature } = verifyContent(native, recipient, plaintext)
    expect(ed25519Verify(native, pro.publicKey, plaintext.subarray(0, -tailBytes), proSignature!)).toBe(true)
  })
})

describe('fuzz plaintext of a V2 message', () => {
  const recipient = accountIdBytes(someAccount(native, 2).id)
  const plaintext = signContent(native, someAccount(native, 1), recipient, encodeUtf8('hello'))
  const mutated = fc
    .tuple(
      fc.nat(plaintext.length),
      fc.nat(12),
      fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.constantFrom('d', 'e', '1:~', '0:', 'i5e', 'le').map(encodeUtf8)),
    )
    .map(([at, cut, inserted]) => Uint8Array.from([...plaintext.subarray(0, at), ...inserted, ...plaintext.subarray(at + cut)]))
  const nested = fc.nat(5000).map(depth => encodeUtf8('l'.repeat(depth)))

  it('gives its content or a typed error, soon', () => {
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 400 }), nested), bytes => {
        inTime(bytes, () => {
          try {
            expect(verifyContent(native, recipient, padWithZeros(bytes, bytes.length + 50)).content).toEqual(encodeUtf8('hello'))
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError)
          }
        })
      }),
      { numRuns: fuzzRuns },
    )
  })
})
