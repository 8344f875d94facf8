import { Secret } from '@session-v2/crypto'
import {
  ACCOUNT_KEY_RETENTION_S,
  currentKey,
  emptyKeyring,
  expandAccountKey,
  type Keyring,
  keyringOf,
  keyringOfSeeds,
  keysByIndicator,
  pruneKeyring,
  rotateKeyring,
  wipeAccountKey,
} from '@session-v2/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isZero, watched } from './group-world.ts'
import { codeThrownBy, providers, refusalBy, refusalOf, someKey, wasm } from './providers.ts'

const seedOf = (number: number) => new Uint8Array(32).fill(number & 0xff).fill(number >> 8, 0, 16)

describe('keyring', () => {
  it('is empty at first', () => {
    expect(currentKey(emptyKeyring)).toBeUndefined()
    expect(keysByIndicator(emptyKeyring, new Uint8Array(2))).toEqual([])
    expect(pruneKeyring(emptyKeyring, 5)).toEqual({ keyring: emptyKeyring, wipe: [] })
  })

  it('takes the time of rotation for the creation of the next key (AK-04)', () => {
    const first = rotateKeyring(wasm, emptyKeyring, seedOf(1), 100)
    const second = rotateKeyring(wasm, first.keyring, seedOf(2), 200)
    expect(second.keyring.keys.map(key => [key.createdAtS, key.rotatedAtS])).toEqual([
      [200, undefined],
      [100, 200],
    ])
    expect(currentKey(second.keyring)).toBe(second.current)
    expect(currentKey(first.keyring)?.rotatedAtS).toBeUndefined()
  })

  it('finds keys by indicator, the current one first, then the last rotated (AK-02, AK-05)', () => {
    const twins = [someKey(wasm, 1, 10, 20), someKey(wasm, 2, 20, 30), someKey(wasm, 3, 30)]
    const indicator = Uint8Array.of(1, 2)
    const keyring = keyringOf(twins.map((key, at) => (at === 1 ? key : { ...key, indicator })))
    expect(keysByIndicator(keyring, indicator).map(key => key.createdAtS)).toEqual([30, 10])
    expect(keysByIndicator(keyring, someKey(wasm, 2).mlKem768.publicKey.subarray(0, 2)).map(key => key.createdAtS)).toEqual([20])
  })

  it('looks keys up without walking through them: every look-up gives the same list', () => {
    const keyring = keyringOf(Array.from({ length: 33 }, (_, at) => someKey(wasm, at, at, at === 32 ? undefined : at + 1)))
    for (const key of keyring.keys) {
      const found = keysByIndicator(keyring, key.indicator)
      expect(found).toContain(key)
      expect(keysByIndicator(keyring, key.indicator)).toBe(found)
    }
  })

  it('is read back in any order', () => {
    const keys = [someKey(wasm, 1, 10, 20), someKey(wasm, 2, 20, 30), someKey(wasm, 3, 30)]
    expect(keyringOf(keys).keys.map(key => key.createdAtS)).toEqual([30, 20, 10])
    expect(keyringOf(keys.toReversed())).toEqual(keyringOf(keys))
    expect(keyringOf([])).toEqual(emptyKeyring)
  })

  it('can have no current key: a message may carry rotated ones only', () => {
    const keyring = keyringOf([someKey(wasm, 1, 10, 20), someKey(wasm, 2, 5, 10)])
    expect(currentKey(keyring)).toBeUndefined()
    expect(keyring.keys.map(key => key.createdAtS)).toEqual([10, 5])
  })

  it('has one current key at most and no key twice (AK-03)', () => {
    expect(refusalBy(() => keyringOf([someKey(wasm, 1), someKey(wasm, 2)]))).toBe('bad-input AK-03')
    expect(refusalBy(() => keyringOf([someKey(wasm, 1), someKey(wasm, 1, 5, 6)]))).toBe('bad-input AK-03')
  })

  it('refuses seeds and times that are none', () => {
    expect(refusalBy(() => rotateKeyring(wasm, emptyKeyring, new Uint8Array(31), 5))).toBe('bad-input AK-01')
    const { keyring } = rotateKeyring(wasm, emptyKeyring, seedOf(1), 5)
    expect(refusalBy(() => rotateKeyring(wasm, keyring, seedOf(1), 10))).toBe('bad-input AK-03')
    expect(refusalBy(() => keysByIndicator(keyring, new Uint8Array(3)))).toBe('bad-input AK-02')
    for (const nowS of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(refusalBy(() => rotateKeyring(wasm, emptyKeyring, seedOf(1), nowS))).toBe('bad-input AK-02')
    }
  })
})

