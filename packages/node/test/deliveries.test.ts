import { buildDelete } from '@session-v2/network'
import { afterEach, describe, expect, it } from 'vitest'
import { DAY_MS, SwarmUnderTest } from './swarm-under-test.ts'

let swarm: SwarmUnderTest

afterEach(() => swarm.close())

async function missedBySecond() {
  swarm = await SwarmUnderTest.start(2)
  const [one, two] = swarm.members
  const owner = swarm.owner()
  swarm.cut(0, 1)
  await one!.put(owner, 'a')
  return { one: one!, two: two!, owner }
}

describe('a write that a member did not take (NODE-89, NODE-95)', () => {
  it('is sent again after 15 s, as of its own time', async () => {
    const { one, two, owner } = await missedBySecond()
    swarm.mend()
    await one.deliveries.send()
    expect(await two.texts(owner)).toEqual([])
    swarm.clock.ms += 15_000
    await one.deliveries.send()
    expect(await two.texts(owner)).toEqual(['a'])
    expect(await two.versions(owner)).toEqual(await one.versions(owner))
    expect(one.deliveries.counts).toEqual({ queued: 1, delivered: 1, dropped: 0 })
    swarm.clock.ms += 120_000
    await one.deliveries.send()
    expect(one.deliveries.counts.delivered).toBe(1)
  })
  it('is tried every minute for a day, and then given up', async () => {
    const { one, owner, two } = await missedBySecond()
    swarm.clock.ms += 15_000
    await one.deliveries.send()
    expect(one.deliveries.counts).toEqual({ queued: 1, delivered: 0, dropped: 0 })
    swarm.mend()
    swarm.clock.ms += 59_999
    await one.deliveries.send()
    expect(await two.texts(owner)).toEqual([])
    swarm.cut(0, 1)
    swarm.clock.ms += DAY_MS
    await one.deliveries.send()
    expect(one.deliveries.counts.dropped).toBe(1)
  })
  it('takes no effect where a later change is known', async () => {
    const { one, two, owner } = await missedBySecond()
    swarm.clock.ms += 5
    await two.put(owner, 'a')
    await two.ask(buildDelete(swarm.crypto, { signer: owner, hashes: [swarm.hashOf(owner, 'a')] }))
    swarm.mend()
    swarm.clock.ms += 15_000
    await one.deliveries.send()
    expect(await two.texts(owner)).toEqual([])
    await two.deliveries.send()
    expect(await one.texts(owner)).toEqual([])
  })
  it('is not sent again to a member that refuses it, nor to one that is none any more', async () => {
    const { one, two } = await missedBySecond()
    swarm.mend()
    two.swarms.replace([])
    swarm.clock.ms += 15_000
    await one.deliveries.send()
    expect(one.deliveries.counts.dropped).toBe(1)
    swarm.place(() => 1n)
    swarm.cut(0, 1)
    await one.put(swarm.owner(), 'b')
    swarm.place(i => BigInt(i + 1))
    swarm.mend()
    swarm.clock.ms += 15_000
    await one.deliveries.send()
    expect(one.deliveries.counts).toEqual({ queued: 2, delivered: 0, dropped: 2 })
  })
  it('of many, all arrive', async () => {
    const { one, two, owner } = await missedBySecond()
    for (let i = 0; i < 150; i++) await one.put(owner, `text ${i}`)
    swarm.mend()
    swarm.clock.ms += 15_000
    await one.deliveries.send()
    expect(await two.texts(owner)).toEqual(await one.texts(owner))
    expect(one.deliveries.counts.delivered).toBe(151)
  })
})
