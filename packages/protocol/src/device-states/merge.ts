/**
 * Merging a group message that was read at namespace 21. A function of the state and the message; whatever order messages come in,
 * devices that have merged the same ones and passed on what they owe hold the same group.
 *
 *     valid signature ──▶ group in view
 *        │ opened ── of the own group, and Registered ──────────▶ rows and account keys are merged
 *        │       └── admits this device (its request) ── confirmed ▶ old group left, this one joined, message merged as history
 *        │       │                                    └─ not yet ─▶ held
 *        │       └── anything else ─────────────────────────────▶ ignored
 *        └ cannot be opened ── announces our removal ───────────▶ own row Kicked
 *                          └── own group, 5 minutes newer, under an account key not held ─▶ displaced
 *
 * Implements DS-06, DS-07, DS-11, DS-13, DS-14, DS-15, DS-20, DS-21.
 */
import type { Crypto } from '@session-v2/crypto'
import { equalBytes } from '@session-v2/encoding'
import type { GroupEntry, GroupPayload } from '../device-group/group-payload.ts'
import type { GroupFacts, OpenGroupOutcome } from '../device-group/open.ts'
import { isRegistered, isRemoved, ROW_STATE } from './device-row.ts'
import type { GroupEvent } from './group-event.ts'
import { changeOf, type GroupChange, type GroupState, type OwnRequest } from './group-state.ts'
import { GROUP_TTL_MS, viewGroup } from './groups-in-view.ts'
import { departGroup } from './leaving.ts'
import { mergePayload } from './merge-payload.ts'
import { ownRow, reviseOwnRecord, secondsOf } from './own-record.ts'
import { believedTimes } from './swarm-times.ts'

/** How much later than the newest readable message an unreadable one must be, so that crossing pushes displace nobody. */
export const DISPLACEMENT_GRACE_MS = 5 * 60 * 1000

/** Admissions held at most for one request. */
const MAX_HELD = 16

/** A group message whose signature was verified. */
export interface ReceivedGroupMessage {
  /** Of the swarm. */
  readonly hash: string
  /** As it was read. */
  readonly message: Uint8Array
  readonly swarmTimeMs: number
  readonly expiresAtMs: number
  readonly opened: Extract<OpenGroupOutcome, { readonly outcome: 'opened' | 'not-for-us' }>
}

type Opened = Extract<OpenGroupOutcome, { readonly outcome: 'opened' }>

/**
 * What the message makes of the state, at `nowMs`. With `history` it was sent before this device was let in, and no departure in it is
 * news. Takes the seeds in its payload over: those that are not needed are handed back to be wiped. Throws `bad-input` for what is no
 * time and `malformed` for a group that no message could carry; the state given is never changed.
 */
export function mergeGroupMessage(
  crypto: Crypto,
  state: GroupState,
  received: ReceivedGroupMessage,
  nowMs: number,
  { history = false }: { readonly history?: boolean } = {},
): GroupChange {
  const { opened } = received
  const believed = { ...received, ...believedTimes(received, GROUP_TTL_MS, nowMs) }
  const viewed = withSighting(state, opened.facts, believed)
  if (opened.outcome === 'not-for-us') return changeOf(state, ...unreadable(viewed, believed, opened.announcesRemoval, nowMs))
  const incoming = opened.payload.accountKeys.map(({ seed }) => seed)
  const events: GroupEvent[] = []
  const next = isOwnGroup(viewed, opened.facts)
    ? mergeOwn(crypto, viewed, opened, believed, { nowMs, history }, events)
    : admit(crypto, viewed, opened, believed, nowMs, events)
  return changeOf(state, next, events, incoming)
}

function withSighting(state: GroupState, { groupId, linkX25519 }: GroupFacts, received: ReceivedGroupMessage): GroupState {
  if (groupId === undefined || linkX25519 === undefined) return state
  return { ...state, groupsInView: viewGroup(state.groupsInView, { groupId, linkX25519, ...received }) }
}

/** Older writers give no group ID; a missing one, on either side, counts as the same. */
function isOwnGroup(state: GroupState, { groupId }: GroupFacts): boolean {
  if (!isRegistered(ownRow(state))) return false
  return state.groupId === undefined || groupId === undefined || equalBytes(groupId, state.groupId)
}

function mergeOwn(
  crypto: Crypto,
  state: GroupState,
  { payload, facts }: Opened,
  { hash, swarmTimeMs }: ReceivedGroupMessage,
  { nowMs, history }: { readonly nowMs: number; readonly history: boolean },
  events: GroupEvent[],
): GroupState {
  const merged = mergePayload(crypto, state, payload, nowMs, { history })
  events.push(...merged.events)
  const groupId = state.groupId ?? facts.groupId
  const { displacedAtMs, ...rest } = merged.state
  const read: GroupState = {
    ...rest,
    ...(groupId === undefined ? {} : { groupId }),
    ...(displacedAtMs === undefined || swarmTimeMs >= displacedAtMs ? {} : { displacedAtMs }),
    readAtMs: Math.max(state.readAtMs ?? swarmTimeMs, swarmTimeMs),
    mergedHashes: merged.isComplete ? withHash(state.mergedHashes, hash) : state.mergedHashes,
  }
  return reviseOwnRecord(read, nowMs, payload.devices.get(state.self))
}

