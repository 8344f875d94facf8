/**
 * What a device owes the others, and what is settled when the swarm has it.
 *
 *     owed ──▶ sealed ──▶ stored, superseded messages deleted ──▶ confirmed: exactly what it carried is settled
 *       ▲                    │
 *       └──── lost, or changed since ◀┘
 *
 * Implements DS-24, DS-34, DS-35, DS-36.
 */
import type { Crypto, Random, X25519PublicKey } from '@session-v2/crypto'
import { concatBytes, equalBytes, uint32Le } from '@session-v2/encoding'
import type { Account } from '../account/account.ts'
import type { GroupPayload } from '../device-group/group-payload.ts'
import { sealGroupMessage } from '../device-group/seal.ts'
import { confirmDeviceKeys } from '../device-keys/device-keys.ts'
import { ProtocolError } from '../protocol-error.ts'
import { type DeviceRow, isRegistered, seqnoOf } from './device-row.ts'
import { changeOf, type Farewell, type GroupAccountKey, type GroupChange, type GroupState } from './group-state.ts'
import { GROUP_TTL_MS, viewGroup } from './groups-in-view.ts'
import { isStillOwed } from './leaving.ts'
import { listedAccountKeys, listedEntries } from './listing.ts'
import { withHash } from './merge.ts'
import { isActive, ownRow, secondsOf } from './own-record.ts'
import { requireTimeMs } from './swarm-times.ts'

/** A message to store at namespace 21, and hashes to delete once it is. Its seeds belong to the state it was made from. */
export interface GroupPush {
  /** Absent: nobody has to be told, there are only hashes to delete. */
  readonly group?: { readonly groupId: Uint8Array; readonly payload: GroupPayload; readonly linkX25519: X25519PublicKey }
  /** Swarm hashes, to be deleted after the message is stored, in the same sequence. */
  readonly deletes: readonly string[]
  /** The farewell it is, or else what of the own group it carries. */
  readonly carries: Farewell | CarriedState
}

interface CarriedState {
  readonly rows: GroupState['rows']
  /** X25519 keys of the account keys. */
  readonly accountKeys: readonly X25519PublicKey[]
}

/** Whether anything is owed at `nowMs`. Of the own group nothing is before a fetch has been completed since the start. */
export function isPushDue(state: GroupState, nowMs: number): boolean {
  if (state.farewells.some(farewell => isStillOwed(farewell, nowMs))) return true
  if (!isActive(state) || !state.run.fetched) return false
  if (seqnoOf(ownRow(state)) > state.confirmedSeqno || [...state.rows.values()].some(({ marked }) => marked)) return true
  return listedAccountKeys(state.accountKeys, secondsOf(nowMs)).some(({ distributed }) => !distributed)
}

/**
 * The oldest push that is owed, or undefined. Throws `bad-input` for a group without an ID (`nameGroup`) and when there is no account
 * key: then one has to be made first (`rotateAccountKey`).
 */
export function duePush(crypto: Crypto, state: GroupState, nowMs: number): GroupPush | undefined {
  if (!isPushDue(state, nowMs)) return undefined
  const nowS = secondsOf(nowMs)
  const farewell = state.farewells.find(each => isStillOwed(each, nowMs))
  if (farewell !== undefined) {
    const { groupId, devices, hashes } = farewell
    const listed = listedAccountKeys(farewell.accountKeys, nowS)
    return { ...groupOf(groupId, devices, listed), deletes: hashes, carries: farewell }
  }
  const { groupId, rows, mergedHashes } = state
  if (groupId === undefined) throw new ProtocolError('bad-input', 'DS-34', 'the own device group has no ID yet')
  const listed = listedAccountKeys(state.accountKeys, nowS)
  if (listed.length === 0) throw new ProtocolError('bad-input', 'DS-33', 'the own device group has no account key yet')
  const devices = listedEntries(crypto, rows, BigInt(nowS))
  const carried = new Map([...rows].filter(([id]) => devices.has(id)))
  const carries = { rows: carried, accountKeys: listed.map(({ x25519 }) => x25519) }
  return { ...groupOf(groupId, devices, listed), deletes: mergedHashes, carries }
}

/** What a push stores; nothing without devices to list. What link requests are sealed to is the key of the first account key. */
function groupOf(
  groupId: Uint8Array,
  devices: GroupPayload['devices'] | undefined,
  accountKeys: readonly GroupAccountKey[],
): Pick<GroupPush, 'group'> {
  const first = accountKeys[0]
  if (devices === undefined || first === undefined) return {}
  return { group: { groupId, payload: { devices, accountKeys }, linkX25519: first.x25519 } }
}

