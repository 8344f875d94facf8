/** The entries of a group message that is merged, and what follows for the account key, oneself and requests: DS-08 to DS-10, DS-12. */
import { INT64_MAX } from '@session-v2/encoding'
import {
  type DeviceRecord,
  type GroupState,
  mergeGroupMessage,
  type ReceivedRequest,
  ROW_STATE,
  writeDeviceRecord,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { native } from '../providers.ts'
import {
  bt,
  DETAILS,
  deviceKey,
  digestOf,
  expectState,
  goneRow,
  idOf,
  insider,
  kicked,
  left,
  member,
  NOW_MS,
  NOW_S,
  OWN_ROW,
  pendingRowOf,
  plain,
  readable,
  recordOf,
  rowOf,
  SELF,
  told,
} from './devices.ts'

type Entries = Parameters<typeof readable>[0]
const merge = (state: GroupState, entries: Entries, options?: { history: boolean }) =>
  mergeGroupMessage(native, state, readable(entries), NOW_MS, options)
const second = recordOf(2)
const newer = recordOf(2, { seqno: 2n, description: 'renamed' })

describe('DS-08: the entries of a message', () => {
  it('are all applied, each told as what it changed', () => {
    const state = insider({}, [
      [3, rowOf(recordOf(3))],
      [4, rowOf(recordOf(4))],
      [5, rowOf(recordOf(5))],
      [6, goneRow(ROW_STATE.kicked, 7)],
      [7, rowOf(recordOf(7))],
    ])
    const third = recordOf(3, { seqno: 2n })
    const change = merge(state, [
      [2, member(second)],
      [3, member(third)],
      [4, left(50)],
      [5, kicked(60)],
      [6, member(recordOf(6))],
      [7, member(recordOf(7))],
    ])
    expectState(change.state, state, {
      rows: new Map([
        [SELF, OWN_ROW],
        [idOf(3), rowOf(third)],
        [idOf(4), rowOf(recordOf(4), { state: ROW_STATE.left, removedAtS: 50n, marked: true })],
        [idOf(5), rowOf(recordOf(5), { state: ROW_STATE.kicked, removedAtS: 60n, marked: true })],
        [idOf(6), goneRow(ROW_STATE.kicked, NOW_S, true)],
        [idOf(7), rowOf(recordOf(7))],
        [idOf(2), rowOf(second, { marked: true })],
      ]),
      ...{ rotationOwed: true, mergedHashes: ['hash'] },
    })
    expect(change.events.map(({ type }) => type)).toEqual(new Array(5).fill('device-changed'))
    expect(told(change.events)).toEqual([
      'device 2 joined',
      'device 3 updated',
      'device 4 left',
      'device 5 removed',
      'device 6 restated',
    ])
  })

  it('that say nothing new change and tell nothing', () => {
    const state = insider({ mergedHashes: ['hash'] }, [[2, rowOf(newer)]])
    const change = merge(state, [
      [2, member(second)],
      [1, member(recordOf(1))],
    ])
    expectState(change.state, state)
    expect(change.events).toEqual([])
  })
})

describe('DS-09: a departure', () => {
  it.each([
    ['a member', [[2, rowOf(second)]]],
    ['a device that asks', [[2, pendingRowOf(second)]]],
    ['a device whose request was over', [[2, rowOf(second, { state: ROW_STATE.unregistered })]]],
    ['a device never heard of', []],
  ] as const)('of %s makes a rotation of the account key due', (_, others) => {
    const { state } = merge(insider({}, others), [[2, left(50)]])
    expect(state.rotationOwed).toBe(true)
    expect(state.accountKeys).toHaveLength(1)
  })

  it('is found among other entries, wherever it stands', () => {
    const entries: Entries = [
      [3, member(recordOf(3))],
      [2, left(50)],
      [4, kicked(60)],
    ]
    expect(merge(insider(), entries).state.rotationOwed).toBe(true)
    expect(merge(insider(), entries.toReversed()).state.rotationOwed).toBe(true)
  })

  it('was one before: a later time of a device that is gone is none', () => {
    for (const state of [3, 4] as const) {
      expect(merge(insider({}, [[2, goneRow(state, 7)]]), [[2, left(50)]]).state.rotationOwed).toBe(false)
    }
  })

  it('is none when a device was removed, or is this one', () => {
    expect(merge(insider({}, [[2, rowOf(second)]]), [[2, kicked(50)]]).state.rotationOwed).toBe(false)
    const change = merge(insider(), [[1, left(50)]])
    expect(change.state.rotationOwed).toBe(false)
    expect(told(change.events)).toEqual(['device 1 left'])
  })

  it('is none in what is history', () => {
    expect(merge(insider(), [[2, left(50)]], { history: true }).state.rotationOwed).toBe(false)
    expect(merge(insider(), [[2, left(50)]], { history: false }).state.rotationOwed).toBe(true)
  })

  it('stays owed until the rotation, also through history', () => {
    expect(merge(insider({ rotationOwed: true }), []).state.rotationOwed).toBe(true)
    expect(merge(insider({ rotationOwed: true }), [], { history: true }).state.rotationOwed).toBe(true)
  })
})

const fields = { ...deviceKey(1), seqno: 5n, timestampS: 77n, description: 'named by others', type: 'a' }
const written = writeDeviceRecord({ ...fields, version: [3, 2, 1], extras: new Map([['z', bt('4:soon')]]) })
const details = { description: 'named by others', type: 'a', version: [3, 2, 1], extras: new Map([['z', bt('4:soon')]]) }

describe('DK-09: a member that becomes known', () => {
  const deviceKeys = { current: deviceKey(1), previous: [deviceKey(9, { releasedAtS: NOW_S - 50 })] }
  const renewed = { ...deviceKeys, previous: [deviceKey(9, { renewed: true })] }
  const after = (entries: Entries, others: Parameters<typeof insider>[1] = []) =>
    plain(merge(insider({ deviceKeys }, others), entries).state.deviceKeys)

  it('takes the releases of the own device keys back, wherever it stands', () => {
    const entries: Entries = [
      [2, member(second)],
      [3, left(50)],
    ]
    expect(after(entries)).toStrictEqual(plain(renewed))
    expect(after(entries.toReversed())).toStrictEqual(plain(renewed))
    expect(after([[2, member(second)]], [[2, pendingRowOf(second)]])).toStrictEqual(plain(renewed))
  })

  it('takes the release of a key back once', () => {
    const once = insider({ deviceKeys: { current: deviceKey(1), previous: [deviceKey(9, { releasedAtS: 5, renewed: true })] } })
    expect(plain(merge(once, [[2, member(second)]]).state.deviceKeys)).toStrictEqual(plain(once.deviceKeys))
  })

  it('is none that was known, is gone, or is this device', () => {
    expect(after([[2, member(newer)]], [[2, rowOf(second)]])).toStrictEqual(plain(deviceKeys))
    expect(after([[2, left(50)]])).toStrictEqual(plain(deviceKeys))
    expect(after([[1, member(recordOf(1, { seqno: 2n }))]])).toStrictEqual(plain(deviceKeys))
  })
})

describe('DS-10: a record that others wrote about this device', () => {
  it('gives it its details, and stands when its keys are the current ones', () => {
    const change = merge(insider(), [[1, member(written)]])
    const rows = new Map([[SELF, rowOf(written)]])
    expectState(change.state, insider(), { rows, details, mergedHashes: ['hash'] })
    expect(told(change.events)).toEqual(['device 1 updated'])
  })

  it('is written anew with the next seqno when its keys are not: with the new details, the time of now and no digest', () => {
    for (const marked of [false, true]) {
      const state = insider({ rows: new Map([[SELF, { ...OWN_ROW, marked }]]) })
      const { state: merged } = merge(state, [[1, member(writeDeviceRecord({ ...fields, ...deviceKey(9) }))]])
      const record = writeDeviceRecord({ ...fields, seqno: 6n, timestampS: BigInt(NOW_S) })
      expectState(merged, state, {
        rows: new Map([[SELF, { state: ROW_STATE.registered, record, marked }]]),
        details: { ...details, version: [0, 0, 0], extras: new Map() },
        mergedHashes: ['hash'],
      })
    }
  })

  it('is written anew when only one of its keys is another', () => {
    for (const key of ['x25519', 'mlKem768'] as const) {
      const { state } = merge(insider(), [[1, member({ ...written, [key]: deviceKey(9)[key] })]])
      expect(state.rows.get(SELF)!.record).toMatchObject({ seqno: 6n, [key]: deviceKey(1)[key] })
    }
  })

  it('is written anew when it says what this device cannot say', () => {
    const { description: _, ...unnamed } = written
    const records: DeviceRecord[] = [unnamed, { ...written, description: Uint8Array.of(0xff) }, { ...written, version: -1n }]
    const descriptions = records.map(record => {
      const { state } = merge(insider(), [[1, member(record)]])
      expect(state.rows.get(SELF)!.record!.seqno).toBe(6n)
      return [state.details.description, state.details.version]
    })
    expect(descriptions).toEqual([
      ['', [3, 2, 1]],
      ['\ufffd', [3, 2, 1]],
      ['named by others', [0, 0, 0]],
    ])
  })
})

describe('DS-10: a record that others wrote about this device, which', () => {
  const written9 = { ...written, seqno: 1n }
  const rewritten = (seqno: bigint) =>
    new Map([[SELF, { state: ROW_STATE.registered, record: recordOf(1, { seqno }), marked: false }]])

  it('is not taken with the same seqno, but then the device writes another, that nobody takes the one for the other', () => {
    const state = insider({ mergedHashes: ['hash'] })
    for (const byte of [0, 255]) {
      const { state: merged, events } = merge(state, [[1, member(written9, new Uint8Array(8).fill(byte))]])
      expectState(merged, state, { rows: rewritten(2n) })
      expect(events).toEqual([])
    }
  })

  it('is contested where what others wrote before is held: the greater digest, or the device itself, has the last word', () => {
    const held = insider({ rows: new Map([[SELF, rowOf(recordOf(1))]]), mergedHashes: ['hash'] })
    expectState(merge(held, [[1, member(written9, new Uint8Array(8))]]).state, held, { rows: rewritten(2n) })
    expectState(merge(held, [[1, member(recordOf(1))]]).state, held)
  })

  it('with a lesser seqno says nothing', () => {
    const state = insider({ rows: rewritten(2n), mergedHashes: ['hash'] })
    expectState(merge(state, [[1, member(written9, new Uint8Array(8).fill(255))]]).state, state)
  })

  it('leaves its details alone in what is history, and is written anew where it differs from them', () => {
    const { state } = merge(insider(), [[1, member(written)]], { history: true })
    const record = writeDeviceRecord({ ...DETAILS, ...deviceKey(1), seqno: 6n, timestampS: BigInt(NOW_S) })
    expectState(state, insider(), {
      rows: new Map([[SELF, { state: ROW_STATE.registered, record, marked: false }]]),
      mergedHashes: ['hash'],
    })
  })

  it('stands with foreign keys when no seqno follows', () => {
    const last = { ...written, seqno: INT64_MAX, x25519: deviceKey(9).x25519 }
    const { state } = merge(insider(), [[1, member(last)]])
    expectState(state, insider(), { rows: new Map([[SELF, rowOf(last)]]), details, mergedHashes: ['hash'] })
  })

  it('is gone with a tombstone, which changes neither details nor keys', () => {
    const { state } = merge(insider({ deviceKeys: { current: deviceKey(9), previous: [] } }), [[1, kicked(50)]])
    const row = { ...OWN_ROW, state: ROW_STATE.kicked, removedAtS: 50n, marked: true }
    expectState(state, insider({ deviceKeys: { current: deviceKey(9), previous: [] } }), {
      rows: new Map([[SELF, row]]),
      mergedHashes: ['hash'],
    })
  })
})

describe('DS-12: an open request', () => {
  const asked = recordOf(2, { seqno: 9n, key: 8 })
  const request: ReceivedRequest = {
    ...{ hash: 'link', deviceId: idOf(2), record: asked, digest: digestOf(asked), indices: [], receivedAtMs: NOW_MS },
    ...{ expiresAtMs: NOW_MS + 1, replaces: false, status: 'open' },
  }
  const replacing: ReceivedRequest = { ...request, replaces: true }
  const after = (
    requests: ReceivedRequest[],
    before: readonly (readonly [number, ReturnType<typeof rowOf>])[],
    entries: Entries,
  ) => {
    const { state, events } = merge(insider({ receivedRequests: requests }, before), entries)
    expect(state.receivedRequests.map(({ status: _, ...rest }) => rest)).toEqual(requests.map(({ status: _, ...rest }) => rest))
    return [state.receivedRequests.map(({ status }) => status), told(events)]
  }

  it('is accepted when a message makes its device a member, with whatever keys', () => {
    expect(after([request], [[2, pendingRowOf(asked)]], [[2, member(second)]])).toEqual([
      ['accepted'],
      ['link accepted', 'device 2 joined'],
    ])
  })

  it('of a member is accepted only with both keys that were asked for', () => {
    const updated = (record: DeviceRecord) => after([replacing], [[2, rowOf(second)]], [[2, member(record)]])
    expect(updated(recordOf(2, { seqno: 2n, key: 8 }))).toEqual([['accepted'], ['link accepted', 'device 2 updated']])
    const [x25519, mlKem768] = [deviceKey(7).x25519, deviceKey(7).mlKem768]
    for (const record of [newer, { ...asked, x25519 }, { ...asked, mlKem768 }]) {
      expect(updated(record)).toEqual([['open'], ['device 2 updated']])
    }
  })

  it('is over when its device left or was removed', () => {
    for (const open of [request, replacing]) {
      expect(after([open], [[2, rowOf(second)]], [[2, left(50)]])).toEqual([['expired'], ['link expired', 'device 2 left']])
      expect(after([open], [[2, rowOf(second)]], [[2, kicked(50)]])).toEqual([['expired'], ['link expired', 'device 2 removed']])
    }
  })

  it('stays open when the message says nothing new of its device', () => {
    expect(after([replacing], [[2, rowOf(newer)]], [[2, member(second)]])).toEqual([['open'], []])
  })

  it('of another device stays open, and one that has ended stays as it ended', () => {
    const others: ReceivedRequest[] = [
      { ...request, hash: 'of another', deviceId: idOf(3) },
      { ...request, hash: 'ignored', status: 'ignored' },
      { ...request, hash: 'superseded', status: 'superseded' },
      request,
    ]
    expect(after(others, [[2, pendingRowOf(asked)]], [[2, member(second)]])).toEqual([
      ['open', 'ignored', 'superseded', 'accepted'],
      ['link accepted', 'device 2 joined'],
    ])
  })
})
