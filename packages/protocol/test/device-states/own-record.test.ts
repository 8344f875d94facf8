/** What a device writes about itself: DS-31, DS-36. */
import { INT64_MAX } from '@session-v2/encoding'
import {
  changeDetails,
  type DeviceRow,
  type GroupState,
  isDeviceKeyRotationDue,
  isPushDue,
  ROW_STATE,
  rotateDeviceKey,
  writeDeviceRecord,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { native } from '../providers.ts'
import {
  bt,
  DAY_MS,
  DETAILS,
  deviceKey,
  deviceSeedOf,
  expectNoChange,
  expectRefused,
  expectState,
  expectWiped,
  goneRow,
  insider,
  NOW_MS,
  NOW_S,
  OWN_ROW,
  outsider,
  ownRequest,
  recordOf,
  rowOf,
  SELF,
} from './devices.ts'

const LATER_MS = NOW_MS + 5999
const fields = { ...deviceKey(1), seqno: 2n, timestampS: BigInt(NOW_S + 5) }
const rowsOf = (record = recordOf(1), marked = false) =>
  new Map([[SELF, { state: ROW_STATE.registered, record, marked }]] as const)

describe('DS-31: a change of the own details', () => {
  it('writes the record of a member anew: next seqno, time of now, no digest', () => {
    const details = { description: 'kitchen', type: 'c', version: [9, 8, 7], extras: new Map([['z', bt('le')]]) } as const
    for (const marked of [false, true]) {
      const state = insider({ rows: new Map([[SELF, rowOf(recordOf(1), { marked })]]) })
      const change = changeDetails(state, details, LATER_MS)
      expectState(change.state, state, { details, rows: rowsOf(writeDeviceRecord({ ...fields, ...details }), marked) })
      expect(change.events).toEqual([])
      expectWiped(change)
      expect(isPushDue(change.state, LATER_MS)).toBe(true)
    }
  })

  it('leaves what is not named', () => {
    const change = changeDetails(insider(), { description: 'kitchen' }, LATER_MS)
    const details = { ...DETAILS, description: 'kitchen' }
    expectState(change.state, insider(), { details, rows: rowsOf(writeDeviceRecord({ ...fields, ...details })) })
  })

  it('is one for each of them', () => {
    const changes = [{ description: 'x' }, { type: 'x' }, { version: [1, 2, 4] as const }, { extras: new Map() }]
    for (const details of changes) {
      expect(changeDetails(insider(), details, LATER_MS).state.rows.get(SELF)!.record!.seqno).toBe(2n)
    }
  })

  it('to what is already so changes nothing', () => {
    expectNoChange(changeDetails(insider(), {}, LATER_MS), insider())
    expectNoChange(changeDetails(insider(), { ...DETAILS }, LATER_MS), insider())
    const read = insider({ rows: new Map([[SELF, rowOf(recordOf(1))]]) })
    expectNoChange(changeDetails(read, { ...DETAILS }, LATER_MS), read)
  })

  it.each([ROW_STATE.unregistered, ROW_STATE.pending, ROW_STATE.left, ROW_STATE.kicked])(
    'leaves the record of a device in state %i, which is what it asked with',
    state => {
      const removed = state > 2 ? { removedAtS: 7n } : {}
      const device = outsider({ rows: new Map([[SELF, { ...OWN_ROW, ...removed, state }]]) })
      expectState(changeDetails(device, { type: 'x' }, LATER_MS).state, device, { details: { ...DETAILS, type: 'x' } })
    },
  )

  it('of a device that was never in a group is kept for later', () => {
    expectState(changeDetails(outsider(), { type: 'x' }, LATER_MS).state, outsider(), { details: { ...DETAILS, type: 'x' } })
  })
})

describe('DS-31: a change of the own details at the limits', () => {
  it('that has no encoding is refused', () => {
    const refuse = (clause: string, details: Parameters<typeof changeDetails>[1]) =>
      expectRefused(`bad-input ${clause}`, insider(), state => changeDetails(state, details, LATER_MS))
    refuse('ENC-01', { description: '\ud83d' })
    refuse('DG-05', { version: [1, -1, 0] })
    refuse('DG-06', { extras: new Map([['z', bt('i7')]]) })
    expectRefused('bad-input ENC-01', outsider(), state => changeDetails(state, { description: '\ud83d' }, LATER_MS))
  })

  it('goes on after the greatest seqno that was used', () => {
    const next = (seqno: bigint, confirmedSeqno: bigint, asked: bigint) => {
      const ownRequests = [ownRequest({ seqno: asked })]
      const state = insider({ rows: rowsOf(recordOf(1, { seqno })), confirmedSeqno, ownRequests })
      return changeDetails(state, { type: 'x' }, LATER_MS).state.rows.get(SELF)!.record!.seqno
    }
    expect([next(7n, 1n, 2n), next(1n, 7n, 2n), next(2n, 1n, 7n), next(-3n, -2n, -1n)]).toEqual([8n, 8n, 8n, 1n])
  })

  it('leaves the record when no seqno follows', () => {
    const state = insider({ rows: rowsOf(recordOf(1, { seqno: INT64_MAX })) })
    expectState(changeDetails(state, { type: 'x' }, LATER_MS).state, state, { details: { ...DETAILS, type: 'x' } })
    const before = insider({ rows: rowsOf(recordOf(1, { seqno: INT64_MAX - 1n })) })
    expect(changeDetails(before, { type: 'x' }, LATER_MS).state.rows.get(SELF)!.record!.seqno).toBe(INT64_MAX)
  })
})

describe('DS-36: a new device key', () => {
  it('is announced in the record, and the one before stays until it is erased', () => {
    const state = insider()
    const seed = deviceSeedOf(9)
    const change = rotateDeviceKey(native, state, seed, LATER_MS)
    const current = { ...deviceKey(9), createdAtS: NOW_S + 5 }
    expectState(change.state, state, {
      deviceKeys: { current, previous: [state.deviceKeys.current] },
      rows: rowsOf(writeDeviceRecord({ ...DETAILS, ...fields, ...deviceKey(9), seqno: 2n })),
    })
    expect(change.state.deviceKeys.current.seed).toBe(seed)
    expect(change.events).toEqual([])
    expectWiped(change)
    expect(isPushDue(change.state, LATER_MS)).toBe(true)
  })

  it('DS-30: is for a member that is not displaced', () => {
    const rows = new Map([[SELF, { ...OWN_ROW, state: ROW_STATE.pending }]])
    const rotate = (state: GroupState) => rotateDeviceKey(native, state, deviceSeedOf(9), NOW_MS)
    expectRefused('not-registered DS-30', outsider(), rotate)
    expectRefused('not-registered DS-30', outsider({ rows }), rotate)
    expectRefused('displaced DS-30', insider({ displacedAtMs: 5 }), rotate)
  })

  it('is refused when it is held already', () => {
    expectRefused('bad-input DK-02', insider(), state => rotateDeviceKey(native, state, deviceSeedOf(1), NOW_MS))
    const held = insider({ deviceKeys: { current: deviceKey(1), previous: [deviceKey(8)] } })
    expectRefused('bad-input DK-02', held, state => rotateDeviceKey(native, state, deviceSeedOf(8), NOW_MS))
  })

  it('is due a day after the one before was made, if that is confirmed', () => {
    const due = (state: GroupState, nowMs: number) => isDeviceKeyRotationDue(state, nowMs)
    expect([due(insider(), NOW_MS + DAY_MS - 1), due(insider(), NOW_MS + DAY_MS)]).toEqual([false, true])
    const { state } = rotateDeviceKey(native, insider(), deviceSeedOf(9), NOW_MS + DAY_MS)
    expect(due(state, NOW_MS + 9 * DAY_MS)).toBe(false)
    expect(due(insider({ displacedAtMs: 5 }), NOW_MS + DAY_MS)).toBe(false)
    const { deviceKeys } = insider()
    expect(due(outsider({ deviceKeys }), NOW_MS + DAY_MS)).toBe(false)
  })

  it('is due when a device was removed since the one before was made', () => {
    const after = (row: DeviceRow, deviceKeys = insider().deviceKeys) =>
      isDeviceKeyRotationDue(insider({ deviceKeys }, [[2, row]]), LATER_MS)
    expect(after(goneRow(ROW_STATE.kicked, NOW_S + 1))).toBe(true)
    expect(after(goneRow(ROW_STATE.kicked, NOW_S + 5))).toBe(true)
    expect(after(goneRow(ROW_STATE.kicked, NOW_S + 6))).toBe(false)
    expect(after(goneRow(ROW_STATE.kicked, NOW_S))).toBe(false)
    expect(after(goneRow(ROW_STATE.left, NOW_S + 1))).toBe(false)
    expect(after(rowOf(recordOf(2)))).toBe(false)
    expect(after(goneRow(ROW_STATE.kicked, NOW_S + 1), { current: deviceKey(1), previous: [] })).toBe(false)
    const two = insider({}, [
      [2, rowOf(recordOf(2))],
      [3, goneRow(ROW_STATE.kicked, NOW_S + 1)],
    ])
    expect(isDeviceKeyRotationDue(two, LATER_MS)).toBe(true)
  })
})
