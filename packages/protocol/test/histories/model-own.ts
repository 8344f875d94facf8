/** The naive model: what a device does with its own row, identity and requests (DS-18 to DS-25, DS-31). */
import { listedAccountKeys, retireAccountKeys } from './model-account-keys.ts'
import { isRegistered } from './model-membership.ts'
import { listedRows, seqnoOf } from './model-rows.ts'
import { hasPassed, type ModelOwnRequest, type ModelRecord, type ModelState, secondsOf } from './model-types.ts'

export const REQUEST_DEADLINE_MS = 10 * 60 * 1000
const REQUEST_MEMORY_MS = 30 * 24 * 3600 * 1000

/** A record of the device as it is now. */
export function ownRecord(state: ModelState, seqno: bigint, timestampS: bigint): ModelRecord {
  return { seqno, timestampS, x25519: state.deviceKeys[0]!.x25519, details: state.details }
}

/** DS-31: above the row's, the one last confirmed, those of the requests, and 0. */
function nextSeqno(state: ModelState): bigint {
  let greatest = 0n
  for (const seqno of [
    seqnoOf(state.rows.get(state.id)),
    state.confirmedSeqno,
    ...state.ownRequests.map(request => request.seqno),
  ]) {
    if (seqno > greatest) greatest = seqno
  }
  return greatest + 1n
}

/** DS-31: the record of a Registered device is written anew. */
export function rewriteOwnRecord(state: ModelState, nowMs: number): void {
  const row = state.rows.get(state.id)!
  row.record = ownRecord(state, nextSeqno(state), BigInt(secondsOf(nowMs)))
  // DS-02: a row that a device wrote about itself has no digest.
  delete row.digest
}

/** DS-19: the record of a new request, which is remembered. */
export function addOwnRequest(state: ModelState, groupId: string, nowMs: number): ModelRecord {
  const last = state.ownRequests.at(-1)
  let timestampS = BigInt(secondsOf(nowMs))
  if (last !== undefined && last.timestampS + 1n > timestampS) timestampS = last.timestampS + 1n
  const row = state.rows.get(state.id)
  const record = ownRecord(state, nextSeqno(state), timestampS)
  // Inside a group the own row stays as it is.
  if (!isRegistered(state)) state.rows.set(state.id, { state: 'pending', record, marked: row?.marked ?? false })
  // An admission held for an earlier request is dropped.
  for (const request of state.ownRequests) request.held = []
  state.ownRequests.push({
    groupId,
    timestampS,
    seqno: record.seqno,
    x25519: record.x25519,
    sentAtMs: nowMs,
    confirmed: false,
    held: [],
  })
  return record
}

/** DS-19, DS-22: a request is dropped as if it had never been made. Only the newest is what the own row waits for. */
export function dropOwnRequest(state: ModelState, request: ModelOwnRequest): void {
  if (request === state.ownRequests.at(-1)) stopWaiting(state)
  state.ownRequests = state.ownRequests.filter(other => other !== request)
}

function stopWaiting(state: ModelState): void {
  const row = state.rows.get(state.id)
  if (row?.state === 'pending') row.state = 'unregistered'
}

/** DS-19, DS-37: own requests past their times. */
export function endOwnRequests(state: ModelState, nowMs: number): void {
  const newest = state.ownRequests.at(-1)
  if (newest?.deadlineMs !== undefined && hasPassed(newest.deadlineMs, nowMs)) stopWaiting(state)
  state.ownRequests = state.ownRequests.filter(
    ({ deadlineMs }) => deadlineMs === undefined || !hasPassed(deadlineMs + REQUEST_MEMORY_MS, nowMs),
  )
}

/** What both founding (DS-18) and admission (DS-21) forget, and a new identity (DS-25) with its old group. */
export function forgetGroup(state: ModelState, nowS: number): void {
  state.mergedHashes = []
  state.ownRequests = []
  state.receivedRequests = []
  state.groupId = undefined
  state.displacedAtMs = undefined
  state.readAtMs = undefined
  // The departures read were of that group.
  state.rotationOwed = false
  retireAccountKeys(state, nowS)
}

/** DS-24: leaves the group that the device is Registered in. */
export function leaveGroup(state: ModelState, nowMs: number): void {
  const row = state.rows.get(state.id)!
  row.state = 'left'
  row.removedAtS = BigInt(secondsOf(nowMs))
  const membersRemain = [...state.rows.values()].some(other => other.state === 'registered')
  const hashes = [...state.mergedHashes]
  // A displaced device owes nothing.
  const isDisplaced = state.displacedAtMs !== undefined
  if (membersRemain && !isDisplaced) {
    const payload = {
      entries: listedRows(state.rows, state.digestOf),
      keys: listedAccountKeys(state.accountKeys, secondsOf(nowMs)),
    }
    state.farewells.push({ groupId: state.groupId, payload, hashes, leftAtMs: nowMs })
  } else if (hashes.length > 0 && !isDisplaced) {
    state.farewells.push({ groupId: state.groupId, hashes, leftAtMs: nowMs })
  }
  const group = state.groupId === undefined ? undefined : state.groupsInView.get(state.groupId)
  if (group !== undefined) group.dismissed = true
  state.groupId = undefined
}

/** DS-25 */
export function renewIdentity(state: ModelState, newId: string, x25519: string, nowMs: number): void {
  forgetGroup(state, secondsOf(nowMs))
  state.rows.clear()
  // A seqno that was confirmed was that of another device.
  state.confirmedSeqno = 0n
  state.id = newId
  state.deviceKeys = [{ x25519, createdAtS: secondsOf(nowMs) }]
}
