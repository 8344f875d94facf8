/**
 * Devices of one account and the swarm between them: messages are sealed, kept, read and opened as a client does it, on the native
 * provider. Only the network is missing. Every change is audited: it leaves the state given as it was, and what it hands back is
 * wiped at once, so that a secret still in use is missed.
 */
import { type Secret, seededRandom } from '@session-v2/crypto'
import {
  type Account,
  acceptLinkRequest,
  askForLink,
  completeFetch,
  confirmLink,
  confirmPush,
  decodeGroupState,
  draftLinkRequest,
  duePush,
  encodeGroupState,
  expandAccountKey,
  expandDeviceKeys,
  foundGroup,
  type GroupChange,
  type GroupEvent,
  type GroupState,
  linkAuthenticationString,
  linkRequestStored,
  membershipOf,
  mergeGroupMessage,
  messageKindAt21,
  newGroupState,
  openGroupMessage,
  openLinkRequest,
  receiveLinkRequest,
  resume,
  sealLinkRequest,
  sealPush,
} from '@session-v2/protocol'
import { expect } from 'vitest'
import { native, someAccount } from '../providers.ts'
import { DAY_MS, DETAILS, deviceSeedOf, idOf, MINUTE_MS, NOW_MS, plain, seedOf, told } from './devices.ts'

export interface Stored {
  readonly hash: string
  readonly message: Uint8Array
  readonly swarmTimeMs: number
  readonly expiresAtMs: number
}

export interface Swarm {
  nowMs: number
  readonly account: Account
  /** What is in it now. */
  readonly messages: Map<string, Stored>
  /** All that was ever in it. */
  readonly history: Stored[]
  /** Every device is killed before each fetch. */
  readonly isRough: boolean
  seeds: number
}

export interface Device {
  readonly name: string
  state: GroupState
  readonly read: Set<string>
  events: GroupEvent[]
}

const random = seededRandom(native, new Uint8Array(32).fill(0x5a))

export function newSwarm({ isRough = false } = {}): Swarm {
  const account = someAccount(native, 0x33)
  return { nowMs: NOW_MS, account, messages: new Map(), history: [], isRough, seeds: 0x40 }
}

/** A fresh seed of an account key. */
export function freshSeed(swarm: Swarm): Secret<'account-key-seed'> {
  return seedOf(++swarm.seeds)
}

/** A device with the ID and the device key of that byte. */
export function addDevice(swarm: Swarm, byte: number): Device {
  const details = { ...DETAILS, description: `device ${byte}` }
  const state = newGroupState(native, { self: idOf(byte), deviceKeySeed: deviceSeedOf(byte) }, details, swarm.nowMs)
  return { name: `device ${byte}`, state, read: new Set(), events: [] }
}

/** A device that has founded a group and pushed. */
export function addFounder(swarm: Swarm, byte: number, groupId: Uint8Array): Device {
  const device = addDevice(swarm, byte)
  const group = { groupId, accountKeySeed: freshSeed(swarm), newAccount: true }
  change(device, foundGroup(native, device.state, group, swarm.nowMs))
  fetch(swarm, device)
  push(swarm, device)
  return device
}

/** Makes the change the state of the device, and wipes what it hands back. */
export function change(device: Device, { state, events, wipe }: GroupChange, before = plain(device.state)): void {
  expect(plain(device.state), 'the state given is as it was').toStrictEqual(before)
  device.state = state
  device.events.push(...events)
  for (const secret of wipe) secret.wipe()
  // Fails for a secret that is still in the state.
  plain(state)
}

/** What happened since the last look, but for membership, which is told again after each start. */
export function news(device: Device): string[] {
  const events = device.events.filter(({ type }) => type !== 'membership-changed' && type !== 'group-appeared')
  device.events = []
  return told(events)
}

export function membership(swarm: Swarm, device: Device): string {
  return membershipOf(device.state, swarm.nowMs)
}

/** The process is killed and starts again from what it had stored; what it read before, it will not read again. */
export function restart(swarm: Swarm, device: Device): void {
  const encoded = encodeGroupState(device.state)
  device.state = resume(decodeGroupState(native, encoded.expose()), swarm.nowMs)
  encoded.wipe()
}

/** Reads all that the device has not read. A minute passes before. */
export function fetch(swarm: Swarm, device: Device): void {
  swarm.nowMs += MINUTE_MS
  if (swarm.isRough) restart(swarm, device)
  for (const stored of swarm.messages.values()) if (!device.read.has(stored.hash)) read(swarm, device, stored)
  const before = plain(device.state)
  change(device, completeFetch(device.state, swarm.nowMs), before)
}