/** The hashes with this one, each once, the latest last. */
export function withHash(hashes: readonly string[], hash: string): readonly string[] {
  return hashes.includes(hash) ? hashes : [...hashes, hash]
}

function unreadable(
  state: GroupState,
  { opened: { facts }, swarmTimeMs }: ReceivedGroupMessage,
  announcesRemoval: boolean,
  nowMs: number,
): [GroupState, readonly GroupEvent[]] {
  const row = ownRow(state)
  if (announcesRemoval && row !== undefined && !isRemoved(row) && isRemovedFrom(state, facts)) {
    const removedAtS = BigInt(secondsOf(nowMs))
    const kicked = { ...row, state: ROW_STATE.kicked, removedAtS, marked: false }
    const rows = new Map(state.rows).set(state.self, kicked)
    return [{ ...state, rows }, [{ type: 'device-changed', deviceId: state.self, change: 'removed' }]]
  }
  if (announcesRemoval && !isOwnGroup(state, facts)) return [withoutRequestsTo(state, facts), []]
  const isLater = swarmTimeMs > (state.readAtMs ?? swarmTimeMs) + DISPLACEMENT_GRACE_MS
  if (!(isOwnGroup(state, facts) && isLater) || isUnderHeldKey(state, facts)) return [state, []]
  return [{ ...state, displacedAtMs: Math.max(state.displacedAtMs ?? swarmTimeMs, swarmTimeMs) }, []]
}

/** Whether a removal announced in that group concerns this device: a member of it, or one that asked to be let in there. */
function isRemovedFrom(state: GroupState, facts: GroupFacts): boolean {
  if (isRegistered(ownRow(state))) return isOwnGroup(state, facts)
  const { groupId } = facts
  return groupId !== undefined && state.ownRequests.some(request => equalBytes(request.groupId, groupId))
}

/** A group that removes a device has answered what the device asked it. */
function withoutRequestsTo(state: GroupState, { groupId }: GroupFacts): GroupState {
  if (groupId === undefined || isRemoved(ownRow(state))) return state
  return { ...state, ownRequests: state.ownRequests.filter(request => !equalBytes(request.groupId, groupId)) }
}

/**
 * Whether a message names an account key that this device holds: then it is of a time when the device was a member, replayed, or by a
 * member who does not know its latest record. Whoever takes its place rotates the account key.
 */
function isUnderHeldKey({ accountKeys }: GroupState, { linkX25519 }: GroupFacts): boolean {
  return linkX25519 !== undefined && accountKeys.some(key => equalBytes(key.x25519, linkX25519))
}

function admit(
  crypto: Crypto,
  state: GroupState,
  opened: Opened,
  received: ReceivedGroupMessage,
  nowMs: number,
  events: GroupEvent[],
): GroupState {
  const { groupId } = opened.facts
  if (ownRow(state)?.state === ROW_STATE.kicked) return state
  const request = groupId === undefined ? undefined : admittedRequest(state, groupId, opened.payload)
  if (groupId === undefined || request === undefined) return state
  if (request.confirmed) return join(crypto, state, groupId, opened, received, nowMs, events)
  if (request !== state.ownRequests.at(-1)) return state
  if (request.held.length === 0) events.push({ type: 'admission-held' })
  return hold(state, request, received)
}

/** The newest own request for the group that its payload answers. */
function admittedRequest(state: GroupState, groupId: Uint8Array, payload: GroupPayload): OwnRequest | undefined {
  const entry: GroupEntry | undefined = payload.devices.get(state.self)
  if (entry?.kind !== 'member') return undefined
  return state.ownRequests.findLast(
    ({ groupId: asked, timestampS, x25519 }) =>
      equalBytes(asked, groupId) && timestampS === entry.record.timestampS && equalBytes(x25519, entry.record.x25519),
  )
}

function hold(state: GroupState, request: OwnRequest, received: ReceivedGroupMessage): GroupState {
  const { hash, message, swarmTimeMs, expiresAtMs } = received
  const others = request.held.filter(each => each.hash !== hash)
  const held = [...others, { hash, message, swarmTimeMs, expiresAtMs }]
    .toSorted((a, b) => a.swarmTimeMs - b.swarmTimeMs)
    .slice(-MAX_HELD)
  const ownRequests = state.ownRequests.map(each => (each === request ? { ...request, held } : each))
  return { ...state, ownRequests }
}

function join(
  crypto: Crypto,
  state: GroupState,
  groupId: Uint8Array,
  { payload }: Opened,
  { hash, swarmTimeMs }: ReceivedGroupMessage,
  nowMs: number,
  events: GroupEvent[],
): GroupState {
  const joining: GroupState = { ...departGroup(crypto, state, nowMs), groupId, readAtMs: swarmTimeMs }
  const merged = mergePayload(crypto, joining, payload, nowMs, { history: true })
  events.push({ type: 'devices-replaced' }, ...merged.events)
  return reviseOwnRecord({ ...merged.state, mergedHashes: merged.isComplete ? [hash] : [] }, nowMs)
}
