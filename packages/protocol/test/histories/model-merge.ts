/** The naive model: what a group message does (DS-06 to DS-15, DS-20, DS-21). */
import { mergeAccountKeys } from './model-account-keys.ts'
import { recallDeviceKeys } from './model-device-keys.ts'
import { isRegistered, noteGroup } from './model-membership.ts'
import { forgetGroup, leaveGroup, rewriteOwnRecord } from './model-own.ts'
import { isRemoved, mergeEntry } from './model-rows.ts'
import {
  hasPassed,
  type ModelEntry,
  type ModelMessage,
  type ModelOpened,
  type ModelOwnRequest,
  type ModelReceivedRequest,
  type ModelRowState,
  type ModelState,
  secondsOf,
} from './model-types.ts'

const DISPLACEMENT_GRACE_MS = 5 * 60 * 1000
const MAX_HELD = 16

export function mergeMessage(state: ModelState, message: ModelMessage, nowMs: number): void {
  // DS-06
  if (message.groupId !== undefined) {
    noteGroup(state, message.groupId, message.linkKey, message.swarmTimeMs, message.expiresAtMs)
  }
  if (message.opened === undefined) {
    noteUnreadable(state, message, nowMs)
    return
  }
  if (isRegistered(state) && isSameGroup(state, message)) {
    // DS-07: where the device has no group ID, it takes that of the message.
    state.groupId ??= message.groupId
    mergeOpened(state, message, message.opened, nowMs, false)
  } else {
    considerAdmission(state, message, message.opened, nowMs)
  }
}

/** DS-07: where the message or the device has no group ID, they count as of the same group. */
function isSameGroup(state: ModelState, { groupId }: ModelMessage): boolean {
  return groupId === undefined || state.groupId === undefined || groupId === state.groupId
}

/** DS-08 to DS-12. In the device's own admission what it reads is history. */
function mergeOpened(state: ModelState, message: ModelMessage, opened: ModelOpened, nowMs: number, isAdmission: boolean): void {
  const nowS = secondsOf(nowMs)
  for (const [id, entry] of opened.devices) mergeOneEntry(state, id, entry, nowMs, isAdmission)
  const merged = mergeAccountKeys(state.accountKeys, opened.keys, nowS)
  state.accountKeys = merged.keys
  // DS-23: what is held of the own group is not retired.
  state.retiredKeys = state.retiredKeys.filter(({ seed }) => !state.accountKeys.some(key => key.seed === seed))
  // DS-11
  if (merged.isComplete && !state.mergedHashes.includes(message.hash)) state.mergedHashes.push(message.hash)
  state.readAtMs = Math.max(state.readAtMs ?? message.swarmTimeMs, message.swarmTimeMs)
  // DS-15
  if (state.displacedAtMs !== undefined && message.swarmTimeMs >= state.displacedAtMs) state.displacedAtMs = undefined
}

function mergeOneEntry(state: ModelState, id: string, entry: ModelEntry, nowMs: number, isAdmission: boolean): void {
  const before = state.rows.get(id)?.state
  const change = mergeEntry(state.rows, id, entry, secondsOf(nowMs))
  if (id === state.id) noteContest(state, entry, nowMs, change)
  if (change === 'none' || change === 'restated') return
  if ('member' in entry) {
    acceptRequests(state, id, before, entry.member.x25519)
    if (before !== 'registered' && id !== state.id) recallDeviceKeys(state)
    if (id === state.id) takeOwnRecord(state, nowMs, isAdmission)
    return
  }
  expireRequests(state, id)
  // DS-09
  const isDeparture = change === 'left' && before !== 'left' && before !== 'kicked' && id !== state.id
  if (isDeparture && !isAdmission) state.rotationOwed = true
}

/** DS-10: another record with the seqno that the device holds of itself. */
function noteContest(state: ModelState, entry: ModelEntry, nowMs: number, change: string): void {
  const row = state.rows.get(state.id)
  if (change !== 'none' || !('member' in entry) || row?.state !== 'registered' || row.record === undefined) return
  if (entry.member.seqno !== row.record.seqno || entry.digest === state.digestOf(row.record)) return
  rewriteOwnRecord(state, nowMs)
}

/** DS-10: details that others wrote become the own ones; DS-21: but not in an admission. Foreign keys are never kept. */
function takeOwnRecord(state: ModelState, nowMs: number, isAdmission: boolean): void {
  const record = state.rows.get(state.id)!.record!
  if (!isAdmission) state.details = record.details
  const isOwn = record.x25519 === state.deviceKeys[0]!.x25519 && record.details === state.details
  if (!isOwn) rewriteOwnRecord(state, nowMs)
}

