/** Nothing is stuck that could still be delivered: outboxes are empty, and what is in quarantine opens with no key of the group. */
import { decodeBase64 } from '@session-v2/encoding'
import { waitingIn } from '../ledger.ts'
import type { Person } from '../person.ts'
import { type Checker, type Healed, membersOf, opener } from './healed.ts'

const ALL = Number.MAX_SAFE_INTEGER

export const stuck: Checker = {
  name: 'stuck',
  async check(healed) {
    for (const [person, devices] of healed.present) {
      for (const device of devices) {
        const waiting = await waitingIn(device)
        if (waiting.size > 0) healed.stage.violated('stuck', `${device.name} still has ${waiting.size} messages to send`)
      }
      await checkQuarantine(healed, person)
    }
  },
}

async function checkQuarantine(healed: Healed, person: Person): Promise<void> {
  const { stage } = healed
  const members = membersOf(healed, person)
  const keys = new Map<string, { seed: string; createdAtS: number }>()
  for (const member of members) for (const key of (await member.group())?.accountKeys ?? []) keys.set(key.seed, key)
  const { open, close } = opener(stage, person, [...keys.values()])
  for (const member of members) {
    const store = await member.records()
    const page = (await store?.page<{ hash: string; payload: string; expiryMs: number }>('quarantine', { limit: ALL })) ?? []
    for (const { value } of page) {
      if (value.expiryMs <= stage.world.nowMs()) continue
      stage.tally.add('in quarantine after healing')
      stage.log(`${member.name} has ${value.hash} in quarantine`)
      if (open(decodeBase64(value.payload)) !== undefined) {
        stage.violated('stuck', `${member.name} has a message in quarantine that a key of its group opens`)
      }
    }
  }
  close()
}
