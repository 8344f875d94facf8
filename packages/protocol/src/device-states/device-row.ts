/**
 * A row: what a device knows of one device of its account, and how it changes with what is read. The states, which are also their
 * rank in merging; none is ever sent:
 *
 *     Unregistered 0 ──ask──▶ Pending 1 ──accepted──▶ Registered 2 ──leaves──▶ Left 3
 *                                                         │  └────────removed──────▶ Kicked 4 ◀──removed── Left
 *
 *     record     (Registered, seqno, digest) greater than the row's  →  applied
 *                row is Left or Kicked                               →  refused, the removal is restated
 *     tombstone  (state, time) greater than the row's                →  applied, for good
 *
 * Merging is taking the greatest, so rows come out the same whatever the order of messages; only the times of restated removals
 * depend on it, until they are passed on.
 *
 * Implements DS-01, DS-02, DS-03, DS-04, DS-05.
 */
import { compareBytes } from '@session-v2/encoding'
import type { DeviceRecord } from '../device-group/device-record.ts'
import type { GroupEntry } from '../device-group/group-payload.ts'

export const ROW_STATE = { unregistered: 0, pending: 1, registered: 2, left: 3, kicked: 4 } as const
export type RowState = (typeof ROW_STATE)[keyof typeof ROW_STATE]

export interface DeviceRow {
  readonly state: RowState
  /** Absent on a row that was made of a tombstone alone. */
  readonly record?: DeviceRecord
  /** 8 bytes; absent for what this device wrote about itself and on a row of a tombstone alone. */
  readonly digest?: Uint8Array
  /** Seconds since the epoch; present exactly when the row is Left or Kicked. */
  readonly removedAtS?: bigint
  /** This device owes the others word of the row. */
  readonly marked: boolean
}

/**
 * - `registered`: a member that was none before. `updated`: a member with a newer record.
 * - `left`, `kicked`: a tombstone was applied.
 * - `restated`: a record was refused because the device is gone.
 * - `stale`: nothing new.
 */
export type RowChange = 'registered' | 'updated' | 'left' | 'kicked' | 'restated' | 'stale'

export interface MergedRow {
  readonly row: DeviceRow
  readonly change: RowChange
}

/** What an entry of a group message, read now, makes of a row. */
export function mergeEntry(row: DeviceRow | undefined, entry: GroupEntry, nowS: bigint): MergedRow {
  if (entry.kind === 'member') return mergeRecord(row, entry.record, entry.digest, nowS)
  return mergeTombstone(row, entry.kind, entry.atS)
}

function mergeRecord(row: DeviceRow | undefined, record: DeviceRecord, digest: Uint8Array, nowS: bigint): MergedRow {
  if (row?.removedAtS !== undefined) {
    const removedAtS = nowS > row.removedAtS ? nowS : row.removedAtS
    return { row: { ...row, removedAtS, marked: true }, change: 'restated' }
  }
  if (row !== undefined && !isNewer(row, ROW_STATE.registered, record.seqno, digest)) return { row, change: 'stale' }
  const isNew = row?.state !== ROW_STATE.registered
  return {
    row: { state: ROW_STATE.registered, record, digest, marked: isNew || row.marked },
    change: isNew ? 'registered' : 'updated',
  }
}

function mergeTombstone(row: DeviceRow | undefined, kind: 'left' | 'kicked', removedAtS: bigint): MergedRow {
  const state = ROW_STATE[kind]
  if (row === undefined) return { row: { state, removedAtS, marked: false }, change: kind }
  const isGreater = state > row.state || (state === row.state && removedAtS > (row.removedAtS ?? 0n))
  if (!isGreater) return { row, change: 'stale' }
  return { row: { ...row, state, removedAtS, marked: row.marked || row.state === ROW_STATE.registered }, change: kind }
}

/** Whether (state, seqno, digest) comes after what the row holds. A row without a digest does not yield to its own seqno. */
export function isNewer(row: DeviceRow, state: RowState, seqno: bigint, digest: Uint8Array): boolean {
  if (state !== row.state) return state > row.state
  const held = seqnoOf(row)
  if (seqno !== held) return seqno > held
  return row.digest !== undefined && compareBytes(digest, row.digest) > 0
}

/** Of a row of a tombstone alone it is 0. */
export function seqnoOf(row: DeviceRow | undefined): bigint {
  return row?.record?.seqno ?? 0n
}

/** True for a member. */
export function isRegistered(row: DeviceRow | undefined): boolean {
  return row?.state === ROW_STATE.registered
}

/** True for a device that has gone for good. */
export function isRemoved(row: DeviceRow | undefined): boolean {
  return row?.removedAtS !== undefined
}

/** The row as others shall read it; undefined for what is not sent. `digest` is that of the encoded record. */
export function entryOf(row: DeviceRow, digest: (record: DeviceRecord) => Uint8Array): GroupEntry | undefined {
  if (row.removedAtS !== undefined) return { kind: row.state === ROW_STATE.left ? 'left' : 'kicked', atS: row.removedAtS }
  if (row.state !== ROW_STATE.registered || row.record === undefined) return undefined
  return { kind: 'member', record: row.record, digest: row.digest ?? digest(row.record) }
}
