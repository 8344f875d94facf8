/** Devices in one state or another and what they read, made of few words: always the same, on the native provider. */
import { Secret, type X25519PublicKey, x25519PublicKey } from '@session-v2/crypto'
import { encodeHex, equalBytes } from '@session-v2/encoding'
import {
  type AccountKeySeed,
  type DeviceId,
  type DeviceKey,
  type DeviceRecord,
  type DeviceRow,
  deviceIdOf,
  deviceKeyOf,
  deviceRecordDigest,
  encodeDeviceRecord,
  expandAccountKey,
  type GroupAccountKey,
  type GroupChange,
  type GroupEntry,
  type GroupEvent,
  type GroupState,
  type OwnDetails,
  type OwnRequest,
  type ReceivedGroupMessage,
  type ReceivedLinkRequest,
  ROW_STATE,
  secretsOf,
  writeDeviceRecord,
} from '@session-v2/protocol'
import { expect } from 'vitest'
import { native, refusalBy } from '../providers.ts'

export const NOW_S = 1_700_000_000
export const NOW_MS = NOW_S * 1000
export const MINUTE_MS = 60_000
export const HOUR_S = 3600
export const DAY_S = 86_400
export const DAY_MS = DAY_S * 1000

export const GROUP = Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1)
export const OTHER_GROUP = Uint8Array.of(2, 2, 2, 2, 2, 2, 2, 2)
export const LINK_KEY = linkKey(0x4b)
/** What the devices of these tests say of themselves. */
export const DETAILS: OwnDetails = { description: 'a device', type: 'd', version: [1, 2, 3], extras: new Map([['q', bt('i7e')]]) }