/** DS-12: a message made the device a member, or wrote its record anew. */
function acceptRequests(state: ModelState, id: string, before: ModelRowState | undefined, x25519: string): void {
  for (const request of state.receivedRequests) {
    if (request.deviceId !== id || request.status !== 'open') continue
    if (before !== 'registered' || request.record.x25519 === x25519) request.status = 'accepted'
  }
}

/** DS-12: the device has become Left or Kicked. */
export function expireRequests(state: ModelState, id: string): void {
  for (const request of state.receivedRequests) if (request.deviceId === id) expireIfOpen(request)
}

/** DS-37: what had ended is forgotten, with the last request of a device that is Pending its row; then what is past its time ends. */
export function endReceivedRequests(state: ModelState, nowMs: number): void {
  const isForgotten = ({ status, expiresAtMs }: ModelReceivedRequest) => status !== 'open' && hasPassed(expiresAtMs, nowMs)
  const forgotten = state.receivedRequests.filter(isForgotten)
  state.receivedRequests = state.receivedRequests.filter(request => !isForgotten(request))
  for (const { deviceId } of forgotten) {
    const hasOther = state.receivedRequests.some(other => other.deviceId === deviceId)
    if (!hasOther && state.rows.get(deviceId)?.state === 'pending') state.rows.delete(deviceId)
  }
  for (const request of state.receivedRequests) if (hasPassed(request.expiresAtMs, nowMs)) expireIfOpen(request)
}

function expireIfOpen(request: ModelReceivedRequest): void {
  if (request.status === 'open') request.status = 'expired'
}

function noteUnreadable(state: ModelState, message: ModelMessage, nowMs: number): void {
  // DS-14
  const isMember = isRegistered(state) && isSameGroup(state, message)
  const hasAsked = !isRegistered(state) && state.ownRequests.some(({ groupId }) => groupId === message.groupId)
  const row = state.rows.get(state.id)
  if (message.announcesRemoval && (isMember || hasAsked) && !isRemoved(row)) {
    state.rows.set(state.id, { ...row, state: 'kicked', removedAtS: BigInt(secondsOf(nowMs)), marked: row?.marked ?? false })
    return
  }
  if (message.announcesRemoval && !isMember) {
    // DS-14: the device is a member elsewhere, and drops what it asked there.
    if (!isRemoved(row)) state.ownRequests = state.ownRequests.filter(({ groupId }) => groupId !== message.groupId)
    return
  }
  // DS-15: a message under an account key that is held displaces nobody.
  if (state.accountKeys.some(({ seed }) => state.linkKeyOf(seed) === message.linkKey)) return
  // DS-15
  if (!isMember || message.swarmTimeMs <= (state.readAtMs ?? 0) + DISPLACEMENT_GRACE_MS) return
  state.displacedAtMs = Math.max(state.displacedAtMs ?? message.swarmTimeMs, message.swarmTimeMs)
}

/** DS-20 */
function considerAdmission(state: ModelState, message: ModelMessage, opened: ModelOpened, nowMs: number): void {
  // A device that is Kicked is admitted nowhere.
  if (state.rows.get(state.id)?.state === 'kicked') return
  const entry = opened.devices.get(state.id)
  if (entry === undefined || 'how' in entry) return
  const request = state.ownRequests.find(
    ({ groupId, timestampS, x25519 }) =>
      groupId === message.groupId && timestampS === entry.member.timestampS && x25519 === entry.member.x25519,
  )
  if (request === undefined) return
  if (request.confirmed) {
    admit(state, [message], nowMs)
  } else if (request === state.ownRequests.at(-1)) {
    hold(request, message)
  }
}

/** DS-20: held are the 16 with the latest swarm times, each once. */
function hold(request: ModelOwnRequest, message: ModelMessage): void {
  if (request.held.some(({ hash }) => hash === message.hash)) return
  request.held.push(message)
  request.held.sort((a, b) => a.swarmTimeMs - b.swarmTimeMs)
  if (request.held.length > MAX_HELD) request.held.shift()
}

/** DS-20: the person has confirmed the newest request, and admissions may wait for that. */
export function admitHeld(state: ModelState, nowMs: number): void {
  const held = state.ownRequests.at(-1)?.held ?? []
  if (held.length > 0 && state.rows.get(state.id)?.state !== 'kicked') admit(state, held, nowMs)
}

/** DS-21 */
function admit(state: ModelState, messages: readonly ModelMessage[], nowMs: number): void {
  if (isRegistered(state)) leaveGroup(state, nowMs)
  forgetGroup(state, secondsOf(nowMs))
  state.rows.clear()
  state.groupId = messages[0]!.groupId
  for (const message of messages) mergeOpened(state, message, message.opened!, nowMs, true)
}

/** Whether a row is one that a request of the device may still lead into the group (DS-26). */
export function mayAskFor(state: ModelState, id: string): boolean {
  const row = state.rows.get(id)
  return !isRemoved(row) && row?.state !== 'unregistered'
}