/** Reads one message, whatever it is. */
export function read(swarm: Swarm, device: Device, stored: Stored): void {
  device.read.add(stored.hash)
  const before = plain(device.state)
  if (messageKindAt21(stored.message) === 'group') {
    const opened = openAs(swarm, device)(stored.message)
    if (opened.outcome === 'malformed' || opened.outcome === 'forged') throw new Error(opened.outcome)
    change(device, mergeGroupMessage(native, device.state, { ...stored, opened }, swarm.nowMs), before)
    return
  }
  const keys = device.state.accountKeys.map(key => expandAccountKey(native, key))
  const opened = openLinkRequest(native, swarm.account, keys, stored.message)
  if (opened.outcome !== 'opened') return
  const { request } = opened
  const { indices } = linkAuthenticationString(native, request.plaintext)
  change(device, receiveLinkRequest(device.state, { ...stored, request, indices }, swarm.nowMs), before)
}

function openAs({ account }: Swarm, { state }: Device) {
  return (message: Uint8Array) =>
    openGroupMessage(native, account, state.self, expandDeviceKeys(native, state.deviceKeys), message)
}

/** Sends all that is owed: stores it, deletes what it supersedes, confirms it. */
export function push(swarm: Swarm, device: Device): number {
  for (let count = 0; ; count++) {
    const due = duePush(native, device.state, swarm.nowMs)
    if (due === undefined) return count
    if (count === 9) throw new Error('a push does not settle what it carried')
    const hash = due.group === undefined ? undefined : store(swarm, sealPush(native, random, swarm.account, due), 30 * DAY_MS)
    if (hash !== undefined) device.read.add(hash)
    for (const deleted of due.deletes) swarm.messages.delete(deleted)
    const before = plain(device.state)
    change(device, confirmPush(device.state, due, hash, swarm.nowMs), before)
  }
}

function store(swarm: Swarm, message: Uint8Array, ttlMs: number): string {
  const hash = `hash ${swarm.history.length}`
  const stored = { hash, message, swarmTimeMs: swarm.nowMs, expiresAtMs: swarm.nowMs + ttlMs }
  swarm.messages.set(hash, stored)
  swarm.history.push(stored)
  return hash
}

/** Asks a group to be let in; the hash of the request. */
export function ask(swarm: Swarm, device: Device, groupId: Uint8Array): string {
  const draft = draftLinkRequest(device.state, groupId, swarm.nowMs)
  const { account } = swarm
  const sealed = sealLinkRequest(native, random, account, draft.linkX25519, device.state.self, draft.record)
  const { indices } = linkAuthenticationString(native, sealed.plaintext)
  const before = plain(device.state)
  change(device, askForLink(device.state, draft, indices, swarm.nowMs), before)
  const hash = store(swarm, sealed.message, 10 * MINUTE_MS)
  device.read.add(hash)
  device.state = linkRequestStored(device.state, draft.record.timestampS)
  return hash
}

/** The person of the device agrees to the newest request. */
export function confirm(swarm: Swarm, device: Device): void {
  const before = plain(device.state)
  change(device, confirmLink(native, device.state, openAs(swarm, device), swarm.nowMs), before)
}

export function accept(swarm: Swarm, device: Device, hash: string): void {
  const before = plain(device.state)
  change(device, acceptLinkRequest(native, device.state, hash, freshSeed(swarm), swarm.nowMs), before)
  push(swarm, device)
}

/** A whole linking: `device` asks, `member` lets it in, and everybody has read that. */
export function link(swarm: Swarm, device: Device, member: Device): void {
  fetch(swarm, device)
  const hash = ask(swarm, device, member.state.groupId!)
  confirm(swarm, device)
  fetch(swarm, member)
  accept(swarm, member, hash)
  settle(swarm, device, member)
}

/** Everybody reads and sends until nobody owes anything. */
export function settle(swarm: Swarm, ...devices: readonly Device[]): void {
  for (let round = 0; round < 9; round++) {
    let count = 0
    for (const device of devices) {
      fetch(swarm, device)
      count += push(swarm, device)
    }
    if (count === 0) return
  }
  throw new Error('devices go on pushing')
}

/** What members of a group must agree on: of a device that is gone not all have the record. */
export function groupOf({ state }: Device): unknown {
  const rows = [...state.rows].map(([id, { state, record, removedAtS }]) => [id, state, removedAtS ?? record])
  return plain([rows.sort(), state.accountKeys, state.groupId])
}