describe.each(providers)('keyring of seeds (%s)', (_, crypto) => {
  const seed = (byte: number, createdAtS: number, rotatedAtS?: number) => ({
    seed: Secret.of(new Uint8Array(32).fill(byte), 'account-key-seed'),
    createdAtS,
    ...(rotatedAtS === undefined ? {} : { rotatedAtS }),
  })
  const timesOf = ({ keys }: Keyring) => keys.map(key => [key.createdAtS, key.rotatedAtS])

  it('is the keyring of the same keys expanded', () => {
    const keyring = keyringOfSeeds(crypto, [seed(1, 10, 20), seed(2, 20)])
    expect(timesOf(keyring)).toEqual([[20, undefined], [10, 20]]) // biome-ignore format: a table
    expect(keyring.keys.map(key => key.x25519.publicKey)).toEqual([2, 1].map(byte => someKey(crypto, byte).x25519.publicKey))
    expect(keyringOfSeeds(crypto, [])).toEqual(emptyKeyring)
  })

  it('takes over what is expanded, with the new times, and expands the rest', () => {
    const known = keyringOfSeeds(crypto, [seed(1, 10), seed(3, 5, 10)])
    const keyring = keyringOfSeeds(crypto, [seed(1, 10, 20), seed(2, 20)], known)
    expect(timesOf(keyring)).toEqual([[20, undefined], [10, 20]]) // biome-ignore format: a table
    expect(keyring.keys[1]!.mlKem768).toBe(known.keys[0]!.mlKem768)
    expect(keyring.keys[1]!.seed).toBe(known.keys[0]!.seed)
    expect(timesOf(known)).toEqual([[10, undefined], [5, 10]]) // biome-ignore format: a table
    const again = keyringOfSeeds(crypto, [seed(1, 10)], keyring)
    expect(again.keys[0]).not.toHaveProperty('rotatedAtS')
  })

  it('states a time of rotation of rotated keys only, taken over or expanded', () => {
    const known = keyringOfSeeds(crypto, [seed(1, 10), seed(2, 5, 10)])
    for (const keyring of [known, keyringOfSeeds(crypto, [seed(1, 10), seed(2, 5, 10)], known)]) {
      expect(keyring.keys.map(key => 'rotatedAtS' in key)).toEqual([false, true])
    }
  })

  it('holds copies: the seeds given can be wiped', () => {
    const given = seed(1, 10)
    const keyring = keyringOfSeeds(crypto, [given])
    given.seed.wipe()
    expect([...keyring.keys[0]!.seed.expose()]).toEqual(new Array(32).fill(1))
  })

  it('refuses two current keys, a seed that occurs twice, a wrong size and a time that is none', () => {
    const short = { seed: Secret.of(new Uint8Array(31), 'account-key-seed'), createdAtS: 5 }
    for (const [clause, ...seeds] of [
      ['AK-03', seed(1, 10), seed(2, 20)],
      ['AK-03', seed(1, 10, 20), seed(1, 10, 30)],
      ['AK-01', short],
      ['AK-02', seed(1, -1)],
      ['AK-02', seed(1, 10, 0.5)],
    ] as const) {
      expect(refusalBy(() => keyringOfSeeds(crypto, seeds))).toBe(`bad-input ${clause}`)
    }
  })
})

describe('an account key', () => {
  it('is expanded from what is stored of it, with a copy of the seed', () => {
    const stored = { seed: Secret.of(new Uint8Array(32).fill(7), 'account-key-seed'), createdAtS: 10, rotatedAtS: 20 }
    const key = expandAccountKey(wasm, stored)
    expect(key).toMatchObject({ createdAtS: 10, rotatedAtS: 20, indicator: someKey(wasm, 7).indicator })
    wipeAccountKey(key)
    expect([key.seed.wiped, stored.seed.wiped]).toEqual([true, false])
  })
})

describe.each(providers)('rotating a keyring (%s)', (_, crypto) => {
  it('copies the seed, and leaves no other copy than the one that the key holds (AK-04)', () => {
    const seed = seedOf(1)
    const { crypto: watching, calls } = watched(crypto)
    const { current } = rotateKeyring(watching, emptyKeyring, seed, 100)
    const expanded = calls.filter(({ operation }) => operation === 'shake256').map(({ bytes }) => bytes.at(-1)!)
    expect(expanded.map(bytes => [bytes.length, isZero(bytes)])).toEqual([[32, true]])
    expect(seed).toEqual(seedOf(1))
    expect(current.seed.expose()).toEqual(seedOf(1))
  })

  it('leaves none behind either when the time is none', () => {
    const { crypto: watching, calls } = watched(crypto)
    const { keyring } = rotateKeyring(watching, emptyKeyring, seedOf(1), 100)
    expect(refusalOf(() => rotateKeyring(watching, keyring, seedOf(1), 200))).toEqual([
      'bad-input AK-03',
      'this account key is held already',
    ])
    expect(calls.filter(({ operation }) => operation === 'shake256')).toHaveLength(1)
  })
})

