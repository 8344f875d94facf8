/** What a V1 message that is refused says of itself, what is no refusal but a mistake, and what is left of the keys either way. */
import { type Crypto, CryptoError, ed25519KeyPair, type Random, Secret, sealBox, systemRandom } from '@session-v2/crypto'
import { EncodingError, encodeMessage, encodeUtf8, enumeration, message, string, submessage, uint64 } from '@session-v2/encoding'
import { type AccountId, decodeMessageV1, openMessageV1, sealMessageV1 } from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { decodeEnvelope, encodeEnvelope, unwrapEnvelope, wrapEnvelope } from '../src/message-v1/envelope.ts'
import { padContent, verifyContent } from '../src/message-v1/signed-content.ts'
import { isZero, watched } from './group-world.ts'
import { native, protocolErrorBy, providers, refusalBy, refusalOf, someAccount } from './providers.ts'

const [alice, bob] = [someAccount(native, 1), someAccount(native, 2)]
const content = encodeUtf8('hello')
const outgoing = { sender: alice, recipient: bob.id, content, timestampMs: 5 }
const sealed = new Uint8Array(144)

/** An envelope with these fields and no others. */
const envelopeOf = (fields: { readonly source?: string; readonly timestamp?: bigint }) =>
  encodeMessage(message({ source: string(2), timestamp: uint64(5) }), { source: undefined, timestamp: undefined, ...fields })

describe('an envelope that is none (DM1-02, DM1-04)', () => {
  it('keeps what the encoding said as its cause', () => {
    const { code, clause, message: text, cause } = protocolErrorBy(() => decodeEnvelope(Uint8Array.of(0x42)))
    expect([code, clause, cause]).toEqual(['malformed', 'DM1-04', expect.any(EncodingError)])
    expect(text).toBe(`this is no V1 envelope: ${(cause as EncodingError).message}`)
  })

  it.each([65, 67, 1])('has a source of %i characters', characters => {
    const envelope = envelopeOf({ source: '0'.repeat(characters), timestamp: 5n })
    expect(refusalOf(() => decodeEnvelope(envelope))).toEqual(['malformed DM1-04', 'the source of the envelope is no account ID'])
  })

  it.each([undefined, 2n ** 53n])('has the time %s', timestamp => {
    const envelope = envelopeOf(timestamp === undefined ? {} : { timestamp })
    expect(refusalOf(() => decodeEnvelope(envelope))).toEqual(['malformed DM1-04', 'the envelope has no time in milliseconds'])
  })

  it('has no content, though a source and the last time there is', () => {
    const envelope = envelopeOf({ source: 'aF'.repeat(33), timestamp: 2n ** 53n - 1n })
    expect(refusalOf(() => decodeEnvelope(envelope))).toEqual(['malformed DM1-04', 'the envelope has no content'])
  })

  it.each([0, 63, 65])('has a Pro signature of %i bytes', sizeBytes => {
    const envelope = encodeEnvelope({ timestampMs: 5, sealed, proSignature: new Uint8Array(sizeBytes) })
    const complaint = `the Pro signature of the envelope has ${sizeBytes} bytes`
    expect(refusalOf(() => decodeEnvelope(envelope))).toEqual(['malformed DM1-04', complaint])
  })

  it('names no Pro signature when it has none (DM1-03)', () => {
    const envelope = encodeEnvelope({ timestampMs: 5, sealed })
    expect(decodeEnvelope(envelope)).toStrictEqual({ timestampMs: 5, sealed })
    expect(decodeMessageV1(wrapEnvelope(envelope))).toStrictEqual({ timestampMs: 5, sealed, envelope })
  })
})

describe('a message that is none (DM1-01, DM1-04)', () => {
  const schema = message({ type: enumeration(1), request: submessage(2, message({ verb: string(1) })) })

  it('keeps what the encoding said as its cause', () => {
    const { code, clause, message: text, cause } = protocolErrorBy(() => unwrapEnvelope(Uint8Array.of(0x0a)))
    expect([code, clause, cause]).toEqual(['malformed', 'DM1-02', expect.any(EncodingError)])
    expect(text).toBe(`this is no V1 message: ${(cause as EncodingError).message}`)
  })

  it.each([undefined, 0, 2])('has the type %s', type => {
    const bytes = encodeMessage(schema, { type, request: { verb: '' } })
    expect(refusalOf(() => unwrapEnvelope(bytes))).toEqual(['malformed DM1-02', 'the message is no request'])
  })

  it.each([undefined, { verb: '' }])('has the request %j', request => {
    const bytes = encodeMessage(schema, { type: 1, request })
    expect(refusalOf(() => unwrapEnvelope(bytes))).toEqual(['malformed DM1-02', 'the message has no body'])
    expect(openMessageV1(native, bob, bytes)).toMatchObject({
      outcome: 'malformed',
      cause: { code: 'malformed', clause: 'DM1-02' },
    })
  })

  it('has a sealed box that is too small to hold a signature (DM1-11)', () => {
    const wrapped = (sizeBytes: number) => wrapEnvelope(encodeEnvelope({ timestampMs: 5, sealed: new Uint8Array(sizeBytes) }))
    const complaint = 'the sealed box of a V1 message cannot have 143 bytes'
    expect(refusalOf(() => decodeMessageV1(wrapped(143)))).toEqual(['malformed DM1-04', complaint])
    expect(decodeMessageV1(wrapped(144)).sealed).toHaveLength(144)
    expect(openMessageV1(native, bob, wrapped(144))).toEqual({ outcome: 'no-key' })
  })
})

