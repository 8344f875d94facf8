/**
 * What a device does when it has read all there is at namespace 21: only then it knows what it is to its groups, and only then
 * nothing that lies there can still need an old key.
 *
 * Implements DS-16, DS-23, DS-37.
 */

import { equalBytes } from '@session-v2/encoding'
import { ACCOUNT_KEY_RETENTION_S, pruneAccountKeys } from '../account-keys/account-key-set.ts'
import { eraseDeviceKeys } from '../device-keys/device-keys.ts'
import type { GroupEvent } from './group-event.ts'
import { changeOf, type GroupChange, type GroupInView, type GroupState } from './group-state.ts'
import { isStillOwed } from './leaving.ts'
import { tellMembership } from './membership.ts'
import { secondsOf } from './own-record.ts'
import { expireOwnRequests } from './own-request.ts'
import { expireReceivedRequests } from './received-request.ts'

/** Groups remembered: whoever has the recovery password can found as many as they like. */
const MAX_GROUPS_IN_VIEW = 64

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
      groupsInView: groupsStillInView(current, nowMs),
      farewells: current.farewells.filter(farewell => isStillOwed(farewell, nowMs)),
      deviceKeys: eraseDeviceKeys(current.deviceKeys, nowS).keys,
      run: { ...current.run, fetched: true },
    },
    nowMs,
  )
  return changeOf(state, told, [...events, ...ofMembership])
}

/** The own group and those seen last. */
function groupsStillInView({ groupId: own, groupsInView }: GroupState, nowMs: number): readonly GroupInView[] {
  const inView = groupsInView.filter(({ expiresAtMs }) => expiresAtMs > nowMs)
  if (inView.length <= MAX_GROUPS_IN_VIEW) return inView
  const isOwn = ({ groupId }: GroupInView) => own !== undefined && equalBytes(groupId, own)
  const rank = (group: GroupInView) => (isOwn(group) ? Number.POSITIVE_INFINITY : group.seenAtMs)
  const last = new Set(inView.toSorted((a, b) => rank(b) - rank(a)).slice(0, MAX_GROUPS_IN_VIEW))
  return inView.filter(group => last.has(group))
}
