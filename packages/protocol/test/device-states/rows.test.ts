/** One entry of a group message against one row: DS-01 to DS-05. */
import { INT64_MAX, INT64_MIN } from '@session-v2/encoding'
import { type DeviceRow, mergeEntry, ROW_STATE } from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { entryOf, isNewer, isRegistered, seqnoOf } from '../../src/device-states/device-row.ts'
import { digestOf, goneRow, kicked, left, member, plain, recordOf, rowOf } from './devices.ts'

const { unregistered, pending, registered, left: LEFT, kicked: KICKED } = ROW_STATE
const NOW = 1000n
const FIFTH = recordOf(2, { seqno: 5n })
const SIXTH = recordOf(2, { seqno: 6n })
const FOURTH = recordOf(2, { seqno: 4n })
const bytes = (...values: number[]) => Uint8Array.of(...values, ...new Array(8 - values.length).fill(0))

function expectMerged(row: DeviceRow | undefined, entry: ReturnType<typeof member>, change: string, expected: DeviceRow): void {
  const merged = mergeEntry(row, entry, NOW)
  expect(merged.change).toBe(change)
  expect(plain(merged.row)).toStrictEqual(plain(expected))
}

function expectStale(row: DeviceRow, entry: ReturnType<typeof member>): void {
  const merged = mergeEntry(row, entry, NOW)
  expect(merged.change).toBe('stale')
  expect(merged.row).toBe(row)
}

describe('DS-01: states', () => {
  it('have ranks that are kept in stores', () => {
    expect(ROW_STATE).toStrictEqual({ unregistered: 0, pending: 1, registered: 2, left: 3, kicked: 4 })
  })

  it('are listed by where and how: a member with its record, a device that is gone with the time, others not at all', () => {
    const digest = () => bytes(7)
    expect(entryOf(rowOf(FIFTH), digest)).toStrictEqual({ kind: 'member', record: FIFTH, digest: digestOf(FIFTH) })
    expect(entryOf({ state: registered, record: FIFTH, marked: true }, digest)).toStrictEqual({
      ...{ kind: 'member', record: FIFTH, digest: bytes(7) },
    })
    expect(entryOf(rowOf(FIFTH, { state: LEFT, removedAtS: 7n }), digest)).toStrictEqual({ kind: 'left', atS: 7n })
    expect(entryOf(goneRow(KICKED, 7), digest)).toStrictEqual({ kind: 'kicked', atS: 7n })
    expect(entryOf(rowOf(FIFTH, { state: pending }), digest)).toBe(undefined)
    expect(entryOf(rowOf(FIFTH, { state: unregistered }), digest)).toBe(undefined)
    expect(entryOf({ state: registered, marked: false }, digest)).toBe(undefined)
  })
})

describe('DS-02: rows', () => {
  it('count with the seqno of their record, without one with 0', () => {
    expect(seqnoOf(rowOf(FIFTH))).toBe(5n)
    expect(seqnoOf(goneRow(LEFT, 7))).toBe(0n)
    expect(seqnoOf(undefined)).toBe(0n)
    const bare = { state: registered, digest: bytes(1), marked: false }
    expect(isNewer(bare, registered, 0n, bytes(1))).toBe(false)
    expect(isNewer(bare, registered, 0n, bytes(2))).toBe(true)
    expect(isNewer(bare, registered, -1n, bytes(2))).toBe(false)
  })

  it('are those of members in one state only', () => {
    const states = [unregistered, pending, registered, LEFT, KICKED]
    expect(states.filter(state => isRegistered(rowOf(FIFTH, { state })))).toEqual([registered])
    expect(isRegistered(undefined)).toBe(false)
  })
})

describe('DS-03: a record of a device that is gone', () => {
  it.each([LEFT, KICKED])('is refused in state %i, and the removal restated with the time of now', state => {
    const row = rowOf(FIFTH, { state, removedAtS: NOW - 1n })
    expectMerged(row, member(SIXTH), 'restated', { ...row, removedAtS: NOW, marked: true })
  })

  it.each([NOW, NOW + 1n, NOW + 1000n])('leaves the time %i, which is not before now', removedAtS => {
    const row = rowOf(FIFTH, { state: KICKED, removedAtS })
    expectMerged(row, member(SIXTH), 'restated', { ...row, marked: true })
  })

  it('is refused where there is nothing but the tombstone', () => {
    expectMerged(goneRow(LEFT, 7), member(FIFTH), 'restated', { state: LEFT, removedAtS: NOW, marked: true })
  })
})

