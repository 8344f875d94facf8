/**
 * The link requests of other devices, as a member of the group sees them.
 *
 *     read ──▶ open ── accepted here, or by another member ──▶ accepted
 *                │ └── ignored, on this device only ─────────▶ ignored
 *                │ └── the device asks again ────────────────▶ superseded
 *                └──── its time is over, or the device gone ─▶ expired
 *
 * Implements DS-26, DS-27, DS-28, DS-39, DK-09.
 */
import type { Crypto, Secret } from '@session-v2/crypto'
import { INT64_MAX } from '@session-v2/encoding'
import type { DeviceId } from '../device-group/device-id.ts'
import { type DeviceRecord, deviceRecordDigest, encodeDeviceRecord } from '../device-group/device-record.ts'
import { renewDeviceKeys } from '../device-keys/device-keys.ts'
import type { LinkRequest } from '../device-link/link-request.ts'
import { ProtocolError } from '../protocol-error.ts'
import { withFreshKey } from './account-key-rotation.ts'
import { type DeviceRow, isNewer, isRegistered, ROW_STATE, seqnoOf } from './device-row.ts'
import type { GroupEvent } from './group-event.ts'
import { changeOf, type GroupChange, type GroupState, type ReceivedRequest } from './group-state.ts'
import { CLOCK_TOLERANCE_S } from './held-account-keys.ts'
import { requireSendable } from './merge-payload.ts'
import { isActive, requireActive, secondsOf } from './own-record.ts'
import { believedTimes, LINK_TTL_MS } from './swarm-times.ts'

/** Open requests at a time: whoever has the recovery password can make as many as they like. */
export const MAX_OPEN_REQUESTS = 64
/** Requests that have ended and are remembered, so that they do not come again. */
const MAX_REMEMBERED_REQUESTS = 128
/** The record in a request; a usual one has 1300 bytes. */
const MAX_ASKING_BYTES = 4096

/** A link request that was opened. */
export interface ReceivedLinkRequest {
  /** Of the swarm. */
  readonly hash: string
  readonly request: LinkRequest
  /** 21 indices of the short authentication string. */
  readonly indices: readonly number[]
  readonly swarmTimeMs: number
  readonly expiresAtMs: number
}

/** Takes a request in, if it is one to ask the person about; else nothing changes. */
export function receiveLinkRequest(state: GroupState, received: ReceivedLinkRequest, nowMs: number): GroupChange {
  const { hash, request, indices } = received
  const { deviceId, record, digest } = request
  const { expiresAtMs } = believedTimes(received, LINK_TTL_MS, nowMs)
  const row = state.rows.get(deviceId)
  const isKnown = state.receivedRequests.some(each => each.hash === hash)
  const others = state.receivedRequests.filter(each => each.status === 'open' && each.deviceId !== deviceId)
  const isFull = others.length >= MAX_OPEN_REQUESTS
  const isOver = expiresAtMs <= nowMs || isLongPast(record, nowMs) || encodeDeviceRecord(record).length > MAX_ASKING_BYTES
  if (!isActive(state) || isKnown || isFull || isOver || deviceId === state.self || !isAsking(row, record, digest)) {
    return changeOf(state, state, [])
  }
  const events: GroupEvent[] = [{ type: 'link-request-added', hash }]
  const earlier = state.receivedRequests.map(each => {
    if (each.deviceId !== deviceId || each.status !== 'open') return each
    events.push({ type: 'link-request-ended', hash: each.hash, how: 'superseded' })
    return { ...each, status: 'superseded' as const }
  })
  const replaces = isRegistered(row)
  const added: ReceivedRequest = {
    ...{ hash, deviceId, record, digest, indices, expiresAtMs },
    ...{ receivedAtMs: nowMs, replaces, status: 'open' },
  }
  const rows = replaces ? state.rows : new Map(state.rows).set(deviceId, pendingRow(record, digest))
  return changeOf(state, { ...state, rows, receivedRequests: [...remembered(earlier), added] }, events)
}

/** A request that was made so long ago that the swarm cannot have it any more, whatever expiry a node names now. */
function isLongPast({ timestampS }: DeviceRecord, nowMs: number): boolean {
  return timestampS < BigInt(secondsOf(nowMs) - CLOCK_TOLERANCE_S)
}

/** Those that are open, and of the others the latest. */
function remembered(requests: readonly ReceivedRequest[]): readonly ReceivedRequest[] {
  const ended = requests.filter(({ status }) => status !== 'open')
  const forgotten = new Set(ended.slice(0, Math.max(0, ended.length - MAX_REMEMBERED_REQUESTS)))
  return requests.filter(request => !forgotten.has(request))
}

