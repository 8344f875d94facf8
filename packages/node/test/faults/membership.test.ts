/** The list of nodes changes while clients go on: a member comes, one goes, a whole swarm is dissolved. */
import { afterEach, describe, expect, it } from 'vitest'
import { FaultSwarm, serves, swarmId } from './fault-swarm.ts'
import { Load } from './load.ts'

const ALONE = swarmId(0, 1)
let swarm: FaultSwarm
let load: Load

afterEach(async () => {
  load?.close()
  await swarm?.close()
})

describe('another list of nodes during the load (NODE-96, NODE-97)', () => {
  it('with a new member: it comes to hold everything', { timeout: 600_000 }, async () => {
    swarm = await FaultSwarm.start({ members: 3 })
    load = await Load.of(30)
    const [one, two, three] = swarm.urls
    let joined: Promise<void> | undefined
    const join = async (): Promise<void> => {
      const joiner = await swarm.create()
      await swarm.place(() => ALONE)
      await joiner.start()
      await serves(joiner)
    }
    const progress = (acknowledged: number): void => {
      if (acknowledged >= 800) joined ??= join()
    }
    await load.run({ messages: 2_000, deleted: 200, changed: 200, urls: () => [one!, two!, three!], progress })
    await joined
    await load.ledger.settles('a joining member', () => swarm.urls)
  })

  it('without two of the members, one of them not listed any more: what they alone were given comes to the others', {
    timeout: 600_000,
  }, async () => {
    swarm = await FaultSwarm.start({ members: 5 })
    load = await Load.of(30)
    const leaving: Promise<void>[] = []
    const progress = (acknowledged: number): void => {
      if (acknowledged >= 600 && leaving.length === 0) leaving.push(swarm.place(i => (i === 4 ? undefined : ALONE)))
      if (acknowledged < 1_300 || leaving.length !== 1) return
      leaving.push(swarm.place(i => (i === 4 ? undefined : i === 3 ? 'unlisted' : ALONE)))
    }
    await load.run({ messages: 2_000, deleted: 200, changed: 200, urls: () => swarm.urls, progress })
    await Promise.all(leaving)
    await load.ledger.settles('two leaving members', () => swarm.urls.slice(0, 3))
    for (const leaver of swarm.members.slice(3)) expect(await leaver.stop()).toEqual({ code: 0, signal: null })
  })

  it('without one of two swarms: the other takes its accounts', { timeout: 600_000 }, async () => {
    swarm = await FaultSwarm.start({ members: 6, swarms: 2 })
    load = await Load.of(40)
    let dissolved: Promise<void> | undefined
    const dissolve = async (): Promise<void> => {
      await swarm.place(i => (i % 2 === 1 ? undefined : swarmId(0, 2)))
      // One of those that hand over dies over it.
      await swarm.members[1]!.kill()
      await swarm.members[1]!.start()
    }
    const progress = (acknowledged: number): void => {
      if (acknowledged >= 800) dissolved ??= dissolve()
    }
    await load.run({ messages: 2_000, deleted: 200, changed: 200, urls: () => swarm.urls, progress })
    await dissolved
    const heirs = swarm.urls.filter((_, i) => i % 2 === 0)
    await load.ledger.settles('a dissolved swarm', () => heirs)
  })
})
