/**
 * The record a device writes about itself. It says the own details and the current device key; whenever it does not, because they
 * changed or because others wrote something else about this device, it is written anew with the next seqno.
 *
 * Implements DS-10, DS-31.
 */
import type { Crypto, Secret } from '@session-v2/crypto'
import { equalBytes, INT64_MAX } from '@session-v2/encoding'
import { type DeviceRecord, deviceRecordText, encodeDeviceRecord, writeDeviceRecord } from '../device-group/device-record.ts'
import { rotateDeviceKeys } from '../device-keys/device-keys.ts'
import { ProtocolError } from '../protocol-error.ts'
import { type DeviceRow, isRegistered, seqnoOf } from './device-row.ts'
import { changeOf, type GroupChange, type GroupState, type OwnDetails } from './group-state.ts'

const S_PER_MS = 1000

/** Whole seconds of a time in milliseconds. */
export function secondsOf(timeMs: number): number {
  return Math.floor(timeMs / S_PER_MS)
}

/** What this device holds of itself; undefined before it first asked for or founded a group. */
export function ownRow(state: GroupState): DeviceRow | undefined {
  return state.rows.get(state.self)
}

/** Throws `not-registered` or `displaced` for a device that may not speak for the group (DS-30). */
export function requireActive(state: GroupState): void {
  if (!isRegistered(ownRow(state))) throw new ProtocolError('not-registered', 'this device is in no device group')
  if (state.displacedAtMs !== undefined) {
    throw new ProtocolError('displaced', 'another device has taken this device’s place; renew its identity and link it again')
  }
}

/** The record with the details and keys of now. */
export function writeOwnRecord(state: GroupState, seqno: bigint, timestampS: bigint): DeviceRecord {
  const { x25519, mlKem768 } = state.deviceKeys.current
  return writeDeviceRecord({ seqno, timestampS, x25519, mlKem768, ...state.details })
}

/** The seqno after the one held. Throws `bad-input` when there is none: others have pushed it to the end of 64 bits. */
export function nextSeqno(row: DeviceRow | undefined): bigint {
  const seqno = seqnoOf(row)
  if (seqno === INT64_MAX) throw new ProtocolError('bad-input', 'the record of this device has the last seqno there is')
  return seqno + 1n
}

/** The record of a member brought up to date, with the next seqno and the time of now. Before, it stays what was asked with. */
export function reviseOwnRecord(state: GroupState, nowMs: number): GroupState {
  const row = ownRow(state)
  if (row?.record === undefined || !isRegistered(row)) return state
  const same = writeOwnRecord(state, row.record.seqno, row.record.timestampS)
  if (equalBytes(encodeDeviceRecord(same), encodeDeviceRecord(row.record))) return state
  // At the last seqno nothing can be said any more; the device goes on with what others have written about it.
  if (row.record.seqno === INT64_MAX) return state
  const record = writeOwnRecord(state, nextSeqno(row), BigInt(secondsOf(nowMs)))
  return withOwnRow(state, { state: row.state, record, marked: row.marked })
}

/** The state with this row of the device itself. */
export function withOwnRow(state: GroupState, row: DeviceRow): GroupState {
  return { ...state, rows: new Map(state.rows).set(state.self, row) }
}

/** The details that a record gives. */
export function detailsOf(record: DeviceRecord): OwnDetails {
  const { description, type, version } = deviceRecordText(record)
  return { description, type, version: version ?? [0, 0, 0], extras: record.extras }
}

/** Changes what this device says of itself; what is not named stays. Throws `bad-input` for details that have no encoding. */
export function changeDetails(state: GroupState, details: Partial<OwnDetails>, nowMs: number): GroupChange {
  return changeOf(state, reviseOwnRecord({ ...state, details: { ...state.details, ...details } }, nowMs), [])
}

/**
 * Replaces the current device key of a member by one of a fresh 32-byte seed. The old one stays until the group knows the new one.
 * Throws `not-registered`, `displaced`.
 */
export function rotateDeviceKey(crypto: Crypto, state: GroupState, seed: Secret<'device-key-seed'>, nowMs: number): GroupChange {
  requireActive(state)
  const deviceKeys = rotateDeviceKeys(crypto, state.deviceKeys, seed, secondsOf(nowMs))
  return changeOf(state, reviseOwnRecord({ ...state, deviceKeys }, nowMs), [])
}
