import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WRITE_MAX_MS } from '../../src/store/redis/account-writes.ts'
import type { MessageStore } from '../../src/store/store.ts'
import { ManualClock } from '../manual-clock.ts'
import { account, asked, message, minute } from '../message-store-contract-parts.ts'
import { hasRedis, type RedisCluster, startCluster, until } from './redis-cluster.ts'
import { newPrefix, openFrontEnd } from './redis-front-ends.ts'

const ACCOUNTS = 40
const WRITERS = 6
/** Acknowledged before the master dies, and again once another has its place. */
const ENOUGH = 400

describe.skipIf(!hasRedis)('a master that dies (NODE-144; needs redis-server)', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster(3, 1)
  })
  afterAll(() => cluster?.close())

  it('takes no message with it that was acknowledged', async () => {
    const clock = new ManualClock()
    clock.ms = Math.max(clock.ms, Date.now())
    const prefix = newPrefix()
    const stores = [await openFrontEnd(cluster, clock, prefix, 1), await openFrontEnd(cluster, clock, prefix, 1)]
    const acknowledged: { n: number; hash: string }[] = []
    const refusals: string[] = []
    let isDone = false
    const writer = async (store: MessageStore, name: string) => {
      for (let i = 0; !isDone; i++) {
        const n = i % ACCOUNTS
        const one = message(clock.ms, `${name}x${i}.`, { account: account(n) })
        try {
          await store.store(one, false, asked(clock.ms))
          acknowledged.push({ n, hash: one.hash })
        } catch (error) {
          refusals.push((error as { code: string }).code)
        }
      }
    }
    const writers = stores.flatMap((store, s) => Array.from({ length: WRITERS }, (_, w) => writer(store, `s${s}w${w}`)))
    await until(async () => acknowledged.length >= ENOUGH)
    cluster.masters[0]!.process.kill('SIGKILL')
    const heir = cluster.replicas[0]!.client
    await until(async () => (await heir.info('replication')).includes('role:master'))
    await until(async () => (await heir.cluster('INFO')).includes('cluster_state:ok'))
    await cluster.restart(cluster.masters[0]!)
    await until(async () => (await heir.info('replication')).includes('state=online'))
    const before = acknowledged.length
    await until(async () => acknowledged.length >= before + ENOUGH)
    isDone = true
    await Promise.all(writers)

    const survivor = await openFrontEnd(cluster, clock, prefix)
    const names = acknowledged.map(({ n, hash }) => ({ account: account(n), namespace: 0, hash }))
    const held = await survivor.heldVersions(names)
    const found = held.filter(version => version !== undefined).length
    console.log(`acknowledged ${names.length}, found ${found}, lost ${names.length - found}; refused ${refusals.length}`)
    expect(found).toBe(names.length)
    expect(refusals.filter(code => code !== 'store-failed')).toEqual([])
    await Promise.all(stores.map(store => store.close()))
    clock.ms += WRITE_MAX_MS
    await survivor.sweep()
    const range = { from: minute(clock.ms), to: minute(clock.ms) + 120 }
    const listed = new Set((await survivor.versions(range, 1_000_000)).map(({ hash }) => hash))
    expect(acknowledged.filter(({ hash }) => !listed.has(hash))).toEqual([])
    await survivor.close()
  })
})
