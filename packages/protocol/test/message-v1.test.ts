/** V1 messages: known answers, and what must be opened or refused (clauses DM1-01 to DM1-11). */
import { type Crypto, ed25519KeyPair, ed25519Verify, openSealedBox, Secret, sealBox, systemRandom } from '@session-v2/crypto'
import { concatBytes, decodeHex, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  type AccountId,
  accountX25519,
  decodeMessageV1,
  emptyKeyring,
  messageVersion,
  openMessage,
  openMessageV1,
  parseAccountId,
  sealMessageV1,
} from '@session-v2/protocol'
import { loadVectors, loadVectorsOfKind, type Vector } from '@session-v2/vectors'
import { describe, expect, it } from 'vitest'
import { encodeEnvelope, wrapEnvelope } from '../src/message-v1/envelope.ts'
import { sealDeterministically } from '../src/message-v1/seal.ts'
import { verifyContent } from '../src/message-v1/signed-content.ts'
import { accountOf, providers, refusalBy, refusedAs, someAccount } from './providers.ts'

const CHAPTER = 'message-v1'
const RECIPIENT_SEED = `00112233445566778899aabbccddeeff${'00'.repeat(16)}`
const random = systemRandom()
const titled = (kind: string) => loadVectorsOfKind(CHAPTER, kind).map(v => [`${v.in.content.length / 2} bytes`, v] as const)

function sealAgain(crypto: Crypto, { in: given }: Vector): Uint8Array {
  return sealMessageV1(crypto, random, {
    sender: accountOf(crypto, given.sender_seed),
    recipient: parseAccountId(given.recipient_session_id),
    content: decodeHex(given.content),
    timestampMs: given.timestamp_ms,
    deterministic: given.deterministic,
  })
}

describe.each(providers)('V1 message as recorded (%s)', (_, crypto) => {
  it.each(titled('dm_v1'))('%s: opens', (_size, { in: given, out }) => {
    const opened = openMessageV1(crypto, accountOf(crypto, RECIPIENT_SEED), decodeHex(out.wire))
    expect(opened).toEqual({
      outcome: 'opened',
      version: 'v1',
      pfs: false,
      sender: accountOf(crypto, given.sender_seed).id,
      senderEd25519: decodeHex(out.sender_ed25519),
      content: decodeHex(given.content),
      timestampMs: given.timestamp_ms,
      proSignature: decodeHex(out.envelope).subarray(-64),
    })
  })

  it.each(titled('dm_v1'))('%s: sealed again it differs in the Pro signature alone (DM1-05, DM1-06, DM1-07)', (_size, vector) => {
    const { sealed, envelope, wire, padded_len } = vector.out
    const again = sealAgain(crypto, vector)
    const { envelope: envelopeAgain, sealed: sealedAgain, proSignature } = decodeMessageV1(again)
    expect(encodeHex(sealedAgain)).toBe(sealed)
    expect(sealedAgain.length).toBe(padded_len + 144)
    const envelopeHex = encodeHex(envelopeAgain)
    expect([envelopeHex.slice(0, -128), envelopeHex.length]).toEqual([envelope.slice(0, -128), envelope.length])
    expect(encodeHex(again).replace(encodeHex(proSignature!), '')).toBe(wire.replace(envelope.slice(-128), ''))
  })

  it.each(titled('dm_v1'))('%s: encodes layer by layer to the same bytes (DM1-01)', (_size, { in: given, out }) => {
    const proSignature = decodeHex(out.envelope).subarray(-64)
    const fields = { timestampMs: given.timestamp_ms, sealed: decodeHex(out.sealed), proSignature, sourceDevice: 1 } as const
    expect(encodeHex(encodeEnvelope(fields))).toBe(out.envelope)
    expect(encodeHex(wrapEnvelope(encodeEnvelope(fields)))).toBe(out.wire)
  })
})

describe.each(providers)('published sealed box of a V1 message (%s)', (_, crypto) => {
  const { in: given, out } = loadVectorsOfKind(CHAPTER, 'sealed')[0]!
  const message = wrapEnvelope(encodeEnvelope({ timestampMs: 1, sealed: decodeHex(out.sealed) }))

  it('follows from sender, recipient and text (DM1-08)', () => {
    const recipient = parseAccountId(given.recipient_session_id)
    const sealed = sealDeterministically(crypto, accountOf(crypto, given.sender_seed), recipient, encodeUtf8(given.message_utf8))
    expect(encodeHex(sealed)).toBe(out.sealed)
  })

  it('opens without padding, device and Pro signature', () => {
    const opened = openMessageV1(crypto, accountOf(crypto, given.recipient_seed), message)
    expect(opened).toMatchObject({ outcome: 'opened', timestampMs: 1, content: encodeUtf8(given.message_utf8) })
    expect(opened).toHaveProperty('senderEd25519', decodeHex(out.sender_ed25519))
    expect(opened).not.toHaveProperty('proSignature')
  })
})

