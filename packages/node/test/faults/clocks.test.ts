/** One member's clock is an hour ahead, or behind; some of its clients follow it, as those do that take the time from the nodes they ask. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FaultSwarm, serves } from './fault-swarm.ts'
import { Load } from './load.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
let swarm: FaultSwarm
let load: Load

beforeAll(async () => {
  swarm = await FaultSwarm.start({ members: 3 })
}, 120_000)
afterAll(async () => {
  load?.close()
  await swarm?.close()
})

async function restartAll(clockOffsetMs: number): Promise<void> {
  await Promise.all(swarm.members.map(member => member.stop()))
  await Promise.all(swarm.members.map(member => member.start({ clockOffsetMs })))
  await Promise.all(swarm.members.map(serves))
}

/** Clients of the right time at the others, and such that follow its clock at the member that is off. */
async function loadWith(clockOffsetMs: number): Promise<void> {
  const off = swarm.members[0]!
  await load.run({ messages: 200, urls: () => swarm.urls })
  await off.stop()
  await off.start({ clockOffsetMs })
  await serves(off)
  const shares = { deleted: 40, changed: 40 }
  await Promise.all([
    load.run({ ...shares, messages: 1_000, urls: () => swarm.urls.slice(1) }),
    load.run({ ...shares, messages: 500, urls: () => [off.url], clockOffsetMs }),
  ])
  expect(await off.metric('compared_total')).toBe(0)
  await off.stop()
  await off.start()
}

describe('a member whose clock is off (NODE-41, NODE-94)', () => {
  it('by an hour behind loses nothing once it is right again', { timeout: 600_000 }, async () => {
    load = await Load.of(20)
    await loadWith(-HOUR_MS)
    await load.ledger.settles('a clock an hour behind', () => swarm.urls)
  })
  it('by an hour ahead loses nothing once the others have come to its time', { timeout: 600_000 }, async () => {
    load.close()
    load = await Load.of(20)
    await loadWith(HOUR_MS)
    // An hour goes by.
    const laterMs = HOUR_MS + 2 * MINUTE_MS
    await restartAll(laterMs)
    load.ledger.clockOffsetMs = laterMs
    await load.ledger.settles('a clock an hour ahead', () => swarm.urls)
  })
})
