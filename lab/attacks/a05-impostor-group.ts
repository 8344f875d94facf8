/** A05: somebody who has the recovery password answers a device that wants to be linked. */
import { type DeviceId, type DeviceRecord, parseDeviceId, sealLinkRequest, writeDeviceRecord } from '@session-v2/protocol'
import { attack, type Finding } from '../adversary/attack.ts'
import type { Device } from '../adversary/device.ts'
import { Impostor } from '../adversary/impostor.ts'
import { groupStateOf } from '../adversary/loot.ts'
import { passedOn } from '../adversary/passing-on.ts'
import type { Scene } from '../adversary/scene.ts'
import { HOUR_MS, MINUTE_MS } from '../adversary/simulated-time.ts'

export const a05ImpostorGroup = attack({
  id: 'A05',
  title: 'An impostor answers a joining device',
  claim:
    'A device joins no group that it did not ask, and none before its person confirms. The emoji prove the joining device to the group; that it is this group which was asked, and not somebody who gives out a link key in its name, the request itself says, under the signature that the emoji stand for. Requests of implementations that do not say it can be passed on.',
  adversary: [
    'knows the recovery password, so it signs group messages that the account could have sent, and reads the ID of the group',
    'sees what is stored and when, and stores what it likes',
  ],
  attempts: {
    unasked: {
      tries: 'lists a device in a group that the device did not ask, with its public keys, which the impostor is given',
      rules: 'ours',
      ends: 'fails',
      because: 'an admission must answer a request of the device',
    },
    late: {
      tries: 'gives its own link key out as that of the group, hours after the group last spoke',
      rules: 'ours',
      ends: 'is told',
      because: 'the devices of the group see a message of their group that is not for them, and say that they are displaced',
    },
    unconfirmed: {
      tries: 'gives it out within five minutes after the group spoke, and answers the request that comes to it hours later',
      rules: 'ours',
      ends: 'fails',
      because:
        'an admission is held, unread, until the person at the joining device confirms; no device of theirs shows the emoji',
    },
    relayed: {
      tries:
        'passes that request on to the group as well, so that a device of theirs shows the same emoji, and both sides are confirmed',
      rules: 'ours',
      ends: 'fails',
      because:
        'the request says under its signature which link key it was sealed to, so that sealed to another one it is refused; and what the impostor signs anew has other emoji',
    },
  },
  run: async scene => ({
    unasked: await unasked(scene),
    late: await late(scene),
    ...(await relayed(scene)),
  }),
})

async function unasked(scene: Scene): Promise<Finding> {
  const alice = await scene.create('Alice')
  const joining = await scene.restore(alice.client.recoveryPassword())
  const impostor = new Impostor(scene, scene.accountOf(alice))
  const { groupId } = await impostor.newestGroup()
  await impostor.tellGroup(groupId, new Map([[idOf(joining), await recordOf(scene, joining)]]))
  await scene.sync(joining)
  const { membership } = joining.client.devices.view()
  return { ends: membership === 'InGroup' ? 'succeeds' : 'fails', figure: `the device is ${membership}` }
}

async function late(scene: Scene): Promise<Finding> {
  const alice = await scene.create('Alice')
  const impostor = new Impostor(scene, scene.accountOf(alice))
  const { groupId } = await impostor.newestGroup()
  scene.time.advance(HOUR_MS)
  await impostor.tellGroup(groupId, new Map())
  await scene.sync(alice)
  const { membership } = alice.client.devices.view()
  return { ends: membership === 'Displaced' ? 'is told' : 'succeeds', figure: `the device is ${membership}` }
}

async function relayed(scene: Scene): Promise<Record<'unconfirmed' | 'relayed', Finding>> {
  const alice = await scene.create('Alice')
  scene.time.advance(MINUTE_MS)
  const impostor = new Impostor(scene, scene.accountOf(alice))
  const { groupId, linkKey } = await impostor.newestGroup()
  scene.time.advance(MINUTE_MS)
  await impostor.tellGroup(groupId, new Map())
  await scene.live(5 * HOUR_MS, HOUR_MS, async () => scene.sync(alice))
  const joining = await scene.restore(alice.client.recoveryPassword())
  const asked = await joining.client.devices.ask()
  const [request] = await impostor.requests()
  if (request === undefined) return { unconfirmed: { ends: 'fails' }, relayed: { ends: 'fails' } }
  const { crypto, random } = scene
  const { account } = impostor
  // As it was, and signed anew for the link key of the group.
  await impostor.store(passedOn(crypto, random, account, linkKey, request.plaintext))
  const anew = sealLinkRequest(crypto, random, account, linkKey, request.deviceId, request.record, { bindsLinkKey: true })
  await impostor.store(anew.message)
  await scene.sync(alice)
  const shown = alice.client.devices.view().requests.filter(({ device }) => device.id === joining.client.account().deviceId)
  const alike = shown.filter(({ emoji }) => JSON.stringify(emoji) === JSON.stringify(asked.emoji))
  await impostor.tellGroup(groupId, new Map([[request.deviceId, request.record]]), { isListed: true })
  await scene.sync(joining)
  const figure = `${shown.length} of 2 shown, ${alike.length} with the same emoji`
  return {
    unconfirmed: await admitted(scene, joining, impostor),
    relayed: { ends: alike.length === 0 ? 'fails' : 'succeeds', figure },
  }
}

/** Whether the device uses an account key that the impostor made. */
async function admitted(scene: Scene, joining: Device, { accountKey }: Impostor): Promise<Finding> {
  const state = await groupStateOf(scene.crypto, joining.store)
  const isIn = state?.accountKeys.some(({ seed }) => seed.equals(accountKey.seed)) === true
  return { ends: isIn ? 'succeeds' : 'fails', figure: `the device is ${joining.client.devices.view().membership}` }
}

function idOf(device: Device): DeviceId {
  return parseDeviceId(device.client.account().deviceId)
}

/** What a device would say of itself in a request: an impostor who took a look at it knows its public keys. */
async function recordOf(scene: Scene, device: Device): Promise<DeviceRecord> {
  const state = (await groupStateOf(scene.crypto, device.store))!
  const { x25519, mlKem768 } = state.deviceKeys.current
  const timestampS = BigInt(Math.floor(scene.time.nowMs() / 1000))
  return writeDeviceRecord({ seqno: 1n, timestampS, x25519, mlKem768, description: '', type: '', version: [0, 0, 0] })
}
