/** Which group message is merged, and what one that cannot be read says: DS-07, DS-11, DS-13, DS-14, DS-15. */
import { type AccountKeySeed, DISPLACEMENT_GRACE_MS, type GroupState, mergeGroupMessage, ROW_STATE } from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { native } from '../providers.ts'
import {
  accountKey,
  deviceKey,
  expectRefused,
  expectState,
  expectWiped,
  GROUP,
  groupInView,
  heldKey,
  idOf,
  insider,
  MINUTE_MS,
  member,
  NOW_MS,
  NOW_S,
  newKey,
  OTHER_GROUP,
  OWN_ROW,
  outsider,
  ownRequest,
  pendingRowOf,
  plain,
  publicKeyOf,
  readable,
  recordOf,
  rowOf,
  SELF,
  told,
  unreadable,
} from './devices.ts'

const merge = (state: GroupState, message: ReturnType<typeof readable>, nowMs = NOW_MS) =>
  mergeGroupMessage(native, state, message, nowMs)
const stateAfter = (state: GroupState, ...messages: readonly ReturnType<typeof readable>[]) =>
  messages.reduce((merged, message) => merge(merged, message).state, state)
const LATER_MS = NOW_MS + MINUTE_MS
const record = recordOf(2)
const request = ownRequest()
const pending = outsider({ rows: new Map([[SELF, pendingRowOf(recordOf(1))]]), ownRequests: [request] })

describe('DS-07, DS-11: a group message that can be read', () => {
  it('is merged into the own group: entries, account keys, its hash and its time', () => {
    const key = accountKey(0x20, NOW_S - 5, NOW_S)
    const message = readable([[2, member(record)]], { hash: 'h', atMs: LATER_MS, keys: [key] })
    const change = merge(insider(), message)
    expectState(change.state, insider(), {
      rows: new Map([
        [SELF, OWN_ROW],
        [idOf(2), rowOf(record, { marked: true })],
      ]),
      accountKeys: [heldKey(0xa0, NOW_S), newKey(0x20, NOW_S - 5, NOW_S)],
      mergedHashes: ['h'],
      readAtMs: LATER_MS,
      groupsInView: [groupInView({ seenAtMs: LATER_MS, expiresAtMs: message.expiresAtMs })],
    })
    expect(told(change.events)).toEqual(['device 2 joined'])
    expectWiped(change)
    expect(change.state.accountKeys[1]!.seed).toBe(key.seed)
  })

  it('is merged where it has no group ID, or the device has none, which then takes it', () => {
    const { groupId: _, ...unnamed } = insider()
    const entries = [[2, member(record)]] as const
    const rows = new Map([
      [SELF, OWN_ROW],
      [idOf(2), rowOf(record, { marked: true })],
    ])
    const merged = { rows, mergedHashes: ['hash'] }
    expectState(stateAfter(insider(), readable(entries, { groupId: null })), insider(), merged)
    expectState(stateAfter(unnamed, readable(entries, { groupId: null })), unnamed, merged)
    const view = { groupsInView: [groupInView(), groupInView({ groupId: OTHER_GROUP })] }
    const named = stateAfter(unnamed, readable(entries, { groupId: OTHER_GROUP }))
    expectState(named, unnamed, { ...merged, ...view, groupId: OTHER_GROUP })
  })

  it('of another group is not merged, and its secrets are handed back', () => {
    const keys = [accountKey(0x20, NOW_S + 5), accountKey(0x21, NOW_S)]
    const change = merge(insider(), readable([[2, member(record)]], { groupId: OTHER_GROUP, keys }))
    expectState(change.state, insider(), { groupsInView: [groupInView(), groupInView({ groupId: OTHER_GROUP })] })
    expect(change.events).toEqual([])
    expectWiped(change, keys[0]!.seed, keys[1]!.seed)
  })

  it.each([ROW_STATE.unregistered, ROW_STATE.pending, ROW_STATE.left, ROW_STATE.kicked])(
    'is not merged by a device in state %i, though it knows the group',
    state => {
      const row = rowOf(recordOf(1), { state, ...(state > 2 ? { removedAtS: 7n } : {}) })
      const device = outsider({ groupId: GROUP, rows: new Map([[SELF, row]]), groupsInView: [groupInView()] })
      const key = accountKey(0x20, NOW_S)
      const change = merge(device, readable([[2, member(record)]], { keys: [key] }))
      expectState(change.state, device)
      expectWiped(change, key.seed)
    },
  )
})

