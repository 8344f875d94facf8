/**
 * What a device is to the groups of its account, from what it holds and the time.
 *
 *     own row Kicked or Left ───────────────────────▶ Removed
 *     Registered ── displaced ──────────────────────▶ Displaced
 *         └──────── own group not in view, another is ▶ CutOff
 *         └──────── otherwise ──────────────────────▶ InGroup
 *     Pending, or an admission is held ─────────────▶ Waiting
 *     otherwise ─── no group in view ───────────────▶ NoGroup, else GroupsVisible
 *
 * Implements DS-16, DS-17.
 */
import { encodeHex, equalBytes } from '@session-v2/encoding'
import { isRegistered, isRemoved, ROW_STATE } from './device-row.ts'
import type { GroupEvent, Membership } from './group-event.ts'
import type { GroupInView, GroupState } from './group-state.ts'
import { ownRow } from './own-record.ts'

/** The membership at `nowMs`; Unknown until a fetch of namespace 21 has been completed since the start. */
export function membershipOf(state: GroupState, nowMs: number): Membership {
  if (!state.run.fetched) return 'Unknown'
  const row = ownRow(state)
  if (isRemoved(row)) return 'Removed'
  const inView = state.groupsInView.filter(group => group.expiresAtMs > nowMs)
  if (isRegistered(row)) {
    if (state.displacedAtMs !== undefined) return 'Displaced'
    return isCutOff(state, inView) ? 'CutOff' : 'InGroup'
  }
  if (row?.state === ROW_STATE.pending || state.ownRequests.some(({ held }) => held.length > 0)) return 'Waiting'
  return inView.length === 0 ? 'NoGroup' : 'GroupsVisible'
}

function isCutOff({ groupId }: GroupState, inView: readonly GroupInView[]): boolean {
  return groupId !== undefined && inView.length > 0 && !inView.some(group => equalBytes(group.groupId, groupId))
}

/** Tells what is new of membership and other groups, and remembers that it was told. */
export function tellMembership(state: GroupState, nowMs: number): { state: GroupState; events: readonly GroupEvent[] } {
  const membership = membershipOf(state, nowMs)
  const events: GroupEvent[] = []
  if (membership !== state.run.membership) events.push({ type: 'membership-changed', membership })
  const appeared = membership === 'InGroup' ? newlySeen(state, nowMs) : []
  for (const { groupId } of appeared) events.push({ type: 'group-appeared', groupId })
  const told = [...state.run.appeared, ...appeared.map(({ groupId }) => encodeHex(groupId))]
  return { state: { ...state, run: { ...state.run, membership, appeared: told } }, events }
}

function newlySeen({ groupId: own, groupsInView, run }: GroupState, nowMs: number): readonly GroupInView[] {
  return groupsInView.filter(
    ({ groupId, dismissed, expiresAtMs }) =>
      !dismissed &&
      expiresAtMs > nowMs &&
      !(own !== undefined && equalBytes(groupId, own)) &&
      !run.appeared.includes(encodeHex(groupId)),
  )
}
