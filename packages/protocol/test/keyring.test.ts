import {
  ACCOUNT_KEY_RETENTION_S,
  currentKey,
  emptyKeyring,
  type Keyring,
  keyringOf,
  keysByIndicator,
  pruneKeyring,
  rotateKeyring,
  wipeAccountKey,
} from '@session-v2/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codeThrownBy, someKey, wasm } from './providers.ts'

const seedOf = (number: number) => new Uint8Array(32).fill(number & 0xff).fill(number >> 8, 0, 16)

describe('keyring', () => {
  it('is empty at first', () => {
    expect(currentKey(emptyKeyring)).toBeUndefined()
    expect(keysByIndicator(emptyKeyring, new Uint8Array(2))).toEqual([])
    expect(pruneKeyring(emptyKeyring, 5)).toEqual({ keyring: emptyKeyring, wipe: [] })
  })

  it('takes the time of rotation for the creation of the next key', () => {
    const first = rotateKeyring(wasm, emptyKeyring, seedOf(1), 100)
    const second = rotateKeyring(wasm, first.keyring, seedOf(2), 200)
    expect(second.keyring.keys.map(key => [key.createdAtS, key.rotatedAtS])).toEqual([
      [200, undefined],
      [100, 200],
    ])
    expect(currentKey(second.keyring)).toBe(second.current)
    expect(currentKey(first.keyring)?.rotatedAtS).toBeUndefined()
  })

  it('finds keys by indicator, the current one first, then the last rotated', () => {
    const twins = [someKey(wasm, 1, 10, 20), someKey(wasm, 2, 20, 30), someKey(wasm, 3, 30)]
    const indicator = Uint8Array.of(1, 2)
    const keyring = keyringOf(twins.map((key, at) => (at === 1 ? key : { ...key, indicator })))
    expect(keysByIndicator(keyring, indicator).map(key => key.createdAtS)).toEqual([30, 10])
    expect(keysByIndicator(keyring, someKey(wasm, 2).mlKem768.publicKey.subarray(0, 2)).map(key => key.createdAtS)).toEqual([20])
  })

  it('is read back in any order', () => {
    const keys = [someKey(wasm, 1, 10, 20), someKey(wasm, 2, 20, 30), someKey(wasm, 3, 30)]
    expect(keyringOf(keys).keys.map(key => key.createdAtS)).toEqual([30, 20, 10])
    expect(keyringOf(keys.toReversed())).toEqual(keyringOf(keys))
    expect(keyringOf([])).toEqual(emptyKeyring)
  })

  it('has exactly one current key and no key twice', () => {
    expect(codeThrownBy(() => keyringOf([someKey(wasm, 1, 10, 20)]))).toBe('bad-input')
    expect(codeThrownBy(() => keyringOf([someKey(wasm, 1), someKey(wasm, 2)]))).toBe('bad-input')
    expect(codeThrownBy(() => keyringOf([someKey(wasm, 1), someKey(wasm, 1, 5, 6)]))).toBe('bad-input')
  })

  it('refuses seeds and times that are none', () => {
    expect(codeThrownBy(() => rotateKeyring(wasm, emptyKeyring, new Uint8Array(31), 5))).toBe('bad-input')
    for (const nowS of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(codeThrownBy(() => rotateKeyring(wasm, emptyKeyring, seedOf(1), nowS))).toBe('bad-input')
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

  it('is ordered: one current key, newest rotation first, creation strictly increasing', () => {
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

describe('pruning', () => {
  const rotatedAtS = 1_000_000
  const keyring = keyringOf([someKey(wasm, 1, 10, rotatedAtS), someKey(wasm, 2, rotatedAtS)])

  it('keeps a key for 16 days after its rotation, to the second', () => {
    const lastS = rotatedAtS + ACCOUNT_KEY_RETENTION_S
    expect(pruneKeyring(keyring, lastS)).toEqual({ keyring, wipe: [] })
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
