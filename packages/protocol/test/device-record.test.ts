import type { MlKem768PublicKey, X25519PublicKey } from '@session-v2/crypto'
import {
  BtDictReader,
  decodeBt,
  decodeHex,
  encodeBt,
  encodeHex,
  encodeUtf8,
  equalBytes,
  INT64_MAX,
  INT64_MIN,
} from '@session-v2/encoding'
import {
  type DeviceRecord,
  type DeviceRecordFields,
  decodeDeviceRecord,
  deviceIdBytes,
  deviceIdOf,
  deviceRecordDigest,
  deviceRecordText,
  encodeDeviceRecord,
  parseDeviceId,
  writeDeviceRecord,
} from '@session-v2/protocol'
import { inTime } from '@session-v2/tools/fuzz'
import { loadVectors, loadVectorsOfKind } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { someDevice } from './group-world.ts'
import { fuzzRuns, native, providers, refusalBy, wasm } from './providers.ts'

const CHAPTER = 'device-group'
const own = loadVectors(CHAPTER).filter(file => file.in?.record !== undefined)
const recorded = loadVectorsOfKind(CHAPTER, 'device_group').flatMap(({ out }) =>
  out.payload.devices.filter((row: { state: number }) => row.state === 2),
)
const { record: usual, keys } = someDevice(wasm, 1)
const publicKeys = { x25519: keys.x25519.publicKey, mlKem768: keys.mlKem768.publicKey }
const written = (fields: Partial<DeviceRecordFields>) =>
  writeDeviceRecord({ seqno: 1n, timestampS: 2n, ...publicKeys, ...fields })
const recordWith = (changed: Partial<DeviceRecord>): DeviceRecord => ({ ...usual, ...changed })

describe('device ID, DG-03', () => {
  it('is 64 hexadecimal characters, lower case', () => {
    const id = parseDeviceId('AB'.repeat(32))
    expect(id).toBe('ab'.repeat(32))
    expect(deviceIdOf(deviceIdBytes(id))).toBe(id)
  })

  it.each(['', 'ab', 'ab'.repeat(31), 'ab'.repeat(33), `${'ab'.repeat(31)}xy`, `${'ab'.repeat(31)}a\n`])('is not %j', text => {
    expect(refusalBy(() => parseDeviceId(text))).toBe('bad-input DG-03')
  })

  it.each([0, 31, 33])('does not have %i bytes', size => {
    expect(refusalBy(() => deviceIdOf(new Uint8Array(size)))).toBe('bad-input DG-03')
  })

  it('sorts as text as its bytes do', () => {
    const ids = [255, 0, 16, 9, 10, 160].map(byte => deviceIdOf(new Uint8Array(32).fill(byte)))
    const byBytes = ids.toSorted((a, b) => Buffer.compare(deviceIdBytes(a), deviceIdBytes(b)))
    expect(ids.toSorted()).toEqual(byBytes)
  })
})

describe('record of a device, as recorded, DG-04', () => {
  it.each(recorded.map(row => [row.description, row] as const))('%s: is read, and written again as it was', (_, row) => {
    const encoded = decodeHex(row.record)
    const record = decodeDeviceRecord(encoded)
    expect(encodeHex(encodeDeviceRecord(record))).toBe(row.record)
    const { seqno, timestampS, x25519, mlKem768 } = record
    expect({ ...deviceRecordText(record), seqno: Number(seqno), timestamp: Number(timestampS) }).toEqual({
      description: row.description,
      type: row.type,
      version: row.version,
      seqno: row.seqno,
      timestamp: row.timestamp,
    })
    expect([encodeHex(x25519), encodeHex(mlKem768)]).toEqual([row.x25519, row.mlkem768])
    const { description, type, version } = row
    const anew = writeDeviceRecord({ seqno, timestampS, x25519, mlKem768, description, type, version })
    expect(encodeHex(encodeDeviceRecord(anew))).toBe(row.record)
    for (const [, crypto] of providers) expect(encodeHex(deviceRecordDigest(crypto, encoded))).toBe(row.digest)
  })
})

