/**
 * The end of a storm: faults end, everybody who is not on a journey comes online, people bring their devices together again, and all sync
 * until nothing changes any more.
 */

import { blake2b } from '@session-v2/crypto'
import { encodeHex, encodeUtf8 } from '@session-v2/encoding'
import type { Device } from './device.ts'
import { isOutside, link, mainGroup, type Person } from './person.ts'
import type { Stage } from './stage.ts'
import { compareNodes, mendAll } from './storm.ts'

const ROUNDS_MAX = 12
const PAUSE_MS = 30_000

/** Heals and returns the devices that took part. @param everybody also those on journeys */
export async function heal(stage: Stage, everybody: boolean): Promise<ReadonlyMap<Person, readonly Device[]>> {
  await mendAll(stage)
  await compareNodes(stage)
  const present = new Map(stage.people.map(person => [person, person.living.filter(device => everybody || !device.isAway)]))
  for (const devices of present.values()) for (const device of devices) device.awayUntilMs = 0
  // The first may still miss what a later one tells.
  for (let i = 0; i < 2; i++) await round(stage, present)
  for (const [person, devices] of present) await reunite(stage, person, devices)
  await settle(stage, present)
  await compareNodes(stage)
  return present
}

/** Every device syncs, one after the other. */
async function round(stage: Stage, present: ReadonlyMap<Person, readonly Device[]>): Promise<void> {
  for (const [person, devices] of present) {
    for (const device of devices) {
      await syncAndLook(stage, person, device)
      await stage.world.advance(stage.chance.whole(1000, PAUSE_MS))
    }
  }
}

/** A person brings all devices into one group. */
async function reunite(stage: Stage, person: Person, devices: readonly Device[]): Promise<void> {
  const sync = (device: Device) => syncAndLook(stage, person, device)
  for (const device of devices) {
    if (!device.isRunning || !['Removed', 'Displaced'].includes(device.client.devices.view().membership)) continue
    await stage.finish([device.act('renew', client => client.devices.renew())])
    await sync(device)
  }
  if (mainGroup(devices) === undefined) {
    const [first] = devices.filter(({ isRunning }) => isRunning)
    if (first === undefined) return
    person.setbacksMs.push(stage.world.nowMs())
    await stage.finish([first.act('found a group', client => client.devices.startGroup())])
    await sync(first)
    for (const device of devices) await sync(device)
  }
  for (const device of devices) await bringIn(stage, person, device, devices)
}

/**
 * A device that is not in the right group is let in there.
 *
 * Exception `removed unawares`: a device that was put back to before it was a member, and removed, does not know of the removal, and members
 * do not see what it asks (DS-26). It learns of it with the next group message after it has asked (DS-14): until then, a day at most,
 * it waits in vain. In a group of its own it never learns, since the request is dropped then: it has to leave that one first.
 */
async function bringIn(stage: Stage, person: Person, device: Device, devices: readonly Device[]): Promise<void> {
  if (await isLetIn(stage, person, device, devices)) return
  const member = mainGroup(devices)!.members.find(each => each !== device)!
  await stage.finish([member.act('rename', client => client.devices.rename(`${member.name} at ${stage.step}`))])
  for (const each of [member, device]) await syncAndLook(stage, person, each)
  const isIn = device.isRunning ? device.client.devices.view().membership : undefined
  if (isIn === 'Removed' || isIn === 'InGroup') {
    stage.tally.add('exempt: removed unawares')
    const { devices: own } = device.client
    await stage.finish([device.act('begin anew', () => (isIn === 'Removed' ? own.renew() : own.leave()))])
    await syncAndLook(stage, person, device)
    if (await isLetIn(stage, person, device, devices)) return
  }
  const membership = device.isRunning ? device.client.devices.view().membership : 'not running'
  stage.violated('agreement', `${device.name} is let in by nobody: ${membership}`)
}

/** True when it is in the right group, or there is none to be in. */
async function isLetIn(stage: Stage, person: Person, device: Device, devices: readonly Device[]): Promise<boolean> {
  const main = mainGroup(devices)
  const member = main?.members.find(each => each !== device)
  if (main === undefined || member === undefined || main.members.includes(device)) return true
  if (device.isRunning && !isOutside(device.client)) {
    person.setbacksMs.push(stage.world.nowMs())
    stage.tally.add('switched')
  }
  const pause = () => stage.world.pause(stage.chance.whole(1000, PAUSE_MS))
  await stage.finish([link(device, member, main.id, pause)])
  for (const each of [device, member]) await stage.look(person, each)
  return mainGroup(devices)?.members.includes(device) === true
}

async function syncAndLook(stage: Stage, person: Person, device: Device): Promise<void> {
  await stage.finish([device.act('sync', client => client.sync())])
  await stage.look(person, device)
}

/** Rounds of syncing until nobody shows anything else than in the round before. */
async function settle(stage: Stage, present: ReadonlyMap<Person, readonly Device[]>): Promise<void> {
  let before = ''
  for (let rounds = 0; rounds < ROUNDS_MAX; rounds++) {
    await round(stage, present)
    const now = await picture(stage, [...present.values()].flat())
    if (now === before) {
      stage.tally.add('rounds until nothing changed', rounds)
      return
    }
    before = now
  }
  stage.violated('stuck', `after ${ROUNDS_MAX} rounds of syncing things still change`)
}

/** What devices show and hold, in short. */
async function picture(stage: Stage, devices: readonly Device[]): Promise<string> {
  const parts: unknown[] = []
  for (const device of devices) {
    const group = await device.group()
    const view = device.isRunning ? device.client.devices.view() : undefined
    const keys = group && [group.accountKeys, group.deviceKeys, group.state.mergedHashes]
    parts.push([
      view?.membership,
      view?.devices,
      keys,
      (await device.messages()).map(({ messageId, state }) => [messageId, state]),
    ])
  }
  return encodeHex(blake2b(stage.crypto, 32, [encodeUtf8(JSON.stringify(parts))]))
}
