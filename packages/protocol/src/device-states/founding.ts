/**
 * The state of a new device, and the founding of a device group.
 *
 * Implements DS-18.
 */
import type { Crypto, Secret } from '@session-v2/crypto'
import { GROUP_ID_BYTES } from '../device-group/group-id.ts'
import { newDeviceKeys } from '../device-keys/device-keys.ts'
import { ProtocolError, requireSize } from '../protocol-error.ts'
import { withFreshKey } from './account-key-rotation.ts'
import { ROW_STATE, seqnoOf } from './device-row.ts'
import type { Membership } from './group-event.ts'
import { changeOf, type GroupChange, type GroupState, type OwnDetails } from './group-state.ts'
import { GROUP_TTL_MS, viewGroup } from './groups-in-view.ts'
import { forgetGroup, type NewIdentity } from './leaving.ts'
import { membershipOf, tellMembership } from './membership.ts'
import { ownRow, secondsOf, withOwnRow, writeOwnRecord } from './own-record.ts'

/** A device that is in no group and has seen none. */
export function newGroupState(crypto: Crypto, identity: NewIdentity, details: OwnDetails, nowMs: number): GroupState {
  const { self, deviceKeySeed } = identity
  return {
    self,
    details,
    deviceKeys: newDeviceKeys(crypto, deviceKeySeed, secondsOf(nowMs)),
    rows: new Map(),
    confirmedSeqno: 0n,
    accountKeys: [],
    rotationOwed: false,
    retiredKeys: [],
    mergedHashes: [],
    groupsInView: [],
    ownRequests: [],
    receivedRequests: [],
    farewells: [],
    run: { fetched: false, membership: 'Unknown', appeared: [] },
  }
}

export interface NewGroup {
  /** 8 bytes, never used before (`newGroupId`). */
  readonly groupId: Uint8Array
  /** 32 bytes, fresh. */
  readonly accountKeySeed: Secret<'account-key-seed'>
  /** The account was just made, so no group of it can exist: it may be founded before a fetch. */
  readonly newAccount?: boolean
}

/** Founds a group of this device alone. Throws `membership-unknown`, `already-registered` and `removed`, and `bad-input` for the ID. */
export function foundGroup(crypto: Crypto, state: GroupState, group: NewGroup, nowMs: number): GroupChange {
  const { groupId, accountKeySeed, newAccount = false } = group
  requireSize(groupId, GROUP_ID_BYTES, 'DG-01', 'a group ID')
  requireOutside(membershipOf(state, nowMs), newAccount && ownRow(state) === undefined)
  const alone = forgetGroup(state, nowMs)
  const held = seqnoOf(ownRow(state))
  const record = writeOwnRecord(alone, held === 0n ? 1n : held, BigInt(secondsOf(nowMs)))
  const founded = withFreshKey(
    crypto,
    withOwnRow({ ...alone, groupId, readAtMs: nowMs }, { state: ROW_STATE.registered, record, marked: true }),
    accountKeySeed,
    nowMs,
  )
  const linkX25519 = founded.accountKeys[0]!.x25519
  const sighting = { groupId, linkX25519, swarmTimeMs: nowMs, expiresAtMs: nowMs + GROUP_TTL_MS }
  const viewed = { ...founded, groupsInView: viewGroup(founded.groupsInView, sighting) }
  const told = tellMembership(viewed, nowMs)
  const events = [{ type: 'devices-replaced' }, { type: 'account-key-changed' }, ...told.events] as const
  return changeOf(state, told.state, events, [accountKeySeed])
}

function requireOutside(membership: Membership, newAccount: boolean): void {
  if (membership === 'Unknown') {
    if (newAccount) return
    throw new ProtocolError('membership-unknown', 'DS-18', 'the device groups of this account have not been fetched yet')
  }
  if (membership === 'InGroup' || membership === 'CutOff') {
    throw new ProtocolError('already-registered', 'DS-18', 'this device is in a device group already')
  }
  if (membership === 'Removed' || membership === 'Displaced') {
    throw new ProtocolError('removed', 'DS-18', 'this device is out of its group; renew its identity first')
  }
}
