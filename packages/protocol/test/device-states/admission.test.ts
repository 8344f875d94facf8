/** Being let in: DS-20, DS-21. */
import {
  confirmLink,
  deviceIdOf,
  type GroupState,
  mergeGroupMessage,
  newestRequest,
  type OpenGroupOutcome,
  type OwnRequest,
  ProtocolError,
  type ReceivedGroupMessage,
  ROW_STATE,
  writeDeviceRecord,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { native } from '../providers.ts'
import {
  accountKey,
  DETAILS,
  deviceKey,
  expectRefused,
  expectState,
  expectWiped,
  GROUP,
  groupInView,
  heldKey,
  idOf,
  insider,
  kicked,
  left,
  member,
  NOW_MS,
  NOW_S,
  newKey,
  OTHER_GROUP,
  outsider,
  ownRequest,
  plain,
  readable,
  recordOf,
  rowOf,
  SELF,
  told,
  unreadable,
} from './devices.ts'

const asked = recordOf(1, { seqno: 3n })
const second = recordOf(2)
const REQUEST = ownRequest({ seqno: 3n })
const CONFIRMED: OwnRequest = { ...REQUEST, confirmed: true }
const PENDING_ROW = { state: ROW_STATE.pending, record: asked, marked: false }

const asking = (ownRequests: readonly OwnRequest[], fields: Partial<GroupState> = {}) =>
  outsider({
    ...{ rows: new Map([[SELF, PENDING_ROW]]), ownRequests, groupsInView: [groupInView()] },
    run: { fetched: true, membership: 'Waiting', appeared: [] },
    ...fields,
  })
const letIn = (words: Parameters<typeof readable>[1] = {}, record = asked) =>
  readable(
    [
      [1, member(record)],
      [2, member(second)],
    ],
    words,
  )
const merge = (state: GroupState, message: ReceivedGroupMessage) => mergeGroupMessage(native, state, message, NOW_MS)
const heldOf = ({ hash, message, swarmTimeMs, expiresAtMs }: ReceivedGroupMessage) => ({
  hash,
  message,
  swarmTimeMs,
  expiresAtMs,
})
/** How the group in view looks after messages at these times. */
const viewAt = (seenAtMs: number) => ({ groupsInView: [groupInView({ seenAtMs, expiresAtMs: seenAtMs + 30 * 86_400_000 })] })

function expectIgnored(state: GroupState, message: ReceivedGroupMessage, changes: Parameters<typeof expectState>[2] = {}): void {
  const change = merge(state, message)
  expectState(change.state, state, changes)
  expect(change.events).toEqual([])
  if (message.opened.outcome === 'opened') expectWiped(change, ...message.opened.payload.accountKeys.map(({ seed }) => seed))
}

describe('DS-20: an admission', () => {
  it('that answers a confirmed request makes a member, with all that the message says', () => {
    const key = accountKey(0x20, NOW_S)
    const change = merge(asking([CONFIRMED]), letIn({ hash: 'h', keys: [key], atMs: NOW_MS + 7 }))
    expectState(change.state, asking([CONFIRMED]), {
      ...{ groupId: GROUP, readAtMs: NOW_MS + 7, mergedHashes: ['h'], ownRequests: [], ...viewAt(NOW_MS + 7) },
      accountKeys: [newKey(0x20, NOW_S)],
      rows: new Map([
        [SELF, rowOf(asked, { marked: true })],
        [idOf(2), rowOf(second, { marked: true })],
      ]),
    })
    expect(told(change.events)).toEqual(['device 2 joined', 'devices-replaced', 'account-key-changed'])
    expectWiped(change)
  })

  it('that answers the newest request waits for the person, and none of its secrets does', () => {
    const key = accountKey(0x20, NOW_S)
    const message = letIn({ keys: [key] })
    const change = merge(asking([REQUEST]), message)
    expectState(change.state, asking([REQUEST]), { ownRequests: [{ ...REQUEST, held: [heldOf(message)] }] })
    expect(change.events).toEqual([{ type: 'admission-held' }])
    expectWiped(change, key.seed)
  })

  it('waits with others like it, by swarm time and each once, which is told once', () => {
    const [a, b, c] = [30, 10, 20].map(ms => letIn({ hash: `at ${ms}`, atMs: NOW_MS + ms }))
    const waiting = merge(asking([REQUEST]), a!).state
    const [more, again] = [merge(merge(waiting, b!).state, c!), merge(waiting, a!)]
    expect(more.events).toEqual([])
    expect(plain(newestRequest(more.state)!.held)).toStrictEqual(plain([b!, c!, a!].map(heldOf)))
    expectState(again.state, waiting)
    expect(again.events).toEqual([])
  })

  it('waits with at most 15 others, those with the latest swarm times', () => {
    const times = [16, 3, 9, 1, 12, 0, 7, 5, 14, 2, 10, 6, 15, 4, 13, 8, 11]
    const state = times.reduce(
      (merged, ms) => merge(merged, letIn({ hash: `${ms}`, atMs: NOW_MS + ms })).state,
      asking([REQUEST]),
    )
    expect(newestRequest(state)!.held.map(({ hash }) => Number(hash))).toEqual(times.toSorted((a, b) => a - b).slice(1))
  })
})

describe('DS-20: an admission answers a request, or is none. It', () => {
  it('needs the timestamp, the key and the group of a request, and this device as a member', () => {
    for (const request of [REQUEST, CONFIRMED]) {
      const state = asking([request])
      expectIgnored(state, letIn({ keys: [accountKey(0x20, 1)] }, recordOf(1, { timestampS: BigInt(NOW_S) + 1n })))
      expectIgnored(state, letIn({ keys: [accountKey(0x20, 1)] }, recordOf(1, { key: 9 })))
      expectIgnored(state, letIn({ groupId: OTHER_GROUP }), {
        groupsInView: [groupInView(), groupInView({ groupId: OTHER_GROUP })],
      })
      expectIgnored(state, letIn({ groupId: null }))
      expectIgnored(state, readable([[2, member(second)]]))
      for (const entry of [left(NOW_S), kicked(NOW_S)]) expectIgnored(state, readable([[1, entry]]))
    }
    expectIgnored(asking([]), letIn())
  })

  it('of an earlier request is ignored, unless that was confirmed', () => {
    const newest = { ...REQUEST, timestampS: BigInt(NOW_S) + 9n }
    expectIgnored(asking([REQUEST, newest]), letIn({ keys: [accountKey(0x20, 1)] }))
    expect(merge(asking([CONFIRMED, newest]), letIn()).state.rows.get(SELF)!.state).toBe(ROW_STATE.registered)
  })

  it('is held for the request that it answers, not for another', () => {
    const earlier = { ...REQUEST, timestampS: BigInt(NOW_S) - 9n }
    const { state } = merge(asking([earlier, REQUEST]), letIn())
    expectState(state, asking([earlier, REQUEST]), { ownRequests: [earlier, { ...REQUEST, held: [heldOf(letIn())] }] })
  })

  it('is still one after the deadline', () => {
    const rows = new Map([[SELF, { ...PENDING_ROW, state: ROW_STATE.unregistered }]])
    const state = asking([{ ...CONFIRMED, deadlineMs: NOW_MS - 1 }], { rows })
    expect(merge(state, letIn()).state.rows.get(SELF)!.state).toBe(ROW_STATE.registered)
    expect(told(merge(asking([REQUEST], { rows }), letIn()).events)).toEqual(['admission-held'])
  })

  it('is none for a device that is Kicked', () => {
    const rows = new Map([[SELF, { ...PENDING_ROW, state: ROW_STATE.kicked, removedAtS: 7n }]])
    for (const request of [REQUEST, CONFIRMED]) expectIgnored(asking([request], { rows }), letIn({ keys: [accountKey(0x20, 1)] }))
  })
})

const opening =
  (...messages: readonly ReceivedGroupMessage[]) =>
  (bytes: Uint8Array): OpenGroupOutcome =>
    messages.find(({ message }) => message === bytes)!.opened
const withHeld = (...messages: readonly ReceivedGroupMessage[]) => asking([{ ...REQUEST, held: messages.map(heldOf) }])

describe('DS-20: confirming', () => {
  it('without an admission only notes it, on the newest request', () => {
    const earlier = { ...REQUEST, timestampS: 5n }
    const change = confirmLink(native, asking([earlier, REQUEST]), opening(), NOW_MS)
    expectState(change.state, asking([earlier, REQUEST]), { ownRequests: [earlier, CONFIRMED] })
    expect(change.events).toEqual([])
    expectWiped(change)
  })

  it('merges what was held in its order, all as history, and tells that this device is in', () => {
    const [key, sameKey, newer] = [accountKey(0x20, NOW_S), accountKey(0x20, NOW_S), accountKey(0x21, NOW_S + 5)]
    const messages = [
      letIn({ hash: 'a', atMs: NOW_MS + 1, keys: [key] }),
      readable([[2, left(NOW_S)]], { hash: 'b', atMs: NOW_MS + 2, keys: [newer, sameKey] }),
    ]
    const before = withHeld(...messages)
    const change = confirmLink(native, before, opening(...messages), NOW_MS)
    expectState(change.state, before, {
      ...{ groupId: GROUP, readAtMs: NOW_MS + 2, mergedHashes: ['a', 'b'], ownRequests: [], ...viewAt(NOW_MS + 2) },
      accountKeys: [newKey(0x21, NOW_S + 5), newKey(0x20, NOW_S, NOW_S + 5)],
      rows: new Map([
        [SELF, rowOf(asked, { marked: true })],
        [idOf(2), rowOf(second, { state: ROW_STATE.left, removedAtS: BigInt(NOW_S), marked: true })],
      ]),
      run: { fetched: true, membership: 'InGroup', appeared: [] },
    })
    expect(told(change.events)).toEqual([
      ...['device 2 joined', 'device 2 left', 'devices-replaced', 'account-key-changed', 'account-key-changed', 'InGroup'],
    ])
    expectWiped(change, sameKey.seed)
  })
})

describe('DS-20: confirming, where something is wrong with what was held,', () => {
  it('passes over what is malformed, forged or cannot be opened by now', () => {
    const cause = new ProtocolError('malformed', 'DG-09', 'made up')
    const removal = unreadable({ announcesRemoval: true }).opened
    const outcomes: OpenGroupOutcome[] = [{ outcome: 'malformed', cause }, { outcome: 'forged' }, removal]
    const messages = ['a', 'b', 'c', 'd'].map(hash => letIn({ hash }))
    const open = (bytes: Uint8Array) => outcomes[messages.findIndex(each => each.message === bytes)] ?? messages[3]!.opened
    const { state } = confirmLink(native, withHeld(...messages), open, NOW_MS)
    expect(state.mergedHashes).toEqual(['d'])
    expect(state.rows.get(SELF)!.state).toBe(ROW_STATE.registered)
    for (const outcome of outcomes) {
      expectRefused('unknown-request DS-20', withHeld(messages[0]!), given => confirmLink(native, given, () => outcome, NOW_MS))
    }
  })

  it('DS-39: of an admission to a group that is too large is refused, and what was opened for it is wiped', () => {
    const keys = [accountKey(0x20, NOW_S), accountKey(0x21, NOW_S)]
    const crowd = Array.from({ length: 256 }, (_, at) => [deviceIdOf(new Uint8Array(32).fill(at, 0, 1)), member(second)] as const)
    const tooMany = readable([], { hash: 'b', atMs: NOW_MS + 2 })
    const payload = { devices: new Map(crowd), accountKeys: [keys[1]!] }
    const opened = { ...tooMany.opened, payload } as ReceivedGroupMessage['opened']
    const messages = [letIn({ hash: 'a', atMs: NOW_MS + 1, keys: [keys[0]!] }), { ...tooMany, opened }]
    const before = withHeld(...messages)
    expectRefused('malformed DS-39', before, state => confirmLink(native, state, opening(...messages), NOW_MS))
    expect(keys.map(({ seed }) => seed.wiped)).toEqual([true, true])
  })

  it('of nothing is refused', () => {
    expectRefused('unknown-request DS-20', asking([]), state => confirmLink(native, state, opening(), NOW_MS))
  })

  it('hands back what was given up to join, once', () => {
    const message = letIn({ keys: [accountKey(0x20, NOW_S)] })
    const retired = accountKey(0x20, NOW_S - 5, NOW_S - 1)
    const before = { ...withHeld(message), retiredKeys: [retired] }
    const change = confirmLink(native, before, opening(message), NOW_MS)
    expectWiped(change, retired.seed)
  })
})

describe('DS-21: being admitted', () => {
  it('forgets all that belonged to the group before, which learns of the leaving', () => {
    const others = [[5, rowOf(recordOf(5))]] as const
    const received = { hash: 'x', deviceId: idOf(6), record: recordOf(6), digest: new Uint8Array(8), indices: [] }
    const open = { ...received, receivedAtMs: 1, expiresAtMs: NOW_MS + 9, replaces: false, status: 'open' } as const
    const state = insider(
      {
        ...{ mergedHashes: ['old'], confirmedSeqno: 4n, rotationOwed: true },
        ...{
          groupId: OTHER_GROUP,
          receivedRequests: [open],
          groupsInView: [groupInView({ groupId: OTHER_GROUP }), groupInView()],
        },
        ownRequests: [{ ...CONFIRMED }, { ...REQUEST, groupId: OTHER_GROUP }],
        accountKeys: [heldKey(0xa0, NOW_S - 9), heldKey(0xa1, NOW_S - 20, NOW_S - 15)],
      },
      others,
    )
    const key = accountKey(0x20, NOW_S)
    const message = readable(
      [
        [1, member(asked)],
        [2, left(NOW_S)],
      ],
      { keys: [key] },
    )
    const change = merge(state, message)
    const entries = new Map([
      [SELF, left(NOW_S)],
      [idOf(5), member(recordOf(5))],
    ])
    expectState(change.state, state, {
      ...{ groupId: GROUP, mergedHashes: ['hash'], confirmedSeqno: 0n, rotationOwed: false },
      ...{ receivedRequests: [], ownRequests: [] },
      groupsInView: [groupInView({ groupId: OTHER_GROUP, dismissed: true }), groupInView()],
      accountKeys: [newKey(0x20, NOW_S)],
      retiredKeys: [accountKey(0xa0, NOW_S - 9, NOW_S), accountKey(0xa1, NOW_S - 20, NOW_S - 15)],
      farewells: [{ groupId: OTHER_GROUP, devices: entries, accountKeys: state.accountKeys, hashes: ['old'], leftAtMs: NOW_MS }],
      rows: new Map([
        [SELF, rowOf(asked, { marked: true })],
        [idOf(2), { state: ROW_STATE.left, removedAtS: BigInt(NOW_S), marked: false }],
      ]),
    })
    expect(told(change.events)).toEqual(['device 2 left', 'devices-replaced', 'account-key-changed'])
    expectWiped(change)
  })

  it('ends a displacement, and a device that was displaced owes the old group nothing', () => {
    const fields = { displacedAtMs: NOW_MS + 1, mergedHashes: ['old'], groupId: OTHER_GROUP, ownRequests: [CONFIRMED] }
    const { state } = merge(insider(fields, [[5, rowOf(recordOf(5))]]), letIn())
    expect(state).not.toHaveProperty('displacedAtMs')
    expect(state.farewells).toEqual([])
    expect(state.groupId).toBe(GROUP)
  })
})

describe('DS-21: a device that was admitted', () => {
  it('keeps the own details: a record that differs is written anew, with the next seqno', () => {
    const record = writeDeviceRecord({ ...deviceKey(1), seqno: 3n, timestampS: BigInt(NOW_S), description: 'another' })
    const { state } = merge(asking([CONFIRMED]), letIn({}, record))
    expect(state.details).toBe(DETAILS)
    const anew = recordOf(1, { seqno: 4n })
    expect(plain(state.rows.get(SELF))).toStrictEqual(plain({ state: ROW_STATE.registered, record: anew, marked: true }))
  })

  it('writes the record anew when the device key was replaced since it asked', () => {
    const deviceKeys = { current: deviceKey(9), previous: [deviceKey(1, { releasedAtS: NOW_S - 50 })] }
    const { state } = merge(asking([CONFIRMED], { deviceKeys }), readable([[1, member(asked)]], { atMs: NOW_MS + 5000 }))
    const anew = recordOf(1, { seqno: 4n, key: 9 })
    expect(plain(state.rows.get(SELF))).toStrictEqual(plain({ state: ROW_STATE.registered, record: anew, marked: true }))
    expect(plain(state.deviceKeys)).toStrictEqual(plain(deviceKeys))
  })

  it('DK-09: takes the releases of its device keys back, for members that it did not know', () => {
    const deviceKeys = { current: deviceKey(1), previous: [deviceKey(9, { releasedAtS: NOW_S - 50 })] }
    const { state } = merge(asking([CONFIRMED], { deviceKeys }), letIn())
    expect(plain(state.deviceKeys)).toStrictEqual(plain({ current: deviceKey(1), previous: [deviceKey(9, { renewed: true })] }))
  })

  it('does not delete a message of which it left a key out as too far ahead (DS-11)', () => {
    const { state } = merge(asking([CONFIRMED]), letIn({ keys: [accountKey(0x20, NOW_S + 6 * 86_400), accountKey(0x21, NOW_S)] }))
    expect(state.mergedHashes).toEqual([])
    expect(state.accountKeys).toHaveLength(1)
  })

  it('counts only once: the next message of the group is merged like any other', () => {
    const admitted = merge(asking([CONFIRMED]), letIn()).state
    const { state } = merge(admitted, readable([[2, left(NOW_S)]], { hash: 'next' }))
    expect(state.mergedHashes).toEqual(['hash', 'next'])
    expect(state.rotationOwed).toBe(true)
  })
})
