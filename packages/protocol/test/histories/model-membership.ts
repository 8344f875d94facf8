/** The naive model: groups in view and membership (DS-06, DS-16, DS-17, DS-30). */
import type { ModelMembership, ModelState } from './model-types.ts'
import { hasPassed } from './model-types.ts'

/** How long the swarm keeps a group message. */
export const GROUP_MESSAGE_LIFE_MS = 30 * 24 * 3600 * 1000

const MAX_GROUPS_IN_VIEW = 64

/** DS-06: a message of the group was seen. */
export function noteGroup(state: ModelState, groupId: string, linkKey: string, seenAtMs: number, expiresAtMs: number): void {
  const group = state.groupsInView.get(groupId)
  if (group === undefined) {
    state.groupsInView.set(groupId, { linkKey, seenAtMs, expiresAtMs, dismissed: false })
    return
  }
  const isLatest = seenAtMs > group.seenAtMs || (seenAtMs === group.seenAtMs && linkKey > group.linkKey)
  if (isLatest) group.linkKey = linkKey
  group.seenAtMs = Math.max(group.seenAtMs, seenAtMs)
  group.expiresAtMs = Math.max(group.expiresAtMs, expiresAtMs)
}

/** DS-16: the groups whose recorded expiry has not passed. */
export function groupsInView(state: ModelState, nowMs: number): string[] {
  return [...state.groupsInView].filter(([, { expiresAtMs }]) => !hasPassed(expiresAtMs, nowMs)).map(([groupId]) => groupId)
}

/** DS-37 */
export function forgetGroupsOutOfView(state: ModelState, nowMs: number): void {
  for (const [groupId, { expiresAtMs }] of state.groupsInView) {
    if (hasPassed(expiresAtMs, nowMs)) state.groupsInView.delete(groupId)
  }
  // Of more than 64 the own one and those seen last are kept.
  const others = [...state.groupsInView.keys()].filter(groupId => groupId !== state.groupId)
  others.sort((a, b) => state.groupsInView.get(b)!.seenAtMs - state.groupsInView.get(a)!.seenAtMs)
  const room = MAX_GROUPS_IN_VIEW - (state.groupsInView.size - others.length)
  for (const groupId of others.slice(room)) state.groupsInView.delete(groupId)
}

export function isRegistered(state: ModelState): boolean {
  return state.rows.get(state.id)?.state === 'registered'
}

/** DS-15 */
export function isDisplaced(state: ModelState): boolean {
  return isRegistered(state) && state.displacedAtMs !== undefined
}

/** DS-30: who may let in, remove, rotate and push. */
export function mayAct(state: ModelState): boolean {
  return isRegistered(state) && !isDisplaced(state)
}

/** DS-16: the table, once a fetch has been completed. */
export function membershipOf(state: ModelState, nowMs: number): ModelMembership {
  if (!state.fetched) return 'Unknown'
  const own = state.rows.get(state.id)?.state
  const groups = groupsInView(state, nowMs)
  if (own === 'kicked' || own === 'left') return 'Removed'
  if (own === 'registered') {
    if (isDisplaced(state)) return 'Displaced'
    const isOwnInView = groups.some(groupId => groupId === state.groupId)
    const isOtherInView = groups.some(groupId => groupId !== state.groupId)
    return !isOwnInView && isOtherInView ? 'CutOff' : 'InGroup'
  }
  if (own === 'pending') return 'Waiting'
  if (state.ownRequests.some(({ held }) => held.length > 0)) return 'Waiting'
  return groups.length === 0 ? 'NoGroup' : 'GroupsVisible'
}

/** Brings up to date what is known at `nowMs`: the membership (DS-16) and the groups that appeared (DS-17). */
export function observe(state: ModelState, nowMs: number): void {
  state.nowMs = nowMs
  state.membership = membershipOf(state, nowMs)
  if (state.membership !== 'InGroup') return
  for (const groupId of groupsInView(state, nowMs)) {
    if (groupId !== state.groupId && !state.groupsInView.get(groupId)!.dismissed) state.appeared.add(groupId)
  }
}
