/** A08: link requests are swapped, altered, replayed, superseded, expired. */
import { ClientError } from '@session-v2/client'
import { NAMESPACE } from '@session-v2/network'
import { deviceIdOf, messageKindAt21, sealLinkRequest } from '@session-v2/protocol'
import { attack, type Finding } from '../adversary/attack.ts'
import type { Device } from '../adversary/device.ts'
import { Impostor } from '../adversary/impostor.ts'
import type { Scene } from '../adversary/scene.ts'
import { HOUR_MS, MINUTE_MS } from '../adversary/simulated-time.ts'
import { showing } from '../adversary/tap.ts'

/** What people compare. */
const COMPARED_EMOJI = 7
const FLOOD = 66

export const a08LinkRequests = attack({
  id: 'A08',
  title: 'Link requests swapped, replayed, superseded, expired',
  claim:
    'A device that is let in is the one whose emoji were compared. Requests that were altered, replaced by a newer one, answered or are past their ten minutes let nobody in. One that nobody answered can be shown again for some days by whoever kept it; it is the request of the same device, with the same emoji.',
  adversary: [
    'runs storage nodes, so it withholds, alters and repeats what lies at namespace 21',
    'where it says so, knows the recovery password, so it can make requests of its own',
  ],
  attempts: {
    swapped: {
      tries: 'puts its own request in the place of that of the person’s device, and is taken for it',
      rules: 'ours',
      ends: 'fails',
      because: 'the emoji are another 42 bits; each try to match them costs it 16 MiB and some 40 ms',
    },
    altered: {
      tries: 'changes a byte of a request',
      rules: 'ours',
      ends: 'fails',
      because: 'it is authenticated and signed, and is not shown',
    },
    superseded: {
      tries: 'has the person let in the first of two requests of a device',
      rules: 'ours',
      ends: 'fails',
      because: 'only the newest one is open',
    },
    expired: {
      tries: 'has the person let in a device after ten minutes',
      rules: 'ours',
      ends: 'fails',
      because: 'the request has ended on every device',
    },
    again: {
      tries: 'shows a request again, an hour later, that nobody answered',
      rules: 'ours',
      ends: 'is told',
      because: 'it was forgotten when it ended, so the person is asked again, about the same device',
    },
    answered: {
      tries: 'shows a request again that was answered, of a device that is a member',
      rules: 'ours',
      ends: 'fails',
      because: 'it is no newer than what the group knows of the device',
    },
    removed: {
      tries: 'shows the request of a device again that was removed',
      rules: 'ours',
      ends: 'fails',
      because: 'a removal is final for that device ID',
    },
    flood: {
      tries: `makes ${FLOOD} requests, by the recovery password`,
      rules: 'ours',
      ends: 'is told',
      because: 'at most 64 are open; each is shown, none lets anyone in',
    },
  },
  run: async scene => ({
    ...(await swapped(scene)),
    ...(await unanswered(scene)),
    ...(await answered(scene)),
    flood: await flood(scene),
  }),
})

async function swapped(scene: Scene): Promise<Record<'swapped' | 'altered', Finding>> {
  const alice = await scene.create('Alice')
  const [second, thief] = [await restored(scene, alice), await restored(scene, alice)]
  const asked = await second.client.devices.ask()
  const genuine = lastRequest(scene, alice)
  await thief.client.devices.ask()
  await scene.sync(alice)
  const others = requestsOf(alice).filter(({ device }) => device.id !== second.client.account().deviceId)
  const isLike = (emoji: typeof asked.emoji) => namesOf(emoji) === namesOf(asked.emoji)
  const alike = others.filter(({ emoji }) => isLike(emoji)).length
  const carol = await scene.create('Carol')
  const device = await restored(scene, carol)
  await device.client.devices.ask()
  for (const at of [10, genuine.length >> 1, genuine.length - 20]) {
    const altered = lastRequest(scene, carol).slice()
    altered[at]! ^= 1
    await scene.store(carol.client.accountId, altered, NAMESPACE.devices, scene.accountOf(carol))
  }
  await scene.sync(carol)
  const shown = requestsOf(carol).length
  return {
    swapped: { ends: others.length > 0 && alike === 0 ? 'fails' : 'succeeds', figure: `${alike} of ${others.length} look alike` },
    altered: { ends: shown > 1 ? 'succeeds' : 'fails', figure: `${shown - 1} of 3 are shown beside the genuine one` },
  }
}

