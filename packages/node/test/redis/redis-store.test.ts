import { afterAll, beforeAll, describe } from 'vitest'
import { ManualClock } from '../manual-clock.ts'
import { messageStoreContract } from '../message-store-contract.ts'
import { hasRedis, type RedisCluster, startCluster } from './redis-cluster.ts'
import { newPrefix, openFrontEnd } from './redis-front-ends.ts'

describe.skipIf(!hasRedis)('on a cluster of Redis (NODE-141; needs redis-server)', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster(3, 0)
  })
  afterAll(() => cluster?.close())

  messageStoreContract('Redis', async () => {
    // The engine's own clock runs on: what expires by itself must not have done so before the test begins.
    const clock = new ManualClock()
    clock.ms = Math.max(clock.ms, Date.now())
    const store = await openFrontEnd(cluster, clock, newPrefix())
    const advance = async (ms: number) => {
      clock.ms += ms
    }
    return { store, nowMs: () => clock.ms, advance, close: () => store.close() }
  })
})
