import { loadCrypto } from '@session-v2/crypto'
import { describe, expect, it } from 'vitest'
import { addLanes, itemDigest, lanesToBigInt, negatedLanes } from '../src/store/item-digest.ts'
import {
  isLater,
  minuteOf,
  TOMBSTONE_MS,
  timesOfDeletion,
  timesOfExpiry,
  timesOfStore,
  tokenHash,
  tombstoneExpiryMs,
} from '../src/store/item-version.ts'
import { type Change, type ItemVersion, messageCost, NEVER_MS } from '../src/store/store.ts'

const crypto = await loadCrypto()

const version: ItemVersion = {
  account: Uint8Array.from({ length: 33 }, (_, i) => i + 5),
  namespace: -21,
  hash: 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ',
  decidedAtMs: 1_799_999_000_321,
  changedAtMs: 1_800_000_000_123,
  isTombstone: false,
  expiryMs: 1_800_003_600_000,
}

describe('the digest of an item (NODE-85)', () => {
  it('is the same at every member, of every version of this software', () => {
    const digest = (parts: Partial<ItemVersion>) => lanesToBigInt(itemDigest({ ...version, ...parts })).toString(16)
    expect(digest({})).toBe('d82eb118ca037054')
    expect(digest({ isTombstone: true, expiryMs: tombstoneExpiryMs(version.changedAtMs) })).toBe('7bfa2079e4c174d2')
    expect(digest({ namespace: 65_536, expiryMs: NEVER_MS })).toBe('a333514c61ea0b69')
    expect(digest({ account: new Uint8Array(), hash: '', namespace: 0, decidedAtMs: 0, changedAtMs: 0, expiryMs: 0 })).toBe(
      '1af70bb22d7d7ff8',
    )
  })
  it('differs with each part of name and version, and with no other', () => {
    const parts: Partial<ItemVersion>[] = [
      {},
      { account: version.account.with(0, 3) },
      { account: version.account.with(7, 0) },
      { namespace: 21 },
      { namespace: 65_536 },
      { hash: version.hash.toLowerCase() },
      { decidedAtMs: version.decidedAtMs + 1 },
      { decidedAtMs: version.decidedAtMs + 2 ** 32 },
      { decidedAtMs: version.changedAtMs, changedAtMs: version.decidedAtMs },
      { changedAtMs: version.changedAtMs + 1 },
      { changedAtMs: version.changedAtMs + 2 ** 32 },
      { expiryMs: version.expiryMs - 1 },
      { isTombstone: true },
    ]
    const digests = parts.map(part => lanesToBigInt(itemDigest({ ...version, ...part })))
    expect(new Set(digests).size).toBe(parts.length)
    expect(itemDigest({ ...version, account: version.account.with(8, 0) })).toEqual(itemDigest(version))
  })
  it('does not meet another of items that differ little, in either lane more than chance lets it', () => {
    const total = 100_000
    const lanes = Array.from({ length: total }, (_, i) => itemDigest({ ...version, changedAtMs: version.changedAtMs + i }))
    expect(new Set(lanes.map(lanesToBigInt)).size).toBe(total)
    // By chance 1.2 pairs of 100,000 values of 32 bits are equal.
    for (const lane of ['high', 'low'] as const) expect(new Set(lanes.map(one => one[lane])).size).toBeGreaterThan(total - 12)
  })
  it('leaves a sum as it came, lane by lane', () => {
    const [a, b] = [itemDigest(version), itemDigest({ ...version, isTombstone: true })]
    expect(addLanes(addLanes(a, b), negatedLanes(b))).toEqual(a)
    expect(addLanes(a, negatedLanes(a))).toEqual({ high: 0, low: 0 })
    expect(addLanes({ high: 5, low: 2 ** 32 - 1 }, { high: 2 ** 32 - 1, low: 2 })).toEqual({ high: 4, low: 1 })
    expect(lanesToBigInt({ high: 2 ** 32 - 1, low: 1 })).toBe(0xffff_ffff_0000_0001n)
  })
})

