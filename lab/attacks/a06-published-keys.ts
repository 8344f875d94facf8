/** A06: the published keys of an account are replayed, removed and overwritten. */
import { encodeHex } from '@session-v2/encoding'
import { NAMESPACE } from '@session-v2/network'
import { prepareRecipient, sealMessageV2, verifyAccountKeyRecord } from '@session-v2/protocol'
import { attack, type Finding, gained } from '../adversary/attack.ts'
import type { Device } from '../adversary/device.ts'
import { Impostor } from '../adversary/impostor.ts'
import { readWith } from '../adversary/key-hunt.ts'
import { type Loot, lootOf } from '../adversary/loot.ts'
import type { Scene } from '../adversary/scene.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../adversary/simulated-time.ts'
import { type Lie, showing } from '../adversary/tap.ts'

/** Longer than a sender uses what it remembers without looking. */
const FORGOTTEN_MS = 49 * HOUR_MS
const ROUNDS = 5

export const a06PublishedKeys = attack({
  id: 'A06',
  title: 'Published keys replayed, removed, overwritten',
  claim:
    'No storage node makes a sender go back to a key that was replaced, or write without forward secrecy where there were keys. Whoever has the recovery password can publish keys of their own and read what is sent to them; the sender is told that they do not follow from those before, the owner that somebody else published, and the owner’s devices publish theirs again.',
  adversary: [
    'runs some or all nodes of the swarm, so it decides which published keys are shown',
    'has seized a private account key that was replaced since',
    'where it says so, knows the recovery password; a broken Ed25519 would give it the same',
  ],
  attempts: {
    replayed: {
      tries: 'shows, on all nodes, the record of the key that it has seized, and opens what is sent then',
      rules: 'ours',
      ends: 'fails',
      because: 'the sender remembers which keys were replaced and holds the message',
    },
    replayedPlain: {
      tries: 'shows it to a sender who takes the keys that are shown',
      rules: 'plain',
      ends: 'succeeds',
      because: 'records bear no time and no counter, and the signature is genuine',
    },
    oneLiar: {
      tries: 'shows it on one node, while the others show the truth',
      rules: 'ours',
      ends: 'fails',
      because: 'when one node shows nothing new, two others are asked',
    },
    removed: {
      tries: 'shows no keys on any node, and opens what is sent then by the recovery password',
      rules: 'ours',
      ends: 'fails',
      because: 'absence is no consent to weaker encryption: the message is held until the person says otherwise',
    },
    removedAllowed: {
      tries: 'does so where the sender has chosen to send without forward secrecy',
      rules: 'plain',
      ends: 'succeeds',
      because: 'the message goes to the account itself; it is marked on both sides',
    },
    overwritten: {
      tries: 'publishes a key of its own, by the recovery password, and opens what is sent then',
      rules: 'ours',
      ends: 'is told',
      because: 'the key does not follow from those before: the sender is told, and the owner raises the alarm',
    },
    uponAlarm: {
      tries: 'goes on to open what that sender sends after the owner’s devices have published theirs again',
      rules: 'ours',
      ends: 'fails',
      because: 'they make another account key upon the alarm, since the sender counts the one before as replaced',
    },
    afterRotation: {
      tries: 'goes on after that rotation',
      rules: 'ours',
      ends: 'fails',
      because: 'the sender takes the new key, which follows from one that it had seen',
    },
    displaced: {
      tries: 'displaces the devices first (A04), then publishes its key, and reads for two days',
      rules: 'ours',
      ends: 'is told',
      because:
        'devices that are displaced publish nothing; they say so, the sender is told, and it ends when their person begins anew',
    },
    firstContact: {
      tries: 'overwrites the key of an account to which the sender has never written',
      rules: 'ours',
      ends: 'is told',
      because: 'continuity assures only who has seen a record before; the owner raises the alarm all the same',
    },
  },
  run: async scene => ({
    ...(await replayed(scene)),
    ...(await removed(scene)),
    ...(await overwritten(scene)),
    displaced: await displaced(scene),
    firstContact: await firstContact(scene),
  }),
})

async function replayed(scene: Scene): Promise<Record<'replayed' | 'replayedPlain' | 'oneLiar', Finding>> {
  let shown: 'truth' | 'old' | 'old by one' = 'truth'
  let liar: string | undefined
  let first: Uint8Array | undefined
  const lie: Lie = asked => {
    if (shown === 'truth') return undefined
    liar ??= asked.node.ed25519
    if (shown === 'old by one' && asked.node.ed25519 !== liar) return undefined
    return showing(() => first && [first])(asked)
  }
  const [alice, bob] = [await scene.create('Alice', { lie }), await scene.create('Bob')]
  const { accountId } = bob.client
  await alice.client.send(accountId, 'to the first key')
  first = scene.tap.of(accountId, NAMESPACE.accountKeys).at(-1)!.payload
  const seized = await lootOf(scene.crypto, bob.store)
  scene.time.advance(FORGOTTEN_MS)
  await scene.sync(bob)
  await alice.client.send(accountId, 'to the second key')
  const opens = (text: string) => openedBy(scene, bob, seized, text)
  shown = 'old by one'
  for (let i = 0; i < ROUNDS; i++) {
    scene.time.advance(FORGOTTEN_MS)
    await scene.sync(bob)
    await alice.client.send(accountId, 'while one node lies')
  }
  const oneLiar = gained(opens('while one node lies'), ROUNDS, 'open')
  shown = 'old'
  scene.time.advance(FORGOTTEN_MS)
  const { state } = await alice.client.send(accountId, 'while all nodes lie')
  const keys = verifyAccountKeyRecord(scene.crypto, accountId, first)
  const sender = scene.accountOf(alice)
  const recipient = prepareRecipient(scene.crypto, accountId, keys)
  const content = new Uint8Array(0)
  const plain = sealMessageV2(scene.crypto, scene.random, { sender, recipient, content })
  const message = { account: accountId, namespace: NAMESPACE.messages, payload: plain, atMs: 0 }
  const read = readWith(scene.crypto, scene.accountOf(bob), seized, [message])
  return {
    replayed: { ...gained(opens('while all nodes lie'), 1, 'open'), figure: `the message is ${state}` },
    replayedPlain: gained(read.length, 1, 'open'),
    oneLiar,
  }
}