/** The sealed message of a push. Throws `bad-input` when it has none to seal, or what `sealGroupMessage` throws. */
export function sealPush(crypto: Crypto, random: Random, account: Account, { group }: GroupPush): Uint8Array {
  if (group === undefined) throw new ProtocolError('bad-input', 'DS-24', 'this push only deletes')
  const { groupId, payload, linkX25519 } = group
  return sealGroupMessage(crypto, random, account, { groupId, linkX25519, ...payload })
}

/**
 * The swarm has stored the push under `hash` (absent: it only deleted) at `swarmTimeMs` and deleted what it superseded. Exactly what the
 * push carried is settled. Throws `bad-input` for what is no time.
 */
export function confirmPush(state: GroupState, push: GroupPush, hash: string | undefined, swarmTimeMs: number): GroupChange {
  requireTimeMs(swarmTimeMs)
  const { carries, group, deletes } = push
  if ('hashes' in carries) return changeOf(state, withoutFarewell(state, carries), [])
  if (group === undefined || hash === undefined || !isOfOwnGroup(state, group.groupId)) return changeOf(state, state, [])
  const { groupId, linkX25519 } = group
  const own = carries.rows.get(state.self)
  const announced = isAddressedToAll(state, carries.rows) ? own?.record?.x25519 : undefined
  const mergedHashes = state.mergedHashes.filter(each => !deletes.includes(each))
  const confirmed: GroupState = {
    ...state,
    rows: new Map([...state.rows].map(([id, row]) => [id, settled(row, carries.rows.get(id))])),
    accountKeys: state.accountKeys.map(key => withDistribution(key, carries)),
    confirmedSeqno: seqnoOf(own) > state.confirmedSeqno ? seqnoOf(own) : state.confirmedSeqno,
    deviceKeys:
      announced === undefined ? state.deviceKeys : confirmDeviceKeys(state.deviceKeys, announced, secondsOf(swarmTimeMs)),
    mergedHashes: withHash(mergedHashes, hash),
    groupsInView: viewGroup(state.groupsInView, {
      ...{ groupId, linkX25519, swarmTimeMs },
      expiresAtMs: swarmTimeMs + GROUP_TTL_MS,
    }),
  }
  return changeOf(state, confirmed, [])
}

function withDistribution(key: GroupAccountKey, { accountKeys }: CarriedState): GroupAccountKey {
  const isCarried = accountKeys.some(x25519 => equalBytes(x25519, key.x25519))
  return isCarried && !key.distributed ? { ...key, distributed: true } : key
}

/** Whether every member that is known now could read the push: one that could not may know only an older device key. */
function isAddressedToAll({ rows }: GroupState, carried: GroupState['rows']): boolean {
  return [...rows].every(([id, row]) => !isRegistered(row) || isRegistered(carried.get(id)))
}

function isOfOwnGroup(state: GroupState, groupId: Uint8Array): boolean {
  return isRegistered(ownRow(state)) && state.groupId !== undefined && equalBytes(state.groupId, groupId)
}

/** Without its mark, if the push carried the row as it is now. */
function settled(row: DeviceRow, carried: DeviceRow | undefined): DeviceRow {
  const isCarried =
    carried !== undefined &&
    row.state === carried.state &&
    row.removedAtS === carried.removedAtS &&
    seqnoOf(row) === seqnoOf(carried) &&
    sameDigest(row.digest, carried.digest)
  return isCarried && row.marked ? { ...row, marked: false } : row
}

function sameDigest(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b)
}

function withoutFarewell(state: GroupState, farewell: Farewell): GroupState {
  const isThis = ({ groupId, leftAtMs }: Farewell) => leftAtMs === farewell.leftAtMs && equalBytes(groupId, farewell.groupId)
  return { ...state, farewells: state.farewells.filter(each => !isThis(each)) }
}

/** A new group ID of 8 bytes: when, in minutes, and four random bytes. */
export function newGroupId(random: Random, nowMs: number): Uint8Array {
  return concatBytes(uint32Le(Math.floor(nowMs / 60_000)), random.bytes(4))
}

/** Gives the own group, known from older writers only, an ID of 8 bytes; others take it over from the next push. */
export function nameGroup(state: GroupState, groupId: Uint8Array): GroupState {
  return isRegistered(ownRow(state)) && state.groupId === undefined ? { ...state, groupId } : state
}
