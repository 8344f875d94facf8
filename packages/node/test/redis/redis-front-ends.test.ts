import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DELIVERY_DELAY_MS, type ItemVersion, type MessageStore } from '../../src/store/store.ts'
import { ManualClock } from '../manual-clock.ts'
import {
  account,
  asked,
  bytes,
  expectSums,
  hashes,
  hashOf,
  itemsOf,
  late,
  message,
  minute,
  OUTBOX,
  times,
  versionOf,
} from '../message-store-contract-parts.ts'
import { hasRedis, type RedisCluster, startCluster } from './redis-cluster.ts'
import { newPrefix, openFrontEnd } from './redis-front-ends.ts'

let cluster: RedisCluster
let stores: [MessageStore, MessageStore]
let clock: ManualClock

const both = (body: () => Promise<void>) => async () => {
  clock = new ManualClock()
  clock.ms = Math.max(clock.ms, Date.now())
  const prefix = newPrefix()
  stores = [await openFrontEnd(cluster, clock, prefix), await openFrontEnd(cluster, clock, prefix)]
  try {
    await body()
  } finally {
    await Promise.all(stores.map(store => store.close()))
  }
}
const test = () => ({ store: stores[0], nowMs: () => clock.ms, advance: async () => {}, close: async () => {} })

describe.skipIf(!hasRedis)('two front ends on one cluster of Redis (NODE-140; needs redis-server)', () => {
  beforeAll(async () => {
    cluster = await startCluster(3, 0)
  })
  afterAll(() => cluster?.close())

  describe('writing', writing)
  describe('listing, delivering, sweeping', sharing)
})

function writing(): void {
  it(
    'keep in an outbox the message with the latest timestamp, whichever of them gets it when',
    both(async () => {
      const all = Array.from({ length: 60 }, (_, i) =>
        message(clock.ms, `m${i}.`, { namespace: OUTBOX, timestampMs: clock.ms + ((i * 37) % 60) }),
      )
      await Promise.all(all.map((one, i) => stores[i % 2]!.store(one, true, asked(clock.ms))))
      const newest = all.find(one => one.timestampMs === clock.ms + 59)!
      for (const store of stores) expect(await hashes(store, { namespace: OUTBOX })).toEqual([newest.hash.replace(/A+$/, '')])
      expect(await stores[1].count()).toBe(1)
      await expectSums(test())
    }),
  )
  it(
    'take the same message once, with the longest life that either was told, and count every change',
    both(async () => {
      const told = Array.from({ length: 40 }, (_, i) => message(clock.ms, 'same', { expiryMs: clock.ms + 1000 * (i + 1) }))
      const outcomes = await Promise.all(told.map((one, i) => stores[i % 2]!.store(one, false, asked(clock.ms))))
      expect(outcomes.filter(({ outcome }) => outcome === 'stored')).toHaveLength(1)
      expect(await versionOf(stores[0], 'same')).toEqual({
        ...times(clock.ms + 39),
        isTombstone: false,
        expiryMs: clock.ms + 40_000,
      })
      await expectSums(test())
    }),
  )
  it(
    'end with one version where one stores and the other deletes at the same moment',
    both(async () => {
      const names = Array.from({ length: 30 }, (_, i) => `m${i}.`)
      await Promise.all(
        names.flatMap(name => [
          stores[0].store(message(clock.ms, name), false, asked(clock.ms)),
          stores[1].delete(account(1), [hashOf(name)], asked(clock.ms, 'proof')),
          stores[1].store(message(clock.ms, name), false, late(clock.ms - 1)),
        ]),
      )
      const items = await itemsOf(stores[1], [account(1)])
      expect(items).toHaveLength(30)
      expect((await hashes(stores[0])).length).toBe(items.filter(item => !item.isTombstone).length)
      await expectSums(test())
    }),
  )
}

function sharing(): void {
  it(
    'list a minute by the page, also of more than a slice of one millisecond (NODE-142)',
    both(async () => {
      const all = Array.from({ length: 1300 }, (_, i) => message(clock.ms, `m${i}.`, { account: account(i % 7) }))
      await Promise.all(all.map((one, i) => stores[i % 2]!.store(one, false, asked(clock.ms))))
      const range = { from: minute(clock.ms), to: minute(clock.ms) + 61 }
      const listed: ItemVersion[] = []
      for (;;) {
        const page = await stores[1].versions(range, 400, listed.at(-1))
        listed.push(...page)
        if (page.length < 400) break
      }
      expect(listed).toHaveLength(1300)
      const key = ({ account: of, hash }: ItemVersion) => `${of[32]} ${hash}`
      expect(listed.map(key)).toEqual(all.map(one => `${one.account[32]} ${one.hash}`).sort())
      await expectSums(
        test(),
        Array.from({ length: 7 }, (_, n) => account(n)),
      )
    }),
  )
  it(
    'do not take the same delivery (NODE-145)',
    both(async () => {
      for (let i = 0; i < 50; i++) await stores[i % 2]!.queueDelivery('peer', bytes(`${i}`), clock.ms, 100)
      const due = clock.ms + DELIVERY_DELAY_MS
      const lent = await Promise.all(Array.from({ length: 10 }, (_, i) => stores[i % 2]!.dueDeliveries(due, 7)))
      const ids = lent.flat().map(one => one.id)
      expect([ids.length, new Set(ids).size]).toEqual([50, 50])
    }),
  )
  it(
    'sweep at once, and neither keeps an account that is empty nor loses one that is not',
    both(async () => {
      const of = (n: number) => ({ account: account(n) })
      for (let n = 0; n < 20; n++) await stores[0].store(message(clock.ms, 'brief', of(n)), false, asked(clock.ms))
      clock.ms += 3_600_000
      const stored = Array.from({ length: 10 }, (_, n) =>
        stores[1].store(message(clock.ms, 'new', of(2 * n)), false, asked(clock.ms)),
      )
      const swept = await Promise.all(stores.map(store => store.sweep()))
      await Promise.all(stored)
      expect(swept.reduce((a, b) => a + b, 0)).toBeGreaterThanOrEqual(10)
      expect((await stores[0].accounts(100)).map(one => one[32])).toEqual(Array.from({ length: 10 }, (_, n) => 2 * n))
      expect(await stores[0].count()).toBe(10)
    }),
  )
}
