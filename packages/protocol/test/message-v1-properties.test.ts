import { inspect } from 'node:util'
import { CryptoError, ed25519KeyPair, type Random, Secret, sealBox, systemRandom } from '@session-v2/crypto'
import { encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  agreesWithEnvelope,
  decodeMessageV1,
  emptyKeyring,
  openMessage,
  openMessageV1,
  sealMessageV1,
  wipeAccount,
} from '@session-v2/protocol'
import { inTime } from '@session-v2/tools/fuzz'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeEnvelope, wrapEnvelope } from '../src/message-v1/envelope.ts'
import { fuzzRuns, native, providers, someAccount } from './providers.ts'

const random = systemRandom()
const TIMESTAMP_MS = 1_700_000_000_123

function world(crypto: (typeof providers)[number][1]) {
  const [alice, bob, carol] = [someAccount(crypto, 1), someAccount(crypto, 2), someAccount(crypto, 3)]
  const pro = ed25519KeyPair(crypto, Secret.of(new Uint8Array(32).fill(5), 'ed25519-seed'))
  const seal = (content: Uint8Array, more: Partial<Parameters<typeof sealMessageV1>[2]> = {}) =>
    sealMessageV1(crypto, random, { sender: alice, recipient: bob.id, content, timestampMs: TIMESTAMP_MS, ...more })
  return { alice, bob, carol, pro, seal }
}

describe.each(providers)('V1 message (%s)', (_, crypto) => {
  const { alice, bob, carol, pro, seal } = world(crypto)

  it('opens to what was sealed, whatever that was', () => {
    const anyTime = fc.maxSafeNat()
    const anyContent = fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      // Contents that look like padding.
      fc.array(fc.constantFrom(0, 0x80), { maxLength: 400 }).map(items => Uint8Array.from(items)),
    )
    fc.assert(
      fc.property(anyContent, anyTime, fc.boolean(), fc.boolean(), (content, timestampMs, deterministic, withPro) => {
        const more = { timestampMs, deterministic, ...(withPro ? { proSigner: pro.secretKey } : {}) }
        expect(openMessage(crypto, bob, emptyKeyring, seal(content, more))).toEqual({
          outcome: 'opened',
          version: 'v1',
          pfs: false,
          sender: alice.id,
          senderEd25519: alice.ed25519.publicKey,
          content,
          timestampMs,
          proSignature: expect.any(Uint8Array),
        })
      }),
      { numRuns: 60 },
    )
  })

  it('opens with the recipient’s account alone', () => {
    for (const other of [carol, alice])
      expect(openMessageV1(crypto, other, seal(new Uint8Array(5)))).toEqual({ outcome: 'no-key' })
    const toOneself = seal(new Uint8Array(5), { recipient: alice.id })
    expect(openMessageV1(crypto, alice, toOneself)).toMatchObject({ outcome: 'opened', sender: alice.id })
  })

  it('cannot be opened by an account that was wiped: that is a mistake, no outcome', () => {
    const account = someAccount(crypto, 8)
    wipeAccount(account)
    expect(() => openMessageV1(crypto, account, seal(new Uint8Array(0)))).toThrow(CryptoError)
    expect(() => seal(new Uint8Array(0), { sender: account })).toThrow(CryptoError)
  })

  it('is sealed anew each time, unless it shall follow from its text', () => {
    const content = encodeUtf8('hello')
    const boxOf = (deterministic: boolean, more = {}) =>
      encodeHex(decodeMessageV1(seal(content, { deterministic, ...more })).sealed)
    expect(boxOf(false)).not.toBe(boxOf(false))
    expect(boxOf(true)).toBe(boxOf(true, { timestampMs: 1 }))
    expect(boxOf(true)).not.toBe(boxOf(true, { content: encodeUtf8('hallo') }))
    expect(boxOf(true)).not.toBe(boxOf(true, { recipient: carol.id }))
    expect(boxOf(true)).not.toBe(boxOf(true, { sender: carol }))
  })

  it('is not changed by a later change of its arguments, nor its parts by a change of it', () => {
    const content = encodeUtf8('hello')
    const message = seal(content)
    content.fill(0)
    const opened = openMessageV1(crypto, bob, message)
    message.fill(0)
    expect(opened).toMatchObject({ content: encodeUtf8('hello'), senderEd25519: alice.ed25519.publicKey })
    if (opened.outcome === 'opened') expect(opened.proSignature).not.toEqual(new Uint8Array(64))
  })
})

