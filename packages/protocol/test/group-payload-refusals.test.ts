/** What a payload of a group message that is refused says of itself, at the limits of its form, and what is left of its seeds. */
import { Secret } from '@session-v2/crypto'
import { encodeUtf8, INT64_MAX, INT64_MIN } from '@session-v2/encoding'
import { type AccountKeySeed, decodeGroupPayload, deviceIdOf, encodeGroupPayload, type GroupEntry } from '@session-v2/protocol'
import { describe, expect, it, vi } from 'vitest'
import { isZero, someDevice } from './group-world.ts'
import { native, refusalOf } from './providers.ts'

const SEED = 'abcdefgh'.repeat(4)
const ID = 'i'.repeat(32)
const decode = (text: string) => decodeGroupPayload(native, encodeUtf8(text))
const keyed = (key: string) => `d1:Kl${key}ee`
const listed = (entries: string) => `d1:Dd${entries}e1:Klee`
const numbered = (count: number) => Array.from({ length: count }, (_, at) => `32:${String(at).padStart(32, '0')}i1e`).join('')
const seedOf = (byte: number, times: Partial<AccountKeySeed> = {}): AccountKeySeed => ({
  seed: Secret.of(new Uint8Array(32).fill(byte), 'account-key-seed'),
  createdAtS: 5,
  ...times,
})

