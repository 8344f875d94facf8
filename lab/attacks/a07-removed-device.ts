/** A07: a device is removed and reads on. */
import { attack, type Finding } from '../adversary/attack.ts'
import type { Device } from '../adversary/device.ts'
import { hunt } from '../adversary/key-hunt.ts'
import { lootOf } from '../adversary/loot.ts'
import type { Scene } from '../adversary/scene.ts'
import { HOUR_MS } from '../adversary/simulated-time.ts'
import { showing } from '../adversary/tap.ts'

const STEP_MS = 2 * HOUR_MS
const WATCHED_MS = 54 * HOUR_MS
/** How long a sender uses what it remembers: without looking again, then with looking but without an answer. */
const FRESH_MS = 24 * HOUR_MS
const USABLE_MS = 48 * HOUR_MS

export const a07RemovedDevice = attack({
  id: 'A07',
  title: 'A removed device reads on',
  claim:
    'A removed device learns no new account key. What senders seal to the key that they remember it still reads: for an hour from those who open the conversation, for a day from those who do not, for two days where nobody answers their look-ups.',
  adversary: [
    'was a device of the group; keeps its store as it was when it was removed, and the recovery password',
    'goes on fetching everything that the account’s swarm is given, with the recovery password',
  ],
  attempts: {
    opener: {
      tries: 'reads what a sender writes who opens the conversation, an hour or more after the sender last looked for keys',
      rules: 'ours',
      ends: 'fails',
      because: 'opening it looks the keys up again',
    },
    writer: {
      tries: 'reads what a sender writes who just keeps writing',
      rules: 'ours',
      ends: 'succeeds',
      because: 'remembered keys are used without looking for 24 hours',
    },
    writerLater: {
      tries: 'reads what that sender writes after 26 hours',
      rules: 'ours',
      ends: 'fails',
      because: 'after 24 hours keys are looked up while the old ones are still used, once',
    },
    deaf: {
      tries: 'has nobody answer the look-ups of a sender, and reads what it writes in the second day',
      rules: 'ours',
      ends: 'succeeds',
      because: 'keys that were looked for in vain are used for 48 hours',
    },
    deafLater: {
      tries: 'reads what that sender writes after 48 hours',
      rules: 'ours',
      ends: 'fails',
      because: 'then a message waits for an answer',
    },
    groups: {
      tries: 'opens the group messages that are sent after its removal',
      rules: 'ours',
      ends: 'fails',
      because: 'they have no slot for it, and the account key was rotated in the same step',
    },
    notices: {
      tries: 'goes on with the real client as if nothing had happened',
      rules: 'ours',
      ends: 'is told',
      because: 'the group message announces the removal, and the device says so and stops',
    },
  },
  run: async scene => {
    let isDeaf = false
    const lie = showing(() => {
      if (isDeaf) throw new Error('nobody answers')
      return undefined
    })
    const alice = await scene.create('Alice')
    const removed = await scene.linked(alice)
    const [opener, writer, deaf] = [
      await scene.create('Opener'),
      await scene.create('Writer'),
      await scene.create('Deaf', { lie }),
    ]
    const { accountId } = alice.client
    for (const { client } of [opener, writer, deaf]) await client.send(accountId, 'before')
    await scene.sync(alice, removed)
    const removedAtMs = scene.time.nowMs()
    const kept = await removed.store.copy()
    await alice.client.devices.remove(removed.client.account().deviceId)
    await scene.sync(alice, removed)
    isDeaf = true
    await scene.live(WATCHED_MS, STEP_MS, async () => {
      await scene.openConversation(opener, accountId)
      await opener.client.send(accountId, 'opener')
      await writer.client.send(accountId, 'writer')
      await deaf.client.send(accountId, 'deaf')
      await scene.sync(alice)
    })
    const account = scene.accountOf(alice)
    const loot = await lootOf(scene.crypto, kept)
    const haul = hunt(scene.crypto, account, scene.tap, loot)
    const after = haul.messages.filter(({ atMs }) => atMs > removedAtMs)
    const by = (name: string, fromMs = 0): Finding => {
      const read = after.filter(({ body, atMs }) => body === name && atMs - removedAtMs > fromMs)
      const lastMs = Math.max(0, ...read.map(({ atMs }) => atMs - removedAtMs))
      const figure =
        read.length === 0 ? 'none opens' : `${read.length} open, the last one after ${Math.round(lastMs / HOUR_MS)} h`
      return { ends: read.length > 0 ? 'succeeds' : 'fails', figure }
    }
    return {
      opener: by('opener'),
      writer: by('writer'),
      writerLater: by('writer', FRESH_MS + STEP_MS),
      deaf: by('deaf', FRESH_MS + STEP_MS),
      deafLater: by('deaf', USABLE_MS),
      groups: groupsAfter(scene, alice, loot, removedAtMs),
      notices: await notices(scene, removed),
    }
  },
})

/** Whether any group message opens that was sent after the removal. */
function groupsAfter(scene: Scene, alice: Device, loot: ReadonlySet<string>, removedAtMs: number): Finding {
  const account = scene.accountOf(alice)
  const before = new Set(scene.tap.recorded.filter(({ atMs }) => atMs <= removedAtMs))
  const late = { of: (...of: Parameters<typeof scene.tap.of>) => scene.tap.of(...of).filter(message => !before.has(message)) }
  const { groupMessages } = hunt(scene.crypto, account, late, loot)
  return { ends: groupMessages > 0 ? 'succeeds' : 'fails', figure: `${groupMessages} open` }
}

async function notices(scene: Scene, removed: Device): Promise<Finding> {
  const { membership } = removed.client.devices.view()
  const isTold = membership === 'Removed' && (await scene.told(removed)).includes('membership_changed')
  return { ends: isTold ? 'is told' : 'succeeds', figure: `it says ${membership}` }
}
