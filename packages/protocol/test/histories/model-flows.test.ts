/** The naive model does what the clauses say of membership, founding, leaving and removing: histories written by hand. */
import { describe, expect, it } from 'vitest'
import type { ModelDevice } from './model.ts'
import {
  converge,
  DAY_MS,
  GROUP,
  HOUR_MS,
  letIn,
  newDevice,
  newFounder,
  newGroup,
  newOutsider,
  OTHER_GROUP,
  requestOf,
  rowOf,
  START_MS,
  START_S,
  send,
  unreadable,
} from './model-people.ts'

describe('membership (DS-16, DS-17)', () => {
  it('is unknown before the first fetch since the start', () => {
    const device = newDevice('a')
    expect(device.snapshot().membership).toBe('Unknown')
    device.completeFetch(START_MS)
    expect(device.snapshot().membership).toBe('NoGroup')
    device.restart(START_MS)
    expect(device.snapshot().membership).toBe('Unknown')
  })

  it('sees a group until its expiry, and is cut off when only another is left', () => {
    const outsider = newOutsider('b')
    expect(outsider.snapshot().membership).toBe('GroupsVisible')
    outsider.completeFetch(START_MS + 30 * DAY_MS)
    expect(outsider.snapshot()).toMatchObject({ membership: 'NoGroup', groupsInView: [] })
    const member = newFounder('a')
    member.merge(unreadable(OTHER_GROUP, START_MS + 30 * DAY_MS - 1), START_MS + 30 * DAY_MS - 1)
    expect(member.snapshot().appeared).toEqual([])
    member.completeFetch(START_MS + 30 * DAY_MS - 1)
    expect(member.snapshot()).toMatchObject({ membership: 'InGroup', appeared: [OTHER_GROUP] })
    member.completeFetch(START_MS + 30 * DAY_MS)
    expect(member.snapshot().membership).toBe('CutOff')
  })

  it('keeps 64 groups in view, its own and those seen last (DS-37)', () => {
    const member = newFounder('a')
    for (let at = 0; at < 70; at++) member.merge(unreadable(`group ${at}`, START_MS + 1 + at), START_MS)
    member.completeFetch(START_MS)
    const groups = member.snapshot().groupsInView as readonly { groupId: string; seenAtMs: number }[]
    expect(groups.length).toBe(64)
    expect(groups.filter(({ groupId, seenAtMs }) => groupId !== GROUP && seenAtMs <= START_MS + 7)).toEqual([])
    expect(groups.some(({ groupId }) => groupId === GROUP)).toBe(true)
  })

  it('tells of another group once a run, and not of a dismissed one', () => {
    const [a] = newGroup(['a', 'b']) as [ModelDevice, ModelDevice]
    a.leave('a2', 'x-a2', START_MS)
    a.found(OTHER_GROUP, 'seed', START_MS, false)
    expect(a.snapshot()).toMatchObject({ membership: 'InGroup', appeared: [] })
    a.merge(unreadable('3333333333333333', START_MS), START_MS)
    a.restart(START_MS)
    expect(a.snapshot().appeared).toEqual([])
    a.completeFetch(START_MS)
    expect(a.snapshot().appeared).toEqual(['3333333333333333'])
  })
})

describe('founding (DS-18)', () => {
  it('makes the only member of a group in view for 30 days', () => {
    const device = newDevice('a')
    expect(device.found(GROUP, 'seed', START_MS, false)).toBe('refused')
    expect(device.found(GROUP, 'seed', START_MS, true)).toBe('done')
    expect(device.snapshot()).toMatchObject({
      rows: [{ state: 'registered', record: { seqno: 1n, x25519: 'x-a' }, digest: null, marked: true }],
      accountKeys: [{ seed: 'seed', createdAtS: START_S, rotatedAtS: null, distributed: false }],
      groupsInView: [{ groupId: GROUP, linkKey: 'link-seed', seenAtMs: START_MS, expiresAtMs: START_MS + 30 * DAY_MS }],
      readAtMs: START_MS,
      membership: 'Unknown',
    })
    expect(device.found(OTHER_GROUP, 'again', START_MS, true)).toBe('refused')
    device.completeFetch(START_MS)
    expect(device.found(OTHER_GROUP, 'again', START_MS, false)).toBe('refused')
  })

  it('withdraws what was asked, and keeps the seqno', () => {
    const device = newOutsider('b')
    requestOf(device, GROUP, START_MS, 'hash')
    expect(device.found(OTHER_GROUP, 'seed', START_MS, false)).toBe('done')
    expect(device.snapshot()).toMatchObject({ ownRequests: [], rows: [{ state: 'registered', record: { seqno: 1n } }] })
  })
})