/** Whether a request is new: for a device that is unknown or asks already, or, with a later timestamp, to replace a member. */
export function isAsking(row: DeviceRow | undefined, record: DeviceRecord, digest: Uint8Array): boolean {
  if (row === undefined) return true
  if (isRegistered(row)) return row.record !== undefined && record.timestampS > row.record.timestampS
  return row.state === ROW_STATE.pending && isNewer(row, ROW_STATE.pending, record.seqno, digest)
}

/** The row of a device that asks with this record. */
export function pendingRow(record: DeviceRecord, digest: Uint8Array): DeviceRow {
  return { state: ROW_STATE.pending, record, digest, marked: false }
}

/**
 * Lets the device of an open request in. One that replaces a member rotates the account key, to a fresh 32-byte seed; otherwise the
 * seed is handed back to be wiped. Throws `not-registered`, `displaced`, `unknown-request` when it is not open any more, and `bad-input`
 * when the group is full.
 */
export function acceptLinkRequest(
  crypto: Crypto,
  state: GroupState,
  hash: string,
  seed: Secret<'account-key-seed'>,
  nowMs: number,
): GroupChange {
  requireActive(state)
  const request = state.receivedRequests.find(each => each.hash === hash)
  const row = request === undefined ? undefined : state.rows.get(request.deviceId)
  if (request?.status !== 'open' || request.expiresAtMs <= nowMs || row === undefined) {
    throw new ProtocolError('unknown-request', 'DS-28', 'this request is not open any more; the device has to ask again')
  }
  const { deviceId, replaces } = request
  const accepted = replaces ? replacedRow(crypto, row, request.record) : acceptedRow(row)
  const events: GroupEvent[] = [
    { type: 'link-request-ended', hash, how: 'accepted' },
    { type: 'device-changed', deviceId, change: replaces ? 'updated' : 'joined' },
  ]
  const rows = new Map(state.rows).set(deviceId, accepted)
  requireSendable(rows, 'bad-input')
  const next = { ...state, rows, receivedRequests: withStatus(state, hash, 'accepted') }
  if (!replaces) return changeOf(state, { ...next, deviceKeys: renewDeviceKeys(state.deviceKeys) }, events, [seed])
  return changeOf(state, withFreshKey(crypto, next, seed, nowMs), [...events, { type: 'account-key-changed' }], [seed])
}

/** A Pending row that is let in: with the record it asked with. */
export function acceptedRow(row: DeviceRow): DeviceRow {
  return { ...row, state: ROW_STATE.registered, marked: true }
}

/** The row of a member whose replacement was accepted. */
export function replacedRow(crypto: Crypto, row: DeviceRow, asked: DeviceRecord): DeviceRow {
  const held = seqnoOf(row)
  const greater = asked.seqno > held ? asked.seqno : held
  if (greater === INT64_MAX)
    throw new ProtocolError('bad-input', 'DS-31', 'the record of that device has the last seqno there is')
  const record = { ...asked, seqno: greater + 1n }
  const digest = deviceRecordDigest(crypto, encodeDeviceRecord(record))
  return { state: ROW_STATE.registered, record, digest, marked: true }
}

/** Ends an open request on this device; the others still see it. Throws `unknown-request`. */
export function ignoreLinkRequest(state: GroupState, hash: string): GroupState {
  const request = state.receivedRequests.find(each => each.hash === hash)
  if (request?.status !== 'open') throw new ProtocolError('unknown-request', 'DS-28', 'this request is not open any more')
  return { ...state, receivedRequests: withStatus(state, hash, 'ignored') }
}

function withStatus(state: GroupState, hash: string, status: ReceivedRequest['status']): readonly ReceivedRequest[] {
  return state.receivedRequests.map(each => (each.hash === hash ? { ...each, status } : each))
}

/**
 * Ends the open requests whose message the swarm no longer keeps; those that had ended before are forgotten then, and with the last
 * request of a device that was never let in its row.
 */
export function expireReceivedRequests(state: GroupState, nowMs: number, events: GroupEvent[]): GroupState {
  const remembered = state.receivedRequests.filter(each => each.status === 'open' || each.expiresAtMs > nowMs)
  const receivedRequests = remembered.map(each => {
    if (each.expiresAtMs > nowMs) return each
    events.push({ type: 'link-request-ended', hash: each.hash, how: 'expired' })
    return { ...each, status: 'expired' as const }
  })
  const asking = new Set(receivedRequests.map(({ deviceId }) => deviceId))
  const isForgotten = (id: DeviceId, row: DeviceRow) => row.state === ROW_STATE.pending && id !== state.self && !asking.has(id)
  const rows = new Map([...state.rows].filter(([id, row]) => !isForgotten(id, row)))
  return { ...state, rows, receivedRequests }
}
