/** What screens of devices and of linking show, each drawn from one read. Times are milliseconds since the epoch. */
import type { Crypto } from '@session-v2/crypto'
import { encodeHex } from '@session-v2/encoding'
import {
  ACCOUNT_KEY_RETENTION_S,
  DEVICE_KEY_GRACE_S,
  type DeviceRecord,
  type DeviceRow,
  deviceRecordText,
  EMOJI,
  type GroupInView,
  type GroupState,
  groupAuthenticationString,
  groupCreatedMinutes,
  type Keyring,
  type Membership,
  newestRequest,
  type OwnRequest,
  type ReceivedRequest,
  ROTATION_LATEST_S,
  ROW_STATE,
} from '@session-v2/protocol'

/** One of the pictures that two people compare, with the name that is read out. */
export interface EmojiView {
  readonly emoji: string
  readonly name: string
}

export interface DeviceView {
  /** 64 hexadecimal digits. */
  readonly id: string
  readonly isThis: boolean
  readonly description: string
  /** `i` iOS, `a` Android, `d` desktop, `c` command line, or any other text. */
  readonly type: string
  /** As 1.2.3; undefined where the device does not say. */
  readonly version: string | undefined
  /** `asking`: it asks to be let in. */
  readonly state: 'member' | 'asking' | 'left' | 'removed'
  /** When it last said something of itself. */
  readonly updatedAtMs: number | undefined
  readonly removedAtMs: number | undefined
}

export interface GroupView {
  /** 16 hexadecimal digits. */
  readonly id: string
  /** Four pictures by which a person tells groups apart; never those of a link request. */
  readonly emoji: readonly EmojiView[]
  readonly createdAtMs: number
  readonly isOurs: boolean
  readonly isDismissed: boolean
}

/** What this device asked. */
export interface OwnRequestView {
  readonly groupId: string
  /** 21; the first seven are compared, all 21 by who wants to be surer. */
  readonly emoji: readonly EmojiView[]
  readonly askedAtMs: number
  /** When it ends unanswered; undefined while the swarm has not stored it. */
  readonly expiresAtMs: number | undefined
  /** The person at this device has agreed. */
  readonly isConfirmed: boolean
  /** A member has let this device in. */
  readonly isAccepted: boolean
}

/** What another device asks of this one's group. */
export interface LinkRequestView {
  /** Names it. */
  readonly id: string
  readonly device: Omit<DeviceView, 'state' | 'isThis' | 'removedAtMs'>
  /** It asks to take the place of a member with the same ID. */
  readonly replaces: boolean
  readonly emoji: readonly EmojiView[]
  readonly receivedAtMs: number
  readonly expiresAtMs: number
  readonly status: ReceivedRequest['status']
}

/** Everything there is to say of devices. */
export interface DevicesView {
  readonly membership: Membership
  readonly group: GroupView | undefined
  /** Members first, this device first of all. */
  readonly devices: readonly DeviceView[]
  /** All groups in view, the one seen last first. */
  readonly groups: readonly GroupView[]
  /** Open ones. */
  readonly requests: readonly LinkRequestView[]
  readonly ownRequest: OwnRequestView | undefined
}

/** A key as a person may see it. */
export interface KeyView {
  readonly createdAtMs: number
  readonly rotatedAtMs: number | undefined
  readonly eraseAtMs: number | undefined
  readonly current: boolean
}

/** Everything there is to say of the devices of an account. */
export function devicesView(crypto: Crypto, state: GroupState, nowMs: number): DevicesView {
  const groups = groupViews(crypto, state, nowMs)
  const request = newestRequest(state)
  return {
    membership: state.run.membership,
    group: groups.find(({ isOurs }) => isOurs) ?? ownGroup(crypto, state),
    devices: deviceViews(state),
    groups,
    requests: requestViews(state, nowMs).filter(({ status }) => status === 'open'),
    ownRequest: request && ownRequestView(request),
  }
}

/** The devices of the group, those that ask and those that have gone. */
export function deviceViews(state: GroupState): DeviceView[] {
  const views = [...state.rows].flatMap(([id, row]) => deviceView(state, id, row) ?? [])
  const rank = ({ isThis, state: is }: DeviceView) => (isThis ? 0 : is === 'member' ? 1 : is === 'asking' ? 2 : 3)
  return views.sort((a, b) => rank(a) - rank(b) || (b.updatedAtMs ?? 0) - (a.updatedAtMs ?? 0))
}

const STATES: Readonly<Record<number, DeviceView['state'] | undefined>> = {
  [ROW_STATE.pending]: 'asking',
  [ROW_STATE.registered]: 'member',
  [ROW_STATE.left]: 'left',
  [ROW_STATE.kicked]: 'removed',
}

function deviceView(group: GroupState, id: string, row: DeviceRow): DeviceView | undefined {
  const state = STATES[row.state]
  if (state === undefined) return undefined
  const removedAtMs = row.removedAtS === undefined ? undefined : Number(row.removedAtS) * 1000
  return { id, isThis: id === group.self, ...recordView(row.record), state, removedAtMs }
}