export function bt(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function linkKey(byte: number): X25519PublicKey {
  return x25519PublicKey(new Uint8Array(32).fill(byte))
}

/** The ID that repeats one byte. The device with the byte 1 is the one that the tests are about. */
export function idOf(byte: number): DeviceId {
  return deviceIdOf(new Uint8Array(32).fill(byte))
}

export const SELF = idOf(1)

export function seedOf(byte: number): Secret<'account-key-seed'> {
  return Secret.of(new Uint8Array(32).fill(byte), 'account-key-seed')
}

export function deviceSeedOf(byte: number): Secret<'device-key-seed'> {
  return Secret.of(new Uint8Array(32).fill(byte), 'device-key-seed')
}

export function accountKey(byte: number, createdAtS: number, rotatedAtS?: number): AccountKeySeed {
  return { seed: seedOf(byte), createdAtS, ...(rotatedAtS === undefined ? {} : { rotatedAtS }) }
}

const linkHalves = new Map<number, X25519PublicKey>()

/** The public half of the account key of a seed that repeats one byte. */
export function publicKeyOf(byte: number): X25519PublicKey {
  const known = linkHalves.get(byte) ?? expandAccountKey(native, accountKey(byte, 0)).x25519.publicKey
  linkHalves.set(byte, known)
  return known
}

/** An account key of the group that was passed on. */
export function heldKey(byte: number, createdAtS: number, rotatedAtS?: number): GroupAccountKey {
  return { ...accountKey(byte, createdAtS, rotatedAtS), x25519: publicKeyOf(byte), distributed: true }
}

/** An account key of the group that was not passed on yet. */
export function newKey(byte: number, createdAtS: number, rotatedAtS?: number): GroupAccountKey {
  return { ...heldKey(byte, createdAtS, rotatedAtS), distributed: false }
}

const publicHalves = new Map<number, Pick<DeviceKey, 'x25519' | 'mlKem768'>>()

/** The device key of a seed that repeats one byte, created now. Expanding a seed is what is slow here, so it is done once. */
export function deviceKey(byte: number, times: Partial<DeviceKey> = {}): DeviceKey {
  const stored = { seed: deviceSeedOf(byte), createdAtS: NOW_S }
  const { x25519, mlKem768 } = publicHalves.get(byte) ?? deviceKeyOf(native, stored)
  publicHalves.set(byte, { x25519, mlKem768 })
  return { ...stored, x25519, mlKem768, ...times }
}

interface RecordWords {
  readonly seqno?: bigint
  readonly timestampS?: bigint
  readonly description?: string
  /** The byte of the device key. */
  readonly key?: number
}

/** The record of the device with that byte, whose device key has the same one. */
export function recordOf(byte: number, { seqno = 1n, timestampS = BigInt(NOW_S), ...words }: RecordWords = {}): DeviceRecord {
  const { x25519, mlKem768 } = deviceKey(words.key ?? byte)
  return writeDeviceRecord({ ...DETAILS, seqno, timestampS, x25519, mlKem768, description: words.description ?? 'a device' })
}

export function digestOf(record: DeviceRecord): Uint8Array {
  return deviceRecordDigest(native, encodeDeviceRecord(record))
}

export function member(record: DeviceRecord, digest = digestOf(record)): GroupEntry {
  return { kind: 'member', record, digest }
}

export function left(atS: number): GroupEntry {
  return { kind: 'left', atS: BigInt(atS) }
}

export function kicked(atS: number): GroupEntry {
  return { kind: 'kicked', atS: BigInt(atS) }
}

export function rowOf(record: DeviceRecord, row: Partial<DeviceRow> = {}): DeviceRow {
  return { state: ROW_STATE.registered, record, digest: digestOf(record), marked: false, ...row }
}

/** A row of a tombstone alone. */
export function goneRow(state: 3 | 4, removedAtS: number, marked = false): DeviceRow {
  return { state, removedAtS: BigInt(removedAtS), marked }
}

export function pendingRowOf(record: DeviceRecord): DeviceRow {
  return rowOf(record, { state: ROW_STATE.pending })
}

/** The device of the byte 1 in no group, knowing it: its key is that of the byte 1. */
export function outsider(fields: Partial<GroupState> = {}): GroupState {
  return {
    self: SELF,
    details: DETAILS,
    deviceKeys: { current: deviceKey(1), previous: [] },
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
    run: { fetched: true, membership: 'NoGroup', appeared: [] },
    ...fields,
  }
}

/** The row that the device of the byte 1 wrote about itself. */
export const OWN_ROW: DeviceRow = { state: ROW_STATE.registered, record: recordOf(1), marked: false }

/** The device of the byte 1 as a member of its group, alone or with others, owing nothing. */
export function insider(fields: Partial<GroupState> = {}, others: readonly (readonly [number, DeviceRow])[] = []): GroupState {
  return outsider({
    groupId: GROUP,
    readAtMs: NOW_MS,
    deviceKeys: { current: deviceKey(1, { confirmedAtS: NOW_S }), previous: [] },
    rows: new Map([[SELF, OWN_ROW], ...others.map(([byte, row]) => [idOf(byte), row] as const)]),
    confirmedSeqno: 1n,
    accountKeys: [heldKey(0xa0, NOW_S)],
    groupsInView: [groupInView()],
    run: { fetched: true, membership: 'InGroup', appeared: [] },
    ...fields,
  })
}

export function groupInView(fields: Partial<GroupState['groupsInView'][number]> = {}): GroupState['groupsInView'][number] {
  const times = { seenAtMs: NOW_MS, expiresAtMs: NOW_MS + 30 * DAY_MS }
  return { groupId: GROUP, linkX25519: LINK_KEY, ...times, dismissed: false, ...fields }
}

/** A request to the group that was stored, and neither confirmed nor answered. */
export function ownRequest(fields: Partial<OwnRequest> = {}): OwnRequest {
  return {
    ...{ groupId: GROUP, timestampS: BigInt(NOW_S), seqno: 1n, x25519: deviceKey(1).x25519, indices: INDICES, sentAtMs: NOW_MS },
    ...{ deadlineMs: NOW_MS + 10 * MINUTE_MS, confirmed: false, held: [], ...fields },
  }
}

type Listed = readonly (readonly [number, GroupEntry])[]

interface MessageWords {
  readonly hash?: string
  readonly atMs?: number
  readonly expiresAtMs?: number
  /** null: none is told. */
  readonly groupId?: Uint8Array | null
  readonly linkX25519?: X25519PublicKey
  readonly keys?: readonly AccountKeySeed[]
  readonly openedWith?: X25519PublicKey
}

/** A group message that the device of the byte 1 could open. */
export function readable(devices: Listed, words: MessageWords = {}): ReceivedGroupMessage {
  const payload = { devices: new Map(devices.map(([byte, entry]) => [idOf(byte), entry])), accountKeys: words.keys ?? [] }
  const openedWith = words.openedWith ?? deviceKey(1).x25519
  return { ...envelopeOf(words), opened: { outcome: 'opened', facts: factsOf(words), payload, openedWith } }
}

/** A group message that no key of the device opens. */
export function unreadable(words: MessageWords & { readonly announcesRemoval?: boolean } = {}): ReceivedGroupMessage {
  const announcesRemoval = words.announcesRemoval ?? false
  return { ...envelopeOf(words), opened: { outcome: 'not-for-us', facts: factsOf(words), announcesRemoval } }
}

function envelopeOf({ hash = 'hash', atMs = NOW_MS, expiresAtMs = atMs + 30 * DAY_MS }: MessageWords) {
  return { hash, message: bt(`bytes of ${hash}`), swarmTimeMs: atMs, expiresAtMs }
}

function factsOf({ groupId = GROUP, linkX25519 = LINK_KEY }: MessageWords) {
  return groupId === null ? { linkX25519 } : { groupId, linkX25519 }
}

/** A link request of the device with that byte, opened. */
export function linkRequest(byte: number, record: DeviceRecord, words: Partial<ReceivedLinkRequest> = {}): ReceivedLinkRequest {
  const request = { deviceId: idOf(byte), record, digest: digestOf(record), plaintext: bt('signed') }
  const times = { swarmTimeMs: NOW_MS, expiresAtMs: NOW_MS + 10 * MINUTE_MS }
  return { hash: 'link', request, indices: INDICES, ...times, ...words }
}

export const INDICES = Array.from({ length: 21 }, (_, at) => at * 3)

/** A value to compare: secrets and byte strings as text, maps as pairs. Two secrets are equal to every other comparison. */
export function plain(value: unknown): unknown {
  if (value instanceof Secret) return `${value.role} ${encodeHex(value.expose())}`
  if (value instanceof Uint8Array) return `bytes ${encodeHex(value)}`
  if (value instanceof Map) return { pairs: plain([...value]) }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]))
}