describe('record of a device, DG-06', () => {
  it.each(own.filter(file => file.failure !== undefined).map(file => [file.name, file.reason, file] as const))(
    '%s: %s',
    (_name, _reason, file) => {
      expect(refusalBy(() => decodeDeviceRecord(decodeHex(file.in.record)))).toBe(`${file.failure} ${file.clause}`)
    },
  )

  it.each(own.filter(file => file.failure === undefined).map(file => [file.name, file.reason, file] as const))(
    '%s: %s',
    (_name, _reason, file) => {
      const encoded = decodeHex(file.in.record)
      expect(encodeHex(encodeDeviceRecord(decodeDeviceRecord(encoded)))).toBe(file.in.record)
      expect(encodeHex(deviceRecordDigest(wasm, encoded))).toBe(file.out.digest)
    },
  )

  it('shares no memory with the bytes it was read from', () => {
    const encoded = encodeDeviceRecord(recordWith({ extras: new Map([['z', encodeUtf8('3:abc')]]) }))
    const record = decodeDeviceRecord(encoded)
    const before = encodeDeviceRecord(record)
    encoded.fill(0)
    expect(encodeDeviceRecord(record)).toEqual(before)
  })
})

describe('record of a device as we write it, DG-05', () => {
  it('has an empty description, and no type and version that say nothing', () => {
    const reader = new BtDictReader(encodeDeviceRecord(written({})))
    expect(reader.requireBytes('d')).toHaveLength(0)
    expect([reader.optionalBytes('t'), reader.optionalInteger('v')]).toEqual([undefined, undefined])
    expect(written({ description: '', type: '', version: [0, 0, 0] })).toEqual(written({}))
  })

  it.each([
    [[2, 0, 7], 2_000_007n],
    [[0, 0, 1], 1n],
    [[1, 1000, 5000], 1_999_999n],
    [[9_223_372_036_853, 999, 999], 9_223_372_036_853_999_999n],
  ] as const)('has the version %j as %i', (version, number) => {
    const record = written({ version })
    expect(record.version).toBe(number)
    expect(deviceRecordText(record).version).toEqual([version[0], Math.min(version[1], 999), Math.min(version[2], 999)])
  })

  it.each([
    [[-1, 0, 0], 'DG-05'],
    [[0, -1, 0], 'DG-05'],
    [[0, 0, 0.5], 'DG-05'],
    [[Number.NaN, 0, 0], 'DG-05'],
    [[9_223_372_036_855, 0, 0], 'DG-06'],
    [[Number.MAX_SAFE_INTEGER, 0, 0], 'DG-06'],
  ] as const)('refuses the version %j', (version, clause) => {
    expect(refusalBy(() => written({ version }))).toBe(`bad-input ${clause}`)
  })

  it.each([
    ['a'.repeat(64), 64],
    ['a'.repeat(65), 64],
    ['é'.repeat(33), 64],
    [`a${'é'.repeat(32)}`, 63],
    [`aaa${'€'.repeat(21)}`, 63],
    [`${'a'.repeat(61)}😀`, 61],
    ['😀'.repeat(16), 64],
    ['😀'.repeat(17), 64],
  ])('cuts the description %j to %i bytes, between characters, and no type', (text, sizeBytes) => {
    const { description, type } = written({ description: text, type: text })
    expect(description).toHaveLength(sizeBytes)
    expect(type).toEqual(encodeUtf8(text))
    expect(text.startsWith(deviceRecordText(written({ description: text })).description)).toBe(true)
  })

  it('copies what it is given', () => {
    const x25519 = Uint8Array.from(publicKeys.x25519) as X25519PublicKey
    const record = written({ x25519 })
    x25519.fill(0)
    expect(record.x25519).toEqual(publicKeys.x25519)
  })
})