const own = loadVectors(CHAPTER).filter(file => file.source === undefined)
const named = (refused: boolean) =>
  own.filter(({ failure }) => (failure !== undefined) === refused).map(file => [file.name, file.reason, file] as const)

describe.each(providers)('V1 message that must be opened (DM1-09) (%s)', (_, crypto) => {
  it.each(named(false))('%s: %s', (_name, _reason, { in: given, out }) => {
    const opened = openMessage(crypto, accountOf(crypto, given.recipient_seed), emptyKeyring, decodeHex(given.message))
    expect(opened).toMatchObject({
      outcome: 'opened',
      version: 'v1',
      pfs: false,
      sender: out.sender_session_id,
      senderEd25519: decodeHex(out.sender_ed25519),
      content: decodeHex(out.content),
      timestampMs: Number(out.timestamp_ms),
    })
  })

  it('is as long as ours, at every border of a block', () => {
    const bordering = own.filter(({ name }) => /^content-\d+$/.test(name))
    expect(bordering).toHaveLength(6)
    const [sender, { id: recipient }] = [someAccount(crypto, 1), someAccount(crypto, 2)]
    for (const { in: given, out } of bordering) {
      const content = decodeHex(out.content)
      const message = sealMessageV1(crypto, random, { sender, recipient, content, timestampMs: Number(out.timestamp_ms) })
      expect(message.length).toBe(given.message.length / 2)
    }
  })
})

describe.each(providers)('V1 message that must be refused (DM1-04, DM1-10, DM1-11) (%s)', (_, crypto) => {
  it.each(named(true))('%s: %s', (_name, _reason, file) => {
    const { in: given } = file
    const message = decodeHex(given.message)
    const opened = openMessage(crypto, accountOf(crypto, given.recipient_seed), emptyKeyring, message)
    expect(opened).toMatchObject(refusedAs(file))
    if (file.failure === 'forged') {
      const { x25519 } = accountOf(crypto, given.recipient_seed)
      const plaintext = openSealedBox(crypto, x25519.publicKey, x25519.secretKey, decodeMessageV1(message).sealed)
      expect(refusalBy(() => verifyContent(crypto, x25519.publicKey, plaintext))).toBe(`forged ${file.clause}`)
    }
    // Of version 1 nothing can be opened later.
    expect(opened).not.toHaveProperty('indicator')
    if (messageVersion(message) !== 'v1') {
      const asV1 = openMessageV1(crypto, accountOf(crypto, given.recipient_seed), message)
      expect(asV1).toMatchObject({ outcome: 'malformed', cause: { clause: 'DM1-02' } })
    }
  })
})

describe.each(providers)('sizes of a V1 message (%s)', (_, crypto) => {
  const [sender, recipient] = [someAccount(crypto, 1), someAccount(crypto, 2)]
  const seal = (contentBytes: number) =>
    sealMessageV1(crypto, random, {
      sender,
      recipient: recipient.id,
      content: new Uint8Array(contentBytes).fill(0x61),
      timestampMs: 1_700_000_000_123,
    })

  it.each([
    [0, 398],
    [5, 398],
    [33, 398],
    [158, 398],
    [159, 558],
    [160, 558],
    [318, 558],
    [319, 718],
    [1000, 1358],
  ])('with %i bytes of content it has %i bytes', (contentBytes, messageBytes) => {
    expect(seal(contentBytes)).toHaveLength(messageBytes)
  })

  it('has 1 MiB at most; a longer one is neither sealed nor read', () => {
    const longest = seal(1_048_318)
    expect(longest.length).toBeLessThanOrEqual(1_048_576)
    expect(openMessageV1(crypto, recipient, longest).outcome).toBe('opened')
    expect(refusalBy(() => seal(1_048_319))).toBe('bad-input DM1-02')
    expect(refusalBy(() => seal(3_000_000))).toBe('bad-input DM1-02')
    const unknownField = concatBytes(Uint8Array.of(0x92, 0x3f, 0x80, 0x20), new Uint8Array(4096))
    expect(openMessageV1(crypto, recipient, concatBytes(longest, unknownField)).outcome).toBe('malformed')
    expect(openMessageV1(crypto, recipient, concatBytes(seal(0), unknownField)).outcome).toBe('opened')
  })

  it('has at most a thousand fields, known or not (DM1-02)', () => {
    const noise = (fields: number) => new Uint8Array(2 * fields).map((__, at) => (at % 2 === 0 ? 0x48 : 0))
    const message = seal(0)
    expect(openMessageV1(crypto, recipient, concatBytes(message, noise(900))).outcome).toBe('opened')
    expect(openMessageV1(crypto, recipient, concatBytes(message, noise(500_000))).outcome).toBe('malformed')
  })
})

