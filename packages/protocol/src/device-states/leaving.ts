/**
 * Leaving a group, for another one or for none, and what remains of it: a last message to the others, and keys that still open
 * what is on its way.
 *
 * Implements DS-23, DS-24, DS-25.
 */
import type { Crypto, Secret } from '@session-v2/crypto'
import type { AccountKeySeed } from '../account-keys/account-key.ts'
import { settleAccountKeys } from '../account-keys/account-key-set.ts'
import type { DeviceId } from '../device-group/device-id.ts'
import type { GroupEntry } from '../device-group/group-payload.ts'
import { newDeviceKeys } from '../device-keys/device-keys.ts'
import { ProtocolError } from '../protocol-error.ts'
import { isRegistered } from './device-row.ts'
import { changeOf, type Farewell, type GroupChange, type GroupState } from './group-state.ts'
import { dismissGroup } from './groups-in-view.ts'
import { listedAccountKeys, listedEntries } from './listing.ts'
import { membershipOf, tellMembership } from './membership.ts'
import { ownRow, requireActive, secondsOf } from './own-record.ts'

const FAREWELL_OWED_MS = 24 * 3600 * 1000

/** What the device is called from now on: never an ID that was used before. */
export interface NewIdentity {
  readonly self: DeviceId
  /** 32 bytes. */
  readonly deviceKeySeed: Secret<'device-key-seed'>
}

/**
 * Leaves the own group, if there is one, and owes the others word of it, if it may still speak for the group. The device keeps its ID
 * and keys.
 */
export function departGroup(crypto: Crypto, state: GroupState, nowMs: number): GroupState {
  const { groupId, displacedAtMs, farewells } = state
  if (groupId === undefined || !isRegistered(ownRow(state))) return forgetGroup(state, nowMs)
  const farewell = farewellOf(crypto, state, groupId, nowMs)
  const isOwed = displacedAtMs === undefined && isStillOwed(farewell, nowMs)
  return dismissGroup(forgetGroup({ ...state, farewells: isOwed ? [...farewells, farewell] : farewells }, nowMs), groupId)
}

function farewellOf(crypto: Crypto, state: GroupState, groupId: Uint8Array, nowMs: number): Farewell {
  const { self, rows, accountKeys, mergedHashes } = state
  const hasOthers = [...rows].some(([id, row]) => id !== self && isRegistered(row))
  if (!hasOthers) return { groupId, accountKeys: [], hashes: mergedHashes, leftAtMs: nowMs }
  const left: GroupEntry = { kind: 'left', atS: BigInt(secondsOf(nowMs)) }
  const devices = new Map(listedEntries(crypto, rows, BigInt(secondsOf(nowMs)))).set(self, left)
  return {
    groupId,
    devices,
    accountKeys: listedAccountKeys(accountKeys, secondsOf(nowMs)),
    hashes: mergedHashes,
    leftAtMs: nowMs,
  }
}

/**
 * Whether a last message may still be sent: others erase device keys two days after they replaced them, and it knows the old ones. It
 * needs an account key. Without one nothing is deleted either: what lies there is all that the others have.
 */
export function isStillOwed({ devices, accountKeys, hashes, leftAtMs }: Farewell, nowMs: number): boolean {
  const says = devices === undefined ? hashes.length > 0 : listedAccountKeys(accountKeys, secondsOf(nowMs)).length > 0
  return says && Math.abs(nowMs - leftAtMs) < FAREWELL_OWED_MS
}

/** Forgets all that belongs to the own group. Its account keys are retired. */
export function forgetGroup(state: GroupState, nowMs: number): GroupState {
  const { groupId: _, readAtMs: __, displacedAtMs: ___, ...rest } = state
  return {
    ...rest,
    rows: new Map(),
    confirmedSeqno: 0n,
    accountKeys: [],
    rotationOwed: false,
    retiredKeys: retire(state, secondsOf(nowMs)),
    mergedHashes: [],
    ownRequests: [],
    receivedRequests: [],
  }
}

function retire({ accountKeys, retiredKeys }: GroupState, nowS: number): readonly AccountKeySeed[] {
  const retired = settleAccountKeys(accountKeys)
    .filter(({ seed }) => !retiredKeys.some(held => held.seed.equals(seed)))
    .map(({ seed, createdAtS, rotatedAtS }) => ({ seed, createdAtS, rotatedAtS: Math.min(rotatedAtS ?? nowS, nowS) }))
  return [...retired, ...retiredKeys]
}

/** Leaves the own group for none. The old ID is spent, so the device goes on with another. Throws `not-registered`, `displaced`. */
export function leaveGroup(crypto: Crypto, state: GroupState, identity: NewIdentity, nowMs: number): GroupChange {
  requireActive(state)
  return withNewIdentity(crypto, state, departGroup(crypto, state, nowMs), identity, nowMs)
}

/**
 * Begins anew after a removal or a displacement, to be linked again. Throws `membership-unknown` before the first fetch, and
 * `already-registered` otherwise.
 */
export function renewIdentity(crypto: Crypto, state: GroupState, identity: NewIdentity, nowMs: number): GroupChange {
  const membership = membershipOf(state, nowMs)
  if (membership === 'Unknown')
    throw new ProtocolError('membership-unknown', 'DS-25', 'the device groups have not been fetched yet')
  if (membership !== 'Removed' && membership !== 'Displaced') {
    throw new ProtocolError('already-registered', 'DS-25', 'only a device that was removed or displaced needs a new identity')
  }
  return withNewIdentity(crypto, state, forgetGroup(state, nowMs), identity, nowMs)
}

function withNewIdentity(
  crypto: Crypto,
  before: GroupState,
  forgotten: GroupState,
  { self, deviceKeySeed }: NewIdentity,
  nowMs: number,
): GroupChange {
  if (self === before.self) throw new ProtocolError('bad-input', 'DS-25', 'a new identity has another device ID')
  const renewed = { ...forgotten, self, deviceKeys: newDeviceKeys(crypto, deviceKeySeed, secondsOf(nowMs)) }
  const told = tellMembership(renewed, nowMs)
  return changeOf(before, told.state, [{ type: 'devices-replaced' }, ...told.events], [deviceKeySeed])
}
