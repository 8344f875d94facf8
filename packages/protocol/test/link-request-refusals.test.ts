/** What a link request that is refused says of itself, at the limits of its form, and what is no fault of it. */
import {
  CryptoError,
  type Ed25519Signature,
  ed25519Sign,
  type MlKem768PublicKey,
  systemRandom,
  type X25519PublicKey,
  x25519,
  xchacha20Poly1305Decrypt,
  xchacha20Poly1305Encrypt,
} from '@session-v2/crypto'
import { BtDictReader, BtDictWriter, concatBytes, encodeUtf8 } from '@session-v2/encoding'
import {
  deviceIdBytes,
  emojiLines,
  encodeDeviceRecord,
  groupAuthenticationString,
  linkAuthenticationString,
  messageKindAt21,
  type OpenLinkOutcome,
  openLinkRequest,
  sealLinkRequest,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { linkRequestKey } from '../src/device-link/key-derivation.ts'
import { failingAt, someDevice } from './group-world.ts'
import { native, refusalOf, someAccount, someKey } from './providers.ts'

const account = someAccount(native, 1)
const key = someKey(native, 2)
const device = someDevice(native, 3)
const random = systemRandom()
const { message, plaintext } = sealLinkRequest(native, random, account, key.x25519.publicKey, device.id, device.record)
const open = (bytes: Uint8Array, crypto = native) => openLinkRequest(crypto, account, [key], bytes)

type Fields = readonly (readonly [key: string, value: Uint8Array])[]
const reader = new BtDictReader(message)
const envelope: Fields = ['', 'E', 'L', 'i'].map(name => [name, reader.requireBytes(name)])
const written = (fields: Fields) =>
  fields.reduce((writer, [name, value]) => writer.bytes(name, value), new BtDictWriter()).finish()
const withField = (name: string, value: Uint8Array) => written(envelope.map(field => (field[0] === name ? [name, value] : field)))

/** The request with another plaintext. */
function sealedAnew(changed: Uint8Array): Uint8Array {
  const [, [, E], [, sealed]] = envelope as [Fields[0], Fields[0], Fields[0]]
  const shared = () => x25519(native, key.x25519.secretKey, E)
  const keyOf = () => linkRequestKey(native, shared(), E, key.x25519.publicKey)
  const [first, second] = [keyOf(), keyOf()]
  expect(xchacha20Poly1305Decrypt(native, first.key, first.nonce, sealed)).toEqual(plaintext)
  return withField('L', xchacha20Poly1305Encrypt(native, second.key, second.nonce, changed))
}

/** The plaintext with other parts, signed again. */
function signed(
  id: Uint8Array,
  record: Uint8Array,
  sign = (body: Uint8Array) => ed25519Sign(native, account.ed25519.secretKey, body),
) {
  return new BtDictWriter().bytes('I', id).raw('i', record).sign('~', sign).finish()
}

const nobodys = (sizeBytes: number) => () => new Uint8Array(sizeBytes) as Ed25519Signature
const id = deviceIdBytes(device.id)
const record = encodeDeviceRecord(device.record)

/** What a malformed outcome says, like `refusalOf`. */
function complaintOf(outcome: OpenLinkOutcome): ReturnType<typeof refusalOf> {
  if (outcome.outcome !== 'malformed') throw new Error(outcome.outcome)
  return refusalOf(() => {
    throw outcome.cause
  })
}

describe('a link request that is none (LINK-01)', () => {
  it.each([
    ['', 'truncated', 'the encoding ends within a value'],
    ['de', 'missing-field', '""'],
    ['d0:1:Le', 'missing-field', '"E"'],
    [`d0:1:L1:E32:${'a'.repeat(32)}e`, 'missing-field', '"L"'],
    [`d0:1:L1:E32:${'a'.repeat(32)}1:L16:${'b'.repeat(16)}e`, 'missing-field', '"i"'],
    [`d0:1:L1:E31:${'a'.repeat(31)}e`, 'wrong-size', '"E"'],
    [`d0:1:L1:E33:${'a'.repeat(33)}e`, 'wrong-size', '"E"'],
    [`d0:1:L1:E32:${'a'.repeat(32)}1:L15:${'b'.repeat(15)}1:i2:abe`, 'wrong-size', '"L"'],
    [`d0:1:L1:E32:${'a'.repeat(32)}1:L16:${'b'.repeat(16)}1:i1:ae`, 'wrong-size', '"i"'],
    [`d0:1:L1:E32:${'a'.repeat(32)}1:L16:${'b'.repeat(16)}1:i3:abce`, 'wrong-size', '"i"'],
  ])('%#, for its encoding', (text, causeCode, complaint) => {
    const [refusal, said, cause] = complaintOf(open(encodeUtf8(text)))
    expect([refusal, cause]).toEqual(['malformed LINK-05', causeCode])
    expect(said).toMatch(/^this is no link request: /)
    expect(said).toContain(complaint)
  })

  it.each(['', 'G', 'LL', 'l'])('is of the type %j', type => {
    expect(complaintOf(open(withField('', encodeUtf8(type))))).toEqual(['malformed LINK-05', 'this message is of another type'])
  })

  it('has an ephemeral key of small order (LINK-05)', () => {
    expect(complaintOf(open(withField('E', new Uint8Array(32))))).toEqual([
      'malformed LINK-05',
      expect.stringMatching(/^the ephemeral key of the request cannot be used: \w+/),
      'bad-point',
    ])
  })

  it('is as large, as deep and as full as is read', () => {
    const withFuture = (value: string) => concatBytes(message.subarray(0, -1), encodeUtf8(`1:z${value}e`))
    const sized = (sizeBytes: number) => withFuture(`${sizeBytes}:${'a'.repeat(sizeBytes)}`)
    const room = 131_072 - sized(120_000).length + 120_000
    const nested = (depth: number) => withFuture(`${'l'.repeat(depth)}${'e'.repeat(depth)}`)
    const counted = (count: number) => withFuture(`l${'i1e'.repeat(count)}e`)
    for (const bytes of [sized(room), nested(24), counted(1999)]) expect(open(bytes).outcome).toBe('opened')
    const refusals = [sized(room + 1), nested(25), counted(2000)].map(bytes => complaintOf(open(bytes))[2])
    expect(refusals).toEqual(['too-large', 'too-deep', 'too-large'])
  })
})

describe('a link request that opens and is none (LINK-03, LINK-04)', () => {
  it('is opened when nothing is wrong with it, and keeps no bytes of the message', () => {
    const opened = open(sealedAnew(plaintext))
    expect(opened).toMatchObject({ outcome: 'opened', request: { deviceId: device.id, plaintext } })
    expect(open(sealedAnew(signed(id, record)))).toEqual(opened)
  })

  it.each([
    [encodeUtf8('x'), 'wrong-type', 'a dict'],
    [signed(id.subarray(1), record), 'wrong-size', '"I"'],
    [signed(Uint8Array.from([...id, 1]), record), 'wrong-size', '"I"'],
    [signed(id, record, nobodys(63)), 'wrong-size', '"~"'],
    [signed(id, record, nobodys(65)), 'wrong-size', '"~"'],
    [new BtDictWriter().bytes('I', id).finish(), 'missing-field', '"i"'],
    [new BtDictWriter().bytes('I', id).raw('i', record).finish(), 'missing-field', '"~"'],
    [new BtDictWriter().raw('i', record).finish(), 'missing-field', '"I"'],
  ])('%#, for its encoding', (changed, causeCode, complaint) => {
    const [refusal, said, cause] = complaintOf(open(sealedAnew(changed)))
    expect([refusal, cause]).toEqual(['malformed LINK-05', causeCode])
    expect(said).toMatch(/^the link request opened but has a wrong form: /)
    expect(said).toContain(complaint)
  })

  it('has a record that is none, whether it is signed or not', () => {
    const bad = encodeUtf8('d1:#i1ee')
    for (const changed of [signed(id, bad), signed(id, bad, nobodys(64))]) {
      expect(complaintOf(open(sealedAnew(changed)))).toEqual([
        'malformed DG-06',
        expect.stringMatching(/^this is no record of a device: /),
        'missing-field',
      ])
    }
  })

  it('is signed by nobody, and nothing else is said of it', () => {
    const byNobody = signed(id, record, nobodys(64))
    const byAnother = signed(id, record, body => ed25519Sign(native, someAccount(native, 2).ed25519.secretKey, body))
    for (const changed of [byNobody, byAnother]) expect(open(sealedAnew(changed))).toEqual({ outcome: 'forged' })
  })

  it('has keys that nothing can be sealed to, which its text names (LINK-05)', () => {
    const zero = new Uint8Array(32) as X25519PublicKey
    const notReduced = device.record.mlKem768.map(() => 0xff) as MlKem768PublicKey
    const complaintsOf = (changed: object) => {
      const bad = encodeDeviceRecord({ ...device.record, ...changed })
      return complaintOf(open(sealedAnew(signed(id, bad))))
    }
    expect(complaintsOf({ x25519: zero })).toEqual([
      'malformed LINK-05',
      expect.stringMatching(/^the X25519 key of the device cannot be used: \w+/),
      'bad-point',
    ])
    expect(complaintsOf({ mlKem768: notReduced })).toEqual([
      'malformed LINK-05',
      expect.stringMatching(/^the ML-KEM-768 key of the device cannot be used: \w+/),
      'bad-key',
    ])
  })
})

describe('a link request that cannot be sealed says why (LINK-05)', () => {
  it('by the key that cannot be used', () => {
    const zero = new Uint8Array(32) as X25519PublicKey
    const seal = (link: X25519PublicKey, changed: object) =>
      refusalOf(() => sealLinkRequest(native, random, account, link, device.id, { ...device.record, ...changed }))
    expect(seal(zero, {})).toEqual([
      'malformed DG-16',
      expect.stringMatching(/^the link key of the group cannot be used: \w+/),
      'bad-point',
    ])
    expect(seal(key.x25519.publicKey, { x25519: zero }).slice(0, 2)).toEqual([
      'malformed LINK-05',
      expect.stringMatching(/^the X25519 key of the device cannot be used/),
    ])
  })
})

describe('what is no fault of a link request', () => {
  it.each([
    ['xchacha20Poly1305Decrypt', new CryptoError('unavailable', 'no memory is left')],
    ['xchacha20Poly1305Decrypt', new RangeError('no memory is left')],
    ['ed25519Verify', new CryptoError('unavailable', 'no memory is left')],
    ['blake2b', new RangeError('no memory is left')],
  ])('is thrown: a machine that fails at %s, %s', (operation, failure) => {
    expect(() => open(message, failingAt(native, operation, failure))).toThrow(failure)
  })

  it('is thrown: an argument that is not there', () => {
    expect(() => open(undefined as never)).toThrow(TypeError)
    expect(() => messageKindAt21(undefined as never)).toThrow(TypeError)
  })
})

describe('what else is said of requests', () => {
  it('the kind of a message whose type is as long as the message is unknown (LINK-06)', () => {
    const sizeBytes = 1_000_000
    expect(messageKindAt21(encodeUtf8(`d0:${sizeBytes}:${'G'.repeat(sizeBytes)}e`))).toBe('unknown')
    expect(messageKindAt21(encodeUtf8('d0:3:Gxxe'))).toBe('unknown')
  })

  it.each([-1, 64, 0.5])('there is no emoji %d (SAS-04)', index => {
    expect(refusalOf(() => emojiLines([index]))).toEqual(['bad-input SAS-04', `there is no emoji ${index}`])
  })

  it('an authentication string has 21 indices (SAS-01, SAS-03)', () => {
    expect(linkAuthenticationString(native, plaintext).indices).toHaveLength(21)
    expect(groupAuthenticationString(native, new Uint8Array(8)).indices).toHaveLength(21)
    expect(refusalOf(() => groupAuthenticationString(native, new Uint8Array(7)))).toEqual([
      'bad-input DG-01',
      'a group ID has 7 bytes instead of 8',
    ])
  })
})