describe.each(providers)('arguments of sealing a V1 message (%s)', (_, crypto) => {
  const [sender, { id: recipient }] = [someAccount(crypto, 1), someAccount(crypto, 2)]
  const content = encodeUtf8('hello')
  const message = { sender, recipient, content, timestampMs: 5 }

  it.each([-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])('refuses %d, which is no time', timestampMs => {
    expect(refusalBy(() => sealMessageV1(crypto, random, { ...message, timestampMs }))).toBe('bad-input DM1-04')
  })

  it.each([0, 1, Number.MAX_SAFE_INTEGER])('takes the time %d', timestampMs => {
    const opened = openMessageV1(crypto, someAccount(crypto, 2), sealMessageV1(crypto, random, { ...message, timestampMs }))
    expect(opened).toMatchObject({ outcome: 'opened', timestampMs, content })
  })

  it('refuses recipients that nothing can be sealed to', () => {
    for (const key of ['00'.repeat(32), `01${'00'.repeat(31)}`]) {
      const nobody = `05${key}` as AccountId
      for (const deterministic of [false, true]) {
        expect(refusalBy(() => sealMessageV1(crypto, random, { ...message, recipient: nobody, deterministic }))).toBe(
          'bad-account-id NOT-04',
        )
      }
    }
  })
})

describe.each(providers)('Pro signature of a V1 message (DM1-03) (%s)', (_, crypto) => {
  const [sender, { id: recipient }] = [someAccount(crypto, 1), someAccount(crypto, 2)]
  const message = { sender, recipient, content: encodeUtf8('hello'), timestampMs: 5, deterministic: true }

  it('is by the Pro key over the sealed box', () => {
    const pro = ed25519KeyPair(crypto, Secret.of(new Uint8Array(32).fill(5), 'ed25519-seed'))
    const { sealed, proSignature } = decodeMessageV1(sealMessageV1(crypto, random, { ...message, proSigner: pro.secretKey }))
    expect(ed25519Verify(crypto, pro.publicKey, sealed, proSignature!)).toBe(true)
    expect(pro.secretKey.wiped).toBe(false)
  })

  it('is there without a Pro key too, by another key each time, and none that could be known', () => {
    const signatures = [1, 2].map(() => decodeMessageV1(sealMessageV1(crypto, random, message)).proSignature!)
    expect(signatures.map(signature => signature.length)).toEqual([64, 64])
    expect(signatures[0]).not.toEqual(signatures[1])
    const { sealed } = decodeMessageV1(sealMessageV1(crypto, random, message))
    for (const signature of signatures) {
      expect(ed25519Verify(crypto, sender.ed25519.publicKey, sealed, signature)).toBe(false)
    }
  })

  it('is a signature by the key of the randomness it was given', () => {
    const seed = new Uint8Array(32).fill(9)
    const { publicKey } = ed25519KeyPair(crypto, Secret.of(seed.slice(), 'ed25519-seed'))
    const { sealed, proSignature } = decodeMessageV1(sealMessageV1(crypto, { bytes: () => seed.slice() }, message))
    expect(ed25519Verify(crypto, publicKey, sealed, proSignature!)).toBe(true)
  })
})

describe.each(providers)('a box of another plaintext (%s)', (_, crypto) => {
  const bob = someAccount(crypto, 2)
  const opened = (plaintext: Uint8Array) => {
    const sealed = sealBox(crypto, random, accountX25519(bob.id), plaintext)
    return openMessageV1(crypto, bob, wrapEnvelope(encodeEnvelope({ timestampMs: 5, sealed }))).outcome
  }

  it('is refused, whatever it holds', () => {
    expect(opened(new Uint8Array(0))).toBe('malformed')
    expect(opened(new Uint8Array(95))).toBe('malformed')
    for (const sizeBytes of [96, 97, 256, 1000]) expect(opened(random.bytes(sizeBytes))).toMatch(/^(malformed|forged)$/)
    const negative = concatBytes(new Uint8Array(160), someAccount(crypto, 1).ed25519.publicKey, new Uint8Array(64))
    expect(opened(negative)).toBe('forged')
  })
})
