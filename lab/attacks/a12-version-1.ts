/** A12: version 1, for comparison. */
import { encodeHex } from '@session-v2/encoding'
import { NAMESPACE } from '@session-v2/network'
import { encodeContent, sealMessageV1, textContent } from '@session-v2/protocol'
import { attack, gained } from '../adversary/attack.ts'
import { hunt } from '../adversary/key-hunt.ts'
import { DAY_MS } from '../adversary/simulated-time.ts'

const DAYS = 30

export const a12Version1 = attack({
  id: 'A12',
  title: 'Version 1, for comparison',
  claim:
    'Messages of version 1 are read by whoever learns the recovery password at any later time, all of them. They are received and shown as what they are; none is written.',
  adversary: ['has recorded everything that the swarm was ever given', 'learns the recovery password at the end'],
  attempts: {
    version1: {
      tries: 'opens a month of messages of version 1',
      rules: 'plain',
      ends: 'succeeds',
      because: 'they are sealed to the account’s one key, which never changes',
    },
    version2: {
      tries: 'opens the messages of version 2 that the same sender sent on the same days',
      rules: 'ours',
      ends: 'fails',
      because: 'each is sealed to a key that was in use for half a day and is derived from nothing',
    },
    unmarked: {
      tries: 'has a message of version 1 taken for one with forward secrecy',
      rules: 'ours',
      ends: 'fails',
      because: 'the receiving device shows which version a message has',
    },
  },
  run: async scene => {
    const [alice, bob] = [await scene.create('Alice'), await scene.create('Bob')]
    const sender = scene.accountOf(bob)
    const recipient = alice.client.accountId
    await scene.live(DAYS * DAY_MS, DAY_MS, async () => {
      const timestampMs = scene.time.nowMs()
      const text = textContent({ body: 'version 1', sentAtMs: timestampMs, messageId: scene.random.bytes(8) })
      const message = { sender, recipient, content: encodeContent(text), timestampMs }
      await scene.store(recipient, sealMessageV1(scene.crypto, scene.random, message), NAMESPACE.messages)
      await bob.client.send(recipient, 'version 2')
      await scene.sync(alice)
    })
    const account = scene.accountOf(alice)
    const { messages } = hunt(scene.crypto, account, scene.tap, new Set([encodeHex(account.seed.expose())]))
    const read = (name: string) => messages.filter(({ body }) => body === name).length
    const shown = await alice.client.messages({ limit: 2 * DAYS })
    const unmarked = shown.filter(({ body, protocol, pfs }) => body === 'version 1' && (protocol !== 'v1' || pfs))
    return {
      version1: gained(read('version 1'), DAYS, 'open'),
      version2: gained(read('version 2'), DAYS, 'open'),
      unmarked: gained(unmarked.length, shown.filter(({ body }) => body === 'version 1').length, 'are not marked'),
    }
  },
})