async function unanswered(scene: Scene): Promise<Record<'superseded' | 'expired' | 'again', Finding>> {
  let repeated: Uint8Array | undefined
  const lie = showing(() => repeated && [repeated], NAMESPACE.devices)
  const alice = await scene.create('Alice', { lie })
  const second = await restored(scene, alice)
  await second.client.devices.ask()
  await scene.sync(alice)
  const [first] = requestsOf(alice)
  scene.time.advance(1000)
  const asked = await second.client.devices.ask()
  await scene.sync(alice)
  const superseded = await accepting(alice, first!.id)
  const kept = lastRequest(scene, alice)
  const [newest] = requestsOf(alice)
  scene.time.advance(11 * MINUTE_MS)
  await scene.sync(alice)
  const expired = await accepting(alice, newest!.id)
  scene.time.advance(HOUR_MS)
  await scene.sync(alice)
  repeated = kept
  await scene.sync(alice)
  const again = requestsOf(alice)
  const isSame = again.every(({ emoji, device }) => {
    return namesOf(emoji) === namesOf(asked.emoji) && device.id === second.client.account().deviceId
  })
  return {
    superseded,
    expired,
    again: { ends: again.length === 0 ? 'fails' : isSame ? 'is told' : 'succeeds', figure: `${again.length} shown again` },
  }
}

async function answered(scene: Scene): Promise<Record<'answered' | 'removed', Finding>> {
  let repeated: Uint8Array | undefined
  const lie = showing(() => repeated && [repeated], NAMESPACE.devices)
  const alice = await scene.create('Alice', { lie })
  const second = await scene.linked(alice)
  const { deviceId } = second.client.account()
  const kept = lastRequest(scene, alice)
  const repeat = async (): Promise<Finding> => {
    scene.time.advance(HOUR_MS)
    repeated = kept
    await scene.sync(alice)
    repeated = undefined
    const shown = requestsOf(alice).length
    const state = alice.client.devices.view().devices.find(({ id }) => id === deviceId)?.state
    return { ends: shown > 0 ? 'succeeds' : 'fails', figure: `${shown} shown, the device is ${state}` }
  }
  const ofMember = await repeat()
  await alice.client.devices.remove(deviceId)
  await scene.sync(alice)
  return { answered: ofMember, removed: await repeat() }
}

async function flood(scene: Scene): Promise<Finding> {
  const alice = await scene.create('Alice')
  const impostor = new Impostor(scene, scene.accountOf(alice))
  const { linkKey } = await impostor.newestGroup()
  for (let i = 0; i < FLOOD; i++) {
    const id = deviceIdOf(scene.random.bytes(32))
    const { message } = sealLinkRequest(scene.crypto, scene.random, impostor.account, linkKey, id, impostor.record())
    await impostor.store(message)
  }
  await scene.sync(alice)
  const open = requestsOf(alice).length
  const members = alice.client.devices.view().devices.filter(({ state }) => state === 'member').length
  const isBounded = open > 0 && open <= 64 && members === 1
  return { ends: isBounded ? 'is told' : 'succeeds', figure: `${open} of ${FLOOD} are open` }
}

/** What happens when the person lets a request in by its name. */
async function accepting({ client }: Device, id: string): Promise<Finding> {
  try {
    await client.devices.accept(id)
    return { ends: 'succeeds' }
  } catch (error) {
    if (!(error instanceof ClientError)) throw error
    return { ends: 'fails', figure: error.code }
  }
}

function restored(scene: Scene, { client }: Device): Promise<Device> {
  return scene.restore(client.recoveryPassword())
}

function requestsOf({ client }: Device) {
  return client.devices.view().requests
}

/** The link request that was stored last. */
function lastRequest(scene: Scene, { client }: Device): Uint8Array {
  const at21 = scene.tap.of(client.accountId, NAMESPACE.devices)
  return at21.findLast(({ payload }) => messageKindAt21(payload) === 'link')!.payload
}

function namesOf(emoji: readonly { readonly name: string }[]): string {
  return emoji
    .slice(0, COMPARED_EMOJI)
    .map(({ name }) => name)
    .join(' ')
}
