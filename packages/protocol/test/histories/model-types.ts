/**
 * The data of the naive model of a device group: what it reads, what it keeps, what it says. IDs, seeds and keys are hexadecimal
 * texts, which have the order of their bytes; times end in their unit.
 */

export interface ModelRecord {
  readonly seqno: bigint
  readonly timestampS: bigint
  readonly x25519: string
  /** JSON of description, type, version and extras. */
  readonly details: string
}

export type ModelEntry =
  | { readonly member: ModelRecord; readonly digest: string }
  | { readonly how: 'left' | 'kicked'; readonly removedAtS: bigint }

export interface ModelKey {
  readonly seed: string
  readonly createdAtS: number
  readonly rotatedAtS?: number
}

export interface ModelOpened {
  readonly devices: ReadonlyMap<string, ModelEntry>
  readonly keys: readonly ModelKey[]
  /** The X25519 key of the device that it was encrypted to. */
  readonly openedWith: string
}

export interface ModelMessage {
  readonly hash: string
  readonly swarmTimeMs: number
  readonly expiresAtMs: number
  readonly groupId?: string
  readonly linkKey: string
  /** Absent: it cannot be read. */
  readonly opened?: ModelOpened
  readonly announcesRemoval: boolean
}

export interface ModelRequestMessage {
  readonly hash: string
  readonly deviceId: string
  readonly record: ModelRecord
  readonly digest: string
  readonly expiresAtMs: number
}

export interface ModelPush {
  readonly groupId: string | undefined
  readonly entries: ReadonlyMap<string, ModelEntry>
  readonly keys: readonly ModelKey[]
  readonly deletes: readonly string[]
  readonly farewell: boolean
  /** False: nothing to store, only the deletes. */
  readonly stores: boolean
}

export type ModelRowState = 'unregistered' | 'pending' | 'registered' | 'left' | 'kicked'

export interface ModelRow {
  state: ModelRowState
  record?: ModelRecord
  digest?: string
  removedAtS?: bigint
  /** This device owes the others word of it. */
  marked: boolean
}

export interface ModelAccountKey {
  readonly seed: string
  readonly createdAtS: number
  rotatedAtS?: number
  distributed: boolean
}

export interface ModelDeviceKey {
  readonly x25519: string
  readonly createdAtS: number
  confirmedAtS?: number
  releasedAtS?: number
  renewed?: boolean
}

export interface ModelGroupInView {
  linkKey: string
  seenAtMs: number
  expiresAtMs: number
  dismissed: boolean
}

export interface ModelOwnRequest {
  readonly groupId: string
  readonly seqno: bigint
  readonly timestampS: bigint
  readonly x25519: string
  readonly sentAtMs: number
  /** Absent until the swarm has stored it. */
  deadlineMs?: number
  confirmed: boolean
  /** Admissions that wait for the person, by swarm time. */
  held: ModelMessage[]
}

export interface ModelReceivedRequest {
  readonly hash: string
  readonly deviceId: string
  readonly record: ModelRecord
  readonly digest: string
  readonly receivedAtMs: number
  readonly expiresAtMs: number
  readonly replaces: boolean
  status: 'open' | 'accepted' | 'ignored' | 'superseded' | 'expired'
}

export interface ModelFarewell {
  readonly groupId: string | undefined
  /** Absent when nobody remained to be told. */
  readonly payload?: { readonly entries: ReadonlyMap<string, ModelEntry>; readonly keys: readonly ModelKey[] }
  readonly hashes: readonly string[]
  readonly leftAtMs: number
}

export type ModelMembership = 'Unknown' | 'InGroup' | 'NoGroup' | 'GroupsVisible' | 'Waiting' | 'Removed' | 'CutOff' | 'Displaced'

/** All that a device keeps. It is changed in place. */
export interface ModelState {
  id: string
  details: string
  /** The current one first, then the newest first. */
  deviceKeys: ModelDeviceKey[]
  groupId: string | undefined
  readAtMs: number | undefined
  displacedAtMs: number | undefined
  rows: Map<string, ModelRow>
  confirmedSeqno: bigint
  accountKeys: ModelAccountKey[]
  rotationOwed: boolean
  retiredKeys: ModelKey[]
  mergedHashes: string[]
  groupsInView: Map<string, ModelGroupInView>
  /** Oldest first. */
  ownRequests: ModelOwnRequest[]
  receivedRequests: ModelReceivedRequest[]
  farewells: ModelFarewell[]
  fetched: boolean
  membership: ModelMembership
  appeared: Set<string>
  /** The last time that was told, for what is asked without one. */
  nowMs: number
  readonly digestOf: (record: ModelRecord) => string
  readonly linkKeyOf: (seed: string) => string
}

/** A state as plain data in fixed orders, to be compared. What is absent is null. */
export interface ModelSnapshot {
  readonly self: string
  readonly details: string
  readonly groupId: string | null
  readonly readAtMs: number | null
  readonly displacedAtMs: number | null
  readonly rows: readonly object[]
  readonly confirmedSeqno: bigint
  readonly accountKeys: readonly object[]
  readonly rotationOwed: boolean
  readonly retiredKeys: readonly object[]
  readonly mergedHashes: readonly string[]
  readonly groupsInView: readonly object[]
  readonly ownRequests: readonly object[]
  readonly receivedRequests: readonly object[]
  readonly farewells: readonly object[]
  readonly fetched: boolean
  readonly membership: ModelMembership
  readonly appeared: readonly string[]
  readonly deviceKeys: readonly object[]
}

export function secondsOf(timeMs: number): number {
  return Math.floor(timeMs / 1000)
}

/** True from the moment `timeMs` on. */
export function hasPassed(timeMs: number, nowMs: number): boolean {
  return nowMs >= timeMs
}
