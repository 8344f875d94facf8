/** A01: everything is recorded today, and X25519 is broken years later. */
import { mlKem768Decapsulate } from '@session-v2/crypto'
import { concatBytes, decodeHex } from '@session-v2/encoding'
import { NAMESPACE } from '@session-v2/network'
import {
  accountFromSeed,
  accountKeyFromSeed,
  accountX25519,
  expandKeyPair,
  generateSeed,
  messageKindAt21,
  verifyAccountKeyRecord,
} from '@session-v2/protocol'
import { attack, gained } from '../adversary/attack.ts'
import { groupEnvelopeOf, linkedRecord, opensGroup } from '../adversary/broken-group.ts'
import {
  BrokenX25519,
  envelopeOf,
  openWithAccount,
  openWithBoth,
  recordedRandom,
  unmaskedIndicator,
  type V2Envelope,
} from '../adversary/broken-x25519.ts'
import type { Device } from '../adversary/device.ts'
import { deviceKeySeeds, lootOf } from '../adversary/loot.ts'
import type { Scene } from '../adversary/scene.ts'

const MESSAGES = 8

export const a01HarvestNow = attack({
  id: 'A01',
  title: 'Harvest now, break X25519 later',
  claim:
    'A message with forward secrecy stays closed when X25519 is broken: its key is made of an ML-KEM-768 secret as well. Which messages were sealed to the same account key, and what a device says when it asks to be linked, is protected by X25519 alone.',
  adversary: [
    'has recorded everything that the swarm was ever given',
    'computes every secret that X25519 was to protect: it is handed the ephemeral secret key of each message, by a recorded random stream',
    'knows no ML-KEM-768 secret',
  ],
  attempts: {
    pfs: {
      tries: 'opens messages with forward secrecy by the two X25519 secrets, with an empty, a guessed and no ML-KEM secret',
      rules: 'ours',
      ends: 'fails',
      because: 'the ML-KEM-768 secret goes into the same hash',
    },
    both: {
      tries: 'opens them with the ML-KEM-768 secrets as well, as if both were broken',
      rules: 'ours',
      ends: 'succeeds',
      because: 'then nothing is left; it shows that the attempt above lacks nothing else',
    },
    withoutPfs: {
      tries: 'opens a message to an account that had published no keys',
      rules: 'ours',
      ends: 'succeeds',
      because: 'without published keys there is X25519 alone; such messages are marked on both sides',
    },
    indicator: {
      tries: 'learns which messages were sealed to the same account key',
      rules: 'ours',
      ends: 'succeeds',
      because: 'the key indicator is masked by X25519 alone',
    },
    request: {
      tries: 'opens the link request of a device',
      rules: 'ours',
      ends: 'succeeds',
      because: 'it is sealed by X25519 alone, and says what the device is called and which public keys it has',
    },
    groups: {
      tries: 'opens group messages with the public keys of that device, with an empty and a guessed ML-KEM secret',
      rules: 'ours',
      ends: 'fails',
      because: 'each slot takes the ML-KEM-768 key of its device too',
    },
    groupsBoth: {
      tries: 'opens them with its ML-KEM-768 key as well',
      rules: 'ours',
      ends: 'succeeds',
      because: 'it shows that the attempt above lacks nothing else',
    },
  },
  run: async scene => {
    const draws: Uint8Array[] = []
    const sender = await scene.create('Sender', { random: recordedRandom(draws) })
    const alice = await scene.create('Alice', { random: recordedRandom(draws) })
    const second = await scene.linked(alice, { random: recordedRandom(draws) })
    for (let i = 0; i < MESSAGES; i++) await sender.client.send(alice.client.accountId, `message ${i}`)
    const stranger = accountFromSeed(scene.crypto, generateSeed(scene.random, 13))
    await sender.client.send(stranger.id, 'without forward secrecy')
    const broken = new BrokenX25519(scene.crypto, draws)
    const messages = scene.tap.of(alice.client.accountId, NAMESPACE.messages).map(({ payload }) => envelopeOf(payload))
    const [weak] = scene.tap.of(stranger.id, NAMESPACE.messages)
    const opened = weak && withoutForwardSecrecy(scene, broken, envelopeOf(weak.payload), accountX25519(stranger.id))
    return {
      pfs: gained(messages.filter(message => byX25519Alone(scene, broken, message, alice)).length, MESSAGES, 'open'),
      both: gained(await byBoth(scene, broken, messages, alice), MESSAGES, 'open'),
      withoutPfs: gained(opened === undefined ? 0 : 1, 1, 'open'),
      indicator: gained(sameKey(scene, broken, messages, alice), MESSAGES, 'are known to have one key'),
      ...(await groupsOf(scene, broken, second)),
    }
  },
})