describe('V1 message with one byte changed', () => {
  const { alice, bob, seal } = world(native)
  const content = encodeUtf8('hello')
  const message = seal(content)

  it.each([
    ['in one bit', (byte: number, at: number) => byte ^ (1 << (at % 8))],
    ['in all', (byte: number) => byte ^ 0xff],
    ['to zero', () => 0],
    ['by one', (byte: number) => (byte + 1) & 0xff],
  ])('is refused, or opens to the same (%s)', (_, change) => {
    let opened = 0
    for (let at = 0; at < message.length; at++) {
      const changed = message.with(at, change(message[at] as number, at))
      const result = openMessage(native, bob, emptyKeyring, changed)
      if (result.outcome !== 'opened') continue
      opened++
      expect(result).toMatchObject({ sender: alice.id, senderEd25519: alice.ed25519.publicKey, content })
    }
    // The Pro signature, the time and a few more bytes around the box are not protected by anything.
    expect(opened).toBeGreaterThanOrEqual(64)
    expect(opened).toBeLessThan(64 + 40)
  })

  it('never opens when the byte is one of the box', () => {
    const { sealed } = decodeMessageV1(message)
    for (let at = 0; at < sealed.length; at++) {
      const changed = sealed.with(at, (sealed[at] as number) ^ (1 << (at % 8)))
      const rewrapped = wrapEnvelope(encodeEnvelope({ timestampMs: TIMESTAMP_MS, sealed: changed }))
      expect(openMessageV1(native, bob, rewrapped).outcome).toBe('no-key')
    }
  })

  it('never opens when it is cut off anywhere', () => {
    for (let size = 0; size < message.length; size++) {
      expect(openMessage(native, bob, emptyKeyring, message.subarray(0, size)).outcome).toBe('malformed')
    }
  })
})

describe('time of a V1 message (DM1-12)', () => {
  it.each([
    [undefined, 0, true],
    [undefined, TIMESTAMP_MS, true],
    [0n, 0, true],
    [BigInt(TIMESTAMP_MS), TIMESTAMP_MS, true],
    [0n, TIMESTAMP_MS, false],
    [BigInt(TIMESTAMP_MS) + 1n, TIMESTAMP_MS, false],
    [2n ** 53n + 1n, 2 ** 53 - 1, false],
    [2n ** 64n - 1n, 0, false],
  ])('%s in the content agrees with %d in the envelope: %s', (sigTimestamp, timestampMs, agrees) => {
    expect(agreesWithEnvelope(sigTimestamp === undefined ? {} : { sigTimestamp }, timestampMs)).toBe(agrees)
  })
})

