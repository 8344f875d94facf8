/**
 * What people do. Each action is one person's on one device, or a conversation between two of their devices; several run at the same
 * time.
 */
import { type Device, HOUR_MS } from './device.ts'
import { isOutside, link, mainGroup, type Person } from './person.ts'
import type { Stage } from './stage.ts'

const DAY_MS = 24 * HOUR_MS
const MINUTE_MS = 60_000
/** The longest journey without a network. */
const LONGEST_AWAY_DAYS = 40

interface Acting {
  readonly stage: Stage
  readonly person: Person
  readonly device: Device
}

type Action = (acting: Acting) => Promise<unknown>

const ACTIONS: readonly (readonly [name: string, weight: number, action: Action])[] = [
  ['send', 30, send],
  ['sync', 22, sync],
  ['open a conversation', 4, openConversation],
  ['link a device', 10, linkDevice],
  ['write without a network', 4, writeOffline],
  ['go away', 5, goAway],
  ['restart', 4, restart],
  ['rename', 2, rename],
  ['remove a device', 3, removeDevice],
  ['leave', 1.5, leave],
  ['renew', 1.5, renew],
  ['found another group', 1.5, foundAnother],
  ['dismiss a group', 1.5, dismiss],
  ['switch groups', 1.5, switchGroups],
  ['put back an old copy', 1.5, putBack],
  ['install anew', 1.5, installAnew],
]

/** Does one thing at random; some of the time the program dies at one of the writes this makes. */
export async function actAtRandom(stage: Stage, busy: Set<Device>): Promise<void> {
  const { chance, tally } = stage
  const person = chance.pick(stage.people)!
  const device = chance.pick(person.living.filter(each => !busy.has(each) && !each.isAway))
  const name = chance.weighted(ACTIONS.map(([each, weight]) => [each, weight] as const))
  if (device === undefined) return
  for (const each of alone(name) ? [device] : person.living) busy.add(each)
  tally.add(`action: ${name}`)
  if (chance.happens(0.12)) device.crashAt(chance.whole(1, 6), chance.pick(['before', 'torn', 'after'] as const)!)
  const [, , action] = ACTIONS.find(([each]) => each === name)!
  await action({ stage, person, device })
  device.disk.spare()
}

/** Whether an action needs no other device of the person. */
function alone(name: string): boolean {
  return !['link a device', 'switch groups', 'found another group'].includes(name)
}

async function sync({ stage, person, device }: Acting): Promise<void> {
  await device.act('sync', client => client.sync())
  await stage.look(person, device)
}

async function send({ stage, person, device }: Acting): Promise<void> {
  const { chance, ledger, world } = stage
  // A note to oneself now and then.
  const others = stage.people.filter(each => each !== person)
  const to = chance.happens(0.1) ? person : chance.pick(others)!
  const count = chance.whole(1, 2)
  for (let i = 0; i < count; i++) {
    const body = ledger.text(device)
    ledger.add(person, to, device, body, world.nowMs())
    if (!(await device.act(`send ${body}`, client => client.send(to.accountId, body)))) break
  }
  await stage.look(person, device)
  if (chance.happens(0.5)) await sync({ stage, person, device })
}

async function openConversation({ stage, person, device }: Acting): Promise<void> {
  const other = stage.chance.pick(stage.people.filter(each => each !== person))!
  await device.act('open a conversation', client => client.openConversation(other.accountId))
}

/** A new device of the person, or one that stands outside, is let in by a member. */
async function linkDevice({ stage, person }: Acting): Promise<void> {
  const { chance, world } = stage
  const outside = person.living.filter(each => !each.isAway && each.isRunning && isOutside(each.client))
  const main = mainGroup(person.living.filter(each => !each.isAway))
  if (main === undefined) return
  let device = chance.pick(outside)
  if (device === undefined && person.living.length >= person.mostDevices) return
  device ??= await restoredDevice(stage, person)
  if (!device.isRunning) return
  const member = chance.pick(main.members)!
  const pause = () => world.pause(chance.whole(1000, 3 * MINUTE_MS))
  if (await link(device, member, main.id, pause)) stage.tally.add('linked')
  for (const each of [device, member]) await stage.look(person, each)
}

/** A new device with the account of a recovery password; now and then its program dies while it begins. */
async function restoredDevice(stage: Stage, person: Person): Promise<Device> {
  const device = stage.newDevice(person)
  if (stage.chance.happens(0.1)) device.crashAt(stage.chance.whole(1, 4), 'after')
  await device.begin({ kind: 'restore', recoveryPassword: person.recoveryPassword })
  device.disk.spare()
  if (device.hasBegun && !device.isRunning) await device.start()
  if (!device.hasBegun) device.isGone = true
  return device
}

/** Flight mode: something is written, and goes out when the network is there again. */
async function writeOffline({ stage, person, device }: Acting): Promise<void> {
  const { chance, ledger, network, world } = stage
  network.isolate(device.name)
  const to = chance.pick(stage.people.filter(each => each !== person))!
  const body = ledger.text(device)
  ledger.add(person, to, device, body, world.nowMs())
  await device.act(`write ${body}`, client => client.send(to.accountId, body))
  network.rejoin(device.name)
  await stage.look(person, device)
}

