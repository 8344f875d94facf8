import { Secret } from '@session-v2/crypto'
import {
  concatBytes,
  decodeHex,
  encodeHex,
  encodeUtf8,
  equalBytes,
  INT64_MAX,
  INT64_MIN,
  padWithZeros,
} from '@session-v2/encoding'
import {
  type AccountKeySeed,
  type DeviceId,
  decodeGroupPayload,
  deviceIdOf,
  encodeDeviceRecord,
  encodeGroupPayload,
  type GroupEntry,
  type GroupPayload,
  paddedGroupPayloadBytes,
  wipeGroupPayload,
} from '@session-v2/protocol'
import { inTime } from '@session-v2/tools/fuzz'
import { loadVectorsOfKind } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { groupOf, someDevice, watched } from './group-world.ts'
import { codeThrownBy, fuzzRuns, native, providers, refusalBy, wasm } from './providers.ts'

const recorded = loadVectorsOfKind('device-group', 'device_group').map(vector => [vector.in.name, vector.out] as const)
const seedOf = (byte: number, createdAtS: number, rotatedAtS?: number): AccountKeySeed => ({
  seed: Secret.of(new Uint8Array(32).fill(byte), 'account-key-seed'),
  createdAtS,
  ...(rotatedAtS === undefined ? {} : { rotatedAtS }),
})
const payloadOf = (devices: [DeviceId, GroupEntry][], accountKeys: AccountKeySeed[] = []): GroupPayload => ({
  devices: new Map(devices),
  accountKeys,
})
const idOf = (number: number) => deviceIdOf(padWithZeros(Uint8Array.of(number >> 8, number & 0xff), 32))
const seedsOf = ({ accountKeys }: GroupPayload) => accountKeys.map(({ seed }) => seed.expose()[0])

describe.each(providers)('payload of a group message, as recorded, DG-07 (%s)', (_, crypto) => {
  it.each(recorded)('%s: is read, and written again as it was', (_name, { trace, payload }) => {
    const read = decodeGroupPayload(crypto, decodeHex(trace.payload_plaintext))
    expect(encodeHex(encodeGroupPayload(read))).toBe(trace.payload_plaintext)
    expect([...read.devices.keys()]).toEqual(payload.devices.map((row: { id: string }) => row.id))
    for (const row of payload.devices) {
      const entry = read.devices.get(row.id)!
      if (row.state === 4) expect(entry).toEqual({ kind: 'kicked', atS: BigInt(row.kicked) })
      else expect(entry).toMatchObject({ kind: 'member', digest: decodeHex(row.digest) })
    }
    const keys = read.accountKeys.map(({ seed, createdAtS, rotatedAtS }) => ({
      created: createdAtS,
      ...(rotatedAtS === undefined ? {} : { rotated: rotatedAtS }),
      seed: encodeHex(seed.expose()),
    }))
    expect(keys).toEqual(payload.account_keys)
  })

  it.each(recorded)('%s: is padded to its recorded size', (_name, { trace }) => {
    expect(paddedGroupPayloadBytes(trace.payload_plaintext.length / 2)).toBe(trace.padded_size)
  })
})

describe('size of a padded payload, DG-07', () => {
  it.each([
    [0, 8700],
    [1, 8700],
    [2300, 8700],
    [2301, 8700],
    [8700, 8700],
    [8701, 15_100],
    [15_100, 15_100],
    [15_101, 21_500],
    [1_000_000, 1_000_700],
  ])('%i bytes become %i', (payloadBytes, paddedBytes) => {
    expect(paddedGroupPayloadBytes(payloadBytes)).toBe(paddedBytes)
  })

  it('is the least that holds the payload', () => {
    fc.assert(
      fc.property(fc.nat(100_000), payloadBytes => {
        const padded = paddedGroupPayloadBytes(payloadBytes)
        expect(padded).toBeGreaterThanOrEqual(payloadBytes)
        expect((padded - 2300) % 6400).toBe(0)
        expect(padded === 8700 || padded - 6400 < payloadBytes).toBe(true)
      }),
    )
  })
})