async function removed(scene: Scene): Promise<Record<'removed' | 'removedAllowed', Finding>> {
  let isHidden = false
  const lie = showing(() => (isHidden ? [] : undefined))
  const [alice, bob] = [await scene.create('Alice', { lie }), await scene.create('Bob')]
  await alice.client.send(bob.client.accountId, 'with forward secrecy')
  scene.time.advance(FORGOTTEN_MS)
  isHidden = true
  const { state } = await alice.client.send(bob.client.accountId, 'held')
  const password: Loot = new Set([encodeHex(scene.accountOf(bob).seed.expose())])
  const held = openedBy(scene, bob, password, 'held')
  await alice.client.changeSettings({ downgradePolicy: 'allow' })
  await alice.client.sync()
  await alice.client.send(bob.client.accountId, 'allowed')
  return {
    removed: { ...gained(held, 1, 'open'), figure: `the message is ${state}` },
    removedAllowed: gained(openedBy(scene, bob, password, 'allowed'), 1, 'open'),
  }
}

async function overwritten(scene: Scene): Promise<Record<'overwritten' | 'uponAlarm' | 'afterRotation', Finding>> {
  const [alice, bob] = [await scene.create('Alice'), await scene.create('Bob')]
  const { accountId } = bob.client
  const write = async (text: string) => {
    scene.time.advance(HOUR_MS)
    await scene.openConversation(alice, accountId)
    await alice.client.send(accountId, text)
  }
  await write('before')
  scene.time.advance(MINUTE_MS)
  const impostor = new Impostor(scene, scene.accountOf(bob))
  await impostor.publish()
  await write('overwritten')
  const loot = new Set([encodeHex(impostor.accountKey.seed.expose())])
  const read = openedBy(scene, bob, loot, 'overwritten')
  await scene.sync(bob, bob, bob)
  const isSenderTold = (await scene.told(alice)).includes('recipient_keys_unproven')
  const isOwnerTold = (await scene.told(bob)).includes('account_keys_alarm')
  await write('upon the alarm')
  const uponAlarm = gained(openedBy(scene, bob, loot, 'upon the alarm'), 1, 'open')
  await scene.live(DAY_MS, HOUR_MS, async () => scene.sync(bob))
  await write('after the rotation')
  return {
    overwritten: {
      ends: read > 0 && isSenderTold && isOwnerTold ? 'is told' : read > 0 ? 'succeeds' : 'fails',
      figure: `${read} of 1 open; the sender is told: ${isSenderTold}, the owner: ${isOwnerTold}`,
    },
    uponAlarm,
    afterRotation: gained(openedBy(scene, bob, loot, 'after the rotation'), 1, 'open'),
  }
}

async function displaced(scene: Scene): Promise<Finding> {
  const [alice, bob] = [await scene.create('Alice'), await scene.create('Bob')]
  const { accountId } = bob.client
  await alice.client.send(accountId, 'before')
  scene.time.advance(HOUR_MS)
  const impostor = new Impostor(scene, scene.accountOf(bob))
  await impostor.tellGroup((await impostor.newestGroup()).groupId, new Map())
  await impostor.publish()
  await scene.live(2 * DAY_MS, 8 * HOUR_MS, async () => {
    await scene.sync(bob)
    await scene.openConversation(alice, accountId)
    await alice.client.send(accountId, 'meanwhile')
  })
  const read = openedBy(scene, bob, new Set([encodeHex(impostor.accountKey.seed.expose())]), 'meanwhile')
  const isSenderTold = (await scene.told(alice)).includes('recipient_keys_unproven')
  const { membership } = bob.client.devices.view()
  const isTold = isSenderTold && membership === 'Displaced'
  return {
    ends: read > 0 ? (isTold ? 'is told' : 'succeeds') : 'fails',
    figure: `${read} of 6 open; the owner’s device is ${membership}`,
  }
}

async function firstContact(scene: Scene): Promise<Finding> {
  const [alice, bob] = [await scene.create('Alice'), await scene.create('Bob')]
  scene.time.advance(HOUR_MS)
  const impostor = new Impostor(scene, scene.accountOf(bob))
  await impostor.publish()
  await alice.client.send(bob.client.accountId, 'the first one')
  const read = openedBy(scene, bob, new Set([encodeHex(impostor.accountKey.seed.expose())]), 'the first one')
  await scene.sync(bob, bob)
  const isTold = (await scene.told(bob)).includes('account_keys_alarm')
  return { ends: read > 0 && isTold ? 'is told' : read > 0 ? 'succeeds' : 'fails', figure: `${read} of 1 open` }
}

/** How many recorded messages with this text these seeds open. */
function openedBy(scene: Scene, recipient: Device, loot: Loot, text: string): number {
  const inbox = scene.tap.of(recipient.client.accountId, NAMESPACE.messages)
  return readWith(scene.crypto, scene.accountOf(recipient), loot, inbox).filter(({ body }) => body === text).length
}
