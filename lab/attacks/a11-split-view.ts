/** A11: a member tells different devices different things. */
import {
  accountKeyFromSeed,
  type DeviceId,
  type DeviceRecord,
  deviceIdOf,
  expandKeyPair,
  openGroupMessage,
  parseDeviceId,
} from '@session-v2/protocol'
import { attack, type Finding } from '../adversary/attack.ts'
import type { Device } from '../adversary/device.ts'
import { Impostor } from '../adversary/impostor.ts'
import { groupStateOf } from '../adversary/loot.ts'
import type { Scene } from '../adversary/scene.ts'
import { MINUTE_MS } from '../adversary/simulated-time.ts'
import { sealForTwo } from '../adversary/two-key-payload.ts'

export const a11SplitView = attack({
  id: 'A11',
  title: 'A split view by an insider',
  claim:
    'A member can show other members different lists of devices for as long as none of them speaks: the next group message of any of them carries all that it knows, and all agree again. The encryption of a group message does not commit to its key, so a member can make one that opens with two keys; what the second device finds is refused.',
  adversary: ['has the keys of a device that is a member, and the recovery password', 'stores what it likes at namespace 21'],
  attempts: {
    moment: {
      tries: 'writes each of two devices a message that only that one opens, with another new device in it',
      rules: 'ours',
      ends: 'is told',
      because: 'a member may bring in devices; each device tells who joined',
    },
    lasting: {
      tries: 'keeps them apart',
      rules: 'ours',
      ends: 'fails',
      because: 'what a device takes from others it passes on, and the greater record wins everywhere',
    },
    twoKeys: {
      tries: 'makes one payload that both open, each with another key',
      rules: 'ours',
      ends: 'succeeds',
      because: 'XChaCha20-Poly1305 does not commit to its key: one block can be chosen so that both tags are right',
    },
    twoPayloads: {
      tries: 'has the second device take in what it finds there',
      rules: 'ours',
      ends: 'fails',
      because: 'a payload is one dict with nothing but zeros after it',
    },
  },
  run: async scene => ({ ...(await apart(scene)), ...twoKeys(scene, await scene.create('Alice')) }),
})

async function apart(scene: Scene): Promise<Record<'moment' | 'lasting', Finding>> {
  const alice = await scene.create('Alice')
  const insider = await scene.linked(alice)
  const third = await scene.linked(alice)
  await scene.sync(insider, alice, third)
  const known = (await groupStateOf(scene.crypto, insider.store))!
  const [{ seed, createdAtS }] = known.accountKeys as [(typeof known.accountKeys)[number]]
  const held = accountKeyFromSeed(scene.crypto, seed.expose(), createdAtS)
  for (const device of [alice, third]) {
    const id = parseDeviceId(device.client.account().deviceId)
    const impostor = new Impostor(scene, scene.accountOf(alice))
    const members = new Map<DeviceId, DeviceRecord>([[id, known.rows.get(id)!.record!]])
    scene.time.advance(MINUTE_MS)
    await impostor.tellGroup(known.groupId!, members, { accountKeys: [held] })
  }
  const isSame = () => membersOf(alice) === membersOf(third)
  // The first one to read says at once what it knows, so the second one knows both.
  await scene.sync(alice, third)
  const wasApart = !isSame()
  await scene.sync(alice, third, alice, third)
  const told = await Promise.all([alice, third].map(device => scene.told(device)))
  const isTold = told.every(types => types.includes('device_membership_changed'))
  const listed = membersOf(alice).split(' ').length
  return {
    moment: { ends: wasApart && isTold ? 'is told' : 'fails', figure: wasApart ? 'the lists differ' : 'the lists are equal' },
    lasting: { ends: isSame() ? 'fails' : 'succeeds', figure: `all list the same ${listed} devices` },
  }
}

function membersOf({ client }: Device): string {
  const members = client.devices.view().devices.filter(({ state }) => state === 'member')
  return members
    .map(({ id }) => id)
    .sort()
    .join(' ')
}

function twoKeys(scene: Scene, alice: Device): Record<'twoKeys' | 'twoPayloads', Finding> {
  const { crypto, random, nowS } = scene
  const account = scene.accountOf(alice)
  const impostor = new Impostor(scene, account)
  const freshPair = () => expandKeyPair(crypto, 'SessionDeviceKeys', random.bytes(32))
  const [first, second] = [freshPair(), freshPair()]
  const linkKey = impostor.accountKey
  const payload = {
    devices: new Map([[impostor.deviceId, { kind: 'left' as const, atS: BigInt(nowS) }]]),
    accountKeys: [linkKey],
  }
  const message = sealForTwo(scene, account, { groupId: random.bytes(8), linkKey, payload }, [first, second])
  const [one, other] = [first, second].map(pair =>
    openGroupMessage(crypto, account, deviceIdOf(random.bytes(32)), [pair], message),
  )
  // A payload that does not decrypt is not for the device; one that decrypts and is no payload is malformed.
  const isOpenToBoth = one!.outcome === 'opened' && other!.outcome !== 'not-for-us'
  return {
    twoKeys: { ends: isOpenToBoth ? 'succeeds' : 'fails', figure: `${message.length} bytes` },
    twoPayloads: { ends: other!.outcome === 'opened' ? 'succeeds' : 'fails', figure: `it is ${other!.outcome}` },
  }
}
