/** The set of account keys at its borders: what stays the very same, what is refused and why, and odd times (AK-03, AK-11 to AK-13). */
import { Secret } from '@session-v2/crypto'
import {
  type AccountKeySeed,
  currentAccountKey,
  mergeAccountKeys,
  pruneAccountKeys,
  rotateAccountKeys,
  settleAccountKeys,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { sortAccountKeys } from '../src/account-keys/account-key-set.ts'
import { refusalOf } from './providers.ts'

const secretOf = (byte: number) => Secret.of(new Uint8Array(32).with(31, byte), 'account-key-seed')
const keyOf = (byte: number, createdAtS: number, rotatedAtS?: number): AccountKeySeed => ({
  seed: secretOf(byte),
  createdAtS,
  ...(rotatedAtS === undefined ? {} : { rotatedAtS }),
})
const asIs = (key: AccountKeySeed) => key
const plain = (keys: readonly AccountKeySeed[]) =>
  keys.map(({ seed, createdAtS, rotatedAtS }) => [seed.expose()[31], createdAtS, rotatedAtS ?? 'current'])

describe('the current key', () => {
  it('of several is the newest, wherever it stands (AK-03)', () => {
    const [older, newer, rotated] = [keyOf(1, 10), keyOf(2, 30), keyOf(3, 50, 60)]
    expect(currentAccountKey([older, rotated, newer])).toBe(newer)
    expect(currentAccountKey([newer, rotated, older])).toBe(newer)
    expect(currentAccountKey([rotated])).toBeUndefined()
  })
})

describe('sorting', () => {
  it('returns the very keys, in their order (AK-13)', () => {
    const keys = [keyOf(4, 5, 20), keyOf(1, 10, 20), keyOf(2, 20), keyOf(3, 10, 20), keyOf(5, 1, 30)]
    expect(sortAccountKeys(keys)).toEqual([keys[2], keys[4], keys[1], keys[3], keys[0]])
    expect(sortAccountKeys([])).toEqual([])
    expect(sortAccountKeys([keys[0]!])).toEqual([keys[0]])
  })

  it('refuses two current keys and a seed that is there twice, and says which it was (AK-03)', () => {
    const refused = (keys: readonly AccountKeySeed[]) => refusalOf(() => sortAccountKeys(keys))
    expect(refused([keyOf(1, 10), keyOf(2, 20)])).toEqual(['bad-input AK-03', 'of account keys at most one is current'])
    for (const twice of [keyOf(1, 10), keyOf(1, 20, 30)]) {
      const keys = [keyOf(3, 5, 6), twice, keyOf(2, 1, 3), keyOf(1, 10, 40)]
      expect(refused(keys)).toEqual(['bad-input AK-03', 'this account key is held already'])
    }
    const same = keyOf(1, 10, 20)
    expect(refused([same, same])).toEqual(['bad-input AK-03', 'this account key is held already'])
  })
})

describe('merging a key that is known (AK-11)', () => {
  const held = [keyOf(1, 20), keyOf(2, 10, 20), keyOf(3, 5, 10)]

  it('leaves it the very same when nothing is learnt', () => {
    const { keys, inserted } = mergeAccountKeys(held, [keyOf(1, 20), keyOf(2, 10, 30), keyOf(3, 5)], asIs)
    for (const [at, key] of held.entries()) expect(keys[at]).toBe(key)
    expect(inserted).toEqual([])
  })

  it('changes it alone when an earlier rotation is learnt', () => {
    const { keys } = mergeAccountKeys(held, [keyOf(2, 10, 15)], asIs)
    expect(plain(keys)).toEqual([
      [1, 20, 'current'],
      [2, 10, 15],
      [3, 5, 10],
    ])
    expect([keys[0], keys[2]]).toEqual([held[0], held[2]])
    expect(keys[0]).toBe(held[0])
    expect(keys[1]!.seed).toBe(held[1]!.seed)
    expect(held[1]!.rotatedAtS).toBe(20)
  })
})

describe('merging a key that is unknown (AK-11)', () => {
  it('decides which is current only when it is not rotated itself', () => {
    // No merge leaves two current keys behind, but a caller may hold them.
    const held = [keyOf(1, 10), keyOf(2, 20)]
    const { keys } = mergeAccountKeys(held, [keyOf(3, 5, 10)], asIs)
    expect(plain(keys)).toEqual([
      [2, 20, 'current'],
      [1, 10, 'current'],
      [3, 5, 10],
    ])
    expect(plain(mergeAccountKeys(held, [keyOf(3, 15)], asIs).keys)).toEqual([
      [2, 20, 'current'],
      [3, 15, 20],
      [1, 10, 20],
    ])
  })

  it('leaves the times of rotated keys as they are', () => {
    const rotated = keyOf(1, 10, 15)
    const { keys } = mergeAccountKeys([rotated], [keyOf(2, 20), keyOf(3, 30)], asIs)
    expect(keys[2]).toBe(rotated)
    expect(plain(keys)).toEqual([
      [3, 30, 'current'],
      [2, 20, 30],
      [1, 10, 15],
    ])
  })

  it('takes the first and the last second there is', () => {
    const last = Number.MAX_SAFE_INTEGER
    expect(plain(mergeAccountKeys([], [keyOf(1, 0, 0), keyOf(2, last)], asIs).keys)).toEqual([
      [2, last, 'current'],
      [1, 0, 0],
    ])
  })

  it('changes nothing when a time behind it is none', () => {
    const complaint = '-1 is not a time in whole seconds since the epoch'
    const adopted: AccountKeySeed[] = []
    const adopt = (key: AccountKeySeed) => {
      adopted.push(key)
      return key
    }
    for (const wrong of [keyOf(2, -1), keyOf(2, 5, -1)]) {
      expect(refusalOf(() => mergeAccountKeys([], [keyOf(1, 5), wrong], adopt))).toEqual(['bad-input AK-02', complaint])
    }
    expect(adopted).toEqual([])
  })
})

describe('settling (AK-12)', () => {
  it('leaves keys whose rotation holds the very same', () => {
    const keys = [keyOf(1, 30), keyOf(2, 20, 30), keyOf(3, 10, 15)]
    const settled = settleAccountKeys(keys.toReversed())
    for (const [at, key] of keys.entries()) expect(settled[at]).toBe(key)
    expect(settleAccountKeys([])).toEqual([])
  })

  it('is in the order of sets, also when a rotation is named that lies before the creation (AK-13)', () => {
    const keys = [keyOf(2, 60, 52), keyOf(1, 50, 55)]
    expect(plain(settleAccountKeys(keys))).toEqual([
      [1, 50, 55],
      [2, 60, 52],
    ])
    expect(plain(mergeAccountKeys([], keys, asIs).keys)).toEqual(plain(settleAccountKeys(keys)))
  })

  it('takes of two keys of the same second the one with the lower seed for newer', () => {
    expect(plain(settleAccountKeys([keyOf(9, 10, 50), keyOf(8, 10), keyOf(7, 5)]))).toEqual([
      [8, 10, 'current'],
      [9, 10, 10],
      [7, 5, 10],
    ])
  })
})

describe('rotating', () => {
  it('returns the set in its order, whatever the order it is given (AK-04, AK-13)', () => {
    const held = [keyOf(1, 10, 20), keyOf(3, 40), keyOf(2, 20, 40)]
    const rotated = rotateAccountKeys(held, secretOf(4), 50, asIs)
    expect(plain(rotated)).toEqual([
      [4, 50, 'current'],
      [3, 40, 50],
      [2, 20, 40],
      [1, 10, 20],
    ])
    expect(rotated[3]).toBe(held[0])
    expect(plain(held.slice(1, 2))).toEqual([[3, 40, 'current']])
  })

  it('refuses a time that is none whatever is held, and says so', () => {
    for (const held of [[], [keyOf(1, 10)]]) {
      for (const nowS of [-1, 0.5, Number.NaN, 2 ** 53]) {
        const complaint = `${nowS} is not a time in whole seconds since the epoch`
        expect(refusalOf(() => rotateAccountKeys(held, secretOf(2), nowS, asIs))).toEqual(['bad-input AK-02', complaint])
      }
    }
    expect(refusalOf(() => rotateAccountKeys([keyOf(1, 10)], secretOf(1), 20, asIs))).toEqual([
      'bad-input AK-03',
      'this account key is held already',
    ])
    expect(plain(rotateAccountKeys([], secretOf(1), 0, asIs))).toEqual([[1, 0, 'current']])
  })
})

describe('pruning (AK-06)', () => {
  it('returns the very keys that stay, and the very seeds that go', () => {
    const keys = [keyOf(3, 5, 10), keyOf(1, 2_000_000), keyOf(2, 10, 2_000_000)]
    const { keys: kept, wipe } = pruneAccountKeys(keys, 2_000_000)
    expect([kept.length, wipe.length]).toEqual([2, 1])
    expect(kept[0]).toBe(keys[1])
    expect(kept[1]).toBe(keys[2])
    expect(wipe[0]).toBe(keys[0]!.seed)
    expect(refusalOf(() => pruneAccountKeys(keys, 0.5))).toEqual([
      'bad-input AK-02',
      '0.5 is not a time in whole seconds since the epoch',
    ])
  })
})
