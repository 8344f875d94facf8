/** A02: the recovery password is stolen later, by somebody who has recorded everything. */
import { encodeHex } from '@session-v2/encoding'
import { NAMESPACE } from '@session-v2/network'
import {
  accountFromSeed,
  deviceIdOf,
  generateSeed,
  openGroupMessage,
  recoveryPasswordOf,
  seedFromRecoveryPassword,
} from '@session-v2/protocol'
import { attack, gained } from '../adversary/attack.ts'
import { hunt } from '../adversary/key-hunt.ts'
import type { Scene } from '../adversary/scene.ts'
import { DAY_MS, HOUR_MS } from '../adversary/simulated-time.ts'

const WEAK = ['before the first keys', 'also before the first keys']
const STEP_MS = 12 * HOUR_MS
const LIVED_MS = 4 * DAY_MS

export const a02PasswordLater = attack({
  id: 'A02',
  title: 'The recovery password is stolen later',
  claim:
    'Whoever learns the recovery password opens none of the messages with forward secrecy that were sent before, however much they have recorded. Messages without forward secrecy they open, all of them.',
  adversary: [
    'has recorded everything that the swarm was ever given, in all namespaces',
    'knows the recovery password, so the account itself and every key that can be derived from it',
    'has no device of the account',
  ],
  attempts: {
    pfs: {
      tries: 'opens messages with forward secrecy, by every key it has in every role',
      rules: 'ours',
      ends: 'fails',
      because: 'account keys come from seeds that are random and derived from nothing',
    },
    groups: {
      tries: 'opens group messages, which carry those seeds',
      rules: 'ours',
      ends: 'fails',
      because: 'they are sealed to the keys of single devices, which never leave them',
    },
    restored: {
      tries: 'restores the account on a device of its own and reads what the swarm still holds',
      rules: 'ours',
      ends: 'fails',
      because: 'a restored device is in no group before a member lets it in',
    },
    weak: {
      tries: 'opens messages that were sent before the account had published keys',
      rules: 'ours',
      ends: 'succeeds',
      because: 'they are sealed to the account itself; both sides see them marked',
    },
    groupIds: {
      tries: 'learns which device groups there were and when they were founded',
      rules: 'ours',
      ends: 'succeeds',
      because: 'group IDs are encrypted by the recovery password alone',
    },
  },
  run: async scene => {
    const words = recoveryPasswordOf(generateSeed(scene.random, 13))
    const account = accountOfWords(scene, words)
    const bob = await scene.create('Bob')
    for (const text of WEAK) await bob.client.send(account.id, text)
    const alice = await scene.restore(words)
    await alice.client.devices.startGroup()
    await scene.sync(alice)
    const second = await scene.linked(alice)
    scene.time.advance(STEP_MS)
    await scene.live(LIVED_MS, STEP_MS, async () => {
      await bob.client.send(account.id, 'with forward secrecy')
      await scene.sync(alice, second)
    })
    const haul = hunt(scene.crypto, account, scene.tap, new Set([encodeHex(account.seed.expose())]))
    const strong = haul.sentAtMs.length - WEAK.length
    const thief = await scene.restore(words)
    await scene.sync(thief)
    const shown = await thief.client.messages()
    const groups = scene.tap.of(account.id, NAMESPACE.devices).map(({ payload }) => payload)
    const known = groups.filter(payload => {
      const opened = openGroupMessage(scene.crypto, account, deviceIdOf(new Uint8Array(32)), [], payload)
      return opened.outcome === 'not-for-us' && opened.facts.groupId !== undefined
    })
    return {
      pfs: gained(haul.messages.filter(({ pfs }) => pfs).length, strong, 'open'),
      groups: gained(haul.groupMessages, known.length, 'open'),
      restored: gained(shown.filter(({ pfs }) => pfs).length, strong, 'open'),
      weak: gained(haul.messages.filter(({ body }) => WEAK.includes(body)).length, WEAK.length, 'open'),
      groupIds: gained(known.length, known.length, 'messages name their group'),
    }
  },
})

function accountOfWords({ crypto }: Scene, words: string) {
  return accountFromSeed(crypto, seedFromRecoveryPassword(words))
}
