/** What ends when all there is was read: DS-37, and with it DS-19, DS-23 and DS-24. */
import { completeFetch, type GroupState, type ReceivedRequest, ROW_STATE } from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import {
  accountKey,
  DAY_MS,
  DAY_S,
  deviceKey,
  digestOf,
  expectNoChange,
  expectRefused,
  expectState,
  expectWiped,
  groupInView,
  HOUR_S,
  heldKey,
  idOf,
  insider,
  MINUTE_MS,
  NOW_MS,
  NOW_S,
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

const fetch = (state: GroupState, nowMs = NOW_MS) => completeFetch(state, nowMs)
const record = recordOf(2)
const request = (fields: Partial<ReceivedRequest> = {}): ReceivedRequest => ({
  ...{ hash: 'link', deviceId: idOf(2), record, digest: digestOf(record), indices: [], receivedAtMs: NOW_MS },
  ...{ expiresAtMs: NOW_MS + 1, replaces: false, status: 'open', ...fields },
})

describe('DS-37: the end of a complete fetch', () => {
  it('changes nothing for a device that has nothing to end', () => {
    const others = [
      [2, pendingRowOf(record)],
      [3, rowOf(recordOf(3), { state: ROW_STATE.left, removedAtS: 7n })],
      [4, rowOf(recordOf(4))],
    ] as const
    const state = insider({ receivedRequests: [request()], mergedHashes: ['a'], rotationOwed: true }, others)
    expectNoChange(fetch(state), state)
    expectNoChange(fetch(outsider()), outsider())
  })

  it('erases account keys past retention, by the times of AK-12', () => {
    const limitS = NOW_S - 16 * DAY_S
    const [kept, past, settled] = [
      heldKey(0xa1, limitS - 2, limitS),
      heldKey(0xa2, limitS - 9, limitS - 1),
      heldKey(0xa3, 5, NOW_S),
    ]
    const state = insider({ accountKeys: [heldKey(0xa0, NOW_S - 5), kept, settled, past] })
    const change = fetch(state)
    expectState(change.state, state, { accountKeys: [heldKey(0xa0, NOW_S - 5), kept] })
    expect(change.events).toEqual([])
    expectWiped(change, settled.seed, past.seed)
    expectNoChange(fetch(insider({ accountKeys: [heldKey(0xa0, 5)] })), insider({ accountKeys: [heldKey(0xa0, 5)] }))
  })
})

describe('DS-37: keys of the future and retired ones, at the end of a complete fetch', () => {
  it('DS-32: retires account keys that were created more than 5 days ahead, as rotated now, and tells of it', () => {
    const aheadS = NOW_S + 5 * DAY_S
    const [ahead, kept] = [heldKey(0xa2, aheadS + 1), heldKey(0xa1, NOW_S - 9, aheadS + 1)]
    const state = insider({ accountKeys: [ahead, kept, heldKey(0xa0, 5, NOW_S)], retiredKeys: [accountKey(0xb0, 5, NOW_S)] })
    const change = fetch(state)
    expectState(change.state, state, {
      accountKeys: [heldKey(0xa1, NOW_S - 9), heldKey(0xa0, 5, NOW_S)],
      retiredKeys: [accountKey(0xa2, aheadS + 1, NOW_S), accountKey(0xb0, 5, NOW_S)],
    })
    expect(told(change.events)).toEqual(['account-key-changed'])
    expectWiped(change)
    const fine = insider({ accountKeys: [heldKey(0xa2, aheadS), heldKey(0xa1, NOW_S - 9, aheadS)] })
    expectNoChange(fetch(fine), fine)
  })

  it('DS-32: forgets times of rotation more than 5 days ahead', () => {
    const state = insider({ accountKeys: [heldKey(0xa0, NOW_S - 9, NOW_S + 5 * DAY_S + 1)] })
    const change = fetch(state)
    expectState(change.state, state, { accountKeys: [heldKey(0xa0, NOW_S - 9)] })
    expect(told(change.events)).toEqual(['account-key-changed'])
  })

  it('takes a time of retiring more than 5 days ahead for now', () => {
    const aheadS = NOW_S + 5 * DAY_S
    const state = outsider({ retiredKeys: [accountKey(0xb0, 5, aheadS + 1), accountKey(0xb1, 5, aheadS)] })
    expectState(fetch(state).state, state, { retiredKeys: [accountKey(0xb0, 5, NOW_S), accountKey(0xb1, 5, aheadS)] })
  })

  it('DS-23: erases retired keys 16 days after they were', () => {
    const limitS = NOW_S - 16 * DAY_S
    const [kept, past] = [accountKey(0xb0, 5, limitS), accountKey(0xb1, 5, limitS - 1)]
    const state = outsider({ retiredKeys: [past, kept, accountKey(0xb2, 5)] })
    const change = fetch(state)
    expectState(change.state, state, { retiredKeys: [kept, accountKey(0xb2, 5)] })
    expectWiped(change, past.seed)
  })

  it('erases device keys 48 hours after they were released', () => {
    const [kept, past] = [
      deviceKey(8, { releasedAtS: NOW_S - 48 * HOUR_S + 1 }),
      deviceKey(9, { releasedAtS: NOW_S - 48 * HOUR_S }),
    ]
    const state = insider({ deviceKeys: { current: deviceKey(1), previous: [deviceKey(7), kept, past] } })
    const change = fetch(state, NOW_MS + 999)
    expectState(change.state, state, { deviceKeys: { current: deviceKey(1), previous: [deviceKey(7), kept] } })
    expectWiped(change, past.seed)
  })
})

describe('DS-37: device keys, at the end of a complete fetch', () => {
  it('keeps device keys that an answer may be sealed to: of the newest request and of confirmed ones, for two days', () => {
    const keys = [1, 2, 3, 4].map(byte => deviceKey(byte, { releasedAtS: NOW_S - 48 * HOUR_S }))
    const of = (byte: number, fields = {}) => ownRequest({ x25519: deviceKey(byte).x25519, ...fields })
    const state = outsider({
      deviceKeys: { current: deviceKey(9), previous: keys },
      ownRequests: [of(1), of(2, { confirmed: true }), of(3)],
      run: { fetched: true, membership: 'NoGroup', appeared: [] },
    })
    const kept = (nowMs: number) => fetch(state, nowMs).state.deviceKeys.previous.map(({ seed }) => seed.expose()[0])
    const limitMs = NOW_MS + 10 * MINUTE_MS + 2 * DAY_MS
    expect([kept(NOW_MS), kept(limitMs - 1), kept(limitMs)]).toEqual([[2, 3], [2, 3], []])
    expectWiped(fetch(state, NOW_MS), keys[0]!.seed, keys[3]!.seed)
  })

  it('is at a time: whole milliseconds since the epoch', () => {
    for (const time of [-1, 0.5, Number.NaN]) expectRefused('bad-input DS-40', insider(), state => fetch(state, time))
  })
})

describe('DS-37: groups, at the end of a complete fetch', () => {
  it('forgets groups that are no longer in view', () => {
    const groups = [groupInView(), groupInView({ groupId: OTHER_GROUP, expiresAtMs: NOW_MS + 1 })]
    const state = insider({ groupsInView: groups, run: { fetched: true, membership: 'InGroup', appeared: ['02'.repeat(8)] } })
    expectNoChange(fetch(state), state)
    expectState(fetch(state, NOW_MS + 1).state, state, { groupsInView: [groupInView()] })
  })

  it('keeps of more than 64 groups the own one and those seen last, in their order', () => {
    const other = (at: number) => groupInView({ groupId: new Uint8Array(8).fill(at + 10), seenAtMs: NOW_MS + ((at * 11) % 70) })
    const others = (count: number) => Array.from({ length: count }, (_, at) => other(at))
    const own = groupInView({ seenAtMs: 5 })
    const appeared = others(70).map((_, at) => (at + 10).toString(16).padStart(2, '0').repeat(8))
    const run = { fetched: true, membership: 'InGroup' as const, appeared }
    const few = insider({ groupsInView: [...others(63), own], run })
    expectNoChange(fetch(few), few)
    const many = insider({ groupsInView: [...others(70), own], run })
    const last = others(70).filter(({ seenAtMs }) => seenAtMs >= NOW_MS + 7)
    expect(last).toHaveLength(63)
    expectState(fetch(many).state, many, { groupsInView: [...last, own] })
    const nowhere = outsider({ groupsInView: others(70), run: { ...run, membership: 'GroupsVisible' } })
    expectState(fetch(nowhere).state, nowhere, { groupsInView: others(70).filter(({ seenAtMs }) => seenAtMs >= NOW_MS + 6) })
    const expired = { ...many, groupsInView: many.groupsInView.map(each => ({ ...each, expiresAtMs: NOW_MS })) }
    expectState(fetch(expired).state, expired, { groupsInView: [] })
  })

  it('DS-24: ends last messages that are owed no more', () => {
    const farewell = { groupId: OTHER_GROUP, devices: new Map(), hashes: ['z'], leftAtMs: NOW_MS }
    const [past, owed] = [
      { ...farewell, accountKeys: [heldKey(0xb0, 5)] },
      { ...farewell, accountKeys: [heldKey(0xb1, 5)], leftAtMs: NOW_MS + 1 },
    ]
    const state = outsider({ farewells: [past, owed] })
    expectNoChange(fetch(state, NOW_MS + DAY_MS - 1), state)
    const keyless = { ...state, farewells: [{ ...farewell, accountKeys: [] }, past, owed] }
    expectState(fetch(keyless, NOW_MS).state, keyless, { farewells: [past, owed] })
    const change = fetch(state, NOW_MS + DAY_MS)
    expectState(change.state, state, { farewells: [owed] })
    expectWiped(change, past.accountKeys[0]!.seed)
  })
})

describe('DS-37: requests', () => {
  it('of others that are open end with their message', () => {
    const requests = [request({ hash: 'a', expiresAtMs: NOW_MS }), request({ hash: 'b' })]
    const state = insider({ receivedRequests: requests }, [[2, pendingRowOf(record)]])
    const change = fetch(state)
    expectState(change.state, state, { receivedRequests: [{ ...requests[0], status: 'expired' }, requests[1]] })
    expect(told(change.events)).toEqual(['a expired'])
  })

  it('of others that had ended are forgotten with their message', () => {
    for (const status of ['accepted', 'ignored', 'superseded', 'expired'] as const) {
      const requests = [request({ hash: 'a', expiresAtMs: NOW_MS, status }), request({ hash: 'b', status })]
      const state = insider({ receivedRequests: requests }, [[2, pendingRowOf(record)]])
      const change = fetch(state)
      expectState(change.state, state, { receivedRequests: [requests[1]] })
      expect(change.events).toEqual([])
    }
  })

  it('of others take a row that is still Pending along, the last of a device alone', () => {
    const others = [
      [2, pendingRowOf(record)],
      [3, pendingRowOf(recordOf(3))],
      [4, rowOf(recordOf(4))],
      [5, rowOf(recordOf(5), { state: ROW_STATE.unregistered })],
    ] as const
    const requests = [
      request({ status: 'ignored', expiresAtMs: NOW_MS }),
      request({ hash: 'b', deviceId: idOf(3), status: 'ignored' }),
    ]
    const state = insider({ receivedRequests: requests }, others)
    expectState(fetch(state).state, state, {
      receivedRequests: [requests[1]],
      rows: new Map([[SELF, OWN_ROW], ...others.slice(1).map(([byte, row]) => [idOf(byte), row] as const)]),
    })
  })

  it('of this device that are past their deadline end its being Pending, and that is told after them', () => {
    const asked = ownRequest()
    const run = { fetched: true, membership: 'Waiting' as const, appeared: [] }
    const pending = pendingRowOf(recordOf(1))
    const state = outsider({ ownRequests: [asked], rows: new Map([[SELF, pending]]), receivedRequests: [request()], run })
    expectNoChange(fetch(state, NOW_MS), state)
    const change = fetch(state, NOW_MS + 10 * MINUTE_MS)
    expectState(change.state, state, {
      rows: new Map([[SELF, { ...pending, state: ROW_STATE.unregistered }]]),
      receivedRequests: [request({ status: 'expired' })],
      run: { ...run, membership: 'NoGroup' },
    })
    expect(told(change.events)).toEqual(['link expired', 'NoGroup'])
    expectState(fetch(change.state, NOW_MS + 10 * MINUTE_MS + 30 * DAY_MS).state, change.state, {
      ...{ ownRequests: [], receivedRequests: [] },
    })
  })
})