describe('a payload that is none (DG-07, DG-09)', () => {
  it.each([
    ['x', 'wrong-type'],
    ['de', 'missing-field'],
    ['d1:Dde1:Kle1:Lle', 'truncated'],
    ['d1:Di5e1:Klee', 'wrong-type'],
    [`d1:Kle1:z${'l'.repeat(25)}${'e'.repeat(25)}e`, 'too-deep'],
    [`d1:Kle1:zl${'i1e'.repeat(100_000)}ee`, 'too-large'],
    [listed(`32:${ID}i99999999999999999999e`), 'out-of-range'],
  ])('%#, for its encoding', (text, causeCode) => {
    const [refusal, said, cause] = refusalOf(() => decode(text))
    expect([refusal, cause]).toEqual(['malformed DG-09', causeCode])
    expect(said).toMatch(/^this is no payload of a group message: .+/)
  })

  it.each([
    ['d1:Ki5ee', 'the account keys of a payload are no list'],
    ['d1:Kdee', 'the account keys of a payload are no list'],
    [keyed('i5e'), 'an account key of a payload is no dict'],
    [keyed('le'), 'an account key of a payload is no dict'],
    [keyed('d1:ci5ee'), 'an account key of a payload has no seed of 32 bytes'],
    [keyed('d1:ci5e1:si5ee'), 'an account key of a payload has no seed of 32 bytes'],
    [keyed(`d1:ci5e1:s31:${SEED.slice(1)}e`), 'an account key of a payload has no seed of 32 bytes'],
    [keyed(`d1:ci5e1:s33:x${SEED}e`), 'an account key of a payload has no seed of 32 bytes'],
    [keyed(`d1:sl${'i1e'.repeat(32)}ee`), 'an account key of a payload has no seed of 32 bytes'],
    [keyed(`d1:s32:${SEED}e`), 'an account key of a payload has no usable time'],
    [keyed(`d1:c1:51:s32:${SEED}e`), 'an account key of a payload has no usable time'],
    [keyed(`d1:ci-1e1:s32:${SEED}e`), 'an account key of a payload has no usable time'],
    [keyed(`d1:ci9007199254740992e1:s32:${SEED}e`), 'an account key of a payload has no usable time'],
    [keyed(`d1:ci5e1:ri-1e1:s32:${SEED}e`), 'an account key of a payload has no usable time'],
    [keyed(`d1:ci5e1:rle1:s32:${SEED}e`), 'an account key of a payload has no usable time'],
    [keyed(`d1:ci5e1:s32:${SEED}e`.repeat(257)), 'a payload has 256 account keys at most, not 257'],
    [listed(`31:${ID.slice(1)}i5e`), 'a device ID in a payload has not 32 bytes'],
    [listed(`33:i${ID}i5e`), 'a device ID in a payload has not 32 bytes'],
    [listed(numbered(4097)), 'a payload has 4096 devices at most, not 4097'],
    [listed('0:i5e'), 'a device ID in a payload has not 32 bytes'],
    [listed(`32:${ID}i0e`), 'a device in a payload is neither a record nor a time'],
    [listed(`32:${ID}i${INT64_MIN}e`), 'a device in a payload is neither a record nor a time'],
    [listed(`32:${ID}le`), 'a device in a payload is neither a record nor a time'],
    [listed(`32:${ID}1:5`), 'a device in a payload is neither a record nor a time'],
  ])('%#, for what it says', (text, complaint) => {
    expect(refusalOf(() => decode(text))).toEqual(['malformed DG-09', complaint])
  })

  it('has a record that is none', () => {
    const [refusal, said, cause] = refusalOf(() => decode(listed(`32:${ID}de`)))
    expect([refusal, cause]).toEqual(['malformed DG-06', 'missing-field'])
    expect(said).toMatch(/^this is no record of a device: /)
  })

  it('is none of these at the limits', () => {
    const id = deviceIdOf(encodeUtf8(ID))
    expect(decode(`d1:Kle1:z${'l'.repeat(24)}${'e'.repeat(24)}e`)).toEqual({ devices: new Map(), accountKeys: [] })
    expect(decode(`d1:Kle1:zl${'i1e'.repeat(99_000)}ee`)).toEqual({ devices: new Map(), accountKeys: [] })
    expect(decode(listed(`32:${ID}i-${INT64_MAX}e`)).devices).toEqual(new Map([[id, { kind: 'left', atS: INT64_MAX }]]))
    expect(decode(listed(`32:${ID}i1e`)).devices).toEqual(new Map([[id, { kind: 'kicked', atS: 1n }]]))
    const [key] = decode(keyed(`d1:ai5e1:ci0e1:ri9007199254740991e1:s32:${SEED}1:zlee`)).accountKeys
    expect(key).toEqual({ seed: key!.seed, createdAtS: 0, rotatedAtS: Number.MAX_SAFE_INTEGER })
    expect(key!.seed.expose()).toEqual(encodeUtf8(SEED))
    const current = decode(keyed(`d1:ci9007199254740991e1:s32:${SEED}e`)).accountKeys[0]!
    expect(Object.keys(current).sort()).toEqual(['createdAtS', 'seed'])
    expect(decode(keyed(`d1:ci5e1:s32:${SEED}e`.repeat(256))).accountKeys).toHaveLength(256)
  })
})

describe('a payload that cannot be written says why (DG-07 to DG-09)', () => {
  const id = deviceIdOf(encodeUtf8(ID))
  const encode = (devices: [typeof id, GroupEntry][], accountKeys: AccountKeySeed[] = []) =>
    refusalOf(() => encodeGroupPayload({ devices: new Map(devices), accountKeys }))

  it.each([0n, -1n, INT64_MAX + 1n])('the time %i of a device that is gone', atS => {
    for (const kind of ['left', 'kicked'] as const) {
      expect(encode([[id, { kind, atS }]])).toEqual(['bad-input DG-08', `${atS} is no time at which a device can be gone`])
    }
  })

  it('too many devices, or account keys', () => {
    const devices = Array.from({ length: 4097 }, (_, at): [typeof id, GroupEntry] => [
      deviceIdOf(new Uint8Array(32).fill(at & 0xff).fill(at >> 8, 31)),
      { kind: 'left', atS: 1n },
    ])
    expect(encode(devices)).toEqual(['bad-input DG-09', 'a payload has 4096 devices at most, not 4097'])
    const keys = Array.from({ length: 257 }, (_, at) => seedOf(at & 0xff, { rotatedAtS: at }))
    expect(encode([], keys)).toEqual(['bad-input DG-09', 'a payload has 256 account keys at most, not 257'])
  })

  it('an account key that is none', () => {
    const short = { ...seedOf(1), seed: Secret.of(new Uint8Array(31), 'account-key-seed') } as AccountKeySeed
    expect(encode([], [short])).toEqual(['bad-input DG-07', 'the seed of an account key has 31 bytes instead of 32'])
    const noTime = (timeS: number) => ['bad-input DG-09', `${timeS} is not a time in whole seconds since the epoch`]
    expect(encode([], [seedOf(1, { createdAtS: 0.5 })])).toEqual(noTime(0.5))
    expect(encode([], [seedOf(1, { createdAtS: -1 })])).toEqual(noTime(-1))
    expect(encode([], [seedOf(1, { rotatedAtS: -1 })])).toEqual(noTime(-1))
    expect(encode([], [seedOf(1, { rotatedAtS: 2 ** 53 })])).toEqual(noTime(2 ** 53))
  })
})

