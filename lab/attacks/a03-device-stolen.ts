/** A03: a device is taken, unlocked, by somebody who has recorded everything. */
import { decodeHex } from '@session-v2/encoding'
import { NAMESPACE } from '@session-v2/network'
import { expandKeyPair, historyRequestIdOf, parseDeviceId, sealHistoryChunk } from '@session-v2/protocol'
import { attack, type Finding, gained } from '../adversary/attack.ts'
import type { Device } from '../adversary/device.ts'
import { type Haul, hunt, oldestAgeMs, type ReadMessage } from '../adversary/key-hunt.ts'
import { deviceKeySeeds, lootOf } from '../adversary/loot.ts'
import type { Scene } from '../adversary/scene.ts'
import { DAY_MS, HOUR_MS } from '../adversary/simulated-time.ts'

/** How often the devices are on. */
const STEP_MS = 8 * HOUR_MS
const LIVED_MS = 24 * DAY_MS
const AFTERWARDS_MS = 7 * DAY_MS
/** Account keys are kept 16 days after 13 hours at most in use; a device that is on every 8 hours is that late for either. */
const HELD_MS = 16 * DAY_MS + 13 * HOUR_MS + 2 * STEP_MS
/** Device keys are in use for a day and kept for two; again that late for either. */
const CARRIED_MS = HELD_MS + 3 * DAY_MS + 2 * STEP_MS
/** A device key for a day more, an account key for 13 hours, a sender's memory of it for two days, and being late for each. */
const HEALED_MS = DAY_MS + 13 * HOUR_MS + 2 * DAY_MS + 3 * STEP_MS

export const a03DeviceStolen = attack({
  id: 'A03',
  title: 'A device is stolen, unlocked',
  claim:
    'Whoever takes a device and has recorded everything reads what was sent in the last 14 days, and nothing that is older than 19 days and 13 hours: 16 days and 13 hours by the account keys on it, 3 days more by those in group messages that its device keys open. A device that is on only now and then is as much later. History that was handed over to the device in those 3 days opens too, however old it is. Of what comes afterwards a copy of the device reads a few days.',
  adversary: [
    'has recorded everything that the swarm was ever given, in all namespaces',
    'has the unlocked store of a device of the account as it is at that moment, and with it the recovery password',
    'tries every key it finds on everything, and the keys that this opens again',
    'does not count messages that are still on the device: those it reads anyway',
  ],
  attempts: {
    window: {
      tries: 'reads what was sent in the last 14 days',
      rules: 'ours',
      ends: 'succeeds',
      because: 'a message lies in the swarm for 14 days, and may be sealed to a key that its sender has remembered for two more',
    },
    olderByDevice: {
      tries: 'reads what is older than 16 days and 13 hours, without a recording of group messages',
      rules: 'ours',
      ends: 'fails',
      because: 'those account keys are erased',
    },
    olderByGroups: {
      tries: 'reads what is older than 19 days and 13 hours, with group messages',
      rules: 'ours',
      ends: 'fails',
      because:
        'device keys are replaced daily and erased two days later, so the group messages that carried older account keys stay closed',
    },
    olderThanTold: {
      tries: 'reads what is older than the device itself says that a thief could read',
      rules: 'ours',
      ends: 'fails',
      because: 'the figure is computed from the keys that are held',
    },
    olderPlain: {
      tries: 'reads what is older, where a device keeps its first key for ever',
      rules: 'plain',
      ends: 'succeeds',
      because: 'one device key opens every group message since the device was linked, and with them every account key there was',
    },
    handedOver: {
      tries: 'reads history that another device handed over to this one a day before',
      rules: 'ours',
      ends: 'succeeds',
      because: 'it is sealed to the device key of that day, however old the messages in it are',
    },
    handedOverLater: {
      tries: 'reads history that was handed over to it more than 4 days before',
      rules: 'ours',
      ends: 'fails',
      because: 'that device key is erased',
    },
    afterwards: {
      tries: 'copies the device, gives it back, and reads what is sent 5 days later',
      rules: 'ours',
      ends: 'fails',
      because:
        'the next device key is not on the copy, and it takes a day, 13 hours, and the two days that a sender remembers an account key',
    },
    afterwardsPlain: {
      tries: 'does the same, where a device keeps its first key for ever',
      rules: 'plain',
      ends: 'succeeds',
      because: 'the copy opens every group message to come',
    },
  },
  run: async scene => {
    const [alice, bob] = [await scene.create('Alice'), await scene.create('Bob')]
    const second = await scene.linked(alice)
    const kept = new Set<string>()
    await live(scene, LIVED_MS - 5 * DAY_MS, { alice, second, bob, kept })
    const handedOverAtMs = [scene.time.nowMs()]
    await handOver(scene, alice, second)
    await live(scene, 4 * DAY_MS, { alice, second, bob, kept })
    handedOverAtMs.push(scene.time.nowMs())
    await handOver(scene, alice, second)
    await live(scene, DAY_MS, { alice, second, bob, kept })
    const stolenAtMs = scene.time.nowMs()
    const { exposedSinceMs } = second.client.keys()
    const loot = await lootOf(scene.crypto, second.store)
    const account = scene.accountOf(alice)
    const read = (options?: object) => hunt(scene.crypto, account, scene.tap, loot, options)
    const plain = () => hunt(scene.crypto, account, scene.tap, new Set([...loot, ...kept]))
    const [byDevice, byGroups, byFirstKey] = [read({ withGroups: false }), read(), plain()]
    const [earlier, lately] = handedOverAtMs.map(at => byGroups.chunks.filter(({ atMs }) => atMs === at).length)
    await live(scene, AFTERWARDS_MS, { alice, second, bob, kept })
    const later = (messages: readonly ReadMessage[]) => messages.filter(({ atMs }) => atMs > stolenAtMs + HEALED_MS)
    const lastMs = Math.max(...read().messages.map(({ atMs }) => atMs)) - stolenAtMs
    return {
      window: windowOf(byDevice, stolenAtMs),
      olderByDevice: olderThan(byDevice, HELD_MS, stolenAtMs),
      olderByGroups: olderThan(byGroups, CARRIED_MS, stolenAtMs),
      olderThanTold: olderThan(byGroups, stolenAtMs - exposedSinceMs!, stolenAtMs),
      olderPlain: olderThan(byFirstKey, CARRIED_MS, stolenAtMs),
      handedOver: gained(lately!, 1, 'opens'),
      handedOverLater: gained(earlier!, 1, 'opens'),
      afterwards: { ...foundOf(later(read().messages)), figure: `the last one that opens was sent ${span(lastMs)} later` },
      afterwardsPlain: { ...foundOf(later(plain().messages)), figure: `${later(plain().messages).length} later ones open` },
    }
  },
})

