/** What a V2 message that is refused says of itself, what is no refusal but a mistake, and what is left of the keys either way. */
import { type Crypto, CryptoError, type Random, systemRandom } from '@session-v2/crypto'
import { BtDictWriter, EncodingError, encodeUtf8 } from '@session-v2/encoding'
import {
  type AccountId,
  accountIdBytes,
  keyringOf,
  openMessageV2,
  ProtocolError,
  type PublishedKeys,
  prepareRecipient,
  type Recipient,
  sealMessageV2,
  sealMessageV2NoPfs,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { decodeEnvelope, paddedPlaintextBytes } from '../src/message-v2/envelope.ts'
import { verifyContent } from '../src/message-v2/signed-content.ts'
import { native, protocolErrorBy, refusalOf, someAccount, someKey } from './providers.ts'

const [alice, bob] = [someAccount(native, 1), someAccount(native, 2)]
const key = someKey(native, 4)
const keys: PublishedKeys = { x25519: key.x25519.publicKey, mlKem768: key.mlKem768.publicKey }
const content = encodeUtf8('hello')

function seal(random: Random = systemRandom(), changes: Partial<Recipient> = {}): Uint8Array {
  const recipient = { ...prepareRecipient(native, bob.id, keys), ...changes }
  return sealMessageV2(native, random, { sender: alice, recipient, content })
}

describe('a message that is none', () => {
  it.each([[[]], [[0]], [[0, 1]], [[0, 3]], [[1, 2]]])('begins with %j and not with 00 02 (DM2-03)', prefix => {
    const bytes = Uint8Array.from([...prefix, ...new Uint8Array(1534)])
    expect(refusalOf(() => decodeEnvelope(bytes))).toEqual(['malformed DM2-03', 'a V2 message begins with 00 02'])
    expect(openMessageV2(native, bob, keyringOf([key]), bytes)).toEqual({
      outcome: 'malformed',
      cause: protocolErrorBy(() => decodeEnvelope(bytes)),
    })
  })

  it.each([2, 1535, 1024 * 1024 + 1])('has %i bytes (DM2-03)', sizeBytes => {
    const bytes = Uint8Array.from({ length: sizeBytes }, (_, at) => (at === 1 ? 2 : 0))
    expect(refusalOf(() => decodeEnvelope(bytes))).toEqual(['malformed DM2-03', `a V2 message cannot have ${sizeBytes} bytes`])
  })

  it('would be too long (DM2-03)', () => {
    expect(paddedPlaintextBytes(1024 * 1024 - 1140)).toBe(1024 * 1024 - 1140)
    expect(refusalOf(() => paddedPlaintextBytes(1024 * 1024 - 1139))).toEqual([
      'bad-input DM2-03',
      'a plaintext of 1047437 bytes is too long for a message',
    ])
  })

  it('has an ephemeral key of small order, which is kept as the cause (DM2-10)', () => {
    const opened = openMessageV2(native, bob, keyringOf([key]), seal().fill(0, 4, 36))
    expect(opened).toMatchObject({
      outcome: 'malformed',
      cause: { code: 'malformed', clause: 'DM2-10', cause: { code: 'bad-point' } },
    })
    expect(opened).toHaveProperty('cause.message', expect.stringMatching(/ephemeral key/))
  })
})

describe('a plaintext that is none', () => {
  const recipient = accountIdBytes(bob.id)

  it('keeps what the encoding said as its cause (DM2-09)', () => {
    const short = new BtDictWriter().bytes('S', alice.ed25519.publicKey.subarray(1)).finish()
    const { code, clause, message, cause } = protocolErrorBy(() => verifyContent(native, recipient, short))
    expect([code, clause, cause]).toEqual(['malformed', 'DM2-09', expect.any(EncodingError)])
    expect((cause as EncodingError).code).toBe('wrong-size')
    expect(message).toBe(`the message opened but has a wrong form: ${(cause as EncodingError).message}`)
  })

  it('is signed by nobody (DM2-08)', () => {
    const unsigned = new BtDictWriter()
      .bytes('S', alice.ed25519.publicKey)
      .bytes('c', content)
      .sign('~', () => new Uint8Array(64))
      .finish()
    expect(refusalOf(() => verifyContent(native, recipient, unsigned))).toEqual([
      'forged DM2-08',
      expect.stringMatching(/\w+ \w+/),
    ])
  })
})

describe('a recipient that nothing can be sealed to', () => {
  it('is refused with the cause (DM2-05, DM2-06)', () => {
    const nobody = `05${'00'.repeat(32)}` as AccountId
    const zero = new Uint8Array(32) as PublishedKeys['x25519']
    const notReduced = new Uint8Array(1184).fill(0xff) as PublishedKeys['mlKem768']
    const refusals = [
      protocolErrorBy(() => sealMessageV2NoPfs(native, systemRandom(), { sender: alice, recipient: nobody, content })),
      protocolErrorBy(() => seal(systemRandom(), { accountIdBytes: accountIdBytes(nobody) })),
      protocolErrorBy(() => seal(systemRandom(), { x25519: zero })),
      protocolErrorBy(() => prepareRecipient(native, bob.id, { ...keys, mlKem768: notReduced })),
    ]
    expect(refusals.map(({ code, clause, cause }) => [code, clause, (cause as CryptoError).code])).toEqual([
      ['bad-account-id', 'NOT-04', 'bad-point'],
      ['bad-account-id', 'NOT-04', 'bad-point'],
      ['malformed', 'AK-09', 'bad-point'],
      ['malformed', 'AK-09', 'bad-key'],
    ])
    for (const { message } of refusals) expect(message).toMatch(/\w+ \w+/)
    expect(refusals[3]!.message).toContain((refusals[3]!.cause as CryptoError).message)
  })
})

/** The native provider; what it decrypts with is shown to `watch` first. */
function decrypting(watch: (messageKey: Uint8Array) => void): Crypto {
  const [hidden] = Object.getOwnPropertySymbols(native) as [keyof Crypto]
  const raw = native[hidden] as unknown as Record<string, (...given: Uint8Array[]) => unknown>
  const xchacha20Poly1305Decrypt = (...given: Uint8Array[]) => {
    watch(given[0]!)
    return raw.xchacha20Poly1305Decrypt!(...given)
  }
  return { ...native, [hidden]: { ...raw, xchacha20Poly1305Decrypt } }
}

describe('what is no fault of the message', () => {
  it('is no outcome: an argument that is not there', () => {
    const nothing = undefined as never
    expect(() => prepareRecipient(native, bob.id, nothing)).toThrow(TypeError)
    expect(() => seal(systemRandom(), { x25519: nothing })).toThrow(TypeError)
    expect(() => verifyContent(native, accountIdBytes(bob.id), nothing)).toThrow(TypeError)
  })

  it.each([new CryptoError('unavailable', 'no memory is left'), new RangeError('no memory is left')])(
    'is no outcome: a machine that cannot decrypt, %s',
    failure => {
      const failing = decrypting(() => {
        throw failure
      })
      expect(() => openMessageV2(failing, bob, keyringOf([key]), seal())).toThrow(failure)
    },
  )
})

describe('the keys of one message', () => {
  it('are gone once it is open, or was tried', () => {
    const used: Uint8Array[] = []
    const watched = decrypting(messageKey => used.push(messageKey))
    expect(openMessageV2(watched, bob, keyringOf([key]), seal()).outcome).toBe('opened')
    expect(openMessageV2(watched, bob, keyringOf([key]), seal().fill(1, 1200)).outcome).toBe('no-key')
    expect(used).toEqual(Array.from({ length: 3 }, () => new Uint8Array(32)))
  })

  it('are gone once it is sealed, or cannot be', () => {
    for (const changes of [{}, { x25519: new Uint8Array(32) as PublishedKeys['x25519'] }]) {
      const handedOut: Uint8Array[] = []
      const watched: Random = {
        bytes(sizeBytes) {
          handedOut.push(systemRandom().bytes(sizeBytes))
          return handedOut.at(-1)!
        },
      }
      try {
        seal(watched, changes)
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError)
      }
      expect(handedOut[0]).toEqual(new Uint8Array(32))
    }
  })

  it('tell which of them it was, and the version', () => {
    const noPfs = sealMessageV2NoPfs(native, systemRandom(), { sender: alice, recipient: bob.id, content })
    expect(openMessageV2(native, bob, keyringOf([key]), noPfs)).toMatchObject({ outcome: 'opened', version: 'v2', pfs: false })
    expect(openMessageV2(native, bob, keyringOf([key]), seal())).toMatchObject({ outcome: 'opened', version: 'v2', pfs: true })
  })
})