/** Every array of bytes that was made while `action` ran, live. */
function madeDuring(action: () => unknown): Uint8Array[] {
  const all: Uint8Array[] = []
  const watching = new Proxy(Uint8Array, {
    construct(target, given, as) {
      const made = Reflect.construct(target, given, as) as Uint8Array
      all.push(made)
      return made
    },
  })
  vi.stubGlobal('Uint8Array', watching)
  const slicing = vi.spyOn(Uint8Array.prototype, 'slice')
  try {
    action()
  } finally {
    all.push(...slicing.mock.results.map(({ value }) => value as Uint8Array))
    slicing.mockRestore()
    vi.unstubAllGlobals()
  }
  return all
}

describe('the seeds of a payload (DG-07)', () => {
  const isSeed = (bytes: Uint8Array) => new TextDecoder().decode(bytes) === SEED
  const key = `d1:ci5e1:s32:${SEED}e`

  it.each([
    ['an account key that is none', keyed(`${key}i5e`), 1],
    ['a dict of them', `d1:Kd1:a32:${SEED}1:bl32:${SEED}eee`, 2],
    ['too many of them', keyed(key.repeat(257)), 257],
    ['a seed in another place', keyed(`${key}d1:a32:${SEED}1:bl32:${SEED}ee`), 3],
  ])('are erased when %s is refused', (_, text, count) => {
    const made = madeDuring(() => refusalOf(() => decode(text)))
    expect(made.filter(({ length }) => length === 32)).toHaveLength(count)
    expect(made.filter(isSeed)).toEqual([])
  })

  it('are kept when it is taken, once, and what stands beside them is erased', () => {
    const beside = keyed(`d1:a32:${SEED}1:bl32:${SEED}e1:ci5e1:dd0:32:${SEED}e1:s32:${SEED}e`)
    const made = madeDuring(() => decode(beside))
    expect(made.filter(({ length }) => length === 32)).toHaveLength(4)
    expect(made.filter(isSeed)).toHaveLength(1)
  })

  it('stand in the encoding that is returned, and in nothing that it was made of', () => {
    const device = someDevice(native, 1)
    let encoded: Uint8Array = new Uint8Array()
    const payload = {
      devices: new Map([[device.id, device.entry]]),
      accountKeys: [seedOf(0xa7, { rotatedAtS: 9 }), seedOf(0xa8)],
    }
    const made = madeDuring(() => {
      encoded = encodeGroupPayload(payload)
    })
    const holding = (byte: number) => made.filter(bytes => Buffer.from(bytes).includes(Buffer.alloc(32, byte)))
    expect([holding(0xa7), holding(0xa8)]).toEqual([[encoded], [encoded]])
    // The dict of each key, at least, was one array and is none any more.
    expect(made.filter(bytes => bytes.length > 0 && isZero(bytes)).length).toBeGreaterThanOrEqual(2)
  })
})