interface Living {
  readonly alice: Device
  readonly second: Device
  readonly bob: Device
  /** Every key that the second device has ever had: a device that keeps its first key opens with that one what each of these opens. */
  readonly kept: Set<string>
}

async function live(scene: Scene, ms: number, { alice, second, bob, kept }: Living): Promise<void> {
  await scene.live(ms, STEP_MS, async () => {
    await bob.client.send(alice.client.accountId, 'Hello')
    await scene.sync(alice, second)
    for (const seed of await deviceKeySeeds(scene.crypto, second.store)) kept.add(seed)
  })
}

/** A device seals a part of its history to another one; how a device is asked to is nothing to a thief. */
async function handOver(scene: Scene, from: Device, to: Device): Promise<void> {
  const { crypto, random } = scene
  const account = scene.accountOf(from)
  const [own, theirs] = await Promise.all(
    [from, to].map(async ({ store }) => {
      const [seed] = await deviceKeySeeds(crypto, store)
      return expandKeyPair(crypto, 'SessionDeviceKeys', decodeHex(seed!))
    }),
  )
  const recipient = { x25519: theirs!.x25519.publicKey, mlKem768: theirs!.mlKem768.publicKey }
  const requestId = historyRequestIdOf(random.bytes(16))
  const sender = parseDeviceId(from.client.account().deviceId)
  const chunk = { requestId, sender, index: 0, isLast: true, total: 1, page: random.bytes(1000) }
  const message = sealHistoryChunk(crypto, random, account, recipient, own!.x25519, chunk)
  await scene.store(account.id, message, NAMESPACE.historyChunks, account)
}

/** Whether everything opens that the swarm may still hold. */
function windowOf({ messages, sentAtMs }: Haul, nowMs: number): Finding {
  const isHeld = (atMs: number) => atMs <= nowMs && nowMs - atMs < 14 * DAY_MS
  const sent = sentAtMs.filter(isHeld).length
  const opened = messages.filter(({ atMs }) => isHeld(atMs)).length
  return { ends: opened === sent && sent > 0 ? 'succeeds' : 'fails', figure: `${opened} of ${sent} open` }
}

/** Whether anything opens that is older than the bound, of what was sent before it. */
function olderThan({ messages, sentAtMs }: Haul, boundMs: number, nowMs: number): Finding {
  const older = messages.filter(({ atMs }) => nowMs - atMs > boundMs)
  const figure = `the oldest that opens is ${span(oldestAgeMs(messages, nowMs))} old, of ${sentAtMs.length} in ${span(LIVED_MS)}`
  return { ...foundOf(older), figure }
}

function foundOf(messages: readonly ReadMessage[]): Finding {
  return { ends: messages.length > 0 ? 'succeeds' : 'fails' }
}

function span(ms: number): string {
  return `${Math.floor(ms / DAY_MS)} d ${Math.round((ms % DAY_MS) / HOUR_MS)} h`
}
