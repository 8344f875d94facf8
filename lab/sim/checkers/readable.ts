/**
 * Every message is readable, exactly once, on every device that was a member when it was sent or became one within its life.
 *
 * A device is held to it for the messages that are still in the swarm when it takes part in a healing as a member; from then on it has to
 * keep them. Exceptions, each by name and counted:
 *
 * | exception | why |
 * |---|---|
 * | `put back` | it still had to be sent when the disk it was written on was put back: it may never go out (`Ledger.forget`) |
 * | `lost key` | the message is sealed to an account key that no member of the right group has: the devices that had it were put back, lost, removed, or in a group beside it. A key that is not passed on dies with its device. |
 */

import type { Device, Shown } from '../device.ts'
import { isAlive, type Written } from '../ledger.ts'
import type { KeyAtRest } from '../peek.ts'
import type { Person } from '../person.ts'
import type { Stage } from '../stage.ts'
import { type Checker, type Healed, membersOf, type OpenedPayload, opener, swarmTexts } from './healed.ts'

export const readable: Checker = {
  name: 'readable',
  async check(healed) {
    for (const person of healed.stage.people) await checkPerson(healed, person)
  },
}

async function checkPerson(healed: Healed, person: Person): Promise<void> {
  const { stage } = healed
  const nowMs = stage.world.nowMs()
  const due = stage.ledger.written.filter(entry => isDue(entry, person) && isAlive(entry, nowMs))
  let texts: ReadonlyMap<string, OpenedPayload> | undefined
  for (const device of membersOf(healed, person)) {
    const shown = await device.messages()
    checkOnce(healed, device, shown)
    const bodies = new Set(shown.map(({ body }) => body))
    for (const body of device.known) if (!bodies.has(body)) stage.violated('readable', `${device.name} has lost "${body}"`)
    stage.tally.add('messages demanded of devices', due.length)
    for (const { body } of due) {
      if (bodies.has(body)) continue
      texts ??= await swarmTexts(stage, person)
      await checkMissing(healed, person, device, { body, opened: texts.get(body) })
    }
    for (const body of bodies) device.known.add(body)
  }
}

/** Whether a copy of a message was stored for this person. */
function isDue({ from, to, storedAtMs, copiedAtMs }: Written, person: Person): boolean {
  return (to === person && storedAtMs !== undefined) || (from === person && copiedAtMs !== undefined)
}

function checkOnce({ stage }: Healed, device: Device, shown: readonly Shown[]): void {
  const bodies = new Set<string>()
  for (const { body } of shown) {
    if (bodies.has(body)) stage.violated('readable', `${device.name} shows "${body}" twice`)
    bodies.add(body)
  }
}

interface Missing {
  readonly body: string
  readonly opened: OpenedPayload | undefined
}

async function checkMissing(healed: Healed, person: Person, device: Device, { body, opened }: Missing): Promise<void> {
  const { stage } = healed
  const report = (why: string) => stage.violated('readable', `${device.name} lacks "${body}": ${why}`)
  if (opened === undefined) return report('no node has it, or it is sealed to a key that was never seen')
  const { keyCreatedAtS } = opened
  if (keyCreatedAtS === undefined) return report('it is sealed to the account itself')
  for (const member of membersOf(healed, person)) {
    const group = await member.group()
    const keys = [...(group?.accountKeys ?? []), ...(member === device ? (group?.retiredKeys ?? []) : [])]
    if (canOpen(stage, person, keys, opened.payload)) return report(`${member.name} has the key it is sealed to`)
  }
  if (!person.setbacksMs.some(atMs => atMs > keyCreatedAtS * 1000 - 3_600_000)) {
    return report('nobody has the key it is sealed to, and nothing happened that could have cost it')
  }
  stage.tally.add('exempt: lost key')
  stage.log(`${device.name} lacks "${body}": lost key`)
}

function canOpen(stage: Stage, person: Person, keys: readonly KeyAtRest[], payload: Uint8Array): boolean {
  const { open, close } = opener(stage, person, keys)
  const isOpen = open(payload) !== undefined
  close()
  return isOpen
}
