/**
 * Erased keys are gone: of every key that was ever seen at rest, in any store, the bytes are found on a device only while its device group
 * has the key. Every record of the store is searched, unsealed.
 */
import { encodeHex } from '@session-v2/encoding'
import { secretsOf } from '@session-v2/protocol'
import type { Device } from '../device.ts'
import { allRecords } from '../peek.ts'
import type { Stage } from '../stage.ts'
import type { Checker } from './healed.ts'

export const erased: Checker = {
  name: 'erased',
  async check({ stage, present }) {
    for (const device of [...present.values()].flat()) await search(stage, device)
  },
}

async function search(stage: Stage, device: Device): Promise<void> {
  const store = await device.records()
  const group = await device.group()
  if (store === undefined || group === undefined) return
  const held = new Set([...secretsOf(group.state)].map(secret => encodeHex(secret.expose())))
  const gone = stage.keys.all.filter(({ seed }) => !held.has(seed))
  for (const { table, text } of await allRecords(device.disk, store)) {
    for (const { seed, kind, person } of gone) {
      if (text.includes(seed))
        stage.violated('erased', `${device.name}: ${table} still has an erased ${kind} key of ${person.name}`)
    }
  }
  stage.tally.add('erased keys searched for', gone.length)
}
