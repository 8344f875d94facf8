/** The naive model does what the clauses say of asking, being admitted and letting in: histories written by hand. */
import { describe, expect, it } from 'vitest'
import type { ModelDevice } from './model.ts'
import {
  DAY_MS,
  digestOf,
  emptyMessage,
  GROUP,
  HOUR_MS,
  MINUTE_MS,
  messageOf,
  newDevice,
  newFounder,
  newGroup,
  newOutsider,
  OTHER_GROUP,
  requestFrom,
  requestOf,
  rowOf,
  START_MS,
  START_S,
  send,
  unreadable,
} from './model-people.ts'
import type { ModelRecord } from './model-types.ts'

describe('asking (DS-19, DS-22)', () => {
  it('is for a known membership and a group in view that is not the own one', () => {
    const device = newDevice('b')
    device.merge(unreadable(GROUP, START_MS), START_MS)
    expect(device.ask(GROUP, START_MS)).toBe('refused')
    device.completeFetch(START_MS)
    expect([device.ask(OTHER_GROUP, START_MS), newFounder('a').ask(GROUP, START_MS)]).toEqual(['refused', 'refused'])
    expect(device.ask(GROUP, START_MS)).toMatchObject({ seqno: 1n, timestampS: BigInt(START_S), x25519: 'x-b' })
    expect(device.ask(GROUP, START_MS)).toMatchObject({ seqno: 2n, timestampS: BigInt(START_S + 1) })
    expect(device.snapshot()).toMatchObject({ membership: 'Waiting', rows: [{ state: 'pending', record: { seqno: 2n } }] })
  })

  it('ends ten minutes after a stored request, and remembers it for 30 days', () => {
    const device = newOutsider('b')
    requestOf(device, GROUP, START_MS, 'hash')
    device.completeFetch(START_MS + 10 * MINUTE_MS - 1)
    expect(rowOf(device, 'b')).toMatchObject({ state: 'pending' })
    device.completeFetch(START_MS + 10 * MINUTE_MS)
    expect(rowOf(device, 'b')).toMatchObject({ state: 'unregistered', record: { seqno: 1n } })
    device.completeFetch(START_MS + 10 * MINUTE_MS + 30 * DAY_MS - 1)
    expect(device.snapshot().ownRequests.length).toBe(1)
    device.completeFetch(START_MS + 10 * MINUTE_MS + 30 * DAY_MS)
    expect(device.snapshot().ownRequests).toEqual([])
  })

  it('is undone when the request is not stored, is withdrawn, or was not known to be stored at a start', () => {
    const ends = [
      (b: ModelDevice) => b.requestFailed(),
      (b: ModelDevice) => b.withdraw(),
      (b: ModelDevice) => b.restart(START_MS),
    ]
    for (const end of ends) {
      const device = newOutsider('b')
      device.ask(GROUP, START_MS)
      expect(end(device)).toBe('done')
      expect(device.snapshot()).toMatchObject({ ownRequests: [], rows: [{ state: 'unregistered' }] })
    }
    const stored = newOutsider('b')
    requestOf(stored, GROUP, START_MS, 'hash')
    expect(stored.requestFailed()).toBe('refused')
    stored.restart(START_MS)
    expect(stored.snapshot()).toMatchObject({
      ownRequests: [{ deadlineMs: START_MS + 10 * MINUTE_MS }],
      rows: [{ state: 'pending' }],
    })
  })

  it('goes on when only an earlier request is dropped', () => {
    const device = newOutsider('b')
    device.ask(GROUP, START_MS)
    requestOf(device, GROUP, START_MS, 'second')
    device.restart(START_MS)
    expect(device.snapshot()).toMatchObject({ ownRequests: [{ timestampS: BigInt(START_S + 1) }], rows: [{ state: 'pending' }] })
  })
})

