/** A new device, and founding a group: DS-18. */
import { INT64_MAX } from '@session-v2/encoding'
import { foundGroup, type GroupState, isPushDue, newGroupState, ROW_STATE } from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { native } from '../providers.ts'
import {
  accountKey,
  DAY_MS,
  DETAILS,
  deviceSeedOf,
  expectRefused,
  expectState,
  expectWiped,
  GROUP,
  goneRow,
  groupInView,
  heldKey,
  idOf,
  insider,
  NOW_MS,
  NOW_S,
  newKey,
  OTHER_GROUP,
  outsider,
  ownRequest,
  pendingRowOf,
  plain,
  publicKeyOf,
  recordOf,
  rowOf,
  SELF,
  seedOf,
  told,
} from './devices.ts'

const LATER_MS = NOW_MS + 1999
const LATER_S = NOW_S + 1
const found = (state: GroupState, group: Partial<Parameters<typeof foundGroup>[2]> = {}) =>
  foundGroup(native, state, { groupId: GROUP, accountKeySeed: seedOf(0x20), ...group }, LATER_MS)
const view = groupInView({ linkX25519: publicKeyOf(0x20), seenAtMs: LATER_MS, expiresAtMs: LATER_MS + 30 * DAY_MS })
const ownRow = (seqno: bigint) => ({
  ...{ state: ROW_STATE.registered, record: recordOf(1, { seqno, timestampS: BigInt(LATER_S) }), marked: true },
})
const FOUNDED = {
  ...{ groupId: GROUP, readAtMs: LATER_MS, rows: new Map([[SELF, ownRow(1n)]]), groupsInView: [view] },
  accountKeys: [newKey(0x20, LATER_S)],
  run: { fetched: true, membership: 'InGroup', appeared: [] },
}
const ended = outsider({ rows: new Map([[SELF, rowOf(recordOf(1), { state: ROW_STATE.unregistered })]]) })

describe('a new device', () => {
  it('knows nothing but itself', () => {
    const deviceKeySeed = deviceSeedOf(1)
    const state = newGroupState(native, { self: SELF, deviceKeySeed }, DETAILS, NOW_MS + 999)
    expectState(state, outsider(), { run: { fetched: false, membership: 'Unknown', appeared: [] } })
    expect(state.deviceKeys.current.seed).toBe(deviceKeySeed)
    expect(isPushDue(state, NOW_MS)).toBe(false)
  })
})

describe('DS-18: founding', () => {
  it('makes a group of this device alone, which nobody knows yet', () => {
    const seed = seedOf(0x20)
    const change = found(outsider(), { accountKeySeed: seed })
    expectState(change.state, outsider(), FOUNDED)
    expect(change.state.accountKeys[0]!.seed).toBe(seed)
    expect(told(change.events)).toEqual(['devices-replaced', 'account-key-changed', 'InGroup'])
    expectWiped(change)
    expect(isPushDue(change.state, LATER_MS)).toBe(true)
  })

  it('goes on with the seqno that the device had, not confirmed to anybody', () => {
    const after = (seqno: bigint) => {
      const rows = new Map([[SELF, pendingRowOf(recordOf(1, { seqno }))]])
      const { state } = found(outsider({ rows, confirmedSeqno: 9n, run: { fetched: true, membership: 'Waiting', appeared: [] } }))
      expect(state.confirmedSeqno).toBe(0n)
      return state.rows
    }
    expect(plain(after(7n))).toStrictEqual(plain(new Map([[SELF, ownRow(7n)]])))
    expect(plain(after(1n))).toStrictEqual(plain(new Map([[SELF, ownRow(1n)]])))
    expect(plain(after(INT64_MAX))).toStrictEqual(plain(new Map([[SELF, ownRow(INT64_MAX)]])))
  })

  it('forgets rows, hashes, requests and keys of a group before, and keeps groups in view and farewells', () => {
    const other = groupInView({ groupId: OTHER_GROUP })
    const state = outsider({
      ...{ groupId: OTHER_GROUP, readAtMs: 5, displacedAtMs: 6, mergedHashes: ['a'], rotationOwed: true },
      ...{ ownRequests: [ownRequest({ groupId: OTHER_GROUP, confirmed: true })], groupsInView: [other] },
      farewells: [{ groupId: OTHER_GROUP, accountKeys: [], hashes: ['z'], leftAtMs: NOW_MS }],
      rows: new Map([
        [SELF, pendingRowOf(recordOf(1))],
        [idOf(2), rowOf(recordOf(2))],
        [idOf(3), goneRow(ROW_STATE.kicked, 7)],
      ]),
      accountKeys: [heldKey(0xa0, NOW_S)],
      retiredKeys: [accountKey(0xb0, 5, 6)],
    })
    const change = found(state)
    expectState(change.state, state, {
      ...{ ...FOUNDED, displacedAtMs: undefined, mergedHashes: [], rotationOwed: false, ownRequests: [] },
      ...{ groupsInView: [other, view], retiredKeys: [accountKey(0xa0, NOW_S, LATER_S), accountKey(0xb0, 5, 6)] },
      run: { fetched: true, membership: 'InGroup', appeared: ['02'.repeat(8)] },
    })
    expect(told(change.events)).toEqual(['devices-replaced', 'account-key-changed', 'InGroup', 'other group appeared'])
    expectWiped(change)
  })
})

describe('DS-18: founding is not always possible. It', () => {
  it('is allowed with NoGroup, GroupsVisible and Waiting', () => {
    const visible = { ...ended, groupsInView: [groupInView({ groupId: OTHER_GROUP })] }
    for (const state of [outsider(), ended, visible, outsider({ rows: new Map([[SELF, pendingRowOf(recordOf(1))]]) })]) {
      expect(told(found(state).events)).toContain('InGroup')
    }
  })

  it('is allowed before the first fetch for a new account only', () => {
    const started = outsider({ run: { fetched: false, membership: 'Unknown', appeared: [] } })
    for (const group of [{}, { newAccount: false }])
      expectRefused('membership-unknown DS-18', started, state => found(state, group))
    const change = found(started, { newAccount: true })
    expectState(change.state, started, { ...FOUNDED, run: started.run })
    expect(told(change.events)).toEqual(['devices-replaced', 'account-key-changed'])
  })

  it('is of a new account only when the device has no row of itself', () => {
    const asked = { ...ended, run: { fetched: false, membership: 'Unknown' as const, appeared: [] } }
    expectRefused('membership-unknown DS-18', asked, state => found(state, { newAccount: true }))
  })

  it('is refused in a group, after a removal and while displaced, for a new account too', () => {
    const kicked = rowOf(recordOf(1), { state: ROW_STATE.kicked, removedAtS: 7n })
    for (const newAccount of [false, true]) {
      const refuse = (code: string, state: GroupState) => expectRefused(code, state, given => found(given, { newAccount }))
      refuse('already-registered DS-18', insider())
      refuse('already-registered DS-18', insider({ groupsInView: [groupInView({ groupId: OTHER_GROUP })] }))
      refuse('removed DS-18', outsider({ rows: new Map([[SELF, kicked]]) }))
      refuse('removed DS-18', insider({ displacedAtMs: 5 }))
    }
  })

  it('is refused with a group ID of another size than 8 bytes', () => {
    for (const size of [0, 7, 9]) {
      expectRefused('bad-input DG-01', outsider(), state => found(state, { groupId: new Uint8Array(size) }))
    }
  })
})
