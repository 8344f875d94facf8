/** Leaving a group, beginning anew, and the account keys of groups that were left: DS-23, DS-24, DS-25. */
import {
  type GroupState,
  leaveGroup,
  type NewIdentity,
  ROW_STATE,
  renewIdentity,
  withdrawLinkRequest,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { native } from '../providers.ts'
import {
  accountKey,
  DAY_S,
  deviceKey,
  deviceSeedOf,
  digestOf,
  expectRefused,
  expectState,
  expectWiped,
  GROUP,
  goneRow,
  groupInView,
  heldKey,
  idOf,
  insider,
  left,
  member,
  NOW_MS,
  NOW_S,
  newKey,
  OTHER_GROUP,
  OWN_ROW,
  outsider,
  ownRequest,
  pendingRowOf,
  recordOf,
  rowOf,
  SELF,
  told,
} from './devices.ts'

const LATER_MS = NOW_MS + 1999
const LATER_S = NOW_S + 1
const identity = (byte = 9): NewIdentity => ({ self: idOf(byte), deviceKeySeed: deviceSeedOf(byte) })
const other = groupInView({ groupId: OTHER_GROUP })
const request = ownRequest({ groupId: OTHER_GROUP, confirmed: true })
const received = {
  ...{ hash: 'link', deviceId: idOf(5), record: recordOf(5), digest: digestOf(recordOf(5)), indices: [] },
  ...{ receivedAtMs: NOW_MS, expiresAtMs: NOW_MS + 1, replaces: false, status: 'open' as const },
}
/** All that can be in the state of a member. */
const full = (fields: Partial<GroupState> = {}, others: Parameters<typeof insider>[1] = []) =>
  insider(
    {
      ...{ confirmedSeqno: 4n, rotationOwed: true, mergedHashes: ['a', 'b'], groupsInView: [groupInView(), other] },
      ...{ ownRequests: [request], receivedRequests: [received], retiredKeys: [accountKey(0xb0, 5, 6)] },
      deviceKeys: { current: deviceKey(1), previous: [deviceKey(8), deviceKey(7)] },
      accountKeys: [heldKey(0xa0, NOW_S - 9), newKey(0xa1, NOW_S - 99, NOW_S)],
      ...fields,
    },
    others,
  )
const RETIRED = [accountKey(0xa0, NOW_S - 9, LATER_S), accountKey(0xa1, NOW_S - 99, NOW_S - 9), accountKey(0xb0, 5, 6)]
/** What is forgotten with a group. */
const FORGOTTEN = {
  ...{ self: idOf(9), deviceKeys: { current: deviceKey(9, { createdAtS: LATER_S }), previous: [] }, rows: new Map() },
  ...{ groupId: undefined, readAtMs: undefined, displacedAtMs: undefined, confirmedSeqno: 0n, accountKeys: [] },
  ...{ rotationOwed: false, retiredKeys: RETIRED, mergedHashes: [], ownRequests: [], receivedRequests: [] },
  run: { fetched: true, membership: 'GroupsVisible', appeared: [] },
}
const deviceSeeds = ({ deviceKeys }: GroupState) => [deviceKeys.current, ...deviceKeys.previous].map(({ seed }) => seed)

const others = [
  [2, rowOf(recordOf(2))],
  [3, { state: ROW_STATE.registered, record: recordOf(3), marked: true }],
  [4, goneRow(ROW_STATE.left, 70)],
  [5, pendingRowOf(recordOf(5))],
  [6, rowOf(recordOf(6), { state: ROW_STATE.kicked, removedAtS: 80n })],
] as const

describe('DS-24: leaving', () => {
  it('owes the others one last message: all rows, this device Left now, and all account keys; then the group is forgotten', () => {
    const state = full({}, others)
    const { deviceKeySeed } = identity()
    const change = leaveGroup(native, state, { self: idOf(9), deviceKeySeed }, LATER_MS)
    const devices = new Map([
      [SELF, left(LATER_S)],
      [idOf(2), member(recordOf(2))],
      [idOf(3), member(recordOf(3))],
      [idOf(4), left(70)],
      [idOf(6), { kind: 'kicked', atS: 80n }],
    ])
    const accountKeys = [heldKey(0xa0, NOW_S - 9), newKey(0xa1, NOW_S - 99, NOW_S - 9)]
    expectState(change.state, state, {
      ...FORGOTTEN,
      farewells: [{ groupId: GROUP, devices, accountKeys, hashes: ['a', 'b'], leftAtMs: LATER_MS }],
      groupsInView: [groupInView({ dismissed: true }), other],
    })
    expect(change.state.deviceKeys.current.seed).toBe(deviceKeySeed)
    expect(told(change.events)).toEqual(['devices-replaced', 'GroupsVisible'])
    expectWiped(change, ...deviceSeeds(state))
  })

  it('passes on no account key past retention, as no message does', () => {
    const [past, kept] = [heldKey(0xa1, 5, LATER_S - 16 * DAY_S - 1), heldKey(0xa2, 6, LATER_S - 16 * DAY_S)]
    const state = full({ accountKeys: [heldKey(0xa0, LATER_S - 16 * DAY_S), kept, past] }, others)
    const { farewells, retiredKeys } = leaveGroup(native, state, identity(), LATER_MS).state
    expect(farewells[0]!.accountKeys.map(({ createdAtS }) => createdAtS)).toEqual([LATER_S - 16 * DAY_S, 6])
    expect(retiredKeys).toHaveLength(4)
  })

  it.each([
    ['nobody', []],
    ['nobody who is a member', others.slice(2)],
  ])('only deletes the merged hashes when there is %s to tell', (_, alone) => {
    const earlier = { groupId: OTHER_GROUP, accountKeys: [], hashes: ['z'], leftAtMs: NOW_MS }
    const state = full({ farewells: [earlier] }, alone)
    expectState(leaveGroup(native, state, identity(), LATER_MS).state, state, {
      ...FORGOTTEN,
      farewells: [earlier, { groupId: GROUP, accountKeys: [], hashes: ['a', 'b'], leftAtMs: LATER_MS }],
      groupsInView: [groupInView({ dismissed: true }), other],
    })
  })
})

describe('DS-24: leaving without a last message', () => {
  it('owes nothing when there is nobody to tell and nothing to delete', () => {
    const state = full({ mergedHashes: [] })
    const change = leaveGroup(native, state, identity(), LATER_MS)
    expect(change.state.farewells).toEqual([])
    expect(change.state.groupsInView.map(({ dismissed }) => dismissed)).toEqual([true, false])
    const toTell = leaveGroup(native, full({ mergedHashes: [] }, [[2, rowOf(recordOf(2))]]), identity(), LATER_MS)
    expect(toTell.state.farewells.map(({ hashes }) => hashes)).toEqual([[]])
  })

  it('owes nothing, and deletes nothing, when it holds no account key to tell it with', () => {
    for (const accountKeys of [[], [heldKey(0xa1, 5, LATER_S - 16 * DAY_S - 1)]]) {
      expect(leaveGroup(native, full({ accountKeys }, others), identity(), LATER_MS).state.farewells).toEqual([])
    }
  })

  it('of a group without an ID cannot tell anybody', () => {
    const { groupId: _, ...unnamed } = full({}, others)
    expectState(leaveGroup(native, unnamed, identity(), LATER_MS).state, unnamed, FORGOTTEN)
  })

  it('is refused outside a group, while displaced, and with the ID that was used', () => {
    expectRefused('not-registered DS-30', outsider(), state => leaveGroup(native, state, identity(), NOW_MS))
    expectRefused('displaced DS-30', full({ displacedAtMs: 5 }), state => leaveGroup(native, state, identity(), NOW_MS))
    expectRefused('bad-input DS-25', full(), state => leaveGroup(native, state, identity(1), NOW_MS))
  })
})

describe('DS-25: a new identity', () => {
  const removed = (fields: Partial<GroupState> = {}) =>
    full({
      rows: new Map([
        [SELF, { ...OWN_ROW, state: ROW_STATE.kicked, removedAtS: 7n }],
        [idOf(2), rowOf(recordOf(2))],
      ]),
      ...fields,
    })

  it.each([
    ['Removed', removed()],
    ['Displaced', full({ displacedAtMs: 5 }, [[2, rowOf(recordOf(2))]])],
  ])('is for a device that is %s: it forgets all but the groups in view, and owes nobody a word', (_, state) => {
    const { deviceKeySeed } = identity()
    const change = renewIdentity(native, state, { self: idOf(9), deviceKeySeed }, LATER_MS)
    expectState(change.state, state, FORGOTTEN)
    expect(change.state.deviceKeys.current.seed).toBe(deviceKeySeed)
    expect(told(change.events)).toEqual(['devices-replaced', 'GroupsVisible'])
    expectWiped(change, ...deviceSeeds(state))
  })

  it('is refused for any other device, and with the ID that was used', () => {
    const refuse = (code: string, state: GroupState, byte = 9) =>
      expectRefused(code, state, given => renewIdentity(native, given, identity(byte), NOW_MS))
    refuse('membership-unknown DS-25', removed({ run: { fetched: false, membership: 'Removed', appeared: [] } }))
    refuse('already-registered DS-25', full())
    refuse('already-registered DS-25', full({ groupsInView: [other] }))
    refuse('already-registered DS-25', outsider())
    refuse('already-registered DS-25', outsider({ groupsInView: [other] }))
    refuse('already-registered DS-25', outsider({ rows: new Map([[SELF, pendingRowOf(recordOf(1))]]) }))
    refuse('bad-input DS-25', removed(), 1)
  })
})

describe('DS-23: retired keys', () => {
  const retiredOf = (state: GroupState) => leaveGroup(native, state, identity(), LATER_MS).state.retiredKeys

  it('count as rotated when they were retired, if not before', () => {
    const accountKeys = [heldKey(0xa0, 5), heldKey(0xa1, 4, LATER_S + 9), heldKey(0xa2, 3, LATER_S - 1)]
    const [a0, a1, a2] = retiredOf(insider({ accountKeys }))
    expect([a0?.rotatedAtS, a1?.rotatedAtS, a2?.rotatedAtS]).toEqual([LATER_S, 5, 4])
    expect(retiredOf(insider({ accountKeys: [heldKey(0xa1, 4, LATER_S + 9)] }))[0]!.rotatedAtS).toBe(LATER_S)
    expect(retiredOf(insider({ accountKeys: [heldKey(0xa1, 4, LATER_S - 9)] }))[0]!.rotatedAtS).toBe(LATER_S - 9)
  })

  it('are each there once: one that was retired before stays as it is, and its copy is handed back', () => {
    const before = accountKey(0xa0, NOW_S - 9, NOW_S - 5)
    const state = insider({ retiredKeys: [before, accountKey(0xb0, 5, 6)] })
    const change = leaveGroup(native, state, identity(), LATER_MS)
    expectState({ ...change.state, farewells: [] }, state, {
      ...{ ...FORGOTTEN, run: { fetched: true, membership: 'GroupsVisible', appeared: [] } },
      ...{ retiredKeys: state.retiredKeys, groupsInView: [groupInView({ dismissed: true })] },
    })
    expectWiped(change, state.accountKeys[0]!.seed, ...deviceSeeds(state))
  })

  it('keep the secret they had, which is not handed back', () => {
    const state = insider()
    expect(retiredOf(state)[0]!.seed).toBe(state.accountKeys[0]!.seed)
  })

  it('are not retired by taking a request back', () => {
    const rows = new Map([[SELF, pendingRowOf(recordOf(1))]])
    const state = outsider({ rows, ownRequests: [request], retiredKeys: RETIRED })
    expect(withdrawLinkRequest(state, request.timestampS, NOW_MS).state.retiredKeys).toBe(RETIRED)
  })
})