describe('record of a device that cannot be written, DG-05, DG-06', () => {
  it.each([
    ['half a character', 'ENC-01', { description: '\ud800' }],
    ['half a character in the type', 'ENC-01', { type: 'a\udc00' }],
    ['a sequence number beyond 64 bits', 'DG-06', { seqno: INT64_MAX + 1n }],
    ['a time beyond 64 bits', 'DG-06', { timestampS: INT64_MIN - 1n }],
    ['a known key among the extras', 'DG-06', { extras: new Map([['d', encodeUtf8('0:')]]) }],
    ['an extra that is no value', 'DG-06', { extras: new Map([['z', encodeUtf8('x')]]) }],
    ['an extra of no bytes', 'DG-06', { extras: new Map([['z', new Uint8Array(0)]]) }],
    ['an extra of two values', 'DG-06', { extras: new Map([['z', encodeUtf8('i1ei2e')]]) }],
    ['an extra that brings a key along', 'DG-06', { extras: new Map([['z', encodeUtf8('i1e2:zzi2e')]]) }],
    ['an extra whose key is no byte string', 'DG-06', { extras: new Map([['\u0100', encodeUtf8('i1e')]]) }],
    ['an extra that is nested too deep', 'DG-06', { extras: new Map([['z', encodeUtf8(`${'l'.repeat(17)}${'e'.repeat(17)}`)]]) }],
    ['more than 64 KiB', 'DG-06', { extras: new Map([['z', encodeUtf8(`65000:${'a'.repeat(65_000)}`)]]) }],
  ] as const)('refuses %s', (_, clause, fields) => {
    expect(refusalBy(() => written(fields))).toBe(`bad-input ${clause}`)
  })

  it('refuses keys of another size', () => {
    const short = new Uint8Array(31) as X25519PublicKey
    expect(refusalBy(() => encodeDeviceRecord(recordWith({ x25519: short })))).toBe('bad-input DG-06')
    expect(refusalBy(() => encodeDeviceRecord(recordWith({ mlKem768: new Uint8Array(1185) as MlKem768PublicKey })))).toBe(
      'bad-input DG-06',
    )
  })

  it('refuses what it would not read: a description of 64 KiB', () => {
    expect(refusalBy(() => encodeDeviceRecord(recordWith({ description: new Uint8Array(65_536) })))).toBe('bad-input DG-06')
  })
})

describe('what is shown of a record, DG-19', () => {
  it.each([
    ['plain', 'plain'],
    ['a\u0000b\u0007c\u001b[31m\u007f', 'abc[31m'],
    ['two\nlines\r\u2028\u2029\u0085', 'twolines'],
    ['\u202egpj.exe', 'gpj.exe'],
    ['\u2066\u2069\u200f\u200e\u061cx', 'x'],
    ['👨‍👩‍👧 é', '👨‍👩‍👧 é'],
    ['\ufeffa', '\ufeffa'],
  ])('of %j is %j', (text, shown) => {
    const { description, type } = deviceRecordText(recordWith({ description: encodeUtf8(text), type: encodeUtf8(text) }))
    expect([description, type]).toEqual([shown, shown])
  })

  it('replaces what is not UTF-8', () => {
    expect(deviceRecordText(recordWith({ description: Uint8Array.of(0x61, 0xff, 0x62) })).description).toBe('a\ufffdb')
  })

  it.each([
    [undefined, undefined],
    [-1n, undefined],
    [INT64_MIN, undefined],
    [0n, [0, 0, 0]],
    [INT64_MAX, [9_223_372_036_854, 775, 807]],
  ])('of the version %s is %j', (version, shown) => {
    const { version: _, ...without } = usual
    expect(deviceRecordText(version === undefined ? without : { ...usual, version }).version).toEqual(shown)
  })

  it('of a record without texts is nothing', () => {
    const { description: _, type: _type, ...bare } = usual
    expect(deviceRecordText(bare)).toMatchObject({ description: '', type: '' })
  })
})

