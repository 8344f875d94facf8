/** Two members of six are cut off from the others, in both ways in which networks fail, and clients of both sides go on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FaultSwarm } from './fault-swarm.ts'
import type { Kept } from './ledger.ts'
import type { Cut } from './lines.ts'
import { Load } from './load.ts'

let swarm: FaultSwarm
let load: Load

beforeAll(async () => {
  swarm = await FaultSwarm.start({ members: 6, lines: true })
  load = await Load.of(30)
}, 120_000)
afterAll(async () => {
  load?.close()
  await swarm?.close()
})

describe('two members that are cut off from the rest (NODE-90, NODE-95)', () => {
  it('hold what the others hold once the lines are mended, and the others what they hold', { timeout: 600_000 }, async () => {
    const [here, there] = [swarm.urls.slice(0, 4), swarm.urls.slice(4)]
    const at = (urls: readonly string[]) => ({ messages: 0, urls: () => urls })
    const both = async (kind: Cut, messages: number) => {
      swarm.lines.cut(
        [
          [0, 1, 2, 3],
          [4, 5],
        ],
        kind,
      )
      const shares = { messages, deleted: Math.floor(messages / 10), changed: Math.floor(messages / 10) }
      await Promise.all([load.run({ ...shares, urls: () => here }), load.run({ ...shares, urls: () => there })])
    }
    await load.run({ messages: 200, urls: () => swarm.urls })
    const before = load.ledger.kept()
    // A member that does not answer costs every request five seconds, one that refuses nothing.
    await both('silent', 20)
    await both('refused', 900)
    const [deleted, expired, again] = [0, 1, 2].map(part => before.filter((_, i) => i % 5 === part)) as [Kept[], Kept[], Kept[]]
    for (const message of [...deleted, ...expired, ...again]) await load.delete(message, at(here))
    // On the other side nobody knows of the deletion: an expiry that is set there does not undo it, a store does.
    for (const message of expired) await load.expire(message, at(there))
    for (const message of again) await load.storeAgain(message, at(there))
    const apart = await Promise.all(swarm.members.map(member => member.metric('deliveries_queued_total')))
    for (const queued of apart) expect(queued).toBeGreaterThan(0)
    swarm.lines.mend()
    await load.ledger.settles('two members cut off from four', () => swarm.urls)
  })
})
