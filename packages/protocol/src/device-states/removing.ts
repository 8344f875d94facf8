/**
 * Removing a device from the group.
 *
 * Implements DS-29, DS-30.
 */
import type { Crypto, Secret } from '@session-v2/crypto'
import type { DeviceId } from '../device-group/device-id.ts'
import { ProtocolError } from '../protocol-error.ts'
import { withFreshKey } from './account-key-rotation.ts'
import { type DeviceRow, isRegistered, ROW_STATE } from './device-row.ts'
import type { GroupEvent } from './group-event.ts'
import { changeOf, type GroupChange, type GroupState } from './group-state.ts'
import { answerRequests } from './merge-payload.ts'
import { requireActive, secondsOf } from './own-record.ts'

/** The row of a member that is removed at `nowS`. */
export function removedRow(row: DeviceRow, nowS: bigint): DeviceRow {
  return { ...row, state: ROW_STATE.kicked, removedAtS: nowS, marked: true }
}

/**
 * Removes another member, for good, and rotates the account key (a fresh 32-byte seed) so that it reads nothing new. Throws
 * `not-registered`, `displaced`, and `unknown-device` when it is no other member.
 */
export function removeDevice(
  crypto: Crypto,
  state: GroupState,
  deviceId: DeviceId,
  seed: Secret<'account-key-seed'>,
  nowMs: number,
): GroupChange {
  requireActive(state)
  const row = state.rows.get(deviceId)
  if (row === undefined || !isRegistered(row) || deviceId === state.self) {
    throw new ProtocolError('unknown-device', 'DS-29', 'there is no other member with this ID')
  }
  const removed = removedRow(row, BigInt(secondsOf(nowMs)))
  const events: GroupEvent[] = [{ type: 'device-changed', deviceId, change: 'removed' }, { type: 'account-key-changed' }]
  const receivedRequests = answerRequests(state.receivedRequests, deviceId, removed, 'kicked', events)
  const rows = new Map(state.rows).set(deviceId, removed)
  return changeOf(state, withFreshKey(crypto, { ...state, rows, receivedRequests }, seed, nowMs), events, [seed])
}
