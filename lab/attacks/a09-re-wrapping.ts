/** A09: a recipient seals a message anew, and nodes repeat what they hold. */
import { NAMESPACE } from '@session-v2/network'
import {
  type AccountKey,
  accountKeyFromSeed,
  emptyKeyring,
  encodeContent,
  keyringOf,
  openMessage,
  sealMessageV1,
  textContent,
} from '@session-v2/protocol'
import { attack, type Finding } from '../adversary/attack.ts'
import type { Device } from '../adversary/device.ts'
import { groupStateOf } from '../adversary/loot.ts'
import { plaintextOf, reWrap } from '../adversary/re-wrapping.ts'
import type { Scene } from '../adversary/scene.ts'
import { DAY_MS, HOUR_MS } from '../adversary/simulated-time.ts'
import { showing } from '../adversary/tap.ts'

export const a09ReWrapping = attack({
  id: 'A09',
  title: 'Re-wrapping and replay',
  claim:
    'A message is shown once, under the time that its sender signed, however often and in whatever envelope it comes. Nobody who has received a message can pass it on as if it had been written to somebody else.',
  adversary: [
    'is a recipient, or has the keys of one: it opens messages and seals their plaintexts anew, with the sender’s signature inside',
    'runs storage nodes, so it repeats what they hold',
  ],
  attempts: {
    again: {
      tries: 'seals a message that it received to the same account again, to have it shown as a new one',
      rules: 'ours',
      ends: 'fails',
      because: 'messages are told apart by sender, time and ID, which the sender has signed',
    },
    againPlain: {
      tries: 'does the same where whatever opens is a new message',
      rules: 'plain',
      ends: 'succeeds',
      because: 'the signature covers neither the ephemeral key nor the envelope',
    },
    later: {
      tries: 'does it again after 20 days, when the account key and the swarm’s copy are gone',
      rules: 'ours',
      ends: 'fails',
      because: 'the messages that are kept are what is compared with',
    },
    toOther: {
      tries: 'seals it to a third account, as if the sender had written there',
      rules: 'ours',
      ends: 'fails',
      because: 'the signature covers the recipient; the message is refused as forged',
    },
    repeated: {
      tries: 'shows the same bytes twice, under two hashes of its choice',
      rules: 'ours',
      ends: 'fails',
      because: 'hashes are computed by the reader',
    },
    olderVersion: {
      tries: 'puts a message of version 1 in an envelope with another time',
      rules: 'ours',
      ends: 'fails',
      because: 'a time that differs from the signed one is refused',
    },
    olderVersionPlain: {
      tries: 'does the same to a reader who believes the envelope',
      rules: 'plain',
      ends: 'succeeds',
      because: 'nothing of the envelope is authenticated',
    },
  },
  run: async scene => {
    let shown: readonly Uint8Array[] | undefined
    const lie = showing(() => shown, NAMESPACE.messages)
    const [alice, bob, carol] = [await scene.create('Alice'), await scene.create('Bob', { lie }), await scene.create('Carol')]
    await alice.client.send(bob.client.accountId, 'once')
    await scene.sync(bob)
    const [message] = scene.tap.of(bob.client.accountId, NAMESPACE.messages)
    const plaintext = plaintextOf(scene.crypto, await currentKey(scene, bob), message!.payload)!
    const wrapped = async (to: Device) => reWrap(scene, to.client.accountId, await currentKey(scene, to), plaintext)
    const again = await shownAfter(scene, bob, [await wrapped(bob)])
    shown = [message!.payload, message!.payload]
    const repeated = await shownAfter(scene, bob, [])
    shown = undefined
    const plain = await openedPlain(scene, bob, [message!.payload, await wrapped(bob)])
    const toOther = await shownAfter(scene, carol, [await wrapped(carol)])
    const refused = await refusal(scene, carol)
    await scene.live(20 * DAY_MS, 13 * HOUR_MS, async () => scene.sync(bob))
    const later = await shownAfter(scene, bob, [await wrapped(bob)])
    return {
      again,
      againPlain: { ends: plain > 1 ? 'succeeds' : 'fails', figure: `${plain} of 2 open` },
      later,
      toOther: { ...toOther, figure: refused },
      repeated,
      ...(await olderVersion(scene, alice)),
    }
  },
})

/** Whether a device shows more messages once these were given to its swarm. */
async function shownAfter(scene: Scene, device: Device, payloads: readonly Uint8Array[]): Promise<Finding> {
  const before = (await device.client.messages()).length
  for (const payload of payloads) await scene.store(device.client.accountId, payload, NAMESPACE.messages)
  await scene.sync(device)
  const after = (await device.client.messages()).length
  return { ends: after > before ? 'succeeds' : 'fails', figure: `${before} before, ${after} after` }
}

async function openedPlain(scene: Scene, device: Device, payloads: readonly Uint8Array[]): Promise<number> {
  const keyring = keyringOf([await currentKey(scene, device)])
  const opened = payloads.filter(each => openMessage(scene.crypto, scene.accountOf(device), keyring, each).outcome === 'opened')
  return new Set(opened).size
}

async function olderVersion(scene: Scene, alice: Device): Promise<Record<'olderVersion' | 'olderVersionPlain', Finding>> {
  const reader = await scene.create('Reader')
  const sentAtMs = scene.time.nowMs() - DAY_MS
  const content = encodeContent(textContent({ body: 'yesterday', sentAtMs, messageId: scene.random.bytes(8) }))
  const written = { sender: scene.accountOf(alice), recipient: reader.client.accountId, content }
  const payload = sealMessageV1(scene.crypto, scene.random, { ...written, timestampMs: scene.time.nowMs() })
  const opened = openMessage(scene.crypto, scene.accountOf(reader), emptyKeyring, payload)
  const isBelieved = opened.outcome === 'opened' && opened.version === 'v1' && opened.timestampMs !== sentAtMs
  return {
    olderVersion: { ...(await shownAfter(scene, reader, [payload])), figure: await refusal(scene, reader) },
    olderVersionPlain: { ends: isBelieved ? 'succeeds' : 'fails' },
  }
}

async function refusal(scene: Scene, device: Device): Promise<string> {
  return (await scene.told(device)).includes('message_refused') ? 'the message is refused' : 'nothing is told'
}

/** The account key that messages to a device's account are sealed to now. */
async function currentKey({ crypto }: Scene, { store }: Device): Promise<AccountKey> {
  const [current] = (await groupStateOf(crypto, store))!.accountKeys
  return accountKeyFromSeed(crypto, current!.seed.expose().slice(), current!.createdAtS)
}
