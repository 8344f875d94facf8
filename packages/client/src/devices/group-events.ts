/** What the device group tells, as the client tells it. */
import { encodeHex } from '@session-v2/encoding'
import type { AccountKey, GroupEvent } from '@session-v2/protocol'
import type { ClientEvent } from '../events/event-log.ts'

/** @param current the current account key behind the events */
export function clientEvents(events: readonly GroupEvent[], current: AccountKey | undefined): ClientEvent[] {
  return events.flatMap(event => clientEvent(event, current) ?? [])
}

function clientEvent(event: GroupEvent, current: AccountKey | undefined): ClientEvent | undefined {
  switch (event.type) {
    case 'link-request-added':
      return { type: 'link_request_added', requestId: event.hash }
    case 'link-request-ended':
      return { type: 'link_request_ended', requestId: event.hash, how: event.how }
    case 'admission-held':
      return { type: 'link_answered' }
    case 'device-changed':
      return { type: 'device_membership_changed', deviceId: event.deviceId, change: event.change }
    case 'devices-replaced':
      return { type: 'devices_replaced' }
    case 'membership-changed':
      return { type: 'membership_changed', membership: event.membership }
    case 'group-appeared':
      return { type: 'group_appeared', groupId: encodeHex(event.groupId) }
    case 'account-key-changed':
      return current === undefined ? undefined : { type: 'account_keys_rotated', createdAtMs: current.createdAtS * 1000 }
  }
}