describe('what is no indicator', () => {
  it.each([0, 1, 3])('has %i bytes (AK-02)', sizeBytes => {
    const complaint = `an indicator has ${sizeBytes} bytes instead of 2`
    expect(refusalOf(() => keysByIndicator(emptyKeyring, new Uint8Array(sizeBytes)))).toEqual(['bad-input AK-02', complaint])
  })
})

describe('an indicator', () => {
  it('is told from one of the same bytes the other way round, and from one that shares a byte', () => {
    const indicators = [Uint8Array.of(1, 2), Uint8Array.of(2, 1), Uint8Array.of(1, 1), Uint8Array.of(0, 1), Uint8Array.of(1, 0)]
    const keyring = keyringOf(indicators.map((indicator, at) => ({ ...someKey(wasm, at, at, 100), indicator })))
    for (const [at, indicator] of indicators.entries()) {
      expect(keysByIndicator(keyring, indicator).map(key => key.createdAtS)).toEqual([at])
    }
  })
})

describe('keyring after any history', () => {
  const anyStep = fc.oneof(
    fc.record({ rotateAtS: fc.integer({ min: 0, max: 4_000_000 }) }),
    fc.record({ pruneAtS: fc.integer({ min: 0, max: 4_000_000 }) }),
  )
  const run = (steps: readonly ({ rotateAtS: number } | { pruneAtS: number })[], check: (keyring: Keyring) => void) => {
    let keyring = emptyKeyring
    let seeds = 0
    for (const step of steps) {
      keyring =
        'rotateAtS' in step
          ? rotateKeyring(wasm, keyring, seedOf(seeds++), step.rotateAtS).keyring
          : pruneKeyring(keyring, step.pruneAtS).keyring
      check(keyring)
    }
  }

  it('is ordered: one current key, newest rotation first, creation strictly increasing (AK-04)', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 12 }), steps =>
        run(steps, ({ keys }) => {
          expect(keys.filter(key => key.rotatedAtS === undefined)).toEqual(keys.slice(0, 1))
          for (const [at, older] of keys.slice(1).entries()) {
            const newer = keys[at]!
            expect(older.createdAtS).toBeLessThan(newer.createdAtS)
            expect(older.rotatedAtS).toBeGreaterThan(older.createdAtS)
            expect(older.rotatedAtS).toBeLessThanOrEqual(newer.createdAtS)
          }
        }),
      ),
      { numRuns: 100 },
    )
  })
})

describe('pruning (AK-06)', () => {
  const rotatedAtS = 1_000_000
  const keyring = keyringOf([someKey(wasm, 1, 10, rotatedAtS), someKey(wasm, 2, rotatedAtS)])

  it('keeps a key for 16 days after its rotation, to the second', () => {
    const lastS = rotatedAtS + ACCOUNT_KEY_RETENTION_S
    expect(pruneKeyring(keyring, lastS)).toEqual({ keyring, wipe: [] })
    expect(pruneKeyring(keyring, lastS).keyring).toBe(keyring)
    expect(pruneKeyring(keyring, lastS + 1).keyring.keys.map(key => key.createdAtS)).toEqual([rotatedAtS])
  })

  it('never drops the current key', () => {
    expect(pruneKeyring(keyring, Number.MAX_SAFE_INTEGER).keyring.keys).toHaveLength(1)
  })

  it('hands back every secret of what it drops', () => {
    const dropped = keyring.keys[1]!
    const { wipe } = pruneKeyring(keyring, Number.MAX_SAFE_INTEGER)
    expect(dropped.seed.wiped).toBe(false)
    for (const secret of wipe) secret.wipe()
    expect(dropped.seed.wiped && dropped.x25519.secretKey.wiped).toBe(true)
    expect(codeThrownBy(() => dropped.mlKem768.secretKey.export())).toBe('bad-key')
    expect(keyring.keys[0]!.seed.wiped).toBe(false)
  })

  it('wipes one key as a whole', () => {
    const key = someKey(wasm, 5)
    wipeAccountKey(key)
    expect(key.seed.wiped && key.x25519.secretKey.wiped).toBe(true)
    expect(codeThrownBy(() => key.mlKem768.secretKey.export())).toBe('bad-key')
  })
})
