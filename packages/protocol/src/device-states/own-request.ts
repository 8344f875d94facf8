/**
 * The link requests this device makes: asking a group to be let in, and being let in.
 *
 *     asked ── stored ──▶ waits, 10 minutes ──▶ past its deadline ── 30 days ──▶ forgotten
 *       │                   │       │                    │
 *       │ not stored        │       └── admission ───────┴── confirmed ▶ admitted
 *       ▼                   ▼                            └── not yet ─▶ held until confirmed
 *     dropped            superseded by the next
 *
 * Implements DS-19, DS-20, DS-22.
 */
import type { Crypto, X25519PublicKey } from '@session-v2/crypto'
import { equalBytes } from '@session-v2/encoding'
import type { DeviceRecord } from '../device-group/device-record.ts'
import type { OpenGroupOutcome } from '../device-group/open.ts'
import { ProtocolError } from '../protocol-error.ts'
import { isRegistered, ROW_STATE } from './device-row.ts'
import {
  changeOf,
  type GroupChange,
  type GroupInView,
  type GroupState,
  type HeldAdmission,
  type OwnRequest,
} from './group-state.ts'
import { findGroup } from './groups-in-view.ts'
import { membershipOf, tellMembership } from './membership.ts'
import { mergeGroupMessage } from './merge.ts'
import { nextSeqno, ownRow, secondsOf, withOwnRow, writeOwnRecord } from './own-record.ts'
import { LINK_TTL_MS } from './swarm-times.ts'

/** How long after its deadline the device key a request was made with is kept for the answer. */
const AWAITED_MS = 2 * 24 * 3600 * 1000
/** How long after its deadline an admission that answers it is still accepted: as long as a group message lives. */
const ANSWERABLE_MS = 30 * 24 * 3600 * 1000

/** What a link request says and what it is sealed to: to be given to `sealLinkRequest`. */
export interface LinkRequestDraft {
  readonly groupId: Uint8Array
  readonly record: DeviceRecord
  readonly linkX25519: X25519PublicKey
}

/**
 * The request to the group with this 8-byte ID. Throws `membership-unknown`, `removed`, `displaced`, `already-registered` for the own
 * group, and `unknown-group` for one that is not in view.
 */
export function draftLinkRequest(state: GroupState, groupId: Uint8Array, nowMs: number): LinkRequestDraft {
  const { linkX25519 } = requireAskable(state, groupId, nowMs)
  const last = state.ownRequests.at(-1)
  const nowS = BigInt(secondsOf(nowMs))
  const timestampS = last !== undefined && last.timestampS >= nowS ? last.timestampS + 1n : nowS
  return { groupId, record: writeOwnRecord(state, nextSeqno(state), timestampS), linkX25519 }
}

function requireAskable(state: GroupState, groupId: Uint8Array, nowMs: number): GroupInView {
  const membership = membershipOf(state, nowMs)
  if (membership === 'Unknown')
    throw new ProtocolError('membership-unknown', 'DS-19', 'the device groups have not been fetched yet')
  if (membership === 'Removed') throw new ProtocolError('removed', 'DS-19', 'this device was removed; renew its identity first')
  if (membership === 'Displaced')
    throw new ProtocolError('displaced', 'DS-19', 'this device was displaced; renew its identity first')
  if (state.groupId !== undefined && equalBytes(state.groupId, groupId)) {
    throw new ProtocolError('already-registered', 'DS-19', 'this device is in that group already')
  }
  const group = findGroup(state.groupsInView, groupId)
  if (group === undefined || group.expiresAtMs <= nowMs) {
    throw new ProtocolError('unknown-group', 'DS-19', 'no message of that group is in the swarm; fetch again')
  }
  return group
}

/**
 * Takes note of a request that is about to be sent; `indices` are the 21 of its short authentication string. Throws what
 * `draftLinkRequest` throws, and `bad-input` when the state has changed so much since that another draft has to be made.
 */
export function askForLink(state: GroupState, draft: LinkRequestDraft, indices: readonly number[], nowMs: number): GroupChange {
  const { groupId, record } = draft
  const { timestampS, seqno, x25519 } = record
  requireAskable(state, groupId, nowMs)
  if (seqno !== nextSeqno(state)) throw new ProtocolError('bad-input', 'DS-19', 'the draft of the link request is out of date')
  const request: OwnRequest = { groupId, timestampS, seqno, x25519, indices, sentAtMs: nowMs, confirmed: false, held: [] }
  const earlier = state.ownRequests.map(each => ({ ...each, held: [] }))
  const asked = { ...state, ownRequests: [...earlier, request] }
  const isMember = isRegistered(ownRow(state))
  const next = isMember ? asked : withOwnRow(asked, { state: ROW_STATE.pending, record, marked: false })
  return told(state, next, nowMs)
}

/** The swarm has stored the request with this timestamp: its ten minutes count from when it was sent. Throws `unknown-request`. */
export function linkRequestStored(state: GroupState, timestampS: bigint): GroupState {
  const stored = requireRequest(state, timestampS)
  const withDeadline = { ...stored, deadlineMs: stored.sentAtMs + LINK_TTL_MS }
  return { ...state, ownRequests: state.ownRequests.map(request => (request === stored ? withDeadline : request)) }
}

/**
 * Takes the request with this timestamp back: it could not be stored, or the person no longer wants it. Throws `unknown-request`.
 */