describe('DS-04: a record', () => {
  it('of a device never heard of makes a member, which is marked', () => {
    expectMerged(undefined, member(FIFTH), 'registered', rowOf(FIFTH, { marked: true }))
  })

  it.each([unregistered, pending])('is greater than a row in state %i, whatever its seqno', state => {
    const row = rowOf(SIXTH, { state, digest: bytes(255) })
    expectMerged(row, member(FIFTH), 'registered', rowOf(FIFTH, { marked: true }))
    expectMerged({ ...row, marked: true }, member(FIFTH), 'registered', rowOf(FIFTH, { marked: true }))
  })

  it('with a greater seqno replaces record and digest, and leaves the mark as it is', () => {
    expectMerged(rowOf(FIFTH, { digest: bytes(255) }), member(SIXTH), 'updated', rowOf(SIXTH))
    expectMerged(rowOf(FIFTH, { marked: true }), member(SIXTH), 'updated', rowOf(SIXTH, { marked: true }))
  })

  it('with a lesser seqno is stale, whatever its digest', () => {
    expectStale(rowOf(FIFTH, { digest: bytes(0) }), member(FOURTH, bytes(255)))
  })

  it('with the same seqno counts by its digest, by unsigned bytes and the first one first', () => {
    const other = recordOf(2, { seqno: 5n, description: 'another' })
    const row = rowOf(FIFTH, { digest: bytes(0x7f, 0xff) })
    for (const digest of [bytes(0x80), bytes(0xff), bytes(0x7f, 0xff, 1)]) {
      expectMerged(row, member(other, digest), 'updated', rowOf(other, { digest }))
    }
    for (const digest of [bytes(0x7f, 0xff), bytes(0x7f, 0xfe, 0xff), bytes(0x01)]) expectStale(row, member(other, digest))
  })

  it('does not replace what a device wrote about itself but with a greater seqno', () => {
    const row: DeviceRow = { state: registered, record: FIFTH, marked: false }
    expectStale(row, member(FOURTH, bytes(255)))
    expectStale(row, member(recordOf(2, { seqno: 5n, description: 'another' }), bytes(255)))
    expectMerged(row, member(SIXTH, bytes(0)), 'updated', rowOf(SIXTH, { digest: bytes(0) }))
  })

  it('is compared at both ends of 64 bits', () => {
    const [last, first] = [recordOf(2, { seqno: INT64_MAX }), recordOf(2, { seqno: INT64_MIN })]
    expectMerged(rowOf(recordOf(2, { seqno: INT64_MAX - 1n })), member(last), 'updated', rowOf(last))
    expectStale(rowOf(last), member(recordOf(2, { seqno: INT64_MAX - 1n }), bytes(255)))
    expectStale(rowOf(recordOf(2, { seqno: -1n })), member(first, bytes(255)))
    expectMerged(undefined, member(first), 'registered', rowOf(first, { marked: true }))
  })
})

describe('DS-05: a tombstone', () => {
  it('of a device never heard of makes a row, which is not marked', () => {
    expectMerged(undefined, left(7), 'left', goneRow(LEFT, 7))
    expectMerged(undefined, kicked(7), 'kicked', goneRow(KICKED, 7))
  })

  it('ends a membership: the record stays, and the row is marked', () => {
    const expected = (state: 3 | 4) => rowOf(FIFTH, { state, removedAtS: 7n, marked: true })
    expectMerged(rowOf(FIFTH), left(7), 'left', expected(LEFT))
    expectMerged(rowOf(FIFTH), kicked(7), 'kicked', expected(KICKED))
  })

  it.each([unregistered, pending])('of a device in state %i is applied, with the mark as it was', state => {
    for (const marked of [false, true]) {
      const row = rowOf(FIFTH, { state, marked })
      expectMerged(row, left(7), 'left', { ...row, state: LEFT, removedAtS: 7n })
    }
  })

  it('counts by its time among those of one state', () => {
    const row = rowOf(FIFTH, { state: LEFT, removedAtS: 7n })
    expectMerged(row, left(8), 'left', { ...row, removedAtS: 8n })
    expectStale(row, left(7))
    expectStale(row, left(6))
    expectMerged(goneRow(KICKED, 7, true), kicked(8), 'kicked', goneRow(KICKED, 8, true))
    expectStale(goneRow(KICKED, 7), kicked(7))
  })

  it('of a removal is greater than any leaving, and no leaving is greater than a removal', () => {
    expectMerged(goneRow(LEFT, 700), kicked(7), 'kicked', goneRow(KICKED, 7))
    expectMerged(goneRow(LEFT, 700, true), kicked(7), 'kicked', goneRow(KICKED, 7, true))
    expectStale(goneRow(KICKED, 7), left(700))
  })

  it('is compared at the end of 64 bits', () => {
    const row: DeviceRow = { state: LEFT, removedAtS: INT64_MAX - 1n, marked: false }
    const last = { kind: 'left', atS: INT64_MAX } as const
    expectMerged(row, last, 'left', { ...row, removedAtS: INT64_MAX })
  })
})
