/**
 * Merging what a group message says: its entries into the rows, its account keys into those held, and what follows for requests
 * that are open.
 *
 * Implements DS-08, DS-09, DS-10, DS-12, DS-39.
 */
import type { Crypto } from '@session-v2/crypto'
import { equalBytes } from '@session-v2/encoding'
import { currentAccountKey, settleAccountKeys } from '../account-keys/account-key-set.ts'
import type { DeviceId } from '../device-group/device-id.ts'
import type { DeviceRecord } from '../device-group/device-record.ts'
import { type GroupPayload, MAX_LISTED_DEVICES } from '../device-group/group-payload.ts'
import { MAX_SLOTS } from '../device-group/key-slots.ts'
import { renewDeviceKeys } from '../device-keys/device-keys.ts'
import { ProtocolError } from '../protocol-error.ts'
import { type DeviceRow, isRegistered, isRemoved, mergeEntry, type RowChange } from './device-row.ts'
import type { GroupEvent } from './group-event.ts'
import type { GroupAccountKey, GroupState, ReceivedRequest } from './group-state.ts'
import { mergeHeldKeys } from './held-account-keys.ts'
import { detailsOf, secondsOf } from './own-record.ts'

/** Members at most: as many slots as a group message has. */
const MAX_MEMBERS = MAX_SLOTS

export interface MergedPayload {
  readonly state: GroupState
  readonly events: readonly GroupEvent[]
  /** Nothing was left out that could be good: the message may be deleted when this state is passed on. */
  readonly isComplete: boolean
}

/**
 * What the payload makes of the state. With `history` the message was sent before this device was let in, so what it says of
 * departures is long done. Throws `malformed` when the group would have more devices than a message can carry.
 */
export function mergePayload(
  crypto: Crypto,
  state: GroupState,
  payload: GroupPayload,
  nowMs: number,
  { history }: { readonly history: boolean },
): MergedPayload {
  const nowS = secondsOf(nowMs)
  const events: GroupEvent[] = []
  const { rows, changes } = mergeRows(state.rows, payload, BigInt(nowS))
  requireSendable(rows, 'malformed')
  let { receivedRequests, details, deviceKeys, rotationOwed } = state
  for (const [deviceId, change] of changes) {
    const row = rows.get(deviceId)!
    const isSelf = deviceId === state.self
    if (isSelf && !history && change === 'updated' && row.record !== undefined) details = detailsOf(row.record)
    if (!isSelf && change === 'registered') deviceKeys = renewDeviceKeys(deviceKeys)
    rotationOwed ||= !isSelf && !history && change === 'left' && !isRemoved(state.rows.get(deviceId))
    receivedRequests = answerRequests(receivedRequests, deviceId, row, change, events)
    if (!(isSelf && change === 'registered')) events.push(deviceEvent(deviceId, change))
  }
  const { keys: accountKeys, isComplete } = mergeHeldKeys(crypto, state.accountKeys, payload.accountKeys, nowS)
  if (!sameCurrent(state.accountKeys, accountKeys)) events.push({ type: 'account-key-changed' })
  const retiredKeys = state.retiredKeys.filter(({ seed }) => !accountKeys.some(key => key.seed.equals(seed)))
  const merged = { ...state, rows, details, deviceKeys, receivedRequests, accountKeys, rotationOwed, retiredKeys }
  return { state: merged, events, isComplete }
}

type Changes = readonly (readonly [DeviceId, Exclude<RowChange, 'stale'>])[]

function mergeRows(held: GroupState['rows'], { devices }: GroupPayload, nowS: bigint) {
  const rows = new Map(held)
  const changes: [DeviceId, Exclude<RowChange, 'stale'>][] = []
  for (const [deviceId, entry] of devices) {
    const { row, change } = mergeEntry(rows.get(deviceId), entry, nowS)
    rows.set(deviceId, row)
    if (change !== 'stale') changes.push([deviceId, change])
  }
  return { rows, changes: changes as Changes }
}

/** A group that no message can carry any more could never be mended: it is not let come so far. Throws `code`. */
export function requireSendable(rows: GroupState['rows'], code: 'malformed' | 'bad-input'): void {
  const memberCount = [...rows.values()].filter(isRegistered).length
  const deviceCount = [...rows.values()].filter(row => isRegistered(row) || isRemoved(row)).length
  if (memberCount > MAX_MEMBERS || deviceCount > MAX_LISTED_DEVICES) {
    throw new ProtocolError(code, 'DS-39', `a device group cannot have ${memberCount} members and ${deviceCount} devices in all`)
  }
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

function sameCurrent(before: readonly GroupAccountKey[], after: readonly GroupAccountKey[]): boolean {
  const [old, now] = [currentAccountKey(settleAccountKeys(before)), currentAccountKey(settleAccountKeys(after))]
  return old === undefined || now === undefined ? old === now : old.seed.equals(now.seed)
}