/** Expects the second state to be the first but for these fields; undefined stands for a field that is gone. */
export function expectState(after: GroupState, before: GroupState, changes: { readonly [F in keyof GroupState]?: unknown } = {}) {
  const expected = Object.entries({ ...before, ...changes }).filter(([, field]) => field !== undefined)
  expect(plain(after)).toStrictEqual(plain(Object.fromEntries(expected)))
}

/** Expects exactly these secrets, these very objects, to be handed back. */
export function expectWiped({ wipe }: GroupChange, ...secrets: readonly Secret[]): void {
  expect(wipe.map(plain)).toStrictEqual(secrets.map(plain))
  expect(wipe.every((secret, at) => secret === secrets[at])).toBe(true)
}

/** Expects a change that makes no difference and hands nothing back. */
export function expectNoChange(change: GroupChange, before: GroupState): void {
  expectState(change.state, before)
  expect(change.events).toEqual([])
  expectWiped(change)
}

/** Expects the error with its clause (`bad-input DS-18`), and the state as it was, its secrets untouched. */
export function expectRefused(refusal: string, state: GroupState, action: (state: GroupState) => unknown): void {
  const before = plain(state)
  expect(refusalBy(() => action(state))).toBe(refusal)
  expect(plain(state)).toStrictEqual(before)
  expect([...secretsOf(state)].some(secret => secret.wiped)).toBe(false)
}

/** Events as short text, in their order. */
export function told(events: readonly GroupEvent[]): string[] {
  return events.map(event => {
    if (event.type === 'device-changed') return `${deviceName(event.deviceId)} ${event.change}`
    if (event.type === 'link-request-ended') return `${event.hash} ${event.how}`
    if (event.type === 'link-request-added') return `${event.hash} added`
    if (event.type === 'membership-changed') return event.membership
    if (event.type === 'group-appeared') return `${equalBytes(event.groupId, OTHER_GROUP) ? 'other group' : 'group'} appeared`
    return event.type
  })
}

function deviceName(id: DeviceId): string {
  return `device ${Number.parseInt(id.slice(0, 2), 16)}`
}
