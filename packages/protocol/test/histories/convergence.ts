/**
 * The promise: devices that have read the same messages and passed on what they owe hold the same group. Checked at the end of a
 * history by letting the swarm deliver all it ever had, to everybody, until nobody owes anything.
 */
import { encodeHex } from '@session-v2/encoding'
import { settleAccountKeys } from '../../src/account-keys/account-key-set.ts'
import { encodeDeviceRecord } from '../../src/device-group/device-record.ts'
import { isRegistered, ROW_STATE } from '../../src/device-states/device-row.ts'
import type { GroupState } from '../../src/device-states/group-state.ts'
import { changeDetails } from '../../src/device-states/own-record.ts'
import { DETAILS, type History } from './commands.ts'
import type { Device } from './world.ts'

/** Pushes cross: each makes others owe one at most, so it ends after a few for every device. */
const MAX_ROUNDS = 12
/** Clocks differ, so devices erase a key at different times; younger ones must be with everybody. */
const SURELY_KEPT_S = 13 * 24 * 3600

export function isMember({ state }: Device): boolean {
  return isRegistered(state.rows.get(state.self)) && state.displacedAtMs === undefined
}

/** Delivers everything and lets everybody push until nobody owes anything. Throws when that does not end. */
export function settle(history: History): void {
  const { world } = history
  for (const device of world.devices) {
    for (const message of world.stored) if (!device.read.includes(message.hash)) history.deliver(device, message)
  }
  for (let round = 0; ; round++) {
    if (round === MAX_ROUNDS) throw new Error('devices go on pushing: each merge makes another owe one')
    let pushed = false
    for (const device of world.devices) {
      history.fetch(device, 0, 0)
      if (isMember(device) && (device.state.rotationOwed || currentless(device.state))) history.rotate(device)
      while (history.push(device, 0)) pushed = true
    }
    world.nowMs += 60_000
    if (!pushed) return
  }
}

function currentless({ accountKeys }: GroupState): boolean {
  return !settleAccountKeys(accountKeys).some(({ rotatedAtS }) => rotatedAtS === undefined)
}

/** After `settle`, and a word of every member: all members of one group hold the same, and nobody who is listed is left out. */
export function requireConvergence(history: History): void {
  settle(history)
  for (const [at, device] of history.world.devices.entries()) {
    if (!isMember(device)) continue
    const description = `settled ${at} ${history.world.stored.length}`
    history.do(device, 'details', { details: { ...DETAILS, description } }, nowMs =>
      changeDetails(device.state, { ...DETAILS, description }, nowMs),
    )
  }
  settle(history)
  const members = history.world.devices.filter(isMember)
  for (const group of new Set(members.map(groupOf))) {
    const views = members.filter(device => groupOf(device) === group).map(device => viewOf(device.state, history.world.nowMs))
    for (const view of views) if (view !== views[0]) throw new Error(`members differ:\n${views[0]}\n${view}`)
  }
  requireNobodyLeftOut(history, members)
}

/** A member whom all other members list is a member by its own account too. */
function requireNobodyLeftOut({ world }: History, members: readonly Device[]): void {
  for (const device of world.devices) {
    if (device.state.displacedAtMs === undefined) continue
    const listing = members.filter(
      member => groupOf(member) === groupOf(device) && isRegistered(member.state.rows.get(device.state.self)),
    )
    if (listing.length > 0) throw new Error(`${device.state.self} is listed by ${listing.length} members and cannot read them`)
  }
}

function groupOf({ state }: Device): string {
  return state.groupId === undefined ? '' : encodeHex(state.groupId)
}

/** What members must agree on, as text. Rows that are not sent (Pending) are each device's own. */
function viewOf({ rows, accountKeys }: GroupState, nowMs: number): string {
  const listed = [...rows].filter(([, { state }]) => state >= ROW_STATE.registered).sort(([a], [b]) => (a < b ? -1 : 1))
  const devices = listed.map(([id, { state, record, removedAtS }]) => {
    const isGone = removedAtS !== undefined
    // Of a device that is gone some have only the tombstone.
    return `${id} ${state} ${removedAtS ?? ''} ${isGone || record === undefined ? '' : encodeHex(encodeDeviceRecord(record))}`
  })
  const keptSinceS = nowMs / 1000 - SURELY_KEPT_S
  const keys = settleAccountKeys(accountKeys)
    .filter(({ rotatedAtS }) => rotatedAtS === undefined || rotatedAtS > keptSinceS)
    .map(({ seed, createdAtS, rotatedAtS }) => `${encodeHex(seed.expose())} ${createdAtS} ${rotatedAtS ?? ''}`)
  return [...devices, ...keys].join('\n')
}
