/** The devices of a hand-over, as the group of this device knows them now. */
import type { X25519PublicKey } from '@session-v2/crypto'
import { type DeviceId, type DeviceKey, type DeviceRecord, type GroupState, ROW_STATE } from '@session-v2/protocol'

/** What a member says of itself; undefined for a device that is no member. Never taken from a message of the hand-over (HT-05). */
export function memberRecord({ rows }: GroupState, deviceId: DeviceId): DeviceRecord | undefined {
  const row = rows.get(deviceId)
  return row?.state === ROW_STATE.registered ? row.record : undefined
}

/** The X25519 device key of a member. */
export function memberKey(state: GroupState, deviceId: DeviceId): X25519PublicKey | undefined {
  return memberRecord(state, deviceId)?.x25519
}

/** Whether the group has another member. */
export function hasOthers(state: GroupState): boolean {
  return [...state.rows].some(([id, row]) => id !== state.self && row.state === ROW_STATE.registered)
}

/** The own device key that the others know: the newest that they are known to have, or the only one. */
export function announcedKey({ deviceKeys: { current, previous } }: GroupState): DeviceKey {
  return [current, ...previous].find(({ confirmedAtS }) => confirmedAtS !== undefined) ?? current
}