function recordView(record: DeviceRecord | undefined): Pick<DeviceView, 'description' | 'type' | 'version' | 'updatedAtMs'> {
  if (record === undefined) return { description: '', type: '', version: undefined, updatedAtMs: undefined }
  const { description, type, version } = deviceRecordText(record)
  return { description, type, version: version?.join('.'), updatedAtMs: Number(record.timestampS) * 1000 }
}

/** All groups in view. */
export function groupViews(crypto: Crypto, state: GroupState, nowMs: number): GroupView[] {
  const inView = state.groupsInView.filter(({ expiresAtMs }) => expiresAtMs > nowMs)
  return inView.toSorted((a, b) => b.seenAtMs - a.seenAtMs).map(group => groupView(crypto, state, group))
}

function groupView(
  crypto: Crypto,
  state: GroupState,
  { groupId, dismissed }: Pick<GroupInView, 'groupId' | 'dismissed'>,
): GroupView {
  const id = encodeHex(groupId)
  return {
    id,
    emoji: emojiViews(groupAuthenticationString(crypto, groupId).indices).slice(0, GROUP_EMOJI),
    createdAtMs: groupCreatedMinutes(groupId) * 60_000,
    isOurs: state.groupId !== undefined && encodeHex(state.groupId) === id,
    isDismissed: dismissed,
  }
}

function ownGroup(crypto: Crypto, state: GroupState): GroupView | undefined {
  return state.groupId && groupView(crypto, state, { groupId: state.groupId, dismissed: false })
}

/** What this device asked, as a screen shows it. */
export function ownRequestView(request: OwnRequest): OwnRequestView {
  const { groupId, indices, sentAtMs, deadlineMs, confirmed, held } = request
  return {
    groupId: encodeHex(groupId),
    emoji: emojiViews(indices),
    askedAtMs: sentAtMs,
    expiresAtMs: deadlineMs,
    isConfirmed: confirmed,
    isAccepted: held.length > 0,
  }
}

/** Requests of others, the newest first; those that are past their time count as expired. */
export function requestViews(state: GroupState, nowMs: number): LinkRequestView[] {
  return state.receivedRequests.toReversed().map(request => {
    const { hash, deviceId, record, replaces, indices, receivedAtMs, expiresAtMs, status } = request
    const isOver = status === 'open' && expiresAtMs <= nowMs
    return {
      id: hash,
      device: { id: deviceId, ...recordView(record) },
      replaces,
      emoji: emojiViews(indices),
      receivedAtMs,
      expiresAtMs,
      status: isOver ? 'expired' : status,
    }
  })
}

/** The account keys that are held, the current one first. */
export function accountKeyViews({ keys }: Keyring): KeyView[] {
  return keys.map(({ createdAtS, rotatedAtS }) => keyView(createdAtS, rotatedAtS, ACCOUNT_KEY_RETENTION_S))
}

/** The keys of this device; a key is rotated once the group is known to have its successor. */
export function deviceKeyViews({ deviceKeys: { current, previous } }: GroupState): KeyView[] {
  const earlier = previous.map(({ createdAtS, releasedAtS }) => ({
    ...keyView(createdAtS, releasedAtS, DEVICE_KEY_GRACE_S),
    current: false,
  }))
  return [keyView(current.createdAtS, undefined, DEVICE_KEY_GRACE_S), ...earlier]
}

/**
 * From when on a thief who takes this device now, unlocked, and has recorded all that the swarm held, could read messages. The account
 * keys that are held open what was sealed to them; the device keys that are held open recorded group messages, which carried the account
 * keys of the 16 days before them, but none from before the group (threats A, Q). Undefined without a key.
 */
export function exposedSinceMs({ keys }: Keyring, state: GroupState): number | undefined {
  const oldest = (times: readonly number[]) =>
    times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY) * 1000
  const heldSinceMs = oldest(keys.map(({ createdAtS }) => createdAtS))
  if (heldSinceMs === Number.POSITIVE_INFINITY) return undefined
  if (state.groupId === undefined) return heldSinceMs
  const { current, previous } = state.deviceKeys
  const deviceKeySinceMs = oldest([current, ...previous].map(({ createdAtS }) => createdAtS))
  const carriedSinceMs = deviceKeySinceMs - (ACCOUNT_KEY_RETENTION_S + ROTATION_LATEST_S) * 1000
  return Math.min(heldSinceMs, Math.max(carriedSinceMs, groupCreatedMinutes(state.groupId) * 60_000))
}

function keyView(createdAtS: number, rotatedAtS: number | undefined, keptS: number): KeyView {
  return {
    createdAtMs: createdAtS * 1000,
    rotatedAtMs: rotatedAtS === undefined ? undefined : rotatedAtS * 1000,
    eraseAtMs: rotatedAtS === undefined ? undefined : (rotatedAtS + keptS) * 1000,
    current: rotatedAtS === undefined,
  }
}

const GROUP_EMOJI = 4

function emojiViews(indices: readonly number[]): EmojiView[] {
  return indices.map(index => EMOJI[index]!)
}
