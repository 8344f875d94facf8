/** Removing a device: DS-29, DS-30. */
import { type GroupState, type ReceivedRequest, ROW_STATE, removeDevice } from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { native } from '../providers.ts'
import {
  digestOf,
  expectRefused,
  expectState,
  expectWiped,
  goneRow,
  heldKey,
  idOf,
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

const record = recordOf(2)
const group = insider({}, [
  [2, rowOf(record)],
  [3, rowOf(recordOf(3))],
])
const remove = (state: GroupState, byte = 2) => removeDevice(native, state, idOf(byte), seedOf(0x20), NOW_MS)

describe('DS-29: removing a member', () => {
  it('makes its row Kicked now, marked, and rotates the account key', () => {
    const seed = seedOf(0x20)
    const state = { ...group, rotationOwed: true }
    const change = removeDevice(native, state, idOf(2), seed, NOW_MS + 1999)
    expectState(change.state, state, {
      rows: new Map([
        [SELF, OWN_ROW],
        [idOf(2), rowOf(record, { state: ROW_STATE.kicked, removedAtS: BigInt(NOW_S + 1), marked: true })],
        [idOf(3), rowOf(recordOf(3))],
      ]),
      accountKeys: [{ ...newKey(0x20, NOW_S + 1), seed }, heldKey(0xa0, NOW_S, NOW_S + 1)],
      rotationOwed: false,
    })
    expect(change.state.accountKeys[0]!.seed).toBe(seed)
    expect(told(change.events)).toEqual(['device 2 removed', 'account-key-changed'])
    expectWiped(change)
  })

  it('ends its open request, and no other', () => {
    const request: ReceivedRequest = {
      ...{ hash: 'link', deviceId: idOf(2), record, digest: digestOf(record), indices: [], receivedAtMs: NOW_MS },
      ...{ expiresAtMs: NOW_MS + 1, replaces: true, status: 'open' },
    }
    const receivedRequests = [request, { ...request, hash: 'other', deviceId: idOf(3) }]
    const change = remove({ ...group, receivedRequests })
    expect(change.state.receivedRequests).toEqual([{ ...request, status: 'expired' }, receivedRequests[1]])
    expect(told(change.events)).toEqual(['link expired', 'device 2 removed', 'account-key-changed'])
  })

  it('is refused for this device, for one that is no member, and for one never heard of', () => {
    expectRefused('unknown-device DS-29', group, state => remove(state, 1))
    expectRefused('unknown-device DS-29', group, state => remove(state, 9))
    for (const row of [pendingRowOf(record), goneRow(ROW_STATE.left, 7), goneRow(ROW_STATE.kicked, 7)]) {
      expectRefused('unknown-device DS-29', insider({}, [[2, row]]), remove)
    }
  })

  it('is refused with a seed that is held', () => {
    expectRefused('bad-input AK-03', group, state => removeDevice(native, state, idOf(2), seedOf(0xa0), NOW_MS))
  })
})

describe('DS-30: removing', () => {
  it('is for a member that is not displaced', () => {
    expectRefused('not-registered DS-30', outsider({ rows: new Map([[idOf(2), rowOf(record)]]) }), remove)
    expectRefused('not-registered DS-30', { ...group, rows: new Map(group.rows).set(SELF, pendingRowOf(recordOf(1))) }, remove)
    expectRefused('displaced DS-30', { ...group, displacedAtMs: 5 }, remove)
  })
})
