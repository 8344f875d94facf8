/**
 * The record a device writes about itself. It says the own details and the current device key; whenever it does not, because they
 * changed or because others wrote something else about this device, it is written anew with the next seqno.
 *
 * Implements DS-10, DS-31, DS-36.
 */
import type { Crypto, Secret } from '@session-v2/crypto'
import { equalBytes, INT64_MAX } from '@session-v2/encoding'
import { type DeviceRecord, deviceRecordText, encodeDeviceRecord, writeDeviceRecord } from '../device-group/device-record.ts'
import type { GroupEntry } from '../device-group/group-payload.ts'
import { deviceKeyRotationDue, rotateDeviceKeys } from '../device-keys/device-keys.ts'
import { ProtocolError } from '../protocol-error.ts'
import { type DeviceRow, isRegistered, ROW_STATE, seqnoOf } from './device-row.ts'
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

/** True for a device that may speak for the group. */
export function isActive(state: GroupState): boolean {
  return isRegistered(ownRow(state)) && state.displacedAtMs === undefined
}

/** Throws `not-registered` or `displaced` for a device that may not speak for the group (DS-30). */
export function requireActive(state: GroupState): void {
  if (!isRegistered(ownRow(state))) throw new ProtocolError('not-registered', 'DS-30', 'this device is in no device group')
  if (state.displacedAtMs !== undefined) {
    throw new ProtocolError(
      'displaced',
      'DS-30',
      'another device has taken this device’s place; renew its identity and link it again',
    )
  }
}

/** The record with the details and keys of now. */
export function writeOwnRecord(state: GroupState, seqno: bigint, timestampS: bigint): DeviceRecord {
  const { x25519, mlKem768 } = state.deviceKeys.current
  return writeDeviceRecord({ seqno, timestampS, x25519, mlKem768, ...state.details })
}

/**
 * The seqno after all that were used. Throws `bad-input` when there is none: others have pushed it to the end of 64 bits.
 */
export function nextSeqno(state: GroupState): bigint {
  const used = [seqnoOf(ownRow(state)), state.confirmedSeqno, ...state.ownRequests.map(({ seqno }) => seqno), 0n]
  const greatest = used.reduce((a, b) => (a > b ? a : b))
  if (greatest === INT64_MAX)
    throw new ProtocolError('bad-input', 'DS-31', 'the record of this device has the last seqno there is')
  return greatest + 1n
}

/**
 * The record of a member brought up to date, with the next seqno and the time of now. `said` is what a message said of this device: of
 * two records with one seqno others may hold either, so the device writes a third. Before it is a member, the record stays what it
 * asked with.
 */
export function reviseOwnRecord(state: GroupState, nowMs: number, said?: GroupEntry): GroupState {
  const row = ownRow(state)
  if (row?.record === undefined || !isRegistered(row)) return state
  const held = encodeDeviceRecord(row.record)
  const isCurrent = equalBytes(encodeDeviceRecord(writeOwnRecord(state, row.record.seqno, row.record.timestampS)), held)
  const isContested =
    said?.kind === 'member' && said.record.seqno === row.record.seqno && !equalBytes(encodeDeviceRecord(said.record), held)
  // At the last seqno nothing can be said any more; the device goes on with what others have written about it.
  if ((isCurrent && !isContested) || row.record.seqno === INT64_MAX) return state
  const record = writeOwnRecord(state, nextSeqno(state), BigInt(secondsOf(nowMs)))
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
  const changed = { ...state, details: { ...state.details, ...details } }
  writeOwnRecord(changed, 0n, 0n)
  return changeOf(state, reviseOwnRecord(changed, nowMs), [])
}

/**
 * Whether the device key is to be replaced with the next push: it is a day old, or a member was removed since it was made, who knows it
 * and could go on writing to this device.
 */
export function isDeviceKeyRotationDue(state: GroupState, nowMs: number): boolean {
  const { current } = state.deviceKeys
  if (!isActive(state) || current.confirmedAtS === undefined) return false
  const nowS = secondsOf(nowMs)
  const isKnownToRemoved = ({ state: rowState, removedAtS = 0n }: DeviceRow) =>
    rowState === ROW_STATE.kicked && removedAtS > BigInt(current.createdAtS) && removedAtS <= BigInt(nowS)
  return deviceKeyRotationDue(state.deviceKeys, nowS) || [...state.rows.values()].some(isKnownToRemoved)
}

/**
 * Replaces the current device key of a member by one of a fresh 32-byte seed. The old one stays until the group knows the new one.
 * Throws `not-registered`, `displaced`.
 */
export function rotateDeviceKey(crypto: Crypto, state: GroupState, seed: Secret<'device-key-seed'>, nowMs: number): GroupChange {
  requireActive(state)
  const deviceKeys = rotateDeviceKeys(crypto, state.deviceKeys, seed, secondsOf(nowMs))
  return changeOf(state, reviseOwnRecord({ ...state, deviceKeys }, nowMs), [], [seed])
}