describe('DS-11: a group message that is merged', () => {
  it('is remembered by its hash once, the latest last', () => {
    const hashes = ['a', 'b', 'a', 'c']
    const merged = stateAfter(insider({ mergedHashes: ['z'] }), ...hashes.map(hash => readable([], { hash })))
    expect(merged.mergedHashes).toEqual(['z', 'a', 'b', 'c'])
  })

  it('never makes the read time earlier', () => {
    expect(stateAfter(insider(), readable([], { atMs: NOW_MS - 1 })).readAtMs).toBe(NOW_MS)
    const { readAtMs: _, ...unread } = insider()
    expect(stateAfter(unread, readable([], { atMs: NOW_MS - 1 })).readAtMs).toBe(NOW_MS - 1)
  })

  it('DK-06: changes nothing of a device key that was released, though it was encrypted to it', () => {
    const device = insider({ deviceKeys: { current: deviceKey(1), previous: [deviceKey(3, { releasedAtS: NOW_S })] } })
    const merged = stateAfter(device, readable([], { openedWith: deviceKey(3).x25519, atMs: LATER_MS }))
    expect(plain(merged.deviceKeys)).toStrictEqual(plain(device.deviceKeys))
  })

  it('hands back the seeds that are held already, and takes over the others', () => {
    const keys = [accountKey(0xa0, NOW_S), accountKey(0x20, NOW_S - 5), accountKey(0x20, NOW_S - 5)]
    const change = merge(insider(), readable([], { keys }))
    expectWiped(change, keys[0]!.seed, keys[2]!.seed)
    expect(change.state.accountKeys[1]!.seed).toBe(keys[1]!.seed)
  })

  it('tells what happened in a fixed order, not in that of the entries', () => {
    const open = { ...{ hash: 'link', deviceId: idOf(3), record: recordOf(3), digest: new Uint8Array(8), indices: [] } }
    const times = { receivedAtMs: NOW_MS, expiresAtMs: NOW_MS + 1, replaces: false, status: 'open' as const }
    const device = insider({ receivedRequests: [{ ...open, ...times }] }, [[3, pendingRowOf(recordOf(3))]])
    const entries = [
      [2, member(record)],
      [3, member(recordOf(3))],
    ] as const
    const { events } = merge(device, readable(entries, { keys: [accountKey(0x20, NOW_S + 5)] }))
    expect(told(events)).toEqual(['link accepted', 'device 2 joined', 'device 3 joined', 'account-key-changed'])
  })
})

describe('DS-13: a merge that fails', () => {
  it('leaves the state as it was', () => {
    const merging = (key: AccountKeySeed) => (state: GroupState) => merge(state, readable([[2, member(record)]], { keys: [key] }))
    expectRefused('bad-input AK-02', insider(), merging(accountKey(0x20, -1)))
    expectRefused('bad-input AK-02', insider(), merging(accountKey(0x20, 5, 5.5)))
  })
})

const announced = (words: Parameters<typeof unreadable>[0] = {}) => unreadable({ announcesRemoval: true, ...words })
const removedRow = { ...OWN_ROW, state: ROW_STATE.kicked, removedAtS: BigInt(NOW_S + 1) }

describe('DS-14: a removal announced in a message that cannot be read', () => {
  it('makes a member of the group Kicked now, and not displaced', () => {
    const change = merge(insider(), announced({ atMs: NOW_MS + DISPLACEMENT_GRACE_MS + 1 }), NOW_MS + 1999)
    const seenAtMs = NOW_MS + DISPLACEMENT_GRACE_MS + 1
    const groupsInView = [groupInView({ seenAtMs, expiresAtMs: seenAtMs + 30 * 86_400_000 })]
    expectState(change.state, insider(), { rows: new Map([[SELF, removedRow]]), groupsInView })
    expect(change.events).toEqual([{ type: 'device-changed', deviceId: SELF, change: 'removed' }])
    expectWiped(change)
  })

  it('counts where the message or the device has no group ID', () => {
    const { groupId: _, ...unnamed } = insider()
    const rows = new Map([[SELF, removedRow]])
    expectState(merge(insider(), announced({ groupId: null }), NOW_MS + 1000).state, insider(), { rows })
    expectState(merge(unnamed, announced(), NOW_MS + 1000).state, unnamed, { rows })
  })

  it('says nothing to a member of another group', () => {
    const change = merge(insider(), announced({ groupId: OTHER_GROUP }))
    expectState(change.state, insider(), { groupsInView: [groupInView(), groupInView({ groupId: OTHER_GROUP })] })
    expect(change.events).toEqual([])
  })

  it('makes a device Kicked that has asked to be let in there, also after its deadline', () => {
    for (const state of [ROW_STATE.pending, ROW_STATE.unregistered]) {
      const row = rowOf(recordOf(1), { state })
      const device = { ...pending, rows: new Map([[SELF, row]]) }
      const kicked = { ...row, state: ROW_STATE.kicked, removedAtS: BigInt(NOW_S) }
      const change = merge(device, announced())
      expectState(change.state, device, { rows: new Map([[SELF, kicked]]), groupsInView: [groupInView()] })
      expect(told(change.events)).toEqual(['device 1 removed'])
    }
  })
})

