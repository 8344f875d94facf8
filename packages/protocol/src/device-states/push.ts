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
import { accountKeyX25519 } from '../account-keys/key-expansion.ts'
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
import { ownRow, secondsOf } from './own-record.ts'

/** A message to store at namespace 21, and hashes to delete once it is. Its seeds belong to the state it was made from. */
export interface GroupPush {
  /** Absent: nobody has to be told, there are only hashes to delete. */
  readonly group?: { readonly groupId: Uint8Array; readonly payload: GroupPayload }
  /** Swarm hashes, to be deleted after the message is stored, in the same sequence. */
  readonly deletes: readonly string[]
  /** The farewell it is, or else what of the own group it carries. */
  readonly carries: Farewell | CarriedState
}

interface CarriedState {
  readonly rows: GroupState['rows']
  readonly accountKeys: readonly GroupAccountKey[]
}

/** Whether anything is owed at `nowMs`. */
export function isPushDue(state: GroupState, nowMs: number): boolean {
  if (state.farewells.some(farewell => isStillOwed(farewell, nowMs))) return true
  const row = ownRow(state)
  if (!isRegistered(row) || state.displacedAtMs !== undefined) return false
  if (seqnoOf(row) > state.confirmedSeqno) return true
  return state.accountKeys.some(({ distributed }) => !distributed) || [...state.rows.values()].some(({ marked }) => marked)
}

/**
 * The oldest push that is owed, or undefined. Throws `bad-input` for a group without an ID (`nameGroup`) and when there is no account
 * key: then one has to be made first (`rotateAccountKey`).
 */
export function duePush(crypto: Crypto, state: GroupState, nowMs: number): GroupPush | undefined {
  if (!isPushDue(state, nowMs)) return undefined
  const farewell = state.farewells.find(each => isStillOwed(each, nowMs))
  if (farewell !== undefined) {
    const { groupId, devices, accountKeys, hashes } = farewell
    const payload = { devices: devices ?? new Map(), accountKeys: listedAccountKeys(accountKeys, secondsOf(nowMs)) }
    return { ...(devices === undefined ? {} : { group: { groupId, payload } }), deletes: hashes, carries: farewell }
  }
  const { groupId, rows } = state
  if (groupId === undefined) throw new ProtocolError('bad-input', 'the own device group has no ID yet')
  const accountKeys = listedAccountKeys(state.accountKeys, secondsOf(nowMs))
  if (accountKeys.length === 0) throw new ProtocolError('bad-input', 'the own device group has no account key yet')
  const payload = { devices: listedEntries(crypto, rows), accountKeys }
  return { group: { groupId, payload }, deletes: state.mergedHashes, carries: { rows, accountKeys: state.accountKeys } }
}

/** The sealed message of a push. Throws `bad-input` when it has none to seal, or what `sealGroupMessage` throws. */
export function sealPush(crypto: Crypto, random: Random, account: Account, { group }: GroupPush): Uint8Array {
  if (group === undefined) throw new ProtocolError('bad-input', 'this push only deletes')
  return sealGroupMessage(crypto, random, account, { ...group, ...group.payload, linkX25519: linkKeyOf(crypto, group.payload) })
}

/** What link requests to the group are sealed to: the X25519 key of its first account key. */
export function linkKeyOf(crypto: Crypto, { accountKeys }: GroupPayload): X25519PublicKey {
  const first = accountKeys[0]
  if (first === undefined) throw new ProtocolError('bad-input', 'a group message carries an account key')
  return accountKeyX25519(crypto, first.seed.expose())
}

/** The swarm has stored the push under `hash` (absent: it only deleted) and deleted what it superseded. */
export function confirmPush(
  crypto: Crypto,
  state: GroupState,
  push: GroupPush,
  hash: string | undefined,
  nowMs: number,
): GroupChange {
  const { carries } = push
  if ('hashes' in carries) return changeOf(state, withoutFarewell(state, carries), [])
  const { group } = push
  if (group === undefined || hash === undefined || !isOfOwnGroup(state, group.groupId)) return changeOf(state, state, [])
  const own = carries.rows.get(state.self)
  const rows = new Map([...state.rows].map(([id, row]) => [id, settled(row, carries.rows.get(id))]))
  const accountKeys = state.accountKeys.map(key =>
    carries.accountKeys.some(({ seed }) => seed.equals(key.seed)) ? { ...key, distributed: true } : key,
  )
  const { groupId, payload } = group
  const sighting = {
    ...{ groupId, linkX25519: linkKeyOf(crypto, payload), swarmTimeMs: nowMs },
    expiresAtMs: nowMs + GROUP_TTL_MS,
  }
  const announced = isAddressedToAll(state, carries.rows) ? own?.record?.x25519 : undefined
  const confirmedSeqno = seqnoOf(own) > state.confirmedSeqno ? seqnoOf(own) : state.confirmedSeqno
  return changeOf(
    state,
    {
      ...state,
      ...{ rows, accountKeys, confirmedSeqno },
      deviceKeys: announced === undefined ? state.deviceKeys : confirmDeviceKeys(state.deviceKeys, announced, secondsOf(nowMs)),
      mergedHashes: withHash(
        state.mergedHashes.filter(each => !push.deletes.includes(each)),
        hash,
      ),
      groupsInView: viewGroup(state.groupsInView, sighting),
    },
    [],
  )
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
  const at = state.farewells.findIndex(
    ({ groupId, hashes }) =>
      equalBytes(groupId, farewell.groupId) &&
      hashes.length === farewell.hashes.length &&
      hashes.every(hash => farewell.hashes.includes(hash)),
  )
  return at === -1 ? state : { ...state, farewells: state.farewells.toSpliced(at, 1) }
}

/** A new group ID of 8 bytes: when, in minutes, and four random bytes. */
export function newGroupId(random: Random, nowMs: number): Uint8Array {
  return concatBytes(uint32Le(Math.floor(nowMs / 60_000)), random.bytes(4))
}

/** Gives the own group, known from older writers only, an ID of 8 bytes; others take it over from the next push. */
export function nameGroup(state: GroupState, groupId: Uint8Array): GroupState {
  return isRegistered(ownRow(state)) && state.groupId === undefined ? { ...state, groupId } : state
}