describe('a content that is none', () => {
  it('is not signed by its sender (DM1-10)', () => {
    const plaintext = Uint8Array.from([...new Uint8Array(160), ...alice.ed25519.publicKey, ...new Uint8Array(64)])
    expect(refusalOf(() => verifyContent(native, bob.x25519.publicKey, plaintext))).toEqual([
      'forged DM1-10',
      'the message is not signed by its sender for this recipient',
    ])
  })

  it('is too long (DM1-05)', () => {
    expect(padContent(new Uint8Array(318), 320)).toHaveLength(320)
    expect(refusalOf(() => padContent(new Uint8Array(319), 320))).toEqual([
      'bad-input DM1-02',
      '319 bytes are too long for a V1 message',
    ])
  })
})

describe('a message that cannot be sealed', () => {
  const seal = (changes: object, random: Random = systemRandom()) => sealMessageV1(native, random, { ...outgoing, ...changes })

  it.each([-1, 0.5, Number.NaN])('is of the time %d (DM1-02)', timestampMs => {
    const complaint = `${timestampMs} is not a time in whole milliseconds since the epoch`
    expect(refusalOf(() => seal({ timestampMs }))).toEqual(['bad-input DM1-04', complaint])
  })

  it.each([true, false])('is for a recipient whose key has small order, and that is kept (deterministic: %s)', deterministic => {
    const recipient = `05${'00'.repeat(32)}` as AccountId
    const { code, clause, message: text, cause } = protocolErrorBy(() => seal({ recipient, deterministic }))
    expect([code, clause, text]).toEqual(['bad-account-id', 'NOT-04', 'the account ID of the recipient is no usable key'])
    expect(cause).toBeInstanceOf(CryptoError)
    expect((cause as CryptoError).code).toBe('bad-point')
  })

  it.each([new CryptoError('unavailable', 'no randomness'), new RangeError('no randomness'), { code: 'bad-point' }])(
    'is no fault of the recipient when there is no randomness: %s',
    failure => {
      const failing: Random = {
        bytes() {
          throw failure
        },
      }
      let thrown: unknown
      try {
        seal({}, failing)
      } catch (error) {
        thrown = error
      }
      expect(thrown).toBe(failure)
    },
  )
})

describe('what was not asked for', () => {
  it('is a box that tells that two texts are equal (DM1-08)', () => {
    const [one, other] = [1, 2].map(() => decodeMessageV1(sealMessageV1(native, systemRandom(), outgoing)).sealed)
    expect(one).not.toEqual(other)
  })
})

describe.each(providers)('what is left in memory (%s)', (_, crypto: Crypto) => {
  const [sender, recipient] = [someAccount(crypto, 1), someAccount(crypto, 2)]
  const zerosOf = (all: readonly (Uint8Array | undefined)[]) => all.map(bytes => bytes !== undefined && isZero(bytes))

  it('is no plaintext of a message that opens, nor of one that is refused (DM1-10)', () => {
    const genuine = sealMessageV1(crypto, systemRandom(), { ...outgoing, sender, recipient: recipient.id })
    const boxed = (plaintext: Uint8Array) =>
      wrapEnvelope(
        encodeEnvelope({ timestampMs: 5, sealed: sealBox(crypto, systemRandom(), recipient.x25519.publicKey, plaintext) }),
      )
    const unsigned = Uint8Array.from([...new Uint8Array(160).fill(7), ...sender.ed25519.publicKey, ...new Uint8Array(64)])
    const noSender = new Uint8Array(256).fill(0xff)
    const { crypto: watching, calls } = watched(crypto)
    const outcomes = [genuine, boxed(unsigned), boxed(noSender)].map(bytes => openMessageV1(watching, recipient, bytes))
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['opened', 'forged', 'malformed'])
    expect(outcomes[0]).toHaveProperty('content', content)
    const opened = calls.filter(({ operation }) => operation === 'boxDecrypt').map(({ result }) => result)
    expect(zerosOf(opened)).toEqual([true, true, true])
  })

  it.each([recipient.id, `05${'00'.repeat(32)}` as AccountId])('is no seed of the one-time key for %s (DM1-08)', id => {
    const { crypto: watching, calls } = watched(crypto)
    const seal = () => sealMessageV1(watching, systemRandom(), { ...outgoing, sender, recipient: id, deterministic: true })
    if (id === recipient.id) seal()
    else expect(refusalBy(seal)).toBe('bad-account-id NOT-04')
    const seeds = calls.filter(({ operation, result }) => operation === 'blake2b' && result?.length === 32)
    expect(zerosOf(seeds.map(({ result }) => result))).toEqual([true])
  })

  it('is no key of the Pro signature that nobody can verify, but the one of a subscription (DM1-03)', () => {
    const pro = ed25519KeyPair(crypto, Secret.of(new Uint8Array(32).fill(5), 'ed25519-seed'))
    for (const more of [{}, { proSigner: pro.secretKey }]) {
      const { crypto: watching, calls } = watched(crypto)
      sealMessageV1(watching, systemRandom(), { ...outgoing, sender, recipient: recipient.id, ...more })
      const keys = calls.filter(({ operation }) => operation === 'ed25519Sign').map(({ bytes }) => bytes[0])
      // The content is signed with the account, the box with the other key.
      expect(zerosOf(keys)).toEqual([false, !('proSigner' in more)])
    }
  })
})