function admitted(): { member: ModelDevice; joiner: ModelDevice } {
  const [member, joiner] = [newFounder('a'), newOutsider('b')]
  const request = requestOf(joiner, GROUP, START_MS, 'hash')
  member.receiveRequest(request, START_MS)
  member.accept('hash', 'unused', START_MS)
  return { member, joiner }
}

describe('admission (DS-20, DS-21)', () => {
  it('is held until the person confirms, then all held messages are merged by their times', () => {
    const { member, joiner } = admitted()
    const push = member.push(START_MS)!
    joiner.merge(messageOf(push, START_MS + 2, 'x-b', { hash: 'later' }), START_MS)
    joiner.merge(messageOf(push, START_MS + 1, 'x-b', { hash: 'earlier' }), START_MS)
    joiner.merge(messageOf(push, START_MS + 1, 'x-b', { hash: 'earlier' }), START_MS)
    expect(joiner.snapshot()).toMatchObject({
      membership: 'Waiting',
      ownRequests: [{ held: [{ hash: 'earlier' }, { hash: 'later' }] }],
    })
    joiner.confirm(START_MS)
    expect(joiner.snapshot()).toMatchObject({
      membership: 'InGroup',
      groupId: GROUP,
      readAtMs: START_MS + 2,
      mergedHashes: ['earlier', 'later'],
      ownRequests: [],
      rows: [
        { id: 'a', state: 'registered', marked: true },
        { id: 'b', state: 'registered', marked: true },
      ],
      accountKeys: [{ seed: `seed-${GROUP}`, distributed: false }],
    })
  })

  it('holds the 16 latest', () => {
    const { member, joiner } = admitted()
    const push = member.push(START_MS)!
    for (let at = 0; at < 20; at++) joiner.merge(messageOf(push, START_MS + at, 'x-b', { hash: `${at}` }), START_MS)
    const { held } = joiner.snapshot().ownRequests[0] as { held: readonly object[] }
    expect([held.length, held[0], held[15]]).toMatchObject([16, { hash: '4' }, { hash: '19' }])
  })

  it('that is held is dropped when the person asks anew', () => {
    const { member, joiner } = admitted()
    joiner.merge(messageOf(member.push(START_MS)!, START_MS, 'x-b'), START_MS)
    expect(joiner.snapshot().ownRequests).toMatchObject([{ held: [{}] }])
    joiner.ask(GROUP, START_MS)
    expect(joiner.snapshot().ownRequests).toMatchObject([{ held: [] }, { held: [] }])
    joiner.confirm(START_MS)
    expect(joiner.snapshot().groupId).toBeNull()
  })
})

