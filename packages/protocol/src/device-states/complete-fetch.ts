/**
 * What a device does when it has read all there is at namespace 21: only then it knows what it is to its groups, and only then
 * nothing that lies there can still need an old key.
 *
 * Implements DS-16, DS-23, DS-37.
 */
import { equalBytes } from '@session-v2/encoding'
import { ACCOUNT_KEY_RETENTION_S, pruneAccountKeys } from '../account-keys/account-key-set.ts'
import { eraseDeviceKeys } from '../device-keys/device-keys.ts'
import { withKeysOfNow } from './account-key-rotation.ts'
import type { GroupEvent } from './group-event.ts'
import { changeOf, type GroupChange, type GroupInView, type GroupState } from './group-state.ts'
import { CLOCK_TOLERANCE_S } from './held-account-keys.ts'
import { isStillOwed } from './leaving.ts'
import { tellMembership } from './membership.ts'
import { secondsOf } from './own-record.ts'
import { expireOwnRequests, keysAskedWith } from './own-request.ts'
import { expireReceivedRequests } from './received-request.ts'
import { requireTimeMs } from './swarm-times.ts'

/** Groups remembered: whoever has the recovery password can found as many as they like. */
const MAX_GROUPS_IN_VIEW = 64

/** To be called when a fetch of namespace 21 has brought everything, and all of it was merged. */
export function completeFetch(state: GroupState, nowMs: number): GroupChange {
  requireTimeMs(nowMs)
  const events: GroupEvent[] = []
  const nowS = secondsOf(nowMs)
  const current = withKeysOfNow(expireReceivedRequests(expireOwnRequests(state, nowMs), nowMs, events), nowMs)
  if (current.accountKeys !== state.accountKeys) events.push({ type: 'account-key-changed' })
  const { state: told, events: ofMembership } = tellMembership(
    {
      ...current,
      accountKeys: pruneAccountKeys(current.accountKeys, nowS).keys,
      retiredKeys: withinRetention(current.retiredKeys, nowS),
      groupsInView: groupsStillInView(current, nowMs),
      farewells: current.farewells.filter(farewell => isStillOwed(farewell, nowMs)),
      deviceKeys: eraseDeviceKeys(current.deviceKeys, nowS, keysAskedWith(current, nowMs)).keys,
      run: { ...current.run, fetched: true },
    },
    nowMs,
  )
  return changeOf(state, told, [...events, ...ofMembership])
}

/** Of groups left; a time by a clock that was far ahead counts as now. */
function withinRetention(retiredKeys: GroupState['retiredKeys'], nowS: number): GroupState['retiredKeys'] {
  return retiredKeys
    .map(key => ((key.rotatedAtS ?? 0) > nowS + CLOCK_TOLERANCE_S ? { ...key, rotatedAtS: nowS } : key))
    .filter(({ rotatedAtS = nowS }) => rotatedAtS >= nowS - ACCOUNT_KEY_RETENTION_S)
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
