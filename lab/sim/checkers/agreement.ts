/**
 * All members agree on the group: who is in it and who went, its account keys, and that −21 shows the current one.
 *
 * Exception `details of who went`: a removal travels without what the device said of itself, so only who knew the device shows that
 * (clause DS-05).
 */
import { encodeHex } from '@session-v2/encoding'
import { NAMESPACE } from '@session-v2/network'
import { type AccountId, verifyAccountKeyRecord } from '@session-v2/protocol'
import type { Device } from '../device.ts'
import type { Person } from '../person.ts'
import { type Checker, type Healed, membersOf, payloadsOf } from './healed.ts'

export const agreement: Checker = {
  name: 'agreement',
  async check(healed) {
    for (const [person, devices] of healed.present) {
      checkMembership(healed, person, devices)
      await checkViews(healed, person)
      await checkPublished(healed, person)
    }
  },
}

/** Everybody who took part is in the right group. */
function checkMembership(healed: Healed, person: Person, devices: readonly Device[]): void {
  const members = membersOf(healed, person)
  for (const device of devices) {
    if (members.includes(device)) continue
    const what = device.isRunning ? device.client.devices.view().membership : 'not running'
    healed.stage.violated('agreement', `${device.name} is not in the group: ${what}`)
  }
}

/** Members show the same devices and hold the same account keys. */
async function checkViews(healed: Healed, person: Person): Promise<void> {
  let first: { readonly name: string; readonly view: readonly string[] } | undefined
  for (const device of membersOf(healed, person)) {
    const group = await device.group()
    const devices = device.client.devices
      .view()
      .devices.filter(({ state }) => state !== 'asking')
      .map(({ id, state, description, updatedAtMs, removedAtMs }) =>
        state === 'member' ? [id, state, description, updatedAtMs] : [id, state, removedAtMs],
      )
      .sort()
    const view = [group?.groupId, ...devices, ...(group?.accountKeys ?? [])].map(part => JSON.stringify(part))
    first ??= { name: device.name, view }
    const [more, less] = [minus(view, first.view), minus(first.view, view)]
    if (more.length + less.length > 0) {
      healed.stage.violated('agreement', `${device.name} has ${more.join(' ')}, where ${first.name} has ${less.join(' ')}`)
    }
  }
}

/** The current account key of the group is what others find. */
async function checkPublished(healed: Healed, person: Person): Promise<void> {
  const { stage } = healed
  const [member] = membersOf(healed, person)
  const current = (await member?.group())?.state.accountKeys[0]
  if (current === undefined) return
  for (const record of await payloadsOf(stage, person, NAMESPACE.accountKeys)) {
    const { x25519 } = verifyAccountKeyRecord(stage.crypto, person.accountId as AccountId, record)
    if (encodeHex(x25519) !== encodeHex(current.x25519)) {
      stage.violated('agreement', `−21 of ${person.name} shows another key than the group's current one`)
    }
  }
}

function minus(parts: readonly string[], others: readonly string[]): string[] {
  return parts.filter(part => !others.includes(part))
}