describe('who is admitted (DS-20, DS-21)', () => {
  it('needs an own request for that group, with its time and key', () => {
    const { member, joiner } = admitted()
    joiner.confirm(START_MS)
    const push = member.push(START_MS)!
    const before = joiner.snapshot()
    const own = push.entries.get('b')!
    const foreign = 'member' in own ? { ...own, member: { ...own.member, x25519: 'foreign' } } : own
    joiner.merge(messageOf({ ...push, entries: new Map([...push.entries, ['b', foreign]]) }, START_MS, 'x-b'), START_MS)
    joiner.merge(messageOf({ ...push, entries: new Map([['a', push.entries.get('a')!]]) }, START_MS, 'x-b'), START_MS)
    joiner.merge(messageOf(push, START_MS, 'x-b', { groupId: OTHER_GROUP }), START_MS)
    expect({ ...joiner.snapshot(), groupsInView: [] }).toEqual({ ...before, groupsInView: [] })
    joiner.completeFetch(START_MS + HOUR_MS)
    joiner.merge(messageOf(push, START_MS, 'x-b'), START_MS + HOUR_MS)
    expect(joiner.snapshot()).toMatchObject({ groupId: GROUP, membership: 'GroupsVisible' })
    joiner.completeFetch(START_MS + HOUR_MS)
    expect(joiner.snapshot()).toMatchObject({ groupId: GROUP, membership: 'InGroup' })
  })

  it('of an earlier request counts if that was confirmed, and is not held if not', () => {
    for (const confirms of [true, false]) {
      const { member, joiner } = admitted()
      if (confirms) joiner.confirm(START_MS)
      joiner.ask(GROUP, START_MS)
      joiner.merge(messageOf(member.push(START_MS)!, START_MS, 'x-b'), START_MS)
      expect(joiner.snapshot().groupId).toBe(confirms ? GROUP : null)
      expect(joiner.snapshot().ownRequests).toMatchObject(confirms ? [] : [{ held: [] }, { held: [] }])
    }
  })

  it('keeps the own details and does not count departures of before (DS-09)', () => {
    const { member, joiner } = admitted()
    member.merge(
      emptyMessage(GROUP, START_MS, {
        opened: { devices: new Map([['c', { how: 'left', removedAtS: 5n }]]), keys: [], openedWith: '' },
      }),
      START_MS,
    )
    joiner.confirm(START_MS)
    joiner.changeDetails('changed', START_MS)
    joiner.merge(messageOf(member.push(START_MS)!, START_MS, 'x-b'), START_MS + 2000)
    expect(joiner.snapshot()).toMatchObject({ details: 'changed', rotationOwed: false })
    expect(rowOf(joiner, 'b')).toMatchObject({
      record: { seqno: 2n, timestampS: BigInt(START_S + 2), details: 'changed' },
      digest: null,
      marked: true,
    })
    expect(rowOf(joiner, 'c')).toMatchObject({ state: 'left', marked: false })
  })

  it('is refused to a device that is Kicked', () => {
    const { member, joiner } = admitted()
    joiner.confirm(START_MS)
    joiner.merge(unreadable(GROUP, START_MS, true), START_MS)
    joiner.merge(messageOf(member.push(START_MS)!, START_MS, 'x-b'), START_MS)
    joiner.completeFetch(START_MS)
    expect(joiner.snapshot()).toMatchObject({ groupId: null, membership: 'Removed' })
  })
})

describe('requests of others (DS-12, DS-26, DS-27, DS-28)', () => {
  it('are taken by rank, once, and supersede earlier ones', () => {
    const device = newFounder('a')
    expect(device.receiveRequest(requestFrom('b', 1n), START_MS)).toBe('done')
    expect(device.receiveRequest(requestFrom('b', 1n), START_MS)).toBe('refused')
    expect(device.receiveRequest(requestFrom('b', 2n), START_MS)).toBe('done')
    expect(device.receiveRequest(requestFrom('a', 9n), START_MS)).toBe('refused')
    expect(device.receiveRequest(requestFrom('c', 1n), START_MS + 10 * MINUTE_MS)).toBe('refused')
    expect(newOutsider('o').receiveRequest(requestFrom('b', 1n), START_MS)).toBe('refused')
    expect(device.snapshot().receivedRequests).toMatchObject([{ status: 'superseded' }, { status: 'open', replaces: false }])
    expect(device.accept('request 1 of b', 'unused', START_MS)).toBe('refused')
    expect(device.accept('request 2 of b', 'unused', START_MS + 10 * MINUTE_MS)).toBe('refused')
    expect(device.accept('request 2 of b', 'unused', START_MS)).toBe('done')
    expect(rowOf(device, 'b')).toMatchObject({ state: 'registered', record: { seqno: 2n }, marked: true })
    expect(device.snapshot().accountKeys.length).toBe(1)
  })

  it('of a member ask to replace it, if they are later than its record', () => {
    const [a, b] = newGroup(['a', 'b']) as [ModelDevice, ModelDevice]
    expect(a.receiveRequest(requestFrom('b', 0n), START_MS)).toBe('refused')
    expect(a.receiveRequest(requestFrom('b', 7n), START_MS)).toBe('done')
    expect(rowOf(a, 'b')).toMatchObject({ record: { x25519: 'x-b' } })
    a.accept('request 7 of b', 'fresh', START_MS)
    expect(rowOf(a, 'b')).toMatchObject({ record: { seqno: 8n, x25519: 'x-b-7' }, digest: expect.any(String), marked: true })
    expect(a.snapshot().accountKeys).toMatchObject([{ seed: 'fresh' }, {}])
    // The device that was replaced does not have these keys: it says so.
    b.merge(send(a, START_MS), START_MS)
    expect(rowOf(b, 'b')).toMatchObject({ record: { seqno: 9n, x25519: 'x-b' }, digest: null })
  })

  it('are accepted by what another member says, a replacement only with the keys asked for', () => {
    const [a, b] = newGroup(['a', 'b']) as [ModelDevice, ModelDevice]
    const request = requestFrom('c', 1n)
    a.receiveRequest(request, START_MS)
    b.receiveRequest(request, START_MS)
    b.accept(request.hash, 'unused', START_MS)
    // By now the device has other keys than it asked with: it is in the group all the same.
    const { member } = b.push(START_MS)!.entries.get('c') as { readonly member: ModelRecord }
    const later = { ...member, seqno: 2n, x25519: 'later' }
    const said = new Map([['c', { member: later, digest: digestOf(later) }]])
    a.merge(emptyMessage(GROUP, START_MS, { opened: { devices: said, keys: [], openedWith: '' } }), START_MS)
    const replacing = requestFrom('b', 7n)
    a.receiveRequest(replacing, START_MS)
    b.changeDetails('changed', START_MS)
    a.merge(send(b, START_MS), START_MS)
    expect(a.snapshot().receivedRequests.slice(-2)).toMatchObject([{ status: 'accepted' }, { status: 'open' }])
    b.rotateDeviceKey('x-b-7', START_MS)
    a.merge(send(b, START_MS), START_MS)
    expect(a.snapshot().receivedRequests.at(-1)).toMatchObject({ status: 'accepted' })
  })
})

