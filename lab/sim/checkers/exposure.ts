/**
 * Exposure is bounded: what a thief of a device would hold once it has synced.
 *
 * | key | bound |
 * |---|---|
 * | account key in use | 13 hours old |
 * | account key that was rotated | 16 days after its rotation |
 * | device key in use | 24 hours old |
 * | device key that was released | 48 hours after its release |
 *
 * With a recording of the swarm a device key opens the group messages of its life, and they carry account keys that are 16 days past
 * their rotation at most. An hour is added, which a healing takes.
 */
import { ACCOUNT_KEY_RETENTION_S, DEVICE_KEY_GRACE_S, DEVICE_KEY_LIFETIME_S } from '@session-v2/protocol'
import type { Device } from '../device.ts'
import type { KeyAtRest } from '../peek.ts'
import type { Stage } from '../stage.ts'
import { type Checker, membersOf } from './healed.ts'

const HOUR_S = 3600
const ACCOUNT_KEY_USE_S = 13 * HOUR_S

export const exposure: Checker = {
  name: 'exposure',
  async check(healed) {
    for (const person of healed.stage.people)
      for (const device of membersOf(healed, person)) await checkDevice(healed.stage, device)
  },
}

async function checkDevice(stage: Stage, device: Device): Promise<void> {
  const group = await device.group()
  if (group === undefined) return
  const nowS = stage.world.nowMs() / 1000
  const check = (key: KeyAtRest, what: string, useS: number, keptS: number) => {
    const overS = key.endedAtS === undefined ? nowS - key.createdAtS - useS : nowS - key.endedAtS - keptS
    if (overS <= HOUR_S) return
    const hours = (overS / HOUR_S).toFixed(1)
    stage.violated('exposure', `${device.name}: a ${what} key is ${hours} hours older than it may be`)
  }
  for (const key of [...group.accountKeys, ...group.retiredKeys])
    check(key, 'account', ACCOUNT_KEY_USE_S, ACCOUNT_KEY_RETENTION_S)
  for (const key of group.deviceKeys) check(key, 'device', DEVICE_KEY_LIFETIME_S, DEVICE_KEY_GRACE_S)
}
