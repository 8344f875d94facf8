/**
 * What a device does when it has read all there is at namespace 21: only then it knows what it is to its groups, and only then
 * nothing that lies there can still need an old key.
 *
 * Implements DS-16, DS-23, DS-37.
 */
import { ACCOUNT_KEY_RETENTION_S, pruneAccountKeys } from '../account-keys/account-key-set.ts'
import { eraseDeviceKeys } from '../device-keys/device-keys.ts'
import type { GroupEvent } from './group-event.ts'
import { changeOf, type GroupChange, type GroupState } from './group-state.ts'
import { tellMembership } from './membership.ts'
import { secondsOf } from './own-record.ts'
import { expireOwnRequests } from './own-request.ts'
import { expireReceivedRequests } from './received-request.ts'

/** To be called when a fetch of namespace 21 has brought everything, and all of it was merged. */
export function completeFetch(state: GroupState, nowMs: number): GroupChange {
  const events: GroupEvent[] = []
  const nowS = secondsOf(nowMs)
  const current = expireReceivedRequests(expireOwnRequests(state, nowMs), nowMs, events)
  const { state: told, events: ofMembership } = tellMembership(
    {
      ...current,
      accountKeys: pruneAccountKeys(current.accountKeys, nowS).keys,
      retiredKeys: current.retiredKeys.filter(({ rotatedAtS = nowS }) => rotatedAtS >= nowS - ACCOUNT_KEY_RETENTION_S),
      groupsInView: current.groupsInView.filter(({ expiresAtMs }) => expiresAtMs > nowMs),
      deviceKeys: eraseDeviceKeys(current.deviceKeys, nowS).keys,
      run: { ...current.run, fetched: true },
    },
    nowMs,
  )
  return changeOf(state, told, [...events, ...ofMembership])
}