describe('which version counts (NODE-80)', () => {
  it('is the later decision, then the later change, then the tombstone, then the later expiry', () => {
    const tombstone = { ...version, isTombstone: true }
    const longer = { ...version, expiryMs: version.expiryMs + 1 }
    const changed = { ...version, changedAtMs: version.changedAtMs + 1, expiryMs: 0 }
    const decided = { ...version, decidedAtMs: version.decidedAtMs + 1, changedAtMs: version.decidedAtMs + 1, expiryMs: 0 }
    const order = [version, longer, tombstone, changed, { ...changed, isTombstone: true }, decided]
    for (const [i, one] of order.entries()) {
      for (const [j, other] of order.entries()) expect(isLater(one, other)).toBe(i > j)
      expect(isLater(one, undefined)).toBe(true)
    }
    expect(isLater({ ...tombstone, expiryMs: 9e12 }, tombstone)).toBe(true)
  })
})

describe('the times that a change gives (NODE-81)', () => {
  const message = { decidedAtMs: 10, changedAtMs: 20, isTombstone: false, expiryMs: 0 }
  const tombstone = { ...message, isTombstone: true }
  const at = (mode: Change['mode']) => (atMs: number) => ({ atMs, mode })
  const pair = (times: { decidedAtMs: number; changedAtMs: number } | undefined) =>
    times && [times.decidedAtMs, times.changedAtMs]

  it('are for a store its own, one behind the decision that is held if it is asked, and no earlier change', () => {
    const store = (change: Change, held = message) => pair(timesOfStore(change, held))
    expect([9, 10, 11, 20, 21].map(at('asked')).map(change => store(change))).toEqual([
      [11, 20],
      [11, 20],
      [11, 20],
      [20, 20],
      [21, 21],
    ])
    expect([9, 10, 11].map(at('late')).map(change => store(change))).toEqual([undefined, undefined, [11, 20]])
    expect([9, 11].map(at('asked')).map(change => store(change, tombstone))).toEqual([
      [11, 11],
      [11, 11],
    ])
    expect([10, 11].map(at('late')).map(change => store(change, tombstone))).toEqual([undefined, [11, 11]])
    expect(pair(timesOfStore(at('late')(3), undefined))).toEqual([3, 3])
  })
  it('are for an expiry the decision that is held, and its own, or one behind the change that is held if it is asked', () => {
    const set = (change: Change) => pair(timesOfExpiry(change, message))
    expect([9, 20, 21, 22].map(at('asked')).map(set)).toEqual([
      [10, 21],
      [10, 21],
      [10, 21],
      [10, 22],
    ])
    expect([11, 20, 21].map(at('late')).map(set)).toEqual([undefined, undefined, [10, 21]])
  })
  it('are for a deletion its own, or one behind the decision that is held, unless it is late and earlier', () => {
    const remove = (change: Change, held = message) => pair(timesOfDeletion(change, held))
    expect([9, 10, 11, 12].map(at('asked')).map(change => remove(change))).toEqual([
      [11, 11],
      [11, 11],
      [11, 11],
      [12, 12],
    ])
    expect([9, 10, 12].map(at('late')).map(change => remove(change))).toEqual([undefined, [11, 11], [12, 12]])
    for (const mode of ['asked', 'late'] as const) {
      expect([9, 10, 12].map(at(mode)).map(change => remove(change, tombstone))).toEqual([undefined, undefined, [12, 12]])
    }
  })
  it('make a deletion later than every expiry of the message, and a store later than the deletion', () => {
    for (const atMs of [1, 10, 15, 20, 25]) {
      const deleted = { ...timesOfDeletion({ atMs, mode: 'asked' }, message)!, isTombstone: true, expiryMs: 0 }
      const set = { ...message, ...timesOfExpiry({ atMs: 1_000, mode: 'asked' }, message)!, expiryMs: 9e12 }
      expect(isLater(deleted, set)).toBe(true)
      for (const storedAtMs of [1, atMs]) {
        const stored = { ...message, ...timesOfStore({ atMs: storedAtMs, mode: 'asked' }, deleted)! }
        expect(isLater(stored, deleted)).toBe(true)
      }
    }
  })
})

describe('what stores share', () => {
  it('has a name of 43 characters for a token, and a minute of its own for what has no end', () => {
    expect(tokenHash(crypto, new Uint8Array(36))).toBe('nw5ETGn3ekm9C+iduSw4/nE+CWMWXMoS+vVxLXZXEg8')
    expect(tokenHash(crypto, new Uint8Array(36).fill(1))).toHaveLength(43)
    expect(minuteOf(NEVER_MS) * 60_000).toBe(NEVER_MS)
    expect(tombstoneExpiryMs(5)).toBe(5 + TOMBSTONE_MS)
    expect(messageCost('x'.repeat(43), 300)).toBe(100 + 43 + 400)
  })
})
