/**
 * Merging what a group message says: its entries into the rows, its account keys into those held, and what follows for requests
 * that are open.
 *
 * Implements DS-08, DS-09, DS-10, DS-12.
 */
import { equalBytes } from '@session-v2/encoding'
import type { AccountKeySeed } from '../account-keys/account-key.ts'
import {
  ACCOUNT_KEY_RETENTION_S,
  currentAccountKey,
  mergeAccountKeys,
  settleAccountKeys,
} from '../account-keys/account-key-set.ts'
import type { DeviceId } from '../device-group/device-id.ts'
import type { DeviceRecord } from '../device-group/device-record.ts'
import type { GroupPayload } from '../device-group/group-payload.ts'
import { recallDeviceKeys } from '../device-keys/device-keys.ts'
import { type DeviceRow, mergeEntry, type RowChange } from './device-row.ts'
import type { GroupEvent } from './group-event.ts'
import type { GroupAccountKey, GroupState, ReceivedRequest } from './group-state.ts'
import { detailsOf, secondsOf } from './own-record.ts'

/** How far ahead of ours the clock of another device may be: beyond it, its account keys would never be due for rotation. */
export const ACCOUNT_KEY_AHEAD_S = 48 * 3600

interface MergedPayload {
  readonly state: GroupState
  readonly events: readonly GroupEvent[]
}

/** `history`: the message is the one that let this device in, so what it says of departures is long done. */
export function mergePayload(
  state: GroupState,
  payload: GroupPayload,
  nowMs: number,
  { history }: { readonly history: boolean },
): MergedPayload {
  const nowS = secondsOf(nowMs)
  const rows = new Map(state.rows)
  const events: GroupEvent[] = []
  let { receivedRequests, details } = state
  let departed = false
  let joined = false
  for (const [deviceId, entry] of payload.devices) {
    const { row, change } = mergeEntry(rows.get(deviceId), entry, BigInt(nowS))
    if (change === 'stale') continue
    rows.set(deviceId, row)
    const isSelf = deviceId === state.self
    joined ||= change === 'registered' && !isSelf
    departed ||= change === 'left' && !isSelf && !wasRemoved(state, deviceId)
    if (isSelf && !history && change === 'updated' && row.record !== undefined) details = detailsOf(row.record)
    receivedRequests = answerRequests(receivedRequests, deviceId, row, change, events)
    if (!(isSelf && change === 'registered')) events.push(deviceEvent(deviceId, change))
  }
  const accountKeys = mergeKeys(state.accountKeys, payload.accountKeys, nowS)
  if (!sameCurrent(state.accountKeys, accountKeys)) events.push({ type: 'account-key-changed' })
  const rotationOwed = state.rotationOwed || (departed && !history)
  const retiredKeys = state.retiredKeys.filter(({ seed }) => !accountKeys.some(key => key.seed.equals(seed)))
  const deviceKeys = joined ? recallDeviceKeys(state.deviceKeys) : state.deviceKeys
  return { state: { ...state, rows, details, deviceKeys, receivedRequests, accountKeys, rotationOwed, retiredKeys }, events }
}

function wasRemoved({ rows }: GroupState, deviceId: DeviceId): boolean {
  return rows.get(deviceId)?.removedAtS !== undefined
}

const EVENT_CHANGES = {
  registered: 'joined',
  updated: 'updated',
  left: 'left',
  kicked: 'removed',
  restated: 'restated',
} as const satisfies Record<Exclude<RowChange, 'stale'>, string>

function deviceEvent(deviceId: DeviceId, change: Exclude<RowChange, 'stale'>): GroupEvent {
  return { type: 'device-changed', deviceId, change: EVENT_CHANGES[change] }
}

/** Ends the open requests of a device that the group has decided about. */
export function answerRequests(
  requests: readonly ReceivedRequest[],
  deviceId: DeviceId,
  row: DeviceRow,
  change: RowChange,
  events: GroupEvent[],
): readonly ReceivedRequest[] {
  return requests.map(request => {
    if (request.deviceId !== deviceId || request.status !== 'open') return request
    const how = answerOf(request, row, change)
    if (how === undefined) return request
    events.push({ type: 'link-request-ended', hash: request.hash, how })
    return { ...request, status: how }
  })
}

function answerOf({ replaces, record }: ReceivedRequest, row: DeviceRow, change: RowChange): 'accepted' | 'expired' | undefined {
  if (change === 'left' || change === 'kicked') return 'expired'
  if (change === 'registered') return 'accepted'
  return change === 'updated' && replaces && hasKeysOf(row.record, record) ? 'accepted' : undefined
}

function hasKeysOf(record: DeviceRecord | undefined, asked: DeviceRecord): boolean {
  return record !== undefined && equalBytes(record.x25519, asked.x25519) && equalBytes(record.mlKem768, asked.mlKem768)
}

function mergeKeys(
  held: readonly GroupAccountKey[],
  incoming: readonly AccountKeySeed[],
  nowS: number,
): readonly GroupAccountKey[] {
  const timely = incoming.filter(({ seed, createdAtS }) => createdAtS <= nowS + ACCOUNT_KEY_AHEAD_S || isHeld(held, seed))
  const { keys, inserted } = mergeAccountKeys(held, timely, key => ({ ...key, distributed: false }))
  const settled = settleAccountKeys(keys)
  const isPast = (seed: AccountKeySeed['seed']) => {
    const rotatedAtS = settled.find(key => key.seed === seed)?.rotatedAtS
    return rotatedAtS !== undefined && rotatedAtS < nowS - ACCOUNT_KEY_RETENTION_S
  }
  return keys.filter(({ seed }) => !(inserted.some(key => key.seed === seed) && isPast(seed)))
}

function isHeld(held: readonly AccountKeySeed[], seed: AccountKeySeed['seed']): boolean {
  return held.some(key => key.seed.equals(seed))
}

function sameCurrent(before: readonly GroupAccountKey[], after: readonly GroupAccountKey[]): boolean {
  const [old, now] = [currentAccountKey(settleAccountKeys(before)), currentAccountKey(settleAccountKeys(after))]
  return old === undefined || now === undefined ? old === now : old.seed.equals(now.seed)
}
