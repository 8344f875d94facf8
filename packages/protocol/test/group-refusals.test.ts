/** What a group message or a payload that is refused says of itself, at the limits of its form. */
import { ed25519Sign, systemRandom } from '@session-v2/crypto'
import { BtDictWriter, concatBytes, encodeUtf8 } from '@session-v2/encoding'
import {
  cryptGroupId,
  deviceIdOf,
  groupAuthenticationString,
  groupCreatedMinutes,
  type OutgoingGroup,
  parseDeviceId,
  sealGroupMessage,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { encodeGroupMessage, verifyGroupMessage } from '../src/device-group/group-message.ts'
import { devicesOf, fieldsOf, gone, groupOf, openAs, signedAgain } from './group-world.ts'
import { native, refusalOf, someAccount, someKey } from './providers.ts'

const account = someAccount(native, 1)
const [device] = devicesOf(native, 1)
const group = groupOf(native, [device!])
const message = sealGroupMessage(native, systemRandom(), account, group)
const fields = fieldsOf(message)
const verify = (bytes: Uint8Array) => verifyGroupMessage(native, account.ed25519.publicKey, bytes)
const changed = (changes: Record<string, number>) => {
  const sizes = Object.entries(changes).map(([key, sizeBytes]) => [key, new Uint8Array(sizeBytes).fill(9)] as const)
  return signedAgain(native, account, new Map([...[...fields, ...sizes].sort(([a], [b]) => (a < b ? -1 : 1))]))
}
const WRONG_SIZE = ['malformed DG-16', 'a field of the group message has a size that it cannot have']

describe('a group message that is none (DG-10, DG-11)', () => {
  it.each([
    ['', 'the encoding ends within a value', 'truncated'],
    ['de', '""', 'missing-field'],
    ['d0:1:Ge', '"A"', 'missing-field'],
  ])('is %j', (text, complaint, causeCode) => {
    const [refusal, said, cause] = refusalOf(() => verify(encodeUtf8(text)))
    expect([refusal, cause]).toEqual(['malformed DG-10', causeCode])
    expect(said).toMatch(/^this is no group message: /)
    expect(said).toContain(complaint)
  })

  it('is of another type, whoever signed it', () => {
    const other = signedAgain(native, account, new Map(fields).set('', encodeUtf8('L')))
    expect(refusalOf(() => verify(other))).toEqual(['malformed DG-10', 'this message is of another type'])
  })

  it('is signed by nobody, or has bytes of more than one signer', () => {
    const forged = ['forged DG-11', 'the group message is not signed by this account']
    expect(refusalOf(() => verifyGroupMessage(native, someAccount(native, 2).ed25519.publicKey, message))).toEqual(forged)
    expect(refusalOf(() => verify(message.with(message.length - 5, message.at(-5)! ^ 1)))).toEqual(forged)
  })

  it.each([
    ['@', 7],
    ['@', 9],
    ['A', 31],
    ['A', 33],
    ['X', 31],
    ['X', 33],
  ])('has a field %s of %i bytes', (key, sizeBytes) => {
    const [refusal, said, cause] = refusalOf(() => verify(changed({ [key]: sizeBytes })))
    expect([refusal, cause]).toEqual(['malformed DG-10', 'wrong-size'])
    expect(said).toContain(`"${key}"`)
  })

  it.each([63, 65])('has a signature of %i bytes', sizeBytes => {
    const writer = new BtDictWriter()
    for (const [key, value] of fields) writer.bytes(key, key === '~' ? new Uint8Array(sizeBytes) : value)
    const [refusal, said, cause] = refusalOf(() => verify(writer.finish()))
    expect([refusal, cause]).toEqual(['malformed DG-10', 'wrong-size'])
    expect(said).toContain('"~"')
  })
})

describe('a group message with fields of sizes that they cannot have together (DG-10, DG-16)', () => {
  it.each([
    ['a byte more of ciphertexts', { C: 4353 }],
    ['a ciphertext too few', { C: 3264 }],
    ['a ciphertext too many', { C: 5440 }],
    ['a byte less of keys', { K: 135 }],
    ['a key too many', { K: 170 }],
    ['keys without ciphertexts', { C: 0 }],
    ['half a slot', { C: 544, K: 17 }],
    ['a payload that is but a tag', { d: 16 }],
    ['no payload', { d: 0 }],
    ['a byte more of removals', { k: 17 }],
    ['a byte less of removals', { k: 15 }],
  ])('has %s', (_, sizes) => {
    expect(refusalOf(() => verify(changed(sizes as unknown as Record<string, number>)))).toEqual(WRONG_SIZE)
  })

  it.each([
    ['one slot', { C: 1088, K: 34 }],
    ['no slot', { C: 0, K: 0 }],
    ['a payload of one byte', { d: 17 }],
    ['one removal', { k: 16 }],
    ['an announcement of nothing', { k: 0 }],
  ])('is one with %s', (_, sizes) => {
    const usual: Record<string, number | undefined> = { C: 4352, K: 136, d: 8716, k: undefined }
    const envelope = verify(changed(sizes as unknown as Record<string, number>))
    const read = [envelope.ciphertexts, envelope.wrappedKeys, envelope.sealed, envelope.removals].map(value => value?.length)
    expect(read).toEqual(Object.values({ ...usual, ...sizes }))
  })

  it('has no more fields than it was given', () => {
    const bare = new Map([...fields].filter(([key]) => key !== '@' && key !== 'X' && key !== 'k' && key !== '~'))
    const read = verify(signedAgain(native, account, bare))
    expect(Object.keys(read).sort()).toEqual(['ciphertexts', 'ephemeral', 'sealed', 'wrappedKeys'])
  })

  it('is nested or counted beyond what is read, where the future puts its fields', () => {
    const withFuture = (value: string) => concatBytes(message.subarray(0, -1), encodeUtf8(`2:~x${value}e`))
    const nested = (depth: number) => withFuture(`${'l'.repeat(depth)}${'e'.repeat(depth)}`)
    const counted = (count: number) => withFuture(`l${'i1e'.repeat(count)}e`)
    for (const bytes of [nested(8), counted(999)]) expect(openAs(native, account, device!, bytes).outcome).toBe('opened')
    expect(refusalOf(() => verify(nested(9)))[2]).toBe('too-deep')
    expect(refusalOf(() => verify(counted(1000)))[2]).toBe('too-large')
  })

  it('has a key of small order, which its text names (DG-16)', () => {
    for (const [key, noun] of [
      ['A', 'the ephemeral key of the message'],
      ['X', 'the link key of the message'],
    ] as const) {
      const opened = openAs(native, account, device!, signedAgain(native, account, new Map(fields).set(key, new Uint8Array(32))))
      expect(opened).toMatchObject({
        outcome: 'malformed',
        cause: { code: 'malformed', clause: 'DG-16', cause: { code: 'bad-point' } },
      })
      expect(opened).toHaveProperty('cause.message', expect.stringMatching(new RegExp(`^${noun} cannot be used: \\w+`)))
    }
  })
})

describe('the size of a group message (DG-10)', () => {
  const envelope = (sealedBytes: number) => ({
    ephemeral: fields.get('A')!,
    ciphertexts: fields.get('C')!,
    wrappedKeys: fields.get('K')!,
    sealed: new Uint8Array(sealedBytes),
  })
  const encode = (sealedBytes: number) => encodeGroupMessage(native, account.ed25519, envelope(sealedBytes))

  it('is 1 MiB at most, written and read', () => {
    const most = 2 ** 20 - encode(1_000_000).length + 1_000_000
    expect(encode(most)).toHaveLength(2 ** 20)
    expect(verify(encode(most)).sealed).toHaveLength(most)
    expect(refusalOf(() => encode(most + 1))).toEqual(['bad-input DG-10', 'a group message of 1048577 bytes is too large'])
    const writer = new BtDictWriter().bytes('', encodeUtf8('G'))
    const { ephemeral, ciphertexts, wrappedKeys, sealed } = envelope(most + 1)
    writer.bytes('A', ephemeral).bytes('C', ciphertexts).bytes('K', wrappedKeys).bytes('d', sealed)
    const large = writer.sign('~', body => ed25519Sign(native, account.ed25519.secretKey, body)).finish()
    expect(refusalOf(() => verify(large))).toEqual([
      'malformed DG-10',
      'this is no group message: 1048577 bytes, at most 1048576 read',
      'too-large',
    ])
  })
})

describe('a group that cannot be sealed says why', () => {
  const seal = (changes: Partial<OutgoingGroup>) =>
    refusalOf(() => sealGroupMessage(native, systemRandom(), account, { ...group, ...changes }))

  it.each([
    [{ accountKeys: [] }, 'DG-07', 'a group has an account key'],
    [{ linkX25519: someKey(native, 9).x25519.publicKey }, 'DG-10', 'the link key of a group is that of its current account key'],
    [{ groupId: new Uint8Array(7) }, 'DG-01', 'a group ID has 7 bytes instead of 8'],
    [{ devices: new Map([gone(101, 'left')]) }, 'DG-12', 'a group message is for 1 to 256 devices, not 0'],
  ])('%#', (changes, clause, text) => {
    expect(seal(changes)).toEqual([`bad-input ${clause}`, text])
  })
})

describe('a size that an ID does not have (DG-01 to DG-03)', () => {
  it('is named', () => {
    const [short, id] = [new Uint8Array(31), new Uint8Array(8)]
    expect([
      refusalOf(() => cryptGroupId(native, account.seed, short, id)),
      refusalOf(() => cryptGroupId(native, account.seed, new Uint8Array(32), short)),
      refusalOf(() => groupCreatedMinutes(short)),
      refusalOf(() => groupAuthenticationString(native, short)),
      refusalOf(() => deviceIdOf(short)),
      refusalOf(() => parseDeviceId('abc')),
    ]).toEqual([
      ['bad-input DG-02', 'the ephemeral key has 31 bytes instead of 32'],
      ['bad-input DG-01', 'a group ID has 31 bytes instead of 8'],
      ['bad-input DG-01', 'a group ID has 31 bytes instead of 8'],
      ['bad-input DG-01', 'a group ID has 31 bytes instead of 8'],
      ['bad-input DG-03', 'a device ID has 31 bytes instead of 32'],
      ['bad-input DG-03', 'a device ID is 64 hexadecimal characters'],
    ])
  })
})
