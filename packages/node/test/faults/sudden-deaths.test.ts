/** Members of a swarm of real processes that die, or are away, while clients go on. */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { FaultSwarm, serves } from './fault-swarm.ts'
import { Load } from './load.ts'

const MEMBERS = 6
/** `npm run faults` does it with 10,000. */
const STORES = Number(process.env.FAULT_STORES ?? 2_500)
let swarm: FaultSwarm
let load: Load

beforeAll(async () => {
  swarm = await FaultSwarm.start({ members: MEMBERS })
}, 120_000)
afterAll(async () => {
  load?.close()
  await swarm?.close()
})

describe('a swarm of six processes (NODE-21, NODE-89, NODE-95)', () => {
  it(`loses nothing when each member in turn gets SIGKILL during ${STORES} stores`, { timeout: 1_800_000 }, async () => {
    load = await Load.of(60)
    const share = Math.floor(STORES / 20)
    const deaths = swarm.members.map((_, i) => Math.floor(((i + 1) * STORES) / (MEMBERS + 1)))
    let dying = Promise.resolve()
    const progress = (acknowledged: number): void => {
      if (acknowledged < (deaths[0] ?? Number.POSITIVE_INFINITY)) return
      deaths.shift()
      const victim = swarm.members[MEMBERS - 1 - deaths.length]!
      dying = dying.then(async () => {
        await victim.kill()
        await victim.start()
        await serves(victim)
      })
    }
    await load.run({ messages: STORES, deleted: share, changed: share, urls: () => swarm.urls, progress })
    await dying
    await load.ledger.settles('SIGKILL of each member', () => swarm.urls)
  })

  it('gives a member that was down during the whole load what it missed', { timeout: 600_000 }, async () => {
    load.close()
    load = await Load.of(30)
    const away = swarm.members[2]!
    const others = swarm.urls.filter(url => url !== away.url)
    await load.run({ messages: 300, urls: () => swarm.urls })
    await away.stop()
    await load.run({ messages: 1_500, deleted: 150, changed: 150, urls: () => others })
    await away.start()
    await load.ledger.settles('a member down for the whole load', () => swarm.urls)
  })
})