/** Minutes to forty days without a network. */
async function goAway({ stage, device }: Acting): Promise<void> {
  const { chance, world, tally } = stage
  const forMs = chance.weighted([
    [chance.whole(5, 600) * MINUTE_MS, 5],
    [chance.whole(1, 7) * DAY_MS, 3],
    [chance.whole(8, LONGEST_AWAY_DAYS) * DAY_MS, 1],
  ])
  device.awayUntilMs = world.nowMs() + forMs
  tally.add(forMs > 7 * DAY_MS ? 'away: weeks' : forMs > DAY_MS ? 'away: days' : 'away: hours')
  if (chance.happens(0.5)) await device.stop()
}

async function restart({ stage, person, device }: Acting): Promise<void> {
  if (stage.chance.happens(0.5)) await device.kill()
  else await device.stop()
  await device.act('sync', client => client.sync())
  await stage.look(person, device)
}

async function rename({ stage, person, device }: Acting): Promise<void> {
  await device.act('rename', client => client.devices.rename(`${device.name} ${stage.step}`))
  await stage.look(person, device)
}

/** Removes another member for good; most of the time one that does not exist any more. */
async function removeDevice({ stage, person, device }: Acting): Promise<void> {
  await device.act('remove', async client => {
    const { devices } = client.devices.view()
    const others = devices.filter(({ isThis, state }) => !isThis && state === 'member')
    const ids = new Set(person.living.filter(each => each.isRunning).map(each => each.client.account().deviceId))
    const gone = others.filter(({ id }) => !ids.has(id))
    const victim = stage.chance.happens(0.3) ? stage.chance.pick(others) : stage.chance.pick(gone)
    if (victim === undefined) return
    stage.tally.add('removed')
    await client.devices.remove(victim.id)
  })
  await sync({ stage, person, device })
}

async function leave({ stage, person, device }: Acting): Promise<void> {
  if (person.living.length < 2) return
  const isLeft = await device.act('leave', async client => {
    const members = client.devices.view().devices.filter(({ state }) => state === 'member')
    // The last one takes the keys along; whom it has removed before may not even know of it.
    if (members.length < 2) person.setbacksMs.push(stage.world.nowMs())
    await client.devices.leave()
  })
  if (isLeft) stage.tally.add('left')
  await sync({ stage, person, device })
}

/** Only a device that was removed or displaced needs it. */
async function renew({ stage, person, device }: Acting): Promise<void> {
  if (!device.isRunning || !['Removed', 'Displaced'].includes(device.client.devices.view().membership)) return
  await device.act('renew', client => client.devices.renew())
  await sync({ stage, person, device })
}

/** A fork: a device that is in no group founds one although there is another. */
async function foundAnother({ stage, person }: Acting): Promise<void> {
  let outside = stage.chance.pick(person.living.filter(each => !each.isAway && each.isRunning && isOutside(each.client)))
  if (outside === undefined && person.living.length < person.mostDevices) outside = await restoredDevice(stage, person)
  if (outside?.isRunning !== true) return
  person.setbacksMs.push(stage.world.nowMs())
  if (await outside.act('found a group', client => client.devices.startGroup())) stage.tally.add('forked')
  await sync({ stage, person, device: outside })
}

async function dismiss({ stage, person, device }: Acting): Promise<void> {
  await device.act('dismiss', async client => {
    const other = client.devices.view().groups.find(({ isOurs, isDismissed }) => !isOurs && !isDismissed)
    if (other !== undefined) await client.devices.dismiss(other.id)
  })
  await stage.look(person, device)
}

/** A member of one of two groups goes over to the other. */
async function switchGroups({ stage, person, device }: Acting): Promise<void> {
  if (!device.isRunning) return
  const { chance, world } = stage
  const own = device.client.devices.view().group?.id
  const other = device.client.devices.view().groups.find(({ isOurs }) => !isOurs)
  const members = person.living.filter(
    each => each.isRunning && !each.isAway && each.client.devices.view().group?.id === other?.id,
  )
  const member = chance.pick(members)
  if (other === undefined || own === undefined || member === undefined) return
  person.setbacksMs.push(world.nowMs())
  if (await link(device, member, other.id, () => world.pause(chance.whole(1000, MINUTE_MS)))) stage.tally.add('switched')
  for (const each of [device, member]) await stage.look(person, each)
}

/** The disk is put back to an older copy: a backup, a virtual machine. */
async function putBack({ stage, person, device }: Acting): Promise<void> {
  const { chance, tally, world } = stage
  if (device.disk.writes < 8) return
  const least = Math.max(2, Math.floor(device.disk.writes / 4))
  person.setbacksMs.push(world.nowMs())
  stage.ledger.forget(device)
  await device.putBack(chance.whole(least, device.disk.writes - 1))
  tally.add('disk: old copy put back')
  stage.log(`${device.name} is put back`)
  await sync({ stage, person, device })
}

/** The device begins anew; to the others it looks as if the old one were silent. */
async function installAnew({ stage, person, device }: Acting): Promise<void> {
  const isOnly = person.living.length === 1
  // A person's only device is lost as well, but mostly another one is.
  if (isOnly && stage.chance.happens(0.7)) return
  person.setbacksMs.push(stage.world.nowMs())
  await device.kill()
  device.isGone = true
  stage.tally.add('disk: lost')
  const fresh = await restoredDevice(stage, person)
  if (isOnly && fresh.isRunning) await fresh.act('found a group', client => client.devices.startGroup())
  if (fresh.isRunning) await sync({ stage, person, device: fresh })
}
