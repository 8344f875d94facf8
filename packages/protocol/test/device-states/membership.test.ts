/** What a device is to the groups of its account, and when that is told: DS-16, DS-17. */
import {
  completeFetch,
  dismissGroup,
  type GroupState,
  type Membership,
  membershipOf,
  mergeGroupMessage,
  ROW_STATE,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { tellMembership } from '../../src/device-states/membership.ts'
import { native } from '../providers.ts'
import {
  expectState,
  groupInView,
  insider,
  NOW_MS,
  OTHER_GROUP,
  outsider,
  ownRequest,
  recordOf,
  rowOf,
  SELF,
  told,
  unreadable,
} from './devices.ts'

const own = groupInView()
const other = groupInView({ groupId: OTHER_GROUP })
const as = (state: 0 | 1 | 3 | 4, fields: Partial<GroupState> = {}) => {
  const removedAtS = state > 2 ? { removedAtS: 7n } : {}
  return outsider({ rows: new Map([[SELF, rowOf(recordOf(1), { state, ...removedAtS })]]), ...fields })
}
const admissionHeld = ownRequest({ held: [{ hash: 'h', message: new Uint8Array(1), swarmTimeMs: 5, expiresAtMs: 6 }] })
const { groupId: _, ...unnamed } = insider({ groupsInView: [other] })

describe('DS-16: membership', () => {
  it.each<[Membership, string, GroupState]>([
    ['Removed', 'Kicked', as(ROW_STATE.kicked)],
    [
      'Removed',
      'Kicked, whatever else',
      as(ROW_STATE.kicked, { displacedAtMs: 5, groupsInView: [other], ownRequests: [admissionHeld] }),
    ],
    ['Displaced', 'displaced', insider({ displacedAtMs: 5 })],
    ['Displaced', 'displaced, the own group not in view', insider({ displacedAtMs: 5, groupsInView: [other] })],
    ['CutOff', 'in a group not in view while another is', insider({ groupsInView: [other] })],
    ['InGroup', 'in a group in view', insider({ groupsInView: [own] })],
    ['InGroup', 'in a group in view as another is', insider({ groupsInView: [other, own] })],
    ['InGroup', 'in a group while none is in view', insider({ groupsInView: [] })],
    ['InGroup', 'in a group without an ID', unnamed],
    ['InGroup', 'in a group, asking another', insider({ ownRequests: [admissionHeld] })],
    ['Waiting', 'Pending', as(ROW_STATE.pending)],
    ['Waiting', 'Pending, groups in view', as(ROW_STATE.pending, { groupsInView: [own] })],
    ['Waiting', 'past the deadline, an admission held', as(ROW_STATE.unregistered, { ownRequests: [admissionHeld] })],
    [
      'Waiting',
      'one of the admissions held',
      as(ROW_STATE.unregistered, { ownRequests: [admissionHeld, { ...admissionHeld, held: [] }] }),
    ],
    ['NoGroup', 'past the deadline, none in view', as(ROW_STATE.unregistered, { ownRequests: [{ ...admissionHeld, held: [] }] })],
    ['NoGroup', 'never in a group, none in view', outsider()],
    ['Removed', 'Left', as(ROW_STATE.left)],
    ['GroupsVisible', 'Unregistered, one in view', as(ROW_STATE.unregistered, { groupsInView: [other] })],
    ['GroupsVisible', 'never in a group, one in view', outsider({ groupsInView: [own] })],
    ['Removed', 'Left, whatever else', as(ROW_STATE.left, { groupsInView: [own], ownRequests: [admissionHeld] })],
    ['GroupsVisible', 'only dismissed ones in view', outsider({ groupsInView: [{ ...other, dismissed: true }] })],
  ])('is %s: %s', (membership, _name, state) => {
    expect(membershipOf(state, NOW_MS)).toBe(membership)
    expect(membershipOf({ ...state, run: { ...state.run, fetched: false } }, NOW_MS)).toBe('Unknown')
  })

  it('has a group in view until its expiry has passed', () => {
    const state = outsider({ groupsInView: [other] })
    expect(membershipOf(state, other.expiresAtMs - 1)).toBe('GroupsVisible')
    expect(membershipOf(state, other.expiresAtMs)).toBe('NoGroup')
    const longer = { ...other, expiresAtMs: own.expiresAtMs + 1 }
    expect(membershipOf(insider({ groupsInView: [own, longer] }), own.expiresAtMs)).toBe('CutOff')
    expect(membershipOf(insider({ groupsInView: [own, longer] }), longer.expiresAtMs)).toBe('InGroup')
  })

  it('is known from the first complete fetch on', () => {
    const started = outsider({ run: { fetched: false, membership: 'Unknown', appeared: [] } })
    const change = completeFetch(started, NOW_MS)
    expectState(change.state, started, { run: { fetched: true, membership: 'NoGroup', appeared: [] } })
    expect(change.events).toEqual([{ type: 'membership-changed', membership: 'NoGroup' }])
  })
})

describe('DS-17: what is told', () => {
  const tell = (state: GroupState) => {
    const { state: next, events } = tellMembership(state, NOW_MS)
    return { next, events, told: told(events) }
  }
  const expected = (appeared: string[]) => ({ run: { fetched: true, membership: 'InGroup' as const, appeared } })

  it('is a membership that is another than before, once', () => {
    const displaced = insider({ displacedAtMs: 5 })
    const first = tell(displaced)
    expect(first.events).toEqual([{ type: 'membership-changed', membership: 'Displaced' }])
    expectState(first.next, displaced, { run: { fetched: true, membership: 'Displaced', appeared: [] } })
    expect(tell(first.next).events).toEqual([])
  })

  it('is another group, once while the device runs', () => {
    const state = insider({ groupsInView: [own, other] })
    const first = tell(state)
    expect(first.events).toEqual([{ type: 'group-appeared', groupId: OTHER_GROUP }])
    expectState(first.next, state, expected(['02'.repeat(8)]))
    expect(tell(first.next).events).toEqual([])
    expectState(tell(first.next).next, first.next)
  })

  it('is each other group beside those that were told', () => {
    const third = groupInView({ groupId: Uint8Array.of(3, 3, 3, 3, 3, 3, 3, 3) })
    const state = insider({ groupsInView: [other, third, own], ...expected(['02'.repeat(8)]) })
    expect(tell(state).events).toEqual([{ type: 'group-appeared', groupId: third.groupId }])
    expect(tell(state).next.run.appeared).toEqual(['02'.repeat(8), '03'.repeat(8)])
  })

  it('is no group that was dismissed, is past its expiry, or is the own one', () => {
    expect(tell(insider({ groupsInView: [own, { ...other, dismissed: true }] })).events).toEqual([])
    expect(tell(insider({ groupsInView: [own, { ...other, expiresAtMs: NOW_MS }] })).events).toEqual([])
    expect(tell(insider({ groupsInView: [own, { ...other, expiresAtMs: NOW_MS + 1 }] })).told).toEqual(['other group appeared'])
    expect(tell(insider()).events).toEqual([])
    expect(tell({ ...unnamed, groupsInView: [own] }).told).toEqual(['group appeared'])
  })

  it('is a group only to a device that is InGroup', () => {
    expect(tell(insider({ groupsInView: [other] })).told).toEqual(['CutOff'])
    expect(tell(outsider({ groupsInView: [other] })).told).toEqual(['GroupsVisible'])
    expect(tell(outsider({ groupsInView: [other] })).next.run.appeared).toEqual([])
  })

  it('is told at the end of a complete fetch, not between its messages, membership before groups', () => {
    const state = insider({ run: { fetched: true, membership: 'CutOff', appeared: [] } })
    const change = mergeGroupMessage(native, state, unreadable({ groupId: OTHER_GROUP }), NOW_MS)
    expect(change.events).toEqual([])
    expect(told(completeFetch(change.state, NOW_MS).events)).toEqual(['InGroup', 'other group appeared'])
    const dismissed = dismissGroup(change.state, OTHER_GROUP)
    expect(told(completeFetch(dismissed, NOW_MS).events)).toEqual(['InGroup'])
  })
})
