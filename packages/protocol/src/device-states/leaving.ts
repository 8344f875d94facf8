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
import { deviceRecordDigest, encodeDeviceRecord } from '../device-group/device-record.ts'
import type { GroupEntry, GroupPayload } from '../device-group/group-payload.ts'
import { newDeviceKeys } from '../device-keys/device-keys.ts'
import { ProtocolError } from '../protocol-error.ts'
import { entryOf, isRegistered, ROW_STATE } from './device-row.ts'
import { changeOf, type Farewell, type GroupChange, type GroupState } from './group-state.ts'
import { dismissGroup } from './groups-in-view.ts'
import { membershipOf, tellMembership } from './membership.ts'
import { ownRow, requireActive, secondsOf, writeOwnRecord } from './own-record.ts'

/** What the device is called from now on: never an ID that was used before. */
export interface NewIdentity {
  readonly self: DeviceId
  /** 32 bytes. */
  readonly deviceKeySeed: Secret<'device-key-seed'>
}

/** The rows as entries of a group message. */
export function entriesOf(crypto: Crypto, rows: GroupState['rows']): ReadonlyMap<DeviceId, GroupEntry> {
  const entries = new Map<DeviceId, GroupEntry>()
  for (const [id, row] of rows) {
    const entry = entryOf(row, record => deviceRecordDigest(crypto, encodeDeviceRecord(record)))
    if (entry !== undefined) entries.set(id, entry)
  }
  return entries
}

/** Leaves the own group, if there is one, and owes the others word of it. The device keeps its ID and keys. */
export function departGroup(crypto: Crypto, state: GroupState, nowMs: number): GroupState {
  if (!isRegistered(ownRow(state)) || state.groupId === undefined) return forgetGroup(state, nowMs)
  const farewell: Farewell = {
    groupId: state.groupId,
    ...(hasOthers(state) ? { payload: lastPayload(crypto, state, nowMs) } : {}),
    hashes: state.mergedHashes,
  }
  const isOwed = farewell.payload !== undefined || farewell.hashes.length > 0
  const farewells = isOwed ? [...state.farewells, farewell] : state.farewells
  return dismissGroup(forgetGroup({ ...state, farewells }, nowMs), farewell.groupId)
}

function hasOthers({ self, rows }: GroupState): boolean {
  return [...rows].some(([id, row]) => id !== self && isRegistered(row))
}

function lastPayload(crypto: Crypto, { self, rows, accountKeys }: GroupState, nowMs: number): GroupPayload {
  const left: GroupEntry = { kind: 'left', atS: BigInt(secondsOf(nowMs)) }
  return { devices: new Map(entriesOf(crypto, rows)).set(self, left), accountKeys: settleAccountKeys(accountKeys) }
}

/** Forgets all that belongs to the own group. Its account keys are retired. */
export function forgetGroup(state: GroupState, nowMs: number): GroupState {
  const { groupId: _, readAtMs: __, displacedAtMs: ___, ...rest } = state
  const row = ownRow(state)
  const record = row?.record ?? writeOwnRecord(state, 0n, 0n)
  return {
    ...rest,
    rows: new Map([[state.self, { state: ROW_STATE.unregistered, record, marked: false }]]),
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
  if (membership === 'Unknown') throw new ProtocolError('membership-unknown', 'the device groups have not been fetched yet')
  if (membership !== 'Removed' && membership !== 'Displaced') {
    throw new ProtocolError('already-registered', 'only a device that was removed or displaced needs a new identity')
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
  if (self === before.self) throw new ProtocolError('bad-input', 'a new identity has another device ID')
  const renewed = { ...forgotten, self, deviceKeys: newDeviceKeys(crypto, deviceKeySeed, secondsOf(nowMs)) }
  const record = writeOwnRecord(renewed, 0n, 0n)
  const rows = new Map([[self, { state: ROW_STATE.unregistered, record, marked: false }]])
  const told = tellMembership({ ...renewed, rows }, nowMs)
  return changeOf(before, told.state, [{ type: 'devices-replaced' }, ...told.events], [deviceKeySeed])
}
