/** The account keys of a group message that is merged: DS-08, and DS-11 where some are left out. */
import { ACCOUNT_KEY_RETENTION_S, type AccountKeySeed, type GroupAccountKey, mergeGroupMessage } from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { CLOCK_TOLERANCE_S, MAX_HELD_ACCOUNT_KEYS } from '../../src/device-states/held-account-keys.ts'
import { native } from '../providers.ts'
import {
  accountKey,
  DAY_S,
  expectState,
  expectWiped,
  heldKey,
  insider,
  NOW_MS,
  NOW_S,
  newKey,
  publicKeyOf,
  readable,
  seedOf,
  told,
} from './devices.ts'

const AHEAD_S = 5 * DAY_S
const current = heldKey(0xa0, NOW_S)

function merged(held: readonly GroupAccountKey[], ...keys: readonly AccountKeySeed[]) {
  const before = insider({ accountKeys: held })
  return { ...mergeGroupMessage(native, before, readable([], { keys }), NOW_MS), before }
}

/** Expects these keys to be held afterwards, and all else to be as after a message that was merged completely. */
function expectKeys({ state, before }: ReturnType<typeof merged>, ...accountKeys: readonly GroupAccountKey[]): void {
  expectState(state, before, { accountKeys, mergedHashes: ['hash'] })
}

describe('DS-08: an account key that is new', () => {
  it('and newer becomes current, is not yet passed on, and that is told', () => {
    const key = accountKey(0x20, NOW_S + 5)
    const change = merged([current], key)
    expectKeys(change, newKey(0x20, NOW_S + 5), heldKey(0xa0, NOW_S, NOW_S + 5))
    expect(change.state.accountKeys[0]!.seed).toBe(key.seed)
    expect(told(change.events)).toEqual(['account-key-changed'])
    expectWiped(change)
  })

  it('and older is kept as rotated, and that is not told', () => {
    const change = merged([current], accountKey(0x20, NOW_S - 5))
    expectKeys(change, current, newKey(0x20, NOW_S - 5, NOW_S))
    expect(change.events).toEqual([])
  })

  it('is told when it is the first, or when none is current any more', () => {
    expect(told(merged([], accountKey(0x20, NOW_S)).events)).toEqual(['account-key-changed'])
    expect(told(merged([current], accountKey(0xa0, NOW_S, NOW_S + 1)).events)).toEqual(['account-key-changed'])
    expect(told(merged([heldKey(0xa0, NOW_S, NOW_S + 9)], accountKey(0xa0, NOW_S, NOW_S + 1)).events)).toEqual([])
    expect(told(merged([]).events)).toEqual([])
  })

  it('is told when by AK-12 it ends the current one: newer than that, and rotated itself', () => {
    const key = accountKey(0x20, NOW_S + 5, NOW_S + 9)
    expect(told(merged([current], key).events)).toEqual(['account-key-changed'])
    expect(told(merged([current, heldKey(0x20, NOW_S + 5, NOW_S + 9)], accountKey(0x21, 5, NOW_S)).events)).toEqual([])
  })

  it('is not one that is held: that keeps what was passed on and takes the earlier rotation', () => {
    const change = merged([current, heldKey(0xa1, NOW_S - 9, NOW_S)], accountKey(0xa1, NOW_S - 1, NOW_S - 1))
    expectKeys(change, current, heldKey(0xa1, NOW_S - 9, NOW_S - 1))
  })
})

describe('DS-08: an account key of the future', () => {
  it('is left out when it was created more than 5 days ahead, and then the message is not deleted (DS-11)', () => {
    expect(CLOCK_TOLERANCE_S).toBe(AHEAD_S)
    const [taken, refused] = [accountKey(0x20, NOW_S + AHEAD_S), accountKey(0x21, NOW_S + AHEAD_S + 1)]
    const change = merged([current], refused, taken)
    const accountKeys = [newKey(0x20, NOW_S + AHEAD_S), heldKey(0xa0, NOW_S, NOW_S + AHEAD_S)]
    expectState(change.state, change.before, { accountKeys })
    expectWiped(change, refused.seed)
    expect(merged([current], taken).state.mergedHashes).toEqual(['hash'])
  })

  it('counts none the less where it is held already', () => {
    const change = merged([current], accountKey(0xa0, NOW_S + AHEAD_S + 1, NOW_S + AHEAD_S + 2), accountKey(0x20, NOW_S - 5))
    expectKeys(change, current, newKey(0x20, NOW_S - 5, NOW_S))
  })

  it('is not rotated by a time more than 5 days ahead', () => {
    expectKeys(merged([current], accountKey(0xa0, NOW_S, NOW_S + AHEAD_S)), heldKey(0xa0, NOW_S, NOW_S + AHEAD_S))
    expectKeys(merged([current], accountKey(0xa0, NOW_S, NOW_S + AHEAD_S + 1)), current)
    expectKeys(merged([], accountKey(0x20, NOW_S, NOW_S + AHEAD_S + 1)), newKey(0x20, NOW_S))
  })
})