describe('leaving (DS-21, DS-23, DS-24)', () => {
  it('for another group owes the old one a last message, and retires its keys', () => {
    const [a, b] = newGroup(['a', 'b']) as [ModelDevice, ModelDevice]
    const other = newFounder('o', OTHER_GROUP)
    letIn(other, b, START_MS + HOUR_MS)
    expect(b.snapshot()).toMatchObject({
      groupId: OTHER_GROUP,
      retiredKeys: [{ seed: `seed-${GROUP}`, rotatedAtS: START_S + 3600 }],
      farewells: [{ groupId: GROUP }],
      groupsInView: [
        { groupId: GROUP, dismissed: true },
        { groupId: OTHER_GROUP, dismissed: false },
      ],
    })
    const push = b.push(START_MS + HOUR_MS)!
    expect(push).toMatchObject({ groupId: GROUP, farewell: true, stores: true })
    expect(push.entries.get('b')).toEqual({ how: 'left', removedAtS: BigInt(START_S + 3600) })
    a.merge(send(b, START_MS + HOUR_MS), START_MS + HOUR_MS)
    expect(a.snapshot()).toMatchObject({ rotationOwed: true })
    expect(b.snapshot().farewells).toEqual([])
    expect(b.push(START_MS + HOUR_MS)).toMatchObject({ groupId: OTHER_GROUP, farewell: false })
    b.completeFetch(START_MS + HOUR_MS + 16 * DAY_MS + 1000)
    expect(b.snapshot().retiredKeys).toEqual([])
  })

  it('and coming back takes keys out of retirement that are held again', () => {
    const [a, b] = newGroup(['a', 'b']) as [ModelDevice, ModelDevice]
    b.leave('b2', 'x-b2', START_MS + HOUR_MS)
    expect(b.snapshot()).toMatchObject({ accountKeys: [], retiredKeys: [{ seed: `seed-${GROUP}` }] })
    a.merge(send(b, START_MS + HOUR_MS), START_MS + HOUR_MS)
    letIn(a, b, START_MS + HOUR_MS)
    expect(b.snapshot()).toMatchObject({ accountKeys: [{ seed: `seed-${GROUP}`, rotatedAtS: null }], retiredKeys: [] })
  })

  it('of the last member only deletes', () => {
    const device = newFounder('a')
    send(device, START_MS)
    expect(device.leave('a2', 'x-a2', START_MS)).toBe('done')
    expect(device.push(START_MS)).toMatchObject({ farewell: true, stores: false, deletes: [expect.any(String)] })
    expect(device.snapshot()).toMatchObject({ self: 'a2', rows: [], membership: 'GroupsVisible' })
    expect(device.leave('a3', 'x-a3', START_MS)).toBe('refused')
  })
})

describe('a new identity (DS-25)', () => {
  it('is for the removed and the displaced, keeps groups in view, and can found anew', () => {
    const [removed, displaced] = [newFounder('a'), newFounder('b')]
    expect(removed.renew('a2', 'x-a2', START_MS)).toBe('refused')
    removed.merge(unreadable(GROUP, START_MS, true), START_MS)
    displaced.merge(unreadable(GROUP, START_MS + HOUR_MS), START_MS)
    for (const device of [removed, displaced]) {
      expect(device.found(OTHER_GROUP, 'seed', START_MS, false)).toBe('refused')
      expect(device.ask(OTHER_GROUP, START_MS)).toBe('refused')
      expect(device.renew('n', 'x-n', START_MS)).toBe('done')
      expect(device.snapshot()).toMatchObject({
        self: 'n',
        membership: 'GroupsVisible',
        retiredKeys: [{ seed: `seed-${GROUP}`, rotatedAtS: START_S }],
        deviceKeys: [{ x25519: 'x-n' }],
      })
      expect(device.found(OTHER_GROUP, 'seed', START_MS, false)).toBe('done')
      expect(device.snapshot().membership).toBe('InGroup')
    }
  })
})

describe('members', () => {
  it('remove another member and rotate (DS-29, DS-30)', () => {
    const [a, b] = newGroup(['a', 'b']) as [ModelDevice, ModelDevice]
    expect([a.remove('a', 's', START_MS), a.remove('z', 's', START_MS)]).toEqual(['refused', 'refused'])
    expect(a.remove('b', 'fresh', START_MS + 1000)).toBe('done')
    expect(rowOf(a, 'b')).toMatchObject({ state: 'kicked', removedAtS: BigInt(START_S + 1), marked: true })
    expect(a.snapshot().accountKeys).toMatchObject([{ seed: 'fresh', createdAtS: START_S + 1 }, { rotatedAtS: START_S + 1 }])
    b.merge(unreadable(GROUP, START_MS, true), START_MS)
    expect([b.rotate('s', START_MS), b.remove('a', 's', START_MS)]).toEqual(['refused', 'refused'])
  })

  it('write their record anew for new details, and not for the same (DS-31)', () => {
    const device = newFounder('a')
    send(device, START_MS)
    device.changeDetails('details of a', START_MS)
    expect(device.push(START_MS)).toBeUndefined()
    device.changeDetails('new', START_MS + 1000)
    expect(rowOf(device, 'a')).toMatchObject({
      record: { seqno: 2n, timestampS: BigInt(START_S + 1), details: 'new' },
      marked: false,
    })
    expect(device.push(START_MS)?.entries.get('a')).toMatchObject({ member: { seqno: 2n } })
  })

  it('come to rest with the same rows and keys', () => {
    const devices = newGroup(['a', 'b', 'c', 'd'])
    const [a, b, c] = devices as [ModelDevice, ModelDevice, ModelDevice]
    a.remove('d', 'one', START_MS + 1000)
    b.rotate('two', START_MS + 1000)
    c.changeDetails('changed', START_MS + 1000)
    converge([a, b, c], START_MS + 2000)
    const said = [a, b, c].map(device => {
      const { rows, accountKeys } = device.snapshot()
      // A row of its own making has no digest.
      return { rows: rows.map(row => ({ ...row, digest: null })), accountKeys }
    })
    expect(said[1]).toEqual(said[0])
    expect(said[2]).toEqual(said[0])
    expect(said[0]!.accountKeys).toMatchObject([{ rotatedAtS: null }, {}, {}])
  })
})