/** Whether any secret that X25519 gives, alone or with what can be had without ML-KEM's secret key, opens the message. */
function byX25519Alone({ crypto, random, tap }: Scene, broken: BrokenX25519, message: V2Envelope, { client }: Device): boolean {
  const [record] = tap.of(client.accountId, NAMESPACE.accountKeys)
  const published = verifyAccountKeyRecord(crypto, client.accountId, record!.payload)
  const account = accountX25519(client.accountId)
  const toPublished = broken.shared(message.ephemeral, published.x25519)!
  const toAccount = broken.shared(message.ephemeral, account)!
  const guesses = [new Uint8Array(0), new Uint8Array(32), random.bytes(32), toPublished, message.ciphertext.subarray(0, 32)]
  const asPfs = guesses.map(mlKem768 => openWithBoth(crypto, message, published.x25519, { x25519: toPublished, mlKem768 }))
  const asNoPfs = [toAccount, toPublished, concatBytes(toAccount, toPublished)].map(shared =>
    openWithAccount(crypto, message, account, shared),
  )
  return [...asPfs, ...asNoPfs].some(plaintext => plaintext !== undefined)
}

/** How many open when ML-KEM-768 is broken as well: the adversary is given the account's keys and uses their ML-KEM halves only. */
async function byBoth({ crypto }: Scene, broken: BrokenX25519, messages: readonly V2Envelope[], alice: Device): Promise<number> {
  const keys = [...(await lootOf(crypto, alice.store))].map(seed => accountKeyFromSeed(crypto, decodeHex(seed), 0))
  const opens = (message: V2Envelope) =>
    keys.some(({ mlKem768, x25519 }) => {
      const shared = broken.shared(message.ephemeral, x25519.publicKey)!
      const secrets = { x25519: shared, mlKem768: mlKem768Decapsulate(crypto, mlKem768.secretKey, message.ciphertext) }
      return openWithBoth(crypto, message, x25519.publicKey, secrets) !== undefined
    })
  return messages.filter(opens).length
}

function withoutForwardSecrecy({ crypto }: Scene, broken: BrokenX25519, message: V2Envelope, account: Uint8Array) {
  return openWithAccount(crypto, message, account, broken.shared(message.ephemeral, account)!)
}

/** How many messages show the same key as the first one. */
function sameKey({ crypto }: Scene, broken: BrokenX25519, messages: readonly V2Envelope[], { client }: Device): number {
  const account = accountX25519(client.accountId)
  const shown = messages.map(each => unmaskedIndicator(crypto, each, account, broken.shared(each.ephemeral, account)!))
  return shown.filter(indicator => indicator === shown[0]).length
}

/** What a device says when it asks, and whether what it is told then opens. */
async function groupsOf({ crypto, random, tap }: Scene, broken: BrokenX25519, second: Device) {
  const at21 = tap.of(second.client.accountId, NAMESPACE.devices).map(({ payload }) => payload)
  const groups = at21.filter(payload => messageKindAt21(payload) === 'group').map(groupEnvelopeOf)
  const requests = at21.filter(payload => messageKindAt21(payload) === 'link')
  const linkKeys = groups.map(({ linkKey }) => linkKey)
  const records = requests.flatMap(request => linkedRecord(crypto, broken, request, linkKeys) ?? [])
  const guesses = [new Uint8Array(0), new Uint8Array(32), random.bytes(32)]
  const opened = records.flatMap(record => groups.filter(group => opensGroup(crypto, broken, group, record, () => guesses)))
  const pairs = (await deviceKeySeeds(crypto, second.store)).map(seed =>
    expandKeyPair(crypto, 'SessionDeviceKeys', decodeHex(seed)),
  )
  const secretsOf = (ciphertext: Uint8Array) =>
    pairs.map(({ mlKem768 }) => mlKem768Decapsulate(crypto, mlKem768.secretKey, ciphertext))
  const openedByBoth = records.flatMap(record => groups.filter(group => opensGroup(crypto, broken, group, record, secretsOf)))
  return {
    request: gained(records.length, requests.length, 'open'),
    groups: gained(opened.length, groups.length, 'open'),
    groupsBoth: gained(openedByBoth.length, groups.length, 'open'),
  }
}