describe('how requests of others end (DS-12, DS-26, DS-37)', () => {
  it('end with the device, with the person, and with their time, and are forgotten after (DS-37)', () => {
    const device = newFounder('a')
    for (const id of ['b', 'c', 'd']) device.receiveRequest(requestFrom(id, 1n), START_MS)
    device.ignore('request 1 of b')
    const gone = new Map([['c', { how: 'kicked', removedAtS: 1n } as const]])
    device.merge(emptyMessage(GROUP, START_MS, { opened: { devices: gone, keys: [], openedWith: '' } }), START_MS)
    expect(device.snapshot().receivedRequests).toMatchObject([{ status: 'ignored' }, { status: 'expired' }, { status: 'open' }])
    expect(rowOf(device, 'b')).toMatchObject({ state: 'pending' })
    expect(device.receiveRequest(requestFrom('c', 2n), START_MS)).toBe('refused')
    device.completeFetch(START_MS + 10 * MINUTE_MS)
    expect(device.snapshot().receivedRequests).toMatchObject([{ deviceId: 'd', status: 'expired' }])
    expect([rowOf(device, 'b'), rowOf(device, 'd')]).toMatchObject([undefined, { state: 'pending' }])
    device.completeFetch(START_MS + 10 * MINUTE_MS)
    expect(device.snapshot().receivedRequests).toEqual([])
    expect([rowOf(device, 'c'), rowOf(device, 'd')]).toMatchObject([{ state: 'kicked' }, undefined])
  })

  it('are ignored beyond 64 open ones, but for a device that has one (DS-26)', () => {
    const device = newFounder('a')
    for (let at = 0; at < 64; at++) expect(device.receiveRequest(requestFrom(`b${at}`, 1n), START_MS)).toBe('done')
    expect(device.receiveRequest(requestFrom('c', 1n), START_MS)).toBe('refused')
    expect(device.receiveRequest(requestFrom('b7', 2n), START_MS)).toBe('done')
    device.ignore('request 1 of b8')
    expect(device.receiveRequest(requestFrom('c', 1n), START_MS)).toBe('done')
  })
})
