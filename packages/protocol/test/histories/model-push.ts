/** The naive model: what is owed to the others, and what a confirmation settles (DS-33 to DS-35). */
import { listedAccountKeys } from './model-account-keys.ts'
import { confirmDeviceKey } from './model-device-keys.ts'
import { GROUP_MESSAGE_LIFE_MS, isRegistered, mayAct, noteGroup } from './model-membership.ts'
import { isRemoved, isUnchanged, listedRows, seqnoOf } from './model-rows.ts'
import { type ModelFarewell, type ModelPush, type ModelRow, type ModelState, secondsOf } from './model-types.ts'

const MAX_REMOVED_ROWS = 256

const FAREWELL_OWED_MS = 24 * 3_600_000

/** DS-34: the oldest last message, else the push of the own group, if one is owed. */
export function nextPush(state: ModelState, nowMs: number): ModelPush | undefined {
  const farewell = state.farewells.find(each => isFarewellOwed(each, nowMs))
  if (farewell !== undefined) {
    return {
      groupId: farewell.groupId,
      entries: farewell.payload?.entries ?? new Map(),
      keys: listedAccountKeys(farewell.payload?.keys ?? [], secondsOf(nowMs)),
      deletes: farewell.hashes,
      farewell: true,
      stores: farewell.payload !== undefined,
    }
  }
  if (!mayAct(state) || !state.fetched || !isPushOwed(state, nowMs)) return undefined
  return {
    groupId: state.groupId,
    entries: listedRows(rowsToPush(state), state.digestOf),
    keys: listedAccountKeys(state.accountKeys, secondsOf(nowMs)),
    deletes: [...state.mergedHashes],
    farewell: false,
    stores: true,
  }
}

/** DS-24: not sent within a day it is owed no more, nor while there is no account key to list. */
export function isFarewellOwed({ payload, leftAtMs }: ModelFarewell, nowMs: number): boolean {
  if (payload !== undefined && listedAccountKeys(payload.keys, secondsOf(nowMs)).length === 0) return false
  return Math.abs(nowMs - leftAtMs) < FAREWELL_OWED_MS
}

/** DS-34: of more than 256 rows that are Left or Kicked those that are marked, then those that went last. */
function rowsToPush(state: ModelState): Map<string, ModelRow> {
  const removed = [...state.rows].filter(([, row]) => isRemoved(row))
  removed.sort(([, a], [, b]) => {
    if (a.marked !== b.marked) return a.marked ? -1 : 1
    return Number(b.removedAtS! - a.removedAtS!)
  })
  const leftOut = new Set(removed.slice(MAX_REMOVED_ROWS).map(([id]) => id))
  return new Map([...state.rows].filter(([id]) => !leftOut.has(id)))
}

/** DS-34 */
function isPushOwed(state: ModelState, nowMs: number): boolean {
  if (seqnoOf(state.rows.get(state.id)) > state.confirmedSeqno) return true
  if ([...state.rows.values()].some(({ marked }) => marked)) return true
  const listed = listedAccountKeys(state.accountKeys, secondsOf(nowMs))
  return state.accountKeys.some(({ seed, distributed }) => !distributed && listed.some(key => key.seed === seed))
}

/** DS-35. False for a push that the device has nothing more to do with. */
export function settlePush(state: ModelState, push: ModelPush, hash: string, nowMs: number): boolean {
  if (push.farewell) return settleFarewell(state, push)
  if (!isRegistered(state) || push.groupId !== state.groupId) return false
  const own = push.entries.get(state.id)
  if (own !== undefined && 'member' in own) {
    if (own.member.seqno > state.confirmedSeqno) state.confirmedSeqno = own.member.seqno
    // DK-09: only when it listed every member that is known now.
    const isForAll = [...state.rows].every(([id, row]) => row.state !== 'registered' || 'member' in (push.entries.get(id) ?? {}))
    if (isForAll) confirmDeviceKey(state, own.member.x25519, secondsOf(nowMs))
  }
  for (const [id, entry] of push.entries) {
    const row = state.rows.get(id)
    if (row !== undefined && isUnchanged(row, entry, state.digestOf)) row.marked = false
  }
  for (const { seed } of push.keys) {
    const key = state.accountKeys.find(held => held.seed === seed)
    if (key !== undefined) key.distributed = true
  }
  state.mergedHashes = state.mergedHashes.filter(merged => !push.deletes.includes(merged))
  if (!state.mergedHashes.includes(hash)) state.mergedHashes.push(hash)
  if (state.groupId !== undefined && push.keys[0] !== undefined) {
    const linkKey = state.linkKeyOf(push.keys[0].seed)
    noteGroup(state, state.groupId, linkKey, nowMs, nowMs + GROUP_MESSAGE_LIFE_MS)
  }
  return true
}

function settleFarewell(state: ModelState, push: ModelPush): boolean {
  const at = state.farewells.findIndex(({ groupId, hashes }) => groupId === push.groupId && hashes.join() === push.deletes.join())
  if (at === -1) return false
  state.farewells.splice(at, 1)
  return true
}
