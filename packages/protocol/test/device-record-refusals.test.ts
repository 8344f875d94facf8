/** What a record of a device that is refused says of itself, at the limits of its form, and each character that is not shown. */
import type { MlKem768PublicKey, X25519PublicKey } from '@session-v2/crypto'
import { concatBytes, encodeUtf8, equalBytes, INT64_MAX } from '@session-v2/encoding'
import {
  type DeviceRecord,
  type DeviceRecordFields,
  decodeDeviceRecord,
  deviceRecordText,
  encodeDeviceRecord,
  parseDeviceId,
  writeDeviceRecord,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { someDevice } from './group-world.ts'
import { native, refusalBy, refusalOf } from './providers.ts'

const { record } = someDevice(native, 1)
const { x25519, mlKem768 } = record
const encoded = encodeDeviceRecord(record)
const write = (fields: Partial<DeviceRecordFields>) =>
  writeDeviceRecord({ seqno: 1n, timestampS: 2n, x25519, mlKem768, ...fields })
const withExtra = (value: string, key = 'z') => ({ ...record, extras: new Map([[key, encodeUtf8(value)]]) })
const BEGINNING = /^the record of a device cannot be written: /

describe('a record that is none (DG-04, DG-06)', () => {
  const text = Buffer.from(encoded).toString('latin1')

  it.each([
    ['1:#i1e', '', 'missing-field', '"#"'],
    ['1:#i1e', '1:#1:1', 'wrong-type', 'integer'],
    ['1:@i1700000000e', '', 'missing-field', '"@"'],
    ['1:M1184:', '1:L1184:', 'missing-field', '"M"'],
    ['1:M1184:', '1:M1185:x', 'wrong-size', '"M"'],
    ['1:X32:', '1:W32:', 'missing-field', '"X"'],
    ['1:X32:', '1:X33:x', 'wrong-size', '"X"'],
    ['1:d8:device 1', '1:di8e', 'wrong-type', 'byte string'],
    ['1:t1:d', '1:ti8e', 'wrong-type', 'byte string'],
    ['1:vi2000001e', '1:v1:2', 'wrong-type', 'integer'],
  ])('has %j as %j', (before, after, causeCode, complaint) => {
    expect(text).toContain(before)
    const [refusal, said, cause] = refusalOf(() => decodeDeviceRecord(Buffer.from(text.replace(before, after), 'latin1')))
    expect([refusal, cause]).toEqual(['malformed DG-06', causeCode])
    expect(said).toMatch(/^this is no record of a device: /)
    expect(said).toContain(complaint)
  })

  it('is larger, deeper or fuller than what is read', () => {
    const extended = (value: string) => concatBytes(encoded.subarray(0, -1), encodeUtf8(`1:z${value}e`))
    const sized = (sizeBytes: number) => extended(`${sizeBytes}:${'a'.repeat(sizeBytes)}`)
    const room = 65_536 - sized(64_000).length + 64_000
    const nested = (depth: number) => extended(`${'l'.repeat(depth)}${'e'.repeat(depth)}`)
    const counted = (count: number) => extended(`l${'i1e'.repeat(count)}e`)
    for (const bytes of [sized(room), nested(16), counted(999)]) {
      expect(equalBytes(encodeDeviceRecord(decodeDeviceRecord(bytes)), bytes)).toBe(true)
    }
    const refusals = [sized(room + 1), nested(17), counted(1000)].map(bytes => refusalOf(() => decodeDeviceRecord(bytes))[2])
    expect(refusals).toEqual(['too-large', 'too-deep', 'too-large'])
  })

  it('has no descriptions, types and versions that were not there', () => {
    const bare = decodeDeviceRecord(Buffer.from(text.replace('1:d8:device 11:t1:d1:vi2000001e', ''), 'latin1'))
    expect(Object.keys(bare).sort()).toEqual(['extras', 'mlKem768', 'seqno', 'timestampS', 'x25519'])
    expect(Object.keys(write({})).sort()).toEqual(['description', 'extras', 'mlKem768', 'seqno', 'timestampS', 'x25519'])
  })
})

describe('a record that cannot be written says why (DG-05, DG-06)', () => {
  it.each(['#', '@', 'M', 'X', 'd', 't', 'v'])('the extra key %s is a known one', key => {
    for (const extra of [withExtra('i1e', key), { ...withExtra('0:', key), description: undefined }]) {
      const bad = extra as DeviceRecord
      expect(refusalOf(() => encodeDeviceRecord(bad))).toEqual([
        'bad-input DG-06',
        `the record of a device cannot be written: the extra key "${key}" is a known one`,
        'bad-input DG-06',
      ])
    }
  })

  it.each([
    ['x', 'wrong-type'],
    ['', 'truncated'],
    ['i1ei2e', 'trailing-bytes'],
    [`${'l'.repeat(17)}${'e'.repeat(17)}`, 'malformed DG-06'],
    [`${'l'.repeat(18)}${'e'.repeat(18)}`, 'too-deep'],
    [`l${'i1e'.repeat(1000)}e`, 'too-large'],
  ])('an extra %#', (value, causeCode) => {
    const [refusal, said, cause] = refusalOf(() => encodeDeviceRecord(withExtra(value)))
    expect([refusal, cause]).toEqual(['bad-input DG-06', causeCode])
    expect(said).toMatch(BEGINNING)
  })

  it('more than what is read, by a byte', () => {
    const room = 65_536 - encodeDeviceRecord({ ...record, description: new Uint8Array(64_000) }).length + 64_000
    expect(encodeDeviceRecord({ ...record, description: new Uint8Array(room) })).toHaveLength(65_536)
    const [refusal, said, cause] = refusalOf(() => encodeDeviceRecord({ ...record, description: new Uint8Array(room + 1) }))
    expect([refusal, cause]).toEqual(['bad-input DG-06', 'malformed DG-06'])
    expect(said).toMatch(BEGINNING)
    // Two extras with less than 1000 values each, and more together.
    const extras = new Map(['y', 'z'].map(key => [key, encodeUtf8(`l${'i1e'.repeat(600)}e`)]))
    expect(refusalBy(() => encodeDeviceRecord({ ...record, extras }))).toBe('bad-input DG-06')
  })
})

describe('a record of ours that cannot be written says why (DG-05)', () => {
  it('integers, keys and texts', () => {
    expect(refusalOf(() => write({ seqno: INT64_MAX + 1n }))).toEqual([
      'bad-input DG-06',
      expect.stringMatching(BEGINNING),
      'out-of-range',
    ])
    expect([
      refusalOf(() => write({ x25519: new Uint8Array(31) as X25519PublicKey })),
      refusalOf(() => write({ mlKem768: new Uint8Array(1185) as MlKem768PublicKey })),
      refusalOf(() => write({ description: '\ud800' })),
      refusalOf(() => write({ type: '\udc00' })),
      refusalOf(() => write({ version: [1, -1, 0] })),
      refusalOf(() => write({ version: [1, 0, -1] })),
      refusalOf(() => write({ version: [0.5, 0, 0] })),
      refusalOf(() => write({ version: [2 ** 53, 0, 0] })),
      refusalOf(() => write({ version: [9_223_372_036_854, 999, 0] })),
    ]).toEqual(
      [
        ['DG-06', 'the X25519 key of a device has 31 bytes instead of 32'],
        ['DG-06', 'the ML-KEM-768 key of a device has 1185 bytes instead of 1184'],
        ['ENC-01', 'a text holds half of a surrogate pair'],
        ['ENC-01', 'a text holds half of a surrogate pair'],
        ['DG-05', 'a version has three whole numbers'],
        ['DG-05', 'a version has three whole numbers'],
        ['DG-05', 'a version has three whole numbers'],
        ['DG-05', 'a version has three whole numbers'],
        ['DG-06', '9223372036854 is too great for a version'],
      ].map(([clause, text]) => [`bad-input ${clause}`, text]),
    )
  })

  it('the greatest version is 2^63 − 1', () => {
    expect(write({ version: [9_223_372_036_854, 775, 807] }).version).toBe(INT64_MAX)
    expect(refusalOf(() => write({ version: [9_223_372_036_854, 775, 808] }))).toEqual([
      'bad-input DG-06',
      expect.stringMatching(/too great/),
    ])
  })

  it('is not blamed for a mistake: an argument that is not there', () => {
    expect(() => encodeDeviceRecord({ ...record, seqno: undefined as never })).toThrow(TypeError)
    expect(() => decodeDeviceRecord(undefined as never)).toThrow(TypeError)
  })
})

describe('the order of keys in a record (DG-04)', () => {
  it('is that of their bytes, extras between the others', () => {
    const keys = ['', '!', 'A', 'N', 'Y', 'e', 'u', 'z', '\u00ff', 'd2', 'tt']
    const extras = new Map(keys.toReversed().map(key => [key, encodeUtf8('i7e')]))
    const bytes = encodeDeviceRecord({ ...record, extras })
    expect([...decodeDeviceRecord(bytes).extras.keys()]).toEqual(keys.toSorted())
    expect(decodeDeviceRecord(bytes)).toEqual({
      ...record,
      extras: new Map(keys.toSorted().map(key => [key, encodeUtf8('i7e')])),
    })
  })
})

describe('a text that is shown (DG-19)', () => {
  const shown = (text: string) => deviceRecordText({ ...record, description: encodeUtf8(text) }).description
  const codes = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)
  const HIDDEN = [codes(0, 0x1f), codes(0x7f, 0x9f), codes(0x2028, 0x2029), [0x61c, 0x200e, 0x200f], codes(0x202a, 0x202e), codes(0x2066, 0x2069)] // biome-ignore format: a table

  it('has no character that moves the cursor, ends the line or turns the direction, and every other', () => {
    const hidden = new Set(HIDDEN.flat())
    const wrong = codes(0, 0x2100).filter(code => shown(`a${String.fromCharCode(code)}b`).length !== (hidden.has(code) ? 2 : 3))
    expect(wrong).toEqual([])
    expect(shown('a\u202e\u202e\n\nb\u2066')).toBe('ab')
  })

  it('keeps a byte order mark, and says where a byte is no text', () => {
    expect(shown('\ufeffa')).toBe('\ufeffa')
    expect(deviceRecordText({ ...record, type: Uint8Array.of(0xc3) }).type).toBe('\ufffd')
  })
})

describe('a device ID as text (DG-03)', () => {
  it.each(['g', 'G', ' ', '/', ':', '@', '`', '\u0130', '\u017f'])('has no character %j', character => {
    for (const text of [
      `${character}${'a'.repeat(63)}`,
      `${'a'.repeat(63)}${character}`,
      `${'a'.repeat(64)}${character}`,
      `${character}${'a'.repeat(64)}`,
    ]) {
      expect(refusalOf(() => parseDeviceId(text))).toEqual(['bad-input DG-03', 'a device ID is 64 hexadecimal characters'])
    }
  })

  it('has either case of letters, and is lower case', () => {
    expect(parseDeviceId('0123456789abcdefABCDEF'.padEnd(64, 'fF09'))).toBe('0123456789abcdefabcdef'.padEnd(64, 'ff09'))
  })
})