describe('account keys in a payload, DG-07', () => {
  it('stand with the current one first, then by rotation, then by creation, then by seed', () => {
    const keys = [seedOf(5, 10, 20), seedOf(2, 40, 50), seedOf(1, 50), seedOf(3, 30, 40), seedOf(4, 20, 40), seedOf(6, 10, 20)]
    expect(seedsOf(decodeGroupPayload(wasm, encodeGroupPayload(payloadOf([], keys))))).toEqual([1, 2, 3, 4, 5, 6])
    expect(seedsOf(decodeGroupPayload(wasm, encodeGroupPayload(payloadOf([], keys.reverse()))))).toEqual([1, 2, 3, 4, 5, 6])
  })

  it.each([
    ['two current keys', 'AK-03', [seedOf(1, 5), seedOf(2, 6)]],
    ['a seed twice', 'AK-03', [seedOf(1, 5), seedOf(1, 4, 5)]],
    ['a time before the epoch', 'DG-09', [seedOf(1, -1)]],
    ['half a second', 'DG-09', [seedOf(1, 5, 6.5)]],
    [
      'a seed of another size',
      'DG-07',
      [{ seed: Secret.of(new Uint8Array(31), 'account-key-seed'), createdAtS: 5 } as AccountKeySeed],
    ],
    [
      '257 keys',
      'DG-09',
      Array.from(
        { length: 257 },
        (_, at) => ({ ...seedOf(0, at, at), seed: Secret.of(deviceSeed(at), 'account-key-seed') }) as AccountKeySeed,
      ),
    ],
  ])('are not written: %s', (_, clause, keys) => {
    expect(refusalBy(() => encodeGroupPayload(payloadOf([], keys)))).toBe(`bad-input ${clause}`)
  })

  it('can be 256', () => {
    const keys = Array.from(
      { length: 256 },
      (_, at): AccountKeySeed => ({ ...seedOf(0, at, at), seed: Secret.of(deviceSeed(at), 'account-key-seed') }),
    )
    expect(decodeGroupPayload(wasm, encodeGroupPayload(payloadOf([], keys))).accountKeys).toHaveLength(256)
  })
})

function deviceSeed(at: number): Uint8Array {
  return padWithZeros(Uint8Array.of(at >> 8, at & 0xff), 32)
}

describe('devices that are gone, DG-08', () => {
  const id = idOf(1)

  it.each([
    ['kicked', 1n, 'i1e'],
    ['left', 1n, 'i-1e'],
    ['kicked', INT64_MAX, `i${INT64_MAX}e`],
    ['left', INT64_MAX, `i-${INT64_MAX}e`],
  ] as const)('%s at %i are written %s', (kind, atS, written) => {
    const encoded = encodeGroupPayload(payloadOf([[id, { kind, atS }]]))
    expect(new TextDecoder('latin1').decode(encoded)).toContain(written)
    expect(decodeGroupPayload(wasm, encoded).devices.get(id)).toEqual({ kind, atS })
  })

  it.each([0n, -1n, INT64_MIN, INT64_MAX + 1n])('are not written with the time %i', atS => {
    for (const kind of ['left', 'kicked'] as const) {
      expect(refusalBy(() => encodeGroupPayload(payloadOf([[id, { kind, atS }]])))).toBe('bad-input DG-08')
    }
  })
})

describe('limits of a payload, DG-09', () => {
  const gone = (count: number) => payloadOf(Array.from({ length: count }, (_, at) => [idOf(at), { kind: 'left', atS: 5n }]))

  it('4096 devices are written and read, 4097 are neither', () => {
    expect(decodeGroupPayload(wasm, encodeGroupPayload(gone(4096))).devices.size).toBe(4096)
    expect(refusalBy(() => encodeGroupPayload(gone(4097)))).toBe('bad-input DG-09')
    const entries = Array.from({ length: 4097 }, (_, at) => concatBytes(encodeUtf8('32:'), deviceSeed(at), encodeUtf8('i5e')))
    const encoded = concatBytes(encodeUtf8('d1:Dd'), ...entries, encodeUtf8('e1:Klee'))
    expect(refusalBy(() => decodeGroupPayload(wasm, encoded))).toBe('malformed DG-09')
  })

  it('more than 1 MiB is not read', () => {
    expect(refusalBy(() => decodeGroupPayload(wasm, new Uint8Array(1024 * 1024 + 1).fill(0x64)))).toBe('malformed DG-09')
  })
})