describe('DS-14: an announced removal of no concern', () => {
  it('says nothing to a device that has asked another group, or none', () => {
    expectState(merge(pending, announced({ groupId: OTHER_GROUP })).state, pending, {
      groupsInView: [groupInView({ groupId: OTHER_GROUP })],
    })
    expectState(merge(pending, announced({ groupId: null })).state, pending)
    const askedNone = { ...pending, ownRequests: [] }
    expectState(merge(askedNone, announced()).state, askedNone, { groupsInView: [groupInView()] })
  })

  it('says nothing to a device that is Left or Kicked already', () => {
    for (const state of [ROW_STATE.left, ROW_STATE.kicked]) {
      const gone = { ...pending, rows: new Map([[SELF, rowOf(recordOf(1), { state, removedAtS: 7n })]]) }
      const change = merge(gone, announced())
      expectState(change.state, gone, { groupsInView: [groupInView()] })
      expect(change.events).toEqual([])
    }
  })

  it('in a group that was asked says nothing to a member of another, but that the request is answered', () => {
    const toOther = ownRequest({ groupId: OTHER_GROUP })
    const device = insider({ groupId: OTHER_GROUP, ownRequests: [request, toOther] })
    const change = merge(device, announced({ atMs: NOW_MS + DISPLACEMENT_GRACE_MS + 1 }))
    expectState({ ...change.state, groupsInView: [] }, device, { groupsInView: [], ownRequests: [toOther] })
    expect(change.events).toEqual([])
  })

  it('drops no request when it is of the own group, of no group, or says nothing of this device', () => {
    const { groupId: _, ...unnamed } = insider({ ownRequests: [request] })
    expect(merge(unnamed, announced()).state.ownRequests).toEqual([request])
    const device = insider({ groupId: OTHER_GROUP, ownRequests: [request] })
    for (const message of [announced({ groupId: null }), unreadable()])
      expect(merge(device, message).state.ownRequests).toEqual([request])
    const gone = { ...device, rows: new Map([[SELF, { ...OWN_ROW, state: ROW_STATE.kicked, removedAtS: 7n }]]) }
    expect(merge(gone, announced()).state.ownRequests).toEqual([request])
  })

  it('has to be announced: what only cannot be read removes nobody', () => {
    expectState(merge(insider(), unreadable()).state, insider())
    expectState(merge(pending, unreadable()).state, pending, { groupsInView: [groupInView()] })
  })

  it('is found among several requests', () => {
    const several = { ...pending, ownRequests: [{ ...request, groupId: OTHER_GROUP }, request] }
    expect(told(merge(several, announced()).events)).toEqual(['device 1 removed'])
  })
})

describe('DS-15: displacement', () => {
  const view = (seenAtMs: number) => ({ groupsInView: [groupInView({ seenAtMs, expiresAtMs: seenAtMs + 30 * 86_400_000 })] })
  const limitMs = NOW_MS + 5 * MINUTE_MS
  const displaced = insider({ displacedAtMs: limitMs, ...view(limitMs) })

  it('is since the swarm time of a message more than 5 minutes after the read time', () => {
    expectState(stateAfter(insider(), unreadable({ atMs: limitMs })), insider(), view(limitMs))
    const change = merge(insider(), unreadable({ atMs: limitMs + 1 }))
    expectState(change.state, insider(), { ...view(limitMs + 1), displacedAtMs: limitMs + 1 })
    expect(change.events).toEqual([])
  })

  it('is since the latest such message, whatever the order', () => {
    const messages = [9, 99, 999].map(ms => unreadable({ atMs: limitMs + ms }))
    expect(stateAfter(insider(), ...messages).displacedAtMs).toBe(limitMs + 999)
    expect(stateAfter(insider(), ...messages.toReversed()).displacedAtMs).toBe(limitMs + 999)
  })

  it('is not by a message of another group, nor of a device that is in none, nor before anything was read', () => {
    const atMs = limitMs + 1
    expect(stateAfter(insider(), unreadable({ atMs, groupId: OTHER_GROUP })).displacedAtMs).toBe(undefined)
    expect(stateAfter({ ...pending, groupId: GROUP, readAtMs: NOW_MS }, unreadable({ atMs })).displacedAtMs).toBe(undefined)
    const { readAtMs: _, ...unread } = insider()
    expect(stateAfter(unread, unreadable({ atMs })).displacedAtMs).toBe(undefined)
  })

  it('is not by a message under an account key that is held: it is of a time when the device was a member', () => {
    const state = insider({ accountKeys: [heldKey(0xa0, NOW_S), heldKey(0xa1, 5, NOW_S)] })
    const by = (byte: number) => stateAfter(state, unreadable({ atMs: limitMs + 1, linkX25519: publicKeyOf(byte) })).displacedAtMs
    expect([by(0xa0), by(0xa1), by(0xa2)]).toEqual([undefined, undefined, limitMs + 1])
  })

  it('ends with a merged message of that time or a later one', () => {
    for (const atMs of [limitMs, limitMs + 1]) {
      const merged = stateAfter(displaced, readable([], { atMs }))
      expectState(merged, displaced, { ...view(atMs), displacedAtMs: undefined, readAtMs: atMs, mergedHashes: ['hash'] })
    }
    expect(stateAfter(displaced, readable([], { atMs: limitMs - 1 })).displacedAtMs).toBe(limitMs)
  })

  it('does not end with a message of another group', () => {
    expect(stateAfter(displaced, readable([], { atMs: limitMs + 1, groupId: OTHER_GROUP })).displacedAtMs).toBe(limitMs)
  })
})
