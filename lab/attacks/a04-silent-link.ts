/** A04: somebody who has the recovery password wants to read along without being seen. */
import { decodeHex } from '@session-v2/encoding'
import { attack, type Finding, gained } from '../adversary/attack.ts'
import type { Device } from '../adversary/device.ts'
import { Impostor } from '../adversary/impostor.ts'
import type { Scene } from '../adversary/scene.ts'
import { HOUR_MS, MINUTE_MS } from '../adversary/simulated-time.ts'

const MESSAGES = 4

export const a04SilentLink = attack({
  id: 'A04',
  title: 'Linking in silence',
  claim:
    'Whoever has the recovery password and no more reads nothing that is sent to the devices of the group, and cannot ask to be let in without every device being told. Nor can it found a group, or speak in the name of the one there is, unnoticed; the latter cuts the devices off from one another until their person begins anew. What it gains by publishing keys is A06, and by waiting for a device to be linked A05.',
  adversary: ['knows the recovery password', 'has a device of its own, with the real client or with its own program'],
  attempts: {
    looksOn: {
      tries: 'restores the account and only reads',
      rules: 'ours',
      ends: 'fails',
      because: 'its device is in no group and has no account key',
    },
    asks: {
      tries: 'asks to be let in',
      rules: 'ours',
      ends: 'is told',
      because: 'every device of the group shows the request, with the emoji of it',
    },
    confirmsAlone: {
      tries: 'confirms its own request, which no device has accepted, and reads',
      rules: 'ours',
      ends: 'fails',
      because: 'the account keys are sealed to devices that a member has let in',
    },
    founds: {
      tries: 'founds a group of its own and publishes its keys',
      rules: 'ours',
      ends: 'is told',
      because: 'every device shows that another group appeared',
    },
    speaks: {
      tries: 'writes a group message in the name of the group, with itself as its only member',
      rules: 'ours',
      ends: 'is told',
      because:
        'every device sees a message of its group that is not for it, and says that it was displaced; account keys are not in it',
    },
  },
  run: async scene => {
    const [alice, bob] = [await scene.create('Alice'), await scene.create('Bob')]
    const second = await scene.linked(alice)
    const devices = [alice, second]
    const thief = await scene.restore(alice.client.recoveryPassword())
    const looksOn = await reads(scene, thief, bob)
    await thief.client.devices.ask()
    await scene.sync(...devices)
    const asks = await toldOn(scene, devices, 'link_request_added')
    await thief.client.devices.confirm()
    const confirmsAlone = await reads(scene, thief, bob)
    scene.time.advance(HOUR_MS)
    await scene.sync(...devices)
    await thief.client.devices.cancel()
    await thief.client.devices.startGroup()
    await scene.sync(thief, ...devices)
    const founds = await toldOn(scene, devices, 'group_appeared')
    return { looksOn, asks, confirmsAlone, founds, speaks: await speaks(scene, alice, second) }
  },
})

/** Whether a device reads what is sent to its account now. */
async function reads(scene: Scene, { client, store }: Device, from: Device): Promise<Finding> {
  const before = (await client.messages()).length
  for (let i = 0; i < MESSAGES; i++) await from.client.send(client.accountId, 'to the devices of the group')
  await scene.sync({ client, store })
  return gained((await client.messages()).length - before, MESSAGES, 'open')
}

async function toldOn(scene: Scene, devices: readonly Device[], type: string): Promise<Finding> {
  const told = await Promise.all(devices.map(async device => (await scene.told(device)).some(each => each === type)))
  const count = told.filter(isTold => isTold).length
  return { ends: count === devices.length ? 'is told' : 'succeeds', figure: `${count} of ${devices.length} devices tell it` }
}

async function speaks(scene: Scene, alice: Device, second: Device): Promise<Finding> {
  const impostor = new Impostor(scene, scene.accountOf(alice))
  const own = alice.client.devices.view().group!.id
  scene.time.advance(10 * MINUTE_MS)
  await impostor.tellGroup(decodeHex(own), new Map())
  scene.time.advance(10 * MINUTE_MS)
  await scene.sync(alice, second)
  const displaced = [alice, second].filter(({ client }) => client.devices.view().membership === 'Displaced')
  if (await impostor.readsGroup()) return { ends: 'succeeds' }
  return {
    ends: displaced.length === 2 ? 'is told' : 'fails',
    figure: `${displaced.length} of 2 devices say that they are displaced`,
  }
}