describe('seeds in a payload', () => {
  it('are copies, which can be wiped without the payload', () => {
    const encoded = encodeGroupPayload(payloadOf([], [seedOf(9, 5)]))
    const read = decodeGroupPayload(wasm, encoded)
    encoded.fill(0)
    expect(seedsOf(read)).toEqual([9])
    const { seed } = read.accountKeys[0]!
    wipeGroupPayload(read)
    expect(seed.wiped).toBe(true)
  })

  it('cannot be written once they are wiped, and that is no outcome of bytes', () => {
    const key = seedOf(9, 5)
    key.seed.wipe()
    expect(codeThrownBy(() => encodeGroupPayload(payloadOf([], [key])))).toBe('bad-key')
  })

  it('do not show in the payload that holds them', () => {
    const read = decodeGroupPayload(wasm, encodeGroupPayload(payloadOf([], [seedOf(0xa7, 5)])))
    expect(JSON.stringify(read)).not.toMatch(/a7a7|167,167/)
    expect(Buffer.from(JSON.stringify(structuredClone(read))).includes('167')).toBe(false)
  })
})

describe('laws of payloads', () => {
  const devices = [1, 2, 3, 4, 5].map(byte => someDevice(native, byte))
  const entry = fc.oneof(
    fc.constantFrom(...devices.map(device => device.entry)),
    fc.record({ kind: fc.constantFrom('left' as const, 'kicked' as const), atS: fc.bigInt({ min: 1n, max: INT64_MAX }) }),
  )
  const anyDevices = fc.array(fc.tuple(fc.nat(65_535).map(idOf), entry), { maxLength: 12 })
  const rotated = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 255 }), fc.nat(1000), fc.nat(1000)), {
    selector: ([byte]) => byte,
    maxLength: 10,
  })

  /** By their bytes: comparing long arrays as values takes most of the time. */
  const isSame = (one: GroupEntry, other: GroupEntry | undefined) => {
    if (other === undefined || one.kind !== other.kind) return false
    if (one.kind !== 'member' || other.kind !== 'member')
      return one.kind !== 'member' && other.kind !== 'member' && one.atS === other.atS
    return equalBytes(encodeDeviceRecord(one.record), encodeDeviceRecord(other.record)) && equalBytes(one.digest, other.digest)
  }

  it('what is written is read as it was, padded or not', () => {
    fc.assert(
      fc.property(anyDevices, rotated, (entries, keys) => {
        const payload = payloadOf(
          entries,
          keys.map(([byte, createdAtS, rotatedAtS]) => seedOf(byte, createdAtS, rotatedAtS)),
        )
        const encoded = encodeGroupPayload(payload)
        const read = decodeGroupPayload(native, padWithZeros(encoded, paddedGroupPayloadBytes(encoded.length)))
        for (const [id, entry] of read.devices) expect(isSame(entry, payload.devices.get(id))).toBe(true)
        expect([...read.devices.keys()]).toEqual([...payload.devices.keys()].sort())
        expect(seedsOf(read).toSorted()).toEqual(seedsOf(payload).toSorted())
        expect(equalBytes(encodeGroupPayload(read), encoded)).toBe(true)
      }),
      { numRuns: Math.min(100, fuzzRuns) },
    )
  })
})

describe('fuzz payload of a group message', () => {
  const [one, two] = [someDevice(native, 1), someDevice(native, 2)]
  const { accountKeys, devices } = groupOf(native, [one!, two!], [[idOf(7), { kind: 'left', atS: 5n }]], [seedOf(1, 5, 6)])
  const whole = encodeGroupPayload({ accountKeys, devices })
  const mutated = fc
    .tuple(fc.nat(whole.length), fc.nat(40), fc.uint8Array({ maxLength: 30 }))
    .map(([at, cut, inserted]) => Uint8Array.from([...whole.subarray(0, at), ...inserted, ...whole.subarray(at + cut)]))
  const structured = fc
    .array(fc.constantFrom('d', 'l', 'e', 'i5e', '1:D', '1:K', '1:c', '1:s', `32:${'a'.repeat(32)}`, '0:'), { maxLength: 40 })
    .map(parts => encodeUtf8(`d1:D${parts.join('')}e`))

  it('is read, or malformed, soon', () => {
    fc.assert(
      fc.property(fc.oneof(mutated, structured, fc.uint8Array({ maxLength: 200 })), bytes => {
        let result = ''
        inTime(bytes, () => {
          try {
            decodeGroupPayload(native, bytes)
            result = 'read'
          } catch (error) {
            result = (error as { code: string }).code
          }
        })
        expect(['malformed', 'read']).toContain(result)
      }),
      { numRuns: fuzzRuns },
    )
  })

  it('reads without asking for anything secret: only digests are computed', () => {
    const { crypto, calls } = watched(native)
    decodeGroupPayload(crypto, whole)
    expect(new Set(calls.map(({ operation }) => operation))).toEqual(new Set(['blake2b']))
  })
})
