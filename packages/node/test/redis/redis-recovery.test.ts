import { systemRandom } from '@session-v2/crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemTimers } from '../../src/ports.ts'
import { TOMBSTONE_MS } from '../../src/store/item-version.ts'
import { DELETE, STORE } from '../../src/store/redis/account-scripts.ts'
import { AccountWrites, WRITE_MAX_MS } from '../../src/store/redis/account-writes.ts'
import { connectCluster } from '../../src/store/redis/cluster-connection.ts'
import { MinuteIndex } from '../../src/store/redis/minute-index.ts'
import { hourOf, itemName, Keys } from '../../src/store/redis/names.ts'
import { NEVER_MS } from '../../src/store/store.ts'
import { ManualClock } from '../manual-clock.ts'
import {
  account,
  allVersions,
  asked,
  expectSums,
  HOUR,
  hashOf,
  message,
  minute,
  plain,
  times,
  versionOf,
} from '../message-store-contract-parts.ts'
import { hasRedis, type RedisCluster, startCluster } from './redis-cluster.ts'
import { newPrefix, openFrontEnd } from './redis-front-ends.ts'

/** The index of a front end that dies before it tells of a write; with `partly`, of each second hour it does tell. */
class DyingIndex extends MinuteIndex {
  partly = false
  #told = 0
  override async add(...args: Parameters<MinuteIndex['add']>): Promise<void> {
    if (this.partly && this.#told++ % 2 === 0) return super.add(...args)
    throw new Error('gone')
  }
}

let cluster: RedisCluster

/** A front end that is whole, and the writes of one that dies. */
async function openBoth() {
  const clock = new ManualClock()
  clock.ms = Math.max(clock.ms, Date.now())
  const prefix = newPrefix()
  const store = await openFrontEnd(cluster, clock, prefix)
  const config = { kind: 'redis' as const, nodes: cluster.addresses, acknowledgeReplicas: 0, keyPrefix: prefix }
  const connection = await connectCluster(config, systemTimers)
  const keys = new Keys(prefix)
  const index = new DyingIndex(connection, keys, clock)
  const writer = Buffer.from(systemRandom().bytes(6)).toString('hex')
  const writes = new AccountWrites(connection, keys, index, clock, writer)
  const dying = {
    store: (name: string, lifeMs: number) => {
      const { hash, timestampMs, expiryMs, data } = message(clock.ms, name, { expiryMs: clock.ms + lifeMs })
      const args = [itemName({ hash, namespace: 0 }), timestampMs, expiryMs, 0, clock.ms, 'asked', data]
      return writes.write(STORE, account(1), args)
    },
    delete: (name: string) => writes.write(DELETE, account(1), [clock.ms, 'asked', hashOf(name)]),
  }
  const close = async () => {
    await store.close()
    connection.close()
  }
  return { clock, store, connection, keys, index, dying, close }
}

describe.skipIf(!hasRedis)('a front end that dies (NODE-143; needs redis-server)', () => {
  beforeAll(async () => {
    cluster = await startCluster(3, 0)
  })
  afterAll(() => cluster?.close())

  describe('within a write', dying)
  describe('or does not', sweeping)
})

function dying(): void {
  it('leaves sums and lists that another front end sets right, whatever it wrote', async () => {
    const step = fc.record({
      op: fc.constantFrom('store' as const, 'store' as const, 'delete' as const),
      name: fc.constantFrom('a', 'b', 'c'),
      lifeMs: fc.constantFrom(HOUR, 2 * HOUR, HOUR + 60_000),
      fate: fc.constantFrom('whole' as const, 'dies' as const, 'dies partly' as const),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async steps => {
        const { clock, store, index, dying, close } = await openBoth()
        try {
          for (const { op, name, lifeMs, fate } of steps) {
            index.partly = fate === 'dies partly'
            if (fate !== 'whole') await (op === 'store' ? dying.store(name, lifeMs) : dying.delete(name))
            else if (op === 'delete') await store.delete(account(1), [hashOf(name)], asked(clock.ms))
            else await store.store(message(clock.ms, name, { expiryMs: clock.ms + lifeMs }), false, asked(clock.ms))
          }
          clock.ms += WRITE_MAX_MS
          await store.sweep()
          await expectSums({ store, nowMs: () => clock.ms, advance: async () => {}, close: async () => {} })
          const held = await allVersions(store, [account(1)])
          const range = { from: minute(clock.ms), to: minute(clock.ms) + 50_000 }
          const listed = plain(await store.versions(range, 100)).map(version => version?.hash)
          expect(listed.sort()).toEqual(held.map(({ hash }) => hash).sort())
          expect((await store.accounts(10)).length).toBe(held.length > 0 ? 1 : 0)
        } finally {
          await close()
        }
      }),
      { numRuns: 25 },
    )
  })
  it('has its sum counted anew also when the minute is listed', async () => {
    const { clock, store, index, dying, close } = await openBoth()
    await dying.store('a', HOUR)
    const at = minute(clock.ms + HOUR)
    const sum = async () => (await store.sums({ from: at, to: at + 1 }, 1))[0]
    expect(await sum()).toBe(0n)
    index.partly = true
    await dying.store('b', HOUR)
    const wrong = await sum()
    await store.store(message(clock.ms, 'a'), false, asked(clock.ms))
    await store.versions({ from: at, to: at + 1 }, 100)
    expect(await sum()).not.toBe(wrong)
    await expectSums({ store, nowMs: () => clock.ms, advance: async () => {}, close: async () => {} })
    await close()
  })
}

function sweeping(): void {
  it('is sent again when its answer is lost, and done once', async () => {
    const { clock, store, connection, keys, close } = await openBoth()
    const { hash, timestampMs, expiryMs, data } = message(clock.ms, 'a')
    const name = itemName({ hash, namespace: 0 })
    const args = [clock.ms, 'token', '', '', name, timestampMs, expiryMs, 0, clock.ms, 'asked', data]
    const first = await connection.write(STORE, keys.account(account(1)), args)
    expect(await connection.write(STORE, keys.account(account(1)), args)).toEqual(first)
    expect(await versionOf(store, 'a')).toMatchObject(times(clock.ms))
    await close()
  })
  it('does not keep entries of revocations that are gone', async () => {
    const { clock, store, connection, keys, close } = await openBoth()
    for (let n = 0; n < 60; n++) await store.revoke(account(1), [new Uint8Array(36).fill(n)], asked(clock.ms + n))
    const entries = () => connection.command('zcard', [keys.hour(hourOf(NEVER_MS), 'ix')])
    expect(await entries()).toBe(60)
    await store.sweep()
    expect(await entries()).toBe(50)
    expect(await store.versions({ from: minute(NEVER_MS), to: minute(NEVER_MS) + 1 }, 100)).toHaveLength(50)
    await close()
  })
  it('leaves nothing behind once all has had its time', async () => {
    const { clock, store, connection, keys, dying, close } = await openBoth()
    await dying.store('a', HOUR)
    await store.store(message(clock.ms, 'b'), false, asked(clock.ms))
    await store.expireAll(account(1), 'all', clock.ms + 5, asked(clock.ms, 'proof'))
    clock.ms += WRITE_MAX_MS
    await store.sweep()
    clock.ms += TOMBSTONE_MS + 2 * HOUR
    await store.sweep()
    expect(await store.accounts(10)).toEqual([])
    expect(await store.count()).toBe(0)
    const left = ['i', 'o', 'h', 's', 'r', 'j'].map(key => connection.command('exists', [keys.account(account(1), key)]))
    expect(await Promise.all(left)).toEqual([0, 0, 0, 0, 0, 0])
    expect(await connection.command('zcard', [keys.hours])).toBe(0)
    await close()
  })
}