describe('DS-08: an account key of the past', () => {
  const limitS = NOW_S - 16 * DAY_S

  it('is left out when it was rotated more than 16 days ago', () => {
    expect(ACCOUNT_KEY_RETENTION_S).toBe(16 * DAY_S)
    const [taken, refused] = [accountKey(0x20, limitS - 9, limitS), accountKey(0x21, limitS - 9, limitS - 1)]
    const change = merged([heldKey(0xa0, NOW_S - 5)], refused, taken)
    expectKeys(change, heldKey(0xa0, NOW_S - 5), newKey(0x20, limitS - 9, limitS))
    expectWiped(change, refused.seed)
  })

  it('is left out when a key that is held was created more than 16 days ago and after it', () => {
    const refused = [accountKey(0x20, limitS - 99, NOW_S - DAY_S), accountKey(0x21, limitS - 99)]
    const change = merged([heldKey(0xa0, limitS - 9)], ...refused)
    expectKeys(change, heldKey(0xa0, limitS - 9))
    expectWiped(change, refused[0]!.seed, refused[1]!.seed)
  })

  it('stays when it was held before: only a complete fetch erases', () => {
    const past = heldKey(0xa1, limitS - 99, limitS - 9)
    const change = merged([current, past], accountKey(0xa1, limitS - 99), accountKey(0x20, NOW_S - 5))
    expectKeys(change, current, newKey(0x20, NOW_S - 5, NOW_S), past)
  })

  it('was not rotated before it was made, whatever the message says', () => {
    expectKeys(merged([current], accountKey(0xa0, NOW_S, NOW_S - 1)), heldKey(0xa0, NOW_S, NOW_S))
    expectKeys(merged([current], accountKey(0x20, NOW_S - 5, limitS - 1)), current, newKey(0x20, NOW_S - 5, NOW_S - 5))
    expectKeys(merged([current], accountKey(0x20, NOW_S - 5, NOW_S - 5)), current, newKey(0x20, NOW_S - 5, NOW_S - 5))
  })
})

describe('DS-08: account keys beyond 256', () => {
  /** Rotated keys with seeds of their own; their public halves play no part. */
  const many = (count: number): GroupAccountKey[] =>
    Array.from({ length: count }, (_, at) => {
      const key = { ...heldKey(0xc0, NOW_S - 2 * at - 9, NOW_S - 2 * at - 8), seed: seedOf(0xc0) }
      key.seed.expose().set([at & 255, at >> 8])
      return key
    })
  const currentOf = (change: ReturnType<typeof merged>) => change.state.accountKeys.filter(({ distributed }) => !distributed)

  it('are left out, but for the current one of a message', () => {
    expect(MAX_HELD_ACCOUNT_KEYS).toBe(256)
    const [rotated, newest] = [accountKey(0x20, NOW_S - 5, NOW_S - 4), accountKey(0x21, NOW_S + 5)]
    const change = merged([current, ...many(255)], rotated, newest)
    expect(currentOf(change)).toEqual([newKey(0x21, NOW_S + 5)])
    expectWiped(change, rotated.seed)
    expect(change.state.mergedHashes).toEqual(['hash'])
    expect(currentOf(merged([current, ...many(255)], rotated))).toEqual([])
  })

  it('are taken up to that number, in their order after the current one', () => {
    const keys = [accountKey(0x20, NOW_S - 5, NOW_S - 4), accountKey(0x21, NOW_S + 5), accountKey(0x22, NOW_S - 7, NOW_S - 6)]
    const bytes = (change: ReturnType<typeof merged>) => currentOf(change).map(({ seed }) => seed.expose()[0])
    expect(bytes(merged([current, ...many(252)], ...keys))).toEqual([0x21, 0x20, 0x22])
    expect(bytes(merged([current, ...many(253)], ...keys))).toEqual([0x21, 0x20])
    expect(bytes(merged([current, ...many(254)], ...keys))).toEqual([0x21])
    expect(bytes(merged([current, ...many(254)], keys[0]!, keys[2]!))).toEqual([0x20])
  })

  it('do not keep out what is said of keys that are held', () => {
    const change = merged([current, ...many(300)], accountKey(0xa0, NOW_S, NOW_S + 7))
    expect(change.state.accountKeys.find(({ createdAtS }) => createdAtS === NOW_S)!.rotatedAtS).toBe(NOW_S + 7)
    expect(change.state.accountKeys).toHaveLength(301)
  })
})

describe('DS-23: a retired key', () => {
  it('that a message lists is one of the group again, and its retired copy is handed back', () => {
    const [retired, other] = [accountKey(0x20, NOW_S - 9, NOW_S - 5), accountKey(0x21, NOW_S - 9, NOW_S - 5)]
    const state = insider({ retiredKeys: [other, retired] })
    const listed = accountKey(0x20, NOW_S - 9, NOW_S - 5)
    const change = mergeGroupMessage(native, state, readable([], { keys: [listed] }), NOW_MS)
    const accountKeys = [current, newKey(0x20, NOW_S - 9, NOW_S - 5)]
    expectState(change.state, state, { accountKeys, retiredKeys: [other], mergedHashes: ['hash'] })
    expect(change.state.accountKeys[1]!.x25519).toEqual(publicKeyOf(0x20))
    expectWiped(change, retired.seed)
  })

  it('stays retired when the message that lists it is too old', () => {
    const retired = accountKey(0x20, NOW_S - 20 * DAY_S, NOW_S - 17 * DAY_S)
    const state = insider({ retiredKeys: [retired] })
    const change = mergeGroupMessage(native, state, readable([], { keys: [accountKey(0x20, 5, 6)] }), NOW_MS)
    expectState(change.state, state, { mergedHashes: ['hash'] })
  })
})
