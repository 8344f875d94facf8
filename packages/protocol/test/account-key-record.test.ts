/** What a record of published keys says when it is refused, its limits, and the extras at their limits (AK-08, AK-09, AK-10, AK-14). */
import { type Crypto, type CryptoError, systemRandom, xed25519Sign } from '@session-v2/crypto'
import { BtDictWriter, type BtValue, EncodingError, encodeBt } from '@session-v2/encoding'
import { type AccountId, buildAccountKeyRecord, type PublishedKeys, verifyAccountKeyRecord } from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { requireUsableMlKem768, requireUsableX25519 } from '../src/account-keys/usable-keys.ts'
import { native, protocolErrorBy, refusalBy, refusalOf, someAccount, someKey } from './providers.ts'

const account = someAccount(native, 1)
const key = someKey(native, 2, 600)
const [M, X] = [key.mlKem768.publicKey, key.x25519.publicKey]

/** A record of these fields, in their order, signed by the account. */
function recordOf(fields: Readonly<Record<string, BtValue>>): Uint8Array {
  const writer = new BtDictWriter()
  for (const [name, value] of Object.entries(fields)) writer.raw(name, encodeBt(value))
  return writer.sign('~', body => xed25519Sign(native, systemRandom(), account.x25519.secretKey, body)).finish()
}

const read = (record: Uint8Array): PublishedKeys => verifyAccountKeyRecord(native, account.id, record)

describe('a record that is refused', () => {
  it.each<[string, Readonly<Record<string, BtValue>>]>([
    ['M of one byte less', { M: M.slice(1), X }],
    ['M of one byte more', { M: Uint8Array.of(...M, 0), X }],
    ['X of one byte less', { M, X: X.slice(1) }],
    ['X of one byte more', { M, X: Uint8Array.of(...X, 0) }],
  ])('says that it is none, and what the encoding said: %s', (_, fields) => {
    const { code, clause, message, cause } = protocolErrorBy(() => read(recordOf(fields)))
    expect([code, clause, cause]).toEqual(['malformed', 'AK-08', expect.any(EncodingError)])
    expect((cause as EncodingError).code).toBe('wrong-size')
    expect(message).toBe(`this is no record of published keys: ${(cause as EncodingError).message}`)
  })

  it('says no more than that the signature is not of the account (AK-09)', () => {
    const forged = ['forged AK-09', 'the published keys are not signed by this account']
    expect(refusalOf(() => verifyAccountKeyRecord(native, someAccount(native, 2).id, recordOf({ M, X })))).toEqual(forged)
    const nobody = `05${'ff'.repeat(32)}` as AccountId
    expect(refusalOf(() => verifyAccountKeyRecord(native, nobody, recordOf({ M, X })))).toEqual(forged)
  })

  it('says which key nothing can be sealed to, and why (AK-09)', () => {
    const refusals = [
      { M: new Uint8Array(1184).fill(0xff), X },
      { M, X: new Uint8Array(32) },
    ].map(fields => protocolErrorBy(() => read(recordOf(fields))))
    expect(refusals.map(({ code, clause, cause }) => [code, clause, (cause as CryptoError).code])).toEqual([
      ['malformed', 'AK-09', 'bad-key'],
      ['malformed', 'AK-09', 'bad-point'],
    ])
    expect(refusals.map(({ message }) => message)).toEqual([
      `the published ML-KEM-768 key cannot be used: ${(refusals[0]!.cause as CryptoError).message}`,
      `the published X25519 key cannot be used: ${(refusals[1]!.cause as CryptoError).message}`,
    ])
  })
})

describe('what is no fault of a record', () => {
  it('is an argument that is not there', () => {
    const nothing = undefined as never
    expect(() => verifyAccountKeyRecord(native, nothing, recordOf({ M, X }))).toThrow(TypeError)
    expect(() => requireUsableX25519(native, nothing, 'AK-09', 'a key')).toThrow(TypeError)
    expect(() => requireUsableMlKem768(native, nothing, 'AK-09', 'a key')).toThrow(TypeError)
  })

  it('is a machine that cannot verify', () => {
    const [hidden] = Object.getOwnPropertySymbols(native) as [keyof Crypto]
    const failure = new RangeError('no memory is left')
    const failing = new Proxy(native[hidden] as object, {
      get: () => () => {
        throw failure
      },
    })
    const crypto = { [hidden]: failing } as unknown as Crypto
    expect(() => verifyAccountKeyRecord(crypto, account.id, recordOf({ M, X }))).toThrow(failure)
  })
})