describe.each(providers)('secrets of a V1 message (%s)', (_, crypto) => {
  const { alice, bob, seal } = world(crypto)

  it.each([false, true])('leaves no one-time key behind (deterministic: %s)', deterministic => {
    const handedOut: Uint8Array[] = []
    const watched: Random = {
      bytes(sizeBytes) {
        const bytes = random.bytes(sizeBytes)
        handedOut.push(bytes)
        return bytes
      },
    }
    const content = encodeUtf8('hello')
    sealMessageV1(crypto, watched, { sender: alice, recipient: bob.id, content, timestampMs: 5, deterministic })
    expect(handedOut).toHaveLength(deterministic ? 1 : 2)
    for (const bytes of handedOut) expect(bytes).toEqual(new Uint8Array(32))
    expect(content).toEqual(encodeUtf8('hello'))
    expect([alice.seed, alice.ed25519.secretKey, bob.x25519.secretKey].map(secret => secret.wiped)).toEqual([false, false, false])
  })

  it('shows none of them in what it returns or throws', () => {
    const altered = seal(new Uint8Array(9)).map((byte, at) => (at === 100 ? byte ^ 1 : byte))
    const outcomes: unknown[] = [seal(new Uint8Array(9)), altered, Uint8Array.of(8), Uint8Array.of(8, 1, 18, 0)].map(message =>
      openMessageV1(crypto, bob, message),
    )
    try {
      seal(new Uint8Array(9), { timestampMs: -1 })
    } catch (error) {
      outcomes.push(error)
    }
    const shown = outcomes.map(value => inspect(value, { depth: 20, maxArrayLength: null, showHidden: true })).join()
    const secrets = [alice, bob].flatMap(({ seed, ed25519, x25519 }) => [seed, ed25519.secretKey, x25519.secretKey])
    for (const bytes of secrets.map(secret => secret.expose().subarray(0, 16))) {
      for (const form of [encodeHex(bytes), bytes.join(', '), bytes.join(',')]) expect(shown).not.toContain(form)
    }
    expect(shown).toContain('malformed')
  })
})

describe('fuzz V1 message', () => {
  const { alice, bob, seal } = world(native)
  const content = encodeUtf8('hello')
  const message = seal(content)
  const mutated = fc
    .tuple(fc.nat(message.length), fc.nat(30), fc.uint8Array({ maxLength: 30 }))
    .map(([at, cut, inserted]) => Uint8Array.from([...message.subarray(0, at), ...inserted, ...message.subarray(at + cut)]))
  const begun = fc.uint8Array({ maxLength: 600 }).map(rest => Uint8Array.from([8, 1, 18, ...rest]))
  const enveloped = fc.uint8Array({ maxLength: 600 }).map(envelope => wrapEnvelope(envelope))
  const boxed = fc.uint8Array({ maxLength: 600 }).map(sealed => wrapEnvelope(encodeEnvelope({ timestampMs: 5, sealed })))

  it('gives an outcome, soon, and opens to nothing that was not sealed', () => {
    fc.assert(
      fc.property(fc.oneof(mutated, begun, enveloped, boxed, fc.uint8Array({ maxLength: 600 })), bytes => {
        const result = inTime(bytes, () => openMessageV1(native, bob, bytes))
        if (result.outcome === 'opened') expect(result).toMatchObject({ sender: alice.id, content })
      }),
      { numRuns: fuzzRuns },
    )
  })
})

describe('fuzz sealed text of a V1 message', () => {
  const { alice, bob } = world(native)
  const anyPlaintext = fc.oneof(
    fc.uint8Array({ minLength: 0, maxLength: 400 }),
    fc.uint8Array({ minLength: 64, maxLength: 64 }).map(signature => {
      return Uint8Array.from([...new Uint8Array(160), ...alice.ed25519.publicKey, ...signature])
    }),
    fc.uint8Array({ minLength: 32, maxLength: 32 }).map(key => {
      return Uint8Array.from([...new Uint8Array(160), ...key, 1, ...new Uint8Array(63)])
    }),
  )

  it('is malformed or forged, and nothing else is thrown', () => {
    fc.assert(
      fc.property(anyPlaintext, plaintext => {
        const sealed = sealedText(plaintext)
        const message = wrapEnvelope(encodeEnvelope({ timestampMs: 5, sealed }))
        const { outcome } = inTime(message, () => openMessageV1(native, bob, message))
        expect(outcome).toMatch(/^(malformed|forged)$/)
      }),
      { numRuns: fuzzRuns },
    )
  })

  function sealedText(plaintext: Uint8Array): Uint8Array {
    return sealBox(native, random, bob.x25519.publicKey, plaintext)
  }
})
