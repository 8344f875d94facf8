/**
 * The state of one device in its device group: a value. It holds nothing but bytes, numbers, texts and secrets, is never changed
 * in place, and can be kept, copied, compared and encoded (`state-codec.ts`).
 *
 * A thief of it, unlocked, learns the account keys of the last 16 days and the device keys still in use, and with them reads what
 * was sealed to them; nothing older, and nothing after the group has removed the device and rotated.
 */
import type { Secret, X25519PublicKey } from '@session-v2/crypto'
import type { ByteKey } from '@session-v2/encoding'
import type { AccountKeySeed } from '../account-keys/account-key.ts'
import type { DeviceId } from '../device-group/device-id.ts'
import type { DeviceRecord } from '../device-group/device-record.ts'
import type { GroupEntry } from '../device-group/group-payload.ts'
import type { DeviceKeys } from '../device-keys/device-keys.ts'
import type { DeviceRow } from './device-row.ts'
import type { GroupEvent, Membership } from './group-event.ts'

/** An account key of the own group. */
export interface GroupAccountKey extends AccountKeySeed {
  /** Its public half, by which a group message names the current key. */
  readonly x25519: X25519PublicKey
  /** False until a push that carried it was confirmed. */
  readonly distributed: boolean
}

/** A group whose messages were seen, its own or another. */
export interface GroupInView {
  /** 8 bytes. */
  readonly groupId: Uint8Array
  /** The X25519 key of its current account key: what link requests to it are sealed to. */
  readonly linkX25519: X25519PublicKey
  /** Swarm time of its latest message. */
  readonly seenAtMs: number
  readonly expiresAtMs: number
  readonly dismissed: boolean
}

/** A link request this device made. */
export interface OwnRequest {
  readonly groupId: Uint8Array
  /** Of its record, and unique among the requests of this device: it names the request. */
  readonly timestampS: bigint
  /** Of its record. */
  readonly seqno: bigint
  readonly x25519: X25519PublicKey
  /** 21 indices of the short authentication string. */
  readonly indices: readonly number[]
  readonly sentAtMs: number
  /** Ten minutes after it was sent; absent until the swarm has stored it. */
  readonly deadlineMs?: number
  /** The person has compared the short authentication string and agreed. */
  readonly confirmed: boolean
  /** The group messages that let this device in and wait for the person, by swarm time. */
  readonly held: readonly HeldAdmission[]
}

/** A group message as it was read, to be opened again: held like that, it is no secret. */
export interface HeldAdmission {
  readonly hash: string
  readonly message: Uint8Array
  readonly swarmTimeMs: number
  readonly expiresAtMs: number
}

/** A link request that another device made. */
export interface ReceivedRequest {
  /** The swarm hash of its message. */
  readonly hash: string
  readonly deviceId: DeviceId
  readonly record: DeviceRecord
  /** 8 bytes, of the record. */
  readonly digest: Uint8Array
  /** 21 indices of the short authentication string. */
  readonly indices: readonly number[]
  readonly receivedAtMs: number
  readonly expiresAtMs: number
  /** It asks to replace a device that is Registered. */
  readonly replaces: boolean
  readonly status: 'open' | 'accepted' | 'ignored' | 'superseded' | 'expired'
}

/** What a device says of itself besides its keys. */
export interface OwnDetails {
  /** At most 64 bytes of UTF-8. */
  readonly description: string
  /** `i`, `a`, `d`, `c`, or any other text. */
  readonly type: string
  readonly version: readonly [number, number, number]
  /** Keys unknown to this version, with their encoded values: kept as they came. */
  readonly extras: ReadonlyMap<ByteKey, Uint8Array>
}

/** The last message of a group that was left: with it the others learn of the leaving. */
export interface Farewell {
  readonly groupId: Uint8Array
  /** Absent when nobody remained to be told. */
  readonly devices?: ReadonlyMap<DeviceId, GroupEntry>
  readonly accountKeys: readonly GroupAccountKey[]
  /** Swarm hashes to delete once it is stored. */
  readonly hashes: readonly string[]
  readonly leftAtMs: number
}

export interface GroupState {
  readonly self: DeviceId
  readonly details: OwnDetails
  readonly deviceKeys: DeviceKeys
  /** Of the own group, 8 bytes; absent outside of one, and in a group of older writers. */
  readonly groupId?: Uint8Array
  /** Swarm time of the latest message of the own group that was merged. */
  readonly readAtMs?: number
  readonly displacedAtMs?: number
  /** Of every device heard of; of this one as soon as it was in a group or asked to be. */
  readonly rows: ReadonlyMap<DeviceId, DeviceRow>
  /** The own seqno in the last push that was confirmed. */
  readonly confirmedSeqno: bigint
  /** Current first (AK-05). */
  readonly accountKeys: readonly GroupAccountKey[]
  /** A departure was read, and the account key not rotated since. */
  readonly rotationOwed: boolean
  /** Of groups this device is no longer in. */
  readonly retiredKeys: readonly AccountKeySeed[]
  /** Swarm hashes of messages that were merged: the next push deletes them. */
  readonly mergedHashes: readonly string[]
  readonly groupsInView: readonly GroupInView[]
  /** Oldest first. */
  readonly ownRequests: readonly OwnRequest[]
  /** Oldest first. */
  readonly receivedRequests: readonly ReceivedRequest[]
  readonly farewells: readonly Farewell[]
  /** What is true for this run only, and not kept. */
  readonly run: GroupRun
}

export interface GroupRun {
  /** A fetch of namespace 21 has been completed since the start. */
  readonly fetched: boolean
  readonly membership: Membership
  /** Hexadecimal IDs of groups whose appearance was told. */
  readonly appeared: readonly string[]
}

/** What every function of this chapter returns. */
export interface GroupChange {
  readonly state: GroupState
  /** In the order in which to tell them. */
  readonly events: readonly GroupEvent[]
  /** Secrets that are in the state or message given and not in `state`: to be wiped once that is stored. */
  readonly wipe: readonly Secret[]
}

/** Every secret in a state, each once. */
export function secretsOf(state: GroupState): ReadonlySet<Secret> {
  const keys = [...state.accountKeys, ...state.retiredKeys, ...state.farewells.flatMap(({ accountKeys }) => accountKeys)]
  const deviceKeys = [state.deviceKeys.current, ...state.deviceKeys.previous]
  return new Set<Secret>([...keys, ...deviceKeys].map(({ seed }) => seed))
}

/** The change from `before` to `after`. `incoming`: secrets that came from outside and are to be wiped unless they were taken. */
export function changeOf(
  before: GroupState,
  after: GroupState,
  events: readonly GroupEvent[],
  incoming: readonly Secret[] = [],
): GroupChange {
  const kept = secretsOf(after)
  const wipe = [...new Set([...secretsOf(before), ...incoming])].filter(secret => !kept.has(secret))
  return { state: after, events: inOrder(events), wipe }
}

const ORDER: Readonly<Record<GroupEvent['type'], number>> = {
  'link-request-ended': 0,
  'link-request-added': 1,
  'device-changed': 2,
  'devices-replaced': 3,
  'account-key-changed': 4,
  'admission-held': 5,
  'membership-changed': 6,
  'group-appeared': 7,
}

function inOrder(events: readonly GroupEvent[]): readonly GroupEvent[] {
  return events.toSorted((a, b) => ORDER[a.type] - ORDER[b.type])
}