describe('the limits of a record (AK-10)', () => {
  const sized = (sizeBytes: number) => {
    const plain = recordOf({ M, X, Z: new Uint8Array(60_000) }).length - 60_000
    return recordOf({ M, X, Z: new Uint8Array(sizeBytes - plain) })
  }
  const nested = (depth: number): BtValue => (depth === 0 ? 1n : [nested(depth - 1)])

  it('are 65536 bytes', () => {
    expect(sized(65_536)).toHaveLength(65_536)
    expect(read(sized(65_536))).toEqual({ mlKem768: M, x25519: X })
    expect(refusalOf(() => read(sized(65_537)))).toEqual(['malformed AK-08', expect.stringContaining('65537 bytes'), 'too-large'])
  })

  it('are a thousand values and eight levels', () => {
    for (const Z of [new Array<bigint>(900).fill(1n), nested(7)]) expect(read(recordOf({ M, X, Z })).x25519).toEqual(X)
    for (const Z of [new Array<bigint>(1001).fill(1n), nested(8)])
      expect(refusalBy(() => read(recordOf({ M, X, Z })))).toBe('malformed AK-08')
  })
})

describe('an extra of a record (AK-14)', () => {
  const C = new Uint8Array(32).fill(1)
  const link = (byte: number) => new Uint8Array(66).fill(byte)
  const links = (count: number) => Array.from({ length: count }, (_, at) => link(at))
  const plain = { mlKem768: M, x25519: X }

  it.each([0n, 1n, 2n ** 53n - 1n])('is the minute %d', t => {
    expect(read(recordOf({ M, X, t }))).toStrictEqual({ ...plain, createdMinutes: Number(t) })
  })

  it.each<[BtValue]>([[-1n], [2n ** 53n], [Uint8Array.of(0x35)], [new Uint8Array(0)], [[5n]], [[]], [new Map()]])(
    'is no minute when it is %o, and then there is no continuity',
    t => {
      expect(read(recordOf({ C, M, X, c: links(1), t }))).toStrictEqual(plain)
    },
  )

  it('is nothing without a minute', () => {
    expect(read(recordOf({ C, M, X, c: links(1) }))).toStrictEqual(plain)
  })

  it.each<[BtValue]>([[new Uint8Array(31)], [new Uint8Array(33)], [new Array<bigint>(32).fill(5n)], [5n], [new Map()]])(
    'is no continuity key when it is %o',
    value => {
      expect(read(recordOf({ C: value, M, X, c: links(1), t: 5n }))).toStrictEqual({ ...plain, createdMinutes: 5 })
    },
  )

  it.each([0, 1, 39, 40])('is a list of %i links', count => {
    const { continuity } = read(recordOf({ C, M, X, c: links(count), t: 5n }))
    expect(continuity).toStrictEqual({ publicKey: C, links: links(count) })
  })

  it.each<[string, BtValue]>([
    ['41 links', links(41)],
    ['a link of 65 bytes behind one of 66', [link(1), new Uint8Array(65)]],
    ['a link of 67 bytes before one of 66', [new Uint8Array(67), link(1)]],
    ['a link that is a list of 66 numbers', [new Array<bigint>(66).fill(1n)]],
    ['no bytes', new Uint8Array(0)],
    ['the bytes of a link', link(1)],
    ['a number', 5n],
    ['a dict', new Map()],
  ])('is no list of links when it is %s', (_, c) => {
    const { continuity } = read(recordOf({ C, M, X, c, t: 5n }))
    expect(continuity).toStrictEqual({ publicKey: C, links: [] })
  })

  it('is written only when asked for, and a list of links only when there are any', () => {
    const build = (extras?: Parameters<typeof buildAccountKeyRecord>[4]) =>
      buildAccountKeyRecord(native, systemRandom(), account, key, extras)
    expect(read(build())).toStrictEqual(plain)
    const offered = read(build({ continuity: [key] }))
    expect(offered).toStrictEqual({ ...plain, createdMinutes: 10, continuity: { publicKey: expect.any(Uint8Array), links: [] } })
  })
})
