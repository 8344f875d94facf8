/** A10: a device that was removed is to be a member again, without anybody letting it in. */

import { NAMESPACE } from '@session-v2/network'
import {
  accountKeyFromSeed,
  type DeviceId,
  type DeviceRecord,
  messageKindAt21,
  parseDeviceId,
  ROW_STATE,
} from '@session-v2/protocol'
import { attack, type Finding } from '../adversary/attack.ts'
import type { Device } from '../adversary/device.ts'
import { Impostor } from '../adversary/impostor.ts'
import { groupStateOf } from '../adversary/loot.ts'
import type { Scene } from '../adversary/scene.ts'
import { DAY_MS, HOUR_MS } from '../adversary/simulated-time.ts'
import { showing } from '../adversary/tap.ts'

export const a10ReAdding = attack({
  id: 'A10',
  title: 'Re-adding a removed device',
  claim:
    'A removed device does not come back: not by messages of the time when it was a member, nor by messages of its own. But for up to three days after its removal it can write to devices whose key it knows, and is believed as a member would be: it can bring in a device with a new ID. Every device tells that it joined. After three days what it writes is read by nobody; but it can announce to the devices whose ID it knows that they are removed, as long as the account lives.',
  adversary: [
    'was a device of the group; keeps its keys, the public keys of the other devices and the account keys, as they were when it was removed',
    'knows the recovery password, so it signs as the account',
    'runs storage nodes, so it repeats what they hold',
  ],
  attempts: {
    oldMessage: {
      tries: 'shows the group messages again in which it is a member',
      rules: 'ours',
      ends: 'fails',
      because: 'a tombstone outranks every record, whatever its number',
    },
    ownId: {
      tries: 'writes a group message that lists itself, with a greater number, an hour after its removal',
      rules: 'ours',
      ends: 'fails',
      because: 'the record is refused, and the removal told again',
    },
    newId: {
      tries: 'lists a device with a new ID instead',
      rules: 'ours',
      ends: 'is told',
      because: 'the members’ old device keys still open it; every device tells who joined, and can remove it',
    },
    newIdLater: {
      tries: 'does the same three days after its removal',
      rules: 'ours',
      ends: 'fails',
      because: 'a removal makes every device replace its key, and the old ones are erased two days later',
    },
    removesOthers: {
      tries: 'announces that the device which removed it is removed, a week later',
      rules: 'ours',
      ends: 'is told',
      because:
        'a removal is announced to a device that cannot read, under the recovery password and its ID; the device says so and goes on with a new identity',
    },
  },
  run: async scene => ({
    oldMessage: await oldMessage(scene),
    ownId: await lists(scene, { isOwnId: true, afterMs: HOUR_MS }),
    newId: await lists(scene, { isOwnId: false, afterMs: HOUR_MS }),
    newIdLater: await lists(scene, { isOwnId: false, afterMs: 3 * DAY_MS }),
    removesOthers: await removesOthers(scene),
  }),
})

async function oldMessage(scene: Scene): Promise<Finding> {
  let repeated: readonly Uint8Array[] | undefined
  const alice = await scene.create('Alice', { lie: showing(() => repeated, NAMESPACE.devices) })
  const second = await scene.linked(alice)
  const { deviceId } = second.client.account()
  const at21 = scene.tap.of(alice.client.accountId, NAMESPACE.devices).map(({ payload }) => payload)
  await alice.client.devices.remove(deviceId)
  await scene.sync(alice)
  scene.time.advance(HOUR_MS)
  repeated = at21.filter(each => messageKindAt21(each) === 'group')
  await scene.sync(alice)
  repeated = undefined
  await scene.sync(alice)
  return stateOf(alice, deviceId)
}

interface Listing {
  readonly isOwnId: boolean
  readonly afterMs: number
}

/** A removed device writes to the member that removed it. */
async function lists(scene: Scene, { isOwnId, afterMs }: Listing): Promise<Finding> {
  const alice = await scene.create('Alice')
  const second = await scene.linked(alice)
  await scene.sync(alice, second)
  const known = (await groupStateOf(scene.crypto, second.store))!
  const ownId = parseDeviceId(second.client.account().deviceId)
  const impostor = new Impostor(scene, scene.accountOf(alice), isOwnId ? ownId : undefined)
  await alice.client.devices.remove(ownId)
  await scene.sync(alice)
  await scene.live(afterMs, 6 * HOUR_MS, async () => scene.sync(alice))
  const others = [...known.rows].filter(([id, { state }]) => id !== ownId && state === ROW_STATE.registered)
  const records = new Map<DeviceId, DeviceRecord>(others.map(([id, { record }]) => [id, record!]))
  const heldKeys = known.accountKeys.map(({ seed, createdAtS }) => accountKeyFromSeed(scene.crypto, seed.expose(), createdAtS))
  await impostor.tellGroup(known.groupId!, records, { accountKeys: heldKeys.slice(0, 1) })
  await scene.sync(alice, alice)
  const found = stateOf(alice, impostor.deviceId, await scene.told(alice))
  const isReading = await impostor.readsGroup()
  return { ...found, figure: `${found.figure}; what she says then ${isReading ? 'opens' : 'does not open'} for it` }
}

/** A removed device knows the IDs of the others, and announces what it likes. */
async function removesOthers(scene: Scene): Promise<Finding> {
  const alice = await scene.create('Alice')
  const second = await scene.linked(alice)
  await alice.client.devices.remove(second.client.account().deviceId)
  await scene.sync(alice)
  await scene.live(7 * DAY_MS, DAY_MS, async () => scene.sync(alice))
  const impostor = new Impostor(scene, scene.accountOf(alice))
  const { groupId } = await impostor.newestGroup()
  await impostor.tellGroup(groupId, new Map([[parseDeviceId(alice.client.account().deviceId), 'removed']]))
  await scene.sync(alice)
  const { membership } = alice.client.devices.view()
  return { ends: membership === 'Removed' ? 'is told' : 'fails', figure: `Alice’s device says ${membership}` }
}

/** What a device is to a member. */
function stateOf({ client }: Device, id: string, told: readonly string[] = []): Finding {
  const state = client.devices.view().devices.find(device => device.id === id)?.state
  const isTold = told.includes('device_membership_changed')
  const figure = `to Alice, who is ${client.devices.view().membership}, the device is ${state ?? 'unknown'}`
  return { ends: state !== 'member' ? 'fails' : isTold ? 'is told' : 'succeeds', figure }
}
