/**
 * The device groups of the account that were seen, readable or not: each with the key that a link request to it is sealed to.
 *
 * Implements DS-06.
 */
import type { X25519PublicKey } from '@session-v2/crypto'
import { compareBytes, equalBytes } from '@session-v2/encoding'
import type { GroupInView, GroupState } from './group-state.ts'

/** How long a group message lives in a swarm. */
export const GROUP_TTL_MS = 30 * 24 * 3600 * 1000

/** One message of a group, as far as everybody with the root seed can see it. */
export interface GroupSighting {
  /** 8 bytes. */
  readonly groupId: Uint8Array
  readonly linkX25519: X25519PublicKey
  readonly swarmTimeMs: number
  readonly expiresAtMs: number
}

/** Records a message of a group. The order of recording makes no difference. */
export function viewGroup(groups: readonly GroupInView[], sighting: GroupSighting): readonly GroupInView[] {
  const { groupId, linkX25519, swarmTimeMs, expiresAtMs } = sighting
  const held = findGroup(groups, groupId)
  if (held === undefined) return [...groups, { groupId, linkX25519, seenAtMs: swarmTimeMs, expiresAtMs, dismissed: false }]
  const isLater = swarmTimeMs > held.seenAtMs || (swarmTimeMs === held.seenAtMs && compareBytes(linkX25519, held.linkX25519) > 0)
  const merged = {
    ...held,
    linkX25519: isLater ? linkX25519 : held.linkX25519,
    seenAtMs: Math.max(held.seenAtMs, swarmTimeMs),
    expiresAtMs: Math.max(held.expiresAtMs, expiresAtMs),
  }
  return groups.map(group => (group === held ? merged : group))
}

/** The group with this 8-byte ID, if it was seen. */
export function findGroup(groups: readonly GroupInView[], groupId: Uint8Array): GroupInView | undefined {
  return groups.find(group => equalBytes(group.groupId, groupId))
}

/** No longer tells of the group with this 8-byte ID; what is not in view stays so. */
export function dismissGroup(state: GroupState, groupId: Uint8Array): GroupState {
  const groupsInView = state.groupsInView.map(group =>
    equalBytes(group.groupId, groupId) ? { ...group, dismissed: true } : group,
  )
  return { ...state, groupsInView }
}