describe('laws of records', () => {
  const int64 = fc.bigInt({ min: INT64_MIN, max: INT64_MAX })
  const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
  const value = fc.oneof(
    int64.map(encodeBt),
    fc.uint8Array({ maxLength: 20 }).map(encodeBt),
    fc.array(int64, { maxLength: 3 }).map(encodeBt),
    fc
      .dictionary(fc.string({ unit: 'grapheme-ascii', maxLength: 3 }), int64)
      .map(dict => encodeBt(new Map(Object.entries(dict)))),
  )
  const key = fc
    .uint8Array({ maxLength: 3 })
    .map(bytes => String.fromCharCode(...bytes))
    .filter(text => !/^[#@MXdtv]$/.test(text))
  const anyRecord = fc
    .record({
      seqno: int64,
      timestampS: int64,
      description: optional(fc.uint8Array({ maxLength: 100 })),
      type: optional(fc.uint8Array({ maxLength: 10 })),
      version: optional(int64),
      extras: fc.array(fc.tuple(key, value), { maxLength: 6 }).map(entries => new Map(entries)),
    })
    .map(
      fields =>
        ({
          ...publicKeys,
          ...Object.fromEntries(Object.entries(fields).filter(([, item]) => item !== undefined)),
        }) as DeviceRecord,
    )

  it('what is written is read as it was, extras in any order', () => {
    fc.assert(
      fc.property(anyRecord, record => {
        const encoded = encodeDeviceRecord(record)
        const { mlKem768, ...read } = decodeDeviceRecord(encoded)
        const { mlKem768: same, ...rest } = record
        expect(read).toEqual(rest)
        expect(equalBytes(mlKem768, same)).toBe(true)
        const reversed = { ...record, extras: new Map([...record.extras].reverse()) }
        expect(equalBytes(encodeDeviceRecord(reversed), encoded)).toBe(true)
      }),
      { numRuns: Math.min(300, fuzzRuns) },
    )
  })

  it('an encoding is a canonical dict', () => {
    fc.assert(
      fc.property(anyRecord, record => {
        const encoded = encodeDeviceRecord(record)
        expect(equalBytes(encodeBt(decodeBt(encoded)), encoded)).toBe(true)
      }),
      { numRuns: Math.min(100, fuzzRuns) },
    )
  })
})

describe('fuzz record of a device', () => {
  const whole = encodeDeviceRecord(recordWith({ extras: new Map([['z', encodeUtf8('li5e3:abce')]]) }))
  const mutated = fc
    .tuple(fc.nat(whole.length), fc.nat(30), fc.uint8Array({ maxLength: 30 }))
    .map(([at, cut, inserted]) => Uint8Array.from([...whole.subarray(0, at), ...inserted, ...whole.subarray(at + cut)]))
  const structured = fc
    .array(fc.constantFrom('d', 'l', 'e', 'i5e', '1:#', '1:@', '1:z', '0:', '99:'), { maxLength: 40 })
    .map(parts => encodeUtf8(parts.join('')))

  it('is read and written again as it was, or malformed, soon', () => {
    fc.assert(
      fc.property(fc.oneof(mutated, structured, fc.uint8Array({ maxLength: 200 })), bytes => {
        let result = ''
        inTime(bytes, () => {
          try {
            result = encodeHex(encodeDeviceRecord(decodeDeviceRecord(bytes)))
          } catch (error) {
            result = (error as { code: string }).code
          }
        })
        expect(['malformed', encodeHex(bytes)]).toContain(result)
      }),
      { numRuns: fuzzRuns },
    )
  })

  it('has the same digest with both providers', () => {
    fc.assert(
      fc.property(fc.uint8Array(), bytes => {
        expect(deviceRecordDigest(native, bytes)).toEqual(deviceRecordDigest(wasm, bytes))
      }),
      { numRuns: 100 },
    )
  })
})
