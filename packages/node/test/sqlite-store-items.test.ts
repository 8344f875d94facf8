import { loadCrypto } from '@session-v2/crypto'
import { describe, expect, it } from 'vitest'
import { addLanes, itemDigest, lanesToBigInt, negatedLanes } from '../src/store/item-digest.ts'
import { effectiveAtMs, isLater, minuteOf, TOMBSTONE_MS, tokenHash, tombstoneExpiryMs } from '../src/store/item-version.ts'
import { type ItemVersion, messageCost, NEVER_MS } from '../src/store/store.ts'

const crypto = await loadCrypto()

const version: ItemVersion = {
  account: Uint8Array.from({ length: 33 }, (_, i) => i + 5),
  namespace: -21,
  hash: 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ',
  changedAtMs: 1_800_000_000_123,
  isTombstone: false,
  expiryMs: 1_800_003_600_000,
}

describe('the digest of an item (NODE-85)', () => {
  it('is the same at every member, of every version of this software', () => {
    const digest = (parts: Partial<ItemVersion>) => lanesToBigInt(itemDigest({ ...version, ...parts })).toString(16)
    expect(digest({})).toBe('49923fe5aea583c2')
    expect(digest({ isTombstone: true, expiryMs: tombstoneExpiryMs(version.changedAtMs) })).toBe('d68fdde043a03d1d')
    expect(digest({ namespace: 65_536, expiryMs: NEVER_MS })).toBe('7c60c01ba74e6ed1')
    expect(digest({ account: new Uint8Array(), hash: '', namespace: 0, changedAtMs: 0, expiryMs: 0 })).toBe('9445a2831d1ffb2b')
  })
  it('differs with each part of name and version, and with no other', () => {
    const parts: Partial<ItemVersion>[] = [
      {},
      { account: version.account.with(0, 3) },
      { account: version.account.with(7, 0) },
      { namespace: 21 },
      { namespace: 65_536 },
      { hash: version.hash.toLowerCase() },
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
  it('is the later change, then the tombstone, then the later expiry', () => {
    const tombstone = { ...version, isTombstone: true }
    const longer = { ...version, expiryMs: version.expiryMs + 1 }
    const later = { ...version, changedAtMs: version.changedAtMs + 1, expiryMs: 0 }
    const order = [version, longer, tombstone, later]
    for (const [i, one] of order.entries()) {
      for (const [j, other] of order.entries()) expect(isLater(one, other)).toBe(i > j)
      expect(isLater(one, undefined)).toBe(true)
    }
    expect(isLater({ ...tombstone, expiryMs: 9e12 }, tombstone)).toBe(true)
  })
  it('is for a change its own time, or one behind what is held if it is asked', () => {
    const held = { changedAtMs: 10, isTombstone: false, expiryMs: 0 }
    const at = (atMs: number, mode: 'asked' | 'late') => effectiveAtMs({ atMs, mode }, held)
    expect([at(9, 'asked'), at(10, 'asked'), at(11, 'asked')]).toEqual([11, 11, 11])
    expect([at(9, 'late'), at(10, 'late'), at(11, 'late')]).toEqual([undefined, undefined, 11])
    expect(effectiveAtMs({ atMs: 3, mode: 'late' }, undefined)).toBe(3)
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