export function withdrawLinkRequest(state: GroupState, timestampS: bigint, nowMs: number): GroupChange {
  const request = requireRequest(state, timestampS)
  const others = { ...state, ownRequests: state.ownRequests.filter(each => each !== request) }
  return told(state, request === newestRequest(state) ? withoutPending(others) : others, nowMs)
}

/** Opens a group message with the keys of this device: `openGroupMessage`, all its other arguments given. */
export type OpenGroup = (message: Uint8Array) => OpenGroupOutcome

/**
 * The person has compared the short authentication string of the newest request and agrees. Admissions that were held are merged,
 * opened again by `open`. Throws `unknown-request` when nothing is asked, and when none of what was held can be opened any more, and
 * what `mergeGroupMessage` throws; the seeds opened are wiped then.
 */
export function confirmLink(crypto: Crypto, state: GroupState, open: OpenGroup, nowMs: number): GroupChange {
  const newest = requireNewest(state)
  const confirmed = withNewest(state, { ...newest, confirmed: true, held: [] })
  const merged = mergeHeld(crypto, confirmed, newest.held, open, nowMs)
  const { state: next, events } = tellMembership(merged.state, nowMs)
  const change = changeOf(state, next, [...merged.events, ...events])
  return { ...change, wipe: [...new Set([...change.wipe, ...merged.wipe])] }
}

/** The first of them lets the device in, all are history to it. */
function mergeHeld(
  crypto: Crypto,
  state: GroupState,
  messages: readonly HeldAdmission[],
  open: OpenGroup,
  nowMs: number,
): GroupChange {
  let merged = changeOf(state, state, [])
  const opening = messages.map(held => ({ held, opened: open(held.message) }))
  if (messages.length > 0 && !opening.some(({ opened }) => opened.outcome === 'opened')) {
    throw new ProtocolError('unknown-request', 'DS-20', 'the answer to the request cannot be opened any more; ask again')
  }
  try {
    for (const { held, opened } of opening) {
      if (opened.outcome !== 'opened') continue
      const { state: next, events, wipe } = mergeGroupMessage(crypto, merged.state, { ...held, opened }, nowMs, { history: true })
      merged = { state: next, events: [...merged.events, ...events], wipe: [...merged.wipe, ...wipe] }
    }
  } catch (refusal) {
    // Opened here, they would be held by nobody.
    for (const { opened } of opening) {
      if (opened.outcome === 'opened') for (const { seed } of opened.payload.accountKeys) seed.wipe()
    }
    throw refusal
  }
  return merged
}

/** The request the person sees and may confirm; undefined when nothing is asked. */
export function newestRequest(state: GroupState): OwnRequest | undefined {
  return state.ownRequests.at(-1)
}

/** Ends what is past its time: a Pending row at the deadline of the newest request, a request 30 days later. */
export function expireOwnRequests(state: GroupState, nowMs: number): GroupState {
  const ownRequests = state.ownRequests.filter(({ deadlineMs }) => deadlineMs === undefined || deadlineMs + ANSWERABLE_MS > nowMs)
  const deadlineMs = state.ownRequests.at(-1)?.deadlineMs
  const isOver = deadlineMs !== undefined && deadlineMs <= nowMs
  return isOver ? withoutPending({ ...state, ownRequests }) : { ...state, ownRequests }
}

/** At a start: what was asked but neither known to be stored nor answered is withdrawn, and membership is Unknown until the next fetch. */
export function resume(state: GroupState, nowMs: number): GroupState {
  const ownRequests = state.ownRequests.filter(({ deadlineMs, held }) => deadlineMs !== undefined || held.length > 0)
  const withdrew = ownRequests.at(-1) !== state.ownRequests.at(-1)
  const kept = { ...state, ownRequests, run: { fetched: false, membership: 'Unknown', appeared: [] } as const }
  return expireOwnRequests(withdrew ? withoutPending(kept) : kept, nowMs)
}

function withoutPending(state: GroupState): GroupState {
  const row = ownRow(state)
  return row?.state === ROW_STATE.pending ? withOwnRow(state, { ...row, state: ROW_STATE.unregistered }) : state
}

/**
 * The X25519 keys of device keys that an answer may still be sealed to: of the newest request and of those confirmed, for two days after
 * their deadline.
 */
export function keysAskedWith(state: GroupState, nowMs: number): readonly X25519PublicKey[] {
  const isAwaited = (request: OwnRequest) =>
    (request.confirmed || request === newestRequest(state)) && nowMs < request.sentAtMs + LINK_TTL_MS + AWAITED_MS
  return state.ownRequests.filter(isAwaited).map(({ x25519 }) => x25519)
}

function requireRequest(state: GroupState, timestampS: bigint): OwnRequest {
  const request = state.ownRequests.find(each => each.timestampS === timestampS)
  if (request === undefined)
    throw new ProtocolError('unknown-request', 'DS-19', 'this device has not asked that, or not any more')
  return request
}

function requireNewest(state: GroupState): OwnRequest {
  const newest = newestRequest(state)
  if (newest === undefined) throw new ProtocolError('unknown-request', 'DS-20', 'this device asks no group to be let in')
  return newest
}

function withNewest(state: GroupState, request: OwnRequest): GroupState {
  return { ...state, ownRequests: [...state.ownRequests.slice(0, -1), request] }
}

function told(before: GroupState, after: GroupState, nowMs: number): GroupChange {
  const { state, events } = tellMembership(after, nowMs)
  return changeOf(before, state, events)
}
