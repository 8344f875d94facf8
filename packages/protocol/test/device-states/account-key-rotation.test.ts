/** When the account key is rotated, and how: DS-32. */
import { accountKeyRotationDueAtMs, deviceIdBytes, ROW_STATE, rotateAccountKey, rotationDueAtS } from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { native } from '../providers.ts'
import {
  accountKey,
  DAY_S,
  expectRefused,
  expectState,
  expectWiped,
  goneRow,
  heldKey,
  insider,
  NOW_MS,
  NOW_S,
  newKey,
  OWN_ROW,
  outsider,
  pendingRowOf,
  recordOf,
  rowOf,
  SELF,
  seedOf,
  told,
} from './devices.ts'

const dueAtMs = (...args: Parameters<typeof insider>) => accountKeyRotationDueAtMs(native, insider(...args))

describe('DS-32: a rotation is due', () => {
  it('when the current key and the number of members say so', () => {
    const expected = (count: number) => 1000 * rotationDueAtS(native, heldKey(0xa0, NOW_S), deviceIdBytes(SELF), count)
    const asking = [5, pendingRowOf(recordOf(5))] as const
    expect(dueAtMs()).toBe(expected(1))
    expect(dueAtMs({}, [asking, [2, rowOf(recordOf(2))], [3, rowOf(recordOf(3))], [4, goneRow(ROW_STATE.left, 7)]])).toBe(
      expected(3),
    )
    expect(expected(1)).not.toBe(expected(3))
  })

  it('by the current key, not by one that was rotated', () => {
    expect(dueAtMs({ accountKeys: [heldKey(0xa1, 5, 6), heldKey(0xa0, NOW_S)] })).toBe(dueAtMs())
  })

  it('at once after a departure, and when no key is current', () => {
    expect(dueAtMs({ rotationOwed: true })).toBe(0)
    expect(dueAtMs({ accountKeys: [] })).toBe(0)
    expect(dueAtMs({ accountKeys: [heldKey(0xa0, 5, 6)] })).toBe(0)
    // By AK-12 the one that is not rotated was, when the newer one was created.
    expect(dueAtMs({ accountKeys: [heldKey(0xa0, NOW_S), heldKey(0xa1, NOW_S + 5, NOW_S + 9)] })).toBe(0)
  })

  it('never for a device that may not: outside a group, or displaced', () => {
    expect(dueAtMs({ displacedAtMs: 5, rotationOwed: true })).toBe(undefined)
    expect(accountKeyRotationDueAtMs(native, outsider({ rotationOwed: true }))).toBe(undefined)
    expect(dueAtMs({ rows: new Map([[SELF, { ...OWN_ROW, state: ROW_STATE.kicked, removedAtS: 7n }]]) })).toBe(undefined)
  })
})

describe('DS-32: a rotation', () => {
  it('makes a fresh key current, not yet passed on, and settles what was owed', () => {
    const state = insider({ rotationOwed: true, accountKeys: [heldKey(0xa0, NOW_S - 9), heldKey(0xa1, NOW_S - 50, NOW_S - 9)] })
    const seed = seedOf(0x20)
    const change = rotateAccountKey(native, state, seed, NOW_MS + 999)
    const accountKeys = [{ ...newKey(0x20, NOW_S), seed }, heldKey(0xa0, NOW_S - 9, NOW_S), heldKey(0xa1, NOW_S - 50, NOW_S - 9)]
    expectState(change.state, state, { accountKeys, rotationOwed: false })
    expect(change.state.accountKeys[0]!.seed).toBe(seed)
    expect(told(change.events)).toEqual(['account-key-changed'])
    expectWiped(change)
  })

  it('first takes back what the own clock did when it was more than 5 days ahead', () => {
    const aheadS = NOW_S + 5 * DAY_S
    const state = insider({
      accountKeys: [
        heldKey(0xa3, aheadS + 1),
        heldKey(0xa2, aheadS),
        heldKey(0xa1, NOW_S - 9, aheadS + 1),
        heldKey(0xa0, 5, NOW_S - 9),
      ],
      retiredKeys: [accountKey(0xb0, 5, 6)],
    })
    const change = rotateAccountKey(native, state, seedOf(0x20), NOW_MS)
    expectState(change.state, state, {
      accountKeys: [
        ...[newKey(0x20, aheadS + 1), heldKey(0xa2, aheadS, aheadS + 1), heldKey(0xa1, NOW_S - 9, aheadS)],
        heldKey(0xa0, 5, NOW_S - 9),
      ],
      retiredKeys: [accountKey(0xa3, aheadS + 1, NOW_S), accountKey(0xb0, 5, 6)],
    })
    expectWiped(change)
  })

  it('is refused outside a group, while displaced, and with a seed that is held', () => {
    expectRefused('not-registered DS-30', outsider(), state => rotateAccountKey(native, state, seedOf(0x20), NOW_MS))
    expectRefused('displaced DS-30', insider({ displacedAtMs: 5 }), state =>
      rotateAccountKey(native, state, seedOf(0x20), NOW_MS),
    )
    expectRefused('bad-input AK-03', insider(), state => rotateAccountKey(native, state, seedOf(0xa0), NOW_MS))
  })
})
