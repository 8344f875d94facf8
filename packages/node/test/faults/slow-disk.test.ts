/**
 * One member is far too slow, as with a disk that takes seconds for each write. Tests may not slow a disk down, so the process is held still
 * again and again: for a moment, and for longer than the others wait for it. It keeps its port and its connections, and what was sent
 * to it waits in them.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FaultSwarm } from './fault-swarm.ts'
import { Load } from './load.ts'

/** How long it is held still again and again, and how long it runs in between. */
const STILL_MS = 150
const RUNNING_MS = 150
/** Once each time so many stores were acknowledged: longer than the others wait. */
const STILL_LONG_MS = 7_000
const LONG_EVERY = 200
let swarm: FaultSwarm
let load: Load

beforeAll(async () => {
  swarm = await FaultSwarm.start({ members: 4 })
  load = await Load.of(30)
}, 120_000)
afterAll(async () => {
  load?.close()
  await swarm?.close()
})

const passed = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

describe('a member that is slow (NODE-33, NODE-43, NODE-95)', () => {
  it('loses nothing, and brings nothing back that was deleted meanwhile', { timeout: 600_000 }, async () => {
    const slow = swarm.members[3]!
    let isLoaded = false
    const hold = async (): Promise<void> => {
      for (let longAt = LONG_EVERY; !isLoaded; ) {
        const isLong = load.acknowledged >= longAt
        if (isLong) longAt += LONG_EVERY
        slow.pause()
        await passed(isLong ? STILL_LONG_MS : STILL_MS)
        slow.resume()
        await passed(RUNNING_MS)
      }
    }
    const others = swarm.urls.slice(0, 3)
    const holding = hold()
    try {
      await load.run({ messages: 400, deleted: 250, changed: 100, urls: () => others })
    } finally {
      isLoaded = true
      await holding
    }
    expect(await swarm.members[0]!.metric('deliveries_queued_total')).toBeGreaterThan(0)
    await load.ledger.settles('a slow member', () => swarm.urls)
  })
})
