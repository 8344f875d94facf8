/** The part of the contract suite about what members ask for: sums, versions, items, deliveries, notes. */
import { describe, expect, it } from 'vitest'
import { MINUTE_MS, TOMBSTONE_MS } from '../src/store/item-version.ts'
import { DELIVERY_DELAY_MS, DELIVERY_LEASE_MS, NEVER_MS, SUMS_MAX } from '../src/store/store.ts'
import {
  account,
  allVersions,
  asked,
  bytes,
  DAY,
  expectSums,
  forgetAll,
  HOUR,
  hashOf,
  message,
  minute,
  type Open,
  OUTBOX,
  plain,
  put,
  replaces,
  type StoreUnderTest,
  times,
  withStore,
} from './message-store-contract-parts.ts'

export function swarmStoreContract(open: Open): void {
  describe('sums (NODE-85)', () => sums(open))
  describe('sums of what has expired (NODE-86)', () => expiredSums(open))
  describe('versions by the minute, by account and by name (NODE-87)', () => reading(open))
  describe('versions (NODE-80)', () => bothTimes(open))
  describe('items (NODE-87)', () => items(open))
  describe('accounts (NODE-87)', () => accounts(open))
  describe('deliveries (NODE-89)', () => deliveries(open))
  describe('notes and size', () => notes(open))
}

function sums(open: Open): void {
  it(
    'are those of the versions that are held, through every kind of change',
    withStore(open, async test => {
      const { store, nowMs } = test
      await Promise.all(['a', 'b', 'c', 'd'].map(name => put(test, message(nowMs(), name))))
      await put(test, message(nowMs(), 'a', { expiryMs: nowMs() + 2 * HOUR }))
      await put(test, message(nowMs(), 'x', { namespace: OUTBOX }))
      await put(test, message(nowMs(), 'y', { namespace: OUTBOX }))
      await expectSums(test)
      await store.delete(account(1), [hashOf('a'), hashOf('b')], asked(nowMs()))
      await store.setExpiries(account(1), [hashOf('c')], [nowMs() + 9 * HOUR], 'set', asked(nowMs()))
      await store.revoke(account(1), [bytes('t'), bytes('u')], asked(nowMs()))
      await expectSums(test)
      await put(test, message(nowMs(), 'b'))
      await store.unrevoke(account(1), [bytes('t')], asked(nowMs()))
      await store.expireAll(account(1), 'all', nowMs() + HOUR / 2, asked(nowMs(), 'p'))
      await expectSums(test)
      await test.advance(HOUR)
      await store.sweep()
      await expectSums(test)
      await store.deleteAll(account(1), 'all', asked(nowMs()))
      await expectSums(test)
      expect((await store.sums({ from: minute(NEVER_MS), to: minute(NEVER_MS) + 1 }, 1))[0]).not.toBe(0n)
      await put(test, message(nowMs(), 'e'))
      await store.setExpiries(account(1), [hashOf('e')], [nowMs() + 9 * HOUR], 'set', asked(nowMs() + 7))
      const ended = { account: account(1), namespace: 0, hash: hashOf('f'), ...times(nowMs() - 3, nowMs()) }
      await store.merge([{ ...ended, isTombstone: true, expiryMs: 0 }], replaces)
      await expectSums(test)
      await forgetAll(store, account(1))
      expect(
        (await store.sums({ from: minute(nowMs()), to: minute(nowMs() + 31 * DAY) }, 100_000)).every(sum => sum === 0n),
      ).toBe(true)
      expect((await store.sums({ from: minute(NEVER_MS), to: minute(NEVER_MS) + 1 }, 1))[0]).toBe(0n)
    }),
  )
  it(
    'of more minutes are the sums of theirs, lane by lane, one for each step',
    withStore(open, async test => {
      const { store, nowMs } = test
      for (let i = 0; i < 6; i++) await put(test, message(nowMs(), `m${i}.`, { expiryMs: nowMs() + HOUR + i * MINUTE_MS }))
      const from = minute(nowMs() + HOUR)
      const each = [...(await store.sums({ from, to: from + 6 }, 1))]
      expect(new Set(each).size).toBe(6)
      const lanes = (sum: bigint) => [sum >> 32n, sum & 0xffffffffn] as const
      const added = each.reduce((a, b) => {
        const [[aHigh, aLow], [bHigh, bLow]] = [lanes(a), lanes(b)]
        return (((aHigh + bHigh) & 0xffffffffn) << 32n) | ((aLow + bLow) & 0xffffffffn)
      })
      expect([...(await store.sums({ from, to: from + 6 }, 6))]).toEqual([added])
      expect(await store.sums({ from, to: from + 6 }, 4)).toHaveLength(2)
      expect(await store.sums({ from, to: from }, 1)).toHaveLength(0)
      await expect(store.sums({ from, to: from + SUMS_MAX + 1 }, 1)).rejects.toMatchObject({ code: 'store-failed' })
    }),
  )
}

function expiredSums(open: Open): void {
  it(
    'keep what has expired until its minute is past, swept, replaced or not',
    withStore(open, async test => {
      const { store, nowMs } = test
      await test.advance(MINUTE_MS - (nowMs() % MINUTE_MS))
      const at = minute(nowMs())
      const now = () => store.sums({ from: at, to: at + 1 }, 1).then(([sum]) => sum)
      await put(test, message(nowMs(), 'a', { expiryMs: nowMs() + 10 }))
      await put(test, message(nowMs(), 'b', { expiryMs: nowMs() + 10 }))
      const before = await now()
      expect(before).not.toBe(0n)
      await test.advance(10)
      await put(test, message(nowMs(), 'a'))
      expect(await now()).toBe(before)
      await store.sweep()
      await put(test, message(nowMs(), 'b'))
      expect(await now()).toBe(before)
      await test.advance(MINUTE_MS - 11)
      expect(await now()).toBe(before)
      await test.advance(1)
      expect(await now()).toBe(0n)
      await store.sweep()
      await expectSums(test)
    }),
  )
}

function reading(open: Open): void {
  const filled = async ({ store, nowMs }: StoreUnderTest) => {
    for (let i = 0; i < 20; i++) {
      const parts = { account: account((i % 3) + 1), namespace: (i % 4) * 7 - 7, expiryMs: nowMs() + HOUR + (i % 5) * 30_000 }
      await store.store(message(nowMs(), `m${i}.`, parts), false, asked(nowMs()))
    }
    // Of one moment with messages, some tombstones: they are in one order with them.
    const at = nowMs() + HOUR - TOMBSTONE_MS
    for (let i = 0; i < 4; i++) {
      const name = { account: account(i % 2), namespace: i, hash: hashOf(`t${i}.`) }
      await store.merge([{ ...name, ...times(at - i, at + i * 30_000), isTombstone: true, expiryMs: 0 }], replaces)
    }
  }
  it(
    'pages through what expires in a range, in the order of expiry, account, namespace and hash',
    withStore(open, async test => {
      await filled(test)
      const { store, nowMs } = test
      const range = { from: minute(nowMs() + HOUR), to: minute(nowMs() + HOUR) + 3 }
      const all = plain(await store.versions(range, 1000))
      expect(all).toHaveLength(24)
      expect(all.filter(version => version?.isTombstone)).toHaveLength(4)
      const key = (version: (typeof all)[0]) => {
        const { expiryMs, account: of, namespace, hash } = version!
        return `${expiryMs} ${Buffer.from(of).toString('hex')} ${String(namespace + 1000).padStart(6, '0')} ${hash}`
      }
      expect(all.map(key)).toEqual(all.map(key).sort())
      for (const size of [1, 7, 23, 24]) {
        const paged: typeof all = []
        for (;;) {
          const page = plain(await store.versions(range, size, paged.at(-1)))
          paged.push(...page)
          if (page.length < size) break
        }
        expect(paged).toEqual(all)
      }
      const narrow = plain(await store.versions({ from: range.from + 1, to: range.from + 2 }, 1000))
      expect(narrow).toEqual(all.filter(version => minute(version!.expiryMs) === range.from + 1))
      expect(narrow.length).toBeGreaterThan(5)
    }),
  )
  it(
    'pages through an account in the order of hash and namespace, and leaves out what has expired',
    withStore(open, async test => {
      await filled(test)
      const { store } = test
      const all = plain(await store.versionsOf(account(1), 1000))
      expect(all.map(version => version!.hash.slice(0, 2))).toEqual([...all.map(version => version!.hash.slice(0, 2))].sort())
      const paged: typeof all = []
      for (let page = all; page.length > 0; paged.push(...page)) page = plain(await store.versionsOf(account(1), 2, paged.at(-1)))
      expect(paged).toEqual(all)
      expect(new Set(all.map(version => version!.isTombstone))).toEqual(new Set([true, false]))
      await test.advance(HOUR + 20_000)
      expect((await store.versionsOf(account(1), 1000)).length).toBeLessThan(all.length)
      expect(await store.versionsOf(account(9), 1000)).toEqual([])
    }),
  )
}

function bothTimes(open: Open): void {
  it(
    'tell when an item was decided and when it changed, wherever they are read',
    withStore(open, async test => {
      const { store, nowMs } = test
      const at = nowMs()
      const tombstone = { account: account(1), namespace: 0, hash: hashOf('b'), isTombstone: true, ...times(at - 7, at - 1) }
      await put(test, message(at, 'a'))
      await store.setExpiries(account(1), [hashOf('a')], [at + 2 * HOUR], 'set', asked(at + 10))
      await store.merge([{ ...tombstone, expiryMs: 0 }], replaces)
      const changed = { account: account(1), namespace: 0, hash: hashOf('a'), isTombstone: false, ...times(at, at + 10) }
      const both = [
        { ...changed, expiryMs: at + 2 * HOUR },
        { ...tombstone, expiryMs: at - 1 + TOMBSTONE_MS },
      ]
      expect(plain(await store.versionsOf(account(1), 10))).toEqual(both)
      expect(plain(await store.versions({ from: 0, to: minute(at + 31 * DAY) }, 10))).toEqual(both)
      expect(plain(await store.heldVersions(both))).toEqual(both)
      expect((await store.items(both, 1e9)).map(({ message: _, account: __, ...version }) => version)).toEqual(
        both.map(({ account: _, ...version }) => version),
      )
    }),
  )
}

function items(open: Open): void {
  it(
    'come by name with data and proof, and without what is not there',
    withStore(open, async test => {
      const { store, nowMs } = test
      await put(test, message(nowMs(), 'a'))
      await put(test, message(nowMs(), 'b', { data: new Uint8Array() }))
      const versions = await allVersions(store, [account(1)])
      const unknown = { account: account(7), namespace: 0, hash: hashOf('a') }
      const found = await store.items([unknown, ...versions, { ...versions[0]!, namespace: 1 }], 1e9)
      expect(found.map(item => item.hash)).toEqual([hashOf('a'), hashOf('b')])
      expect(found.map(item => item.message?.data.length)).toEqual([12, 0])
      expect(found[0]).toMatchObject({ ...times(nowMs()), isTombstone: false, message: { timestampMs: nowMs() } })
      expect('proof' in found[0]!).toBe(false)
    }),
  )
  it(
    'stop at the budget, never before the first, and count a proof once',
    withStore(open, async test => {
      const { store, nowMs } = test
      const names = ['a', 'b', 'c', 'd']
      for (const name of names) await put(test, message(nowMs(), name, { data: new Uint8Array(100) }))
      const versions = await allVersions(store, [account(1)])
      expect(await store.items(versions, 1)).toHaveLength(1)
      expect(await store.items(versions, 299)).toHaveLength(2)
      expect(await store.items(versions, 300)).toHaveLength(3)
      await store.delete(account(1), names.map(hashOf), asked(nowMs(), 'p'.repeat(100)))
      const tombstones = await store.items(versions, 100)
      expect(tombstones).toHaveLength(4)
      expect(tombstones[0]!.proof).toHaveLength(100)
      expect(new Set(tombstones.map(item => item.proof)).size).toBe(1)
    }),
  )
}

function accounts(open: Open): void {
  it(
    'are listed by page in the order of their bytes, also those of which only a tombstone or a revocation is kept',
    withStore(open, async test => {
      const { store, nowMs } = test
      for (const n of [3, 1, 2]) await put(test, message(nowMs(), 'a', { account: account(n) }))
      await store.delete(account(3), [hashOf('a')], asked(nowMs()))
      await store.revoke(account(4), [bytes('t')], asked(nowMs()))
      const last = (list: readonly Uint8Array[]) => list.map(one => one[32])
      expect(last(await store.accounts(10))).toEqual([1, 2, 3, 4])
      expect(last(await store.accounts(2))).toEqual([1, 2])
      expect(last(await store.accounts(2, account(2)))).toEqual([3, 4])
      expect(await store.accounts(2, account(4))).toEqual([])
    }),
  )
  it(
    'are forgotten with everything, however much, and others are not',
    withStore(open, async test => {
      const { store, nowMs } = test
      const many = Array.from({ length: 1200 }, (_, i) => message(nowMs(), `m${i}.`))
      await Promise.all(many.map(one => put(test, one)))
      await store.delete(
        account(1),
        many.slice(0, 600).map(one => one.hash),
        asked(nowMs(), 'p'),
      )
      await store.revoke(account(1), [bytes('t')], asked(nowMs()))
      await put(test, message(nowMs(), 'other', { account: account(2) }))
      await forgetAll(store, account(1))
      await forgetAll(store, account(9))
      expect(await store.versionsOf(account(1), 10)).toEqual([])
      expect(await store.isRevoked(account(1), bytes('t'))).toBe(false)
      expect(plain(await store.versions({ from: 0, to: minute(NEVER_MS) + 1 }, 10))).toHaveLength(1)
      expect(await store.accounts(10)).toHaveLength(1)
      await expectSums(test)
      expect((await put(test, message(nowMs(), 'm1.'))).outcome).toBe('stored')
    }),
  )
}

function deliveries(open: Open): void {
  it(
    'are due after a while, oldest first, and are given out to one at a time until they are settled',
    withStore(open, async ({ store, nowMs }) => {
      const at = nowMs()
      await store.queueDelivery('p1', bytes('first'), at, 10)
      await store.queueDelivery('p2', bytes('second'), at + 1, 10)
      expect(await store.dueDeliveries(at + DELIVERY_DELAY_MS - 1, 10)).toEqual([])
      const due = at + DELIVERY_DELAY_MS + 1
      const [first] = await store.dueDeliveries(due, 1)
      expect({ ...first, body: new Uint8Array(first!.body) }).toEqual({
        id: first!.id,
        peer: 'p1',
        body: bytes('first'),
        queuedAtMs: at,
        tries: 0,
      })
      const [second, ...others] = await store.dueDeliveries(due, 10)
      expect([second?.peer, others.length]).toEqual(['p2', 0])
      expect(await store.dueDeliveries(due + DELIVERY_LEASE_MS - 1, 10)).toEqual([])
      await store.settleDelivery(first!.id, undefined)
      await store.settleDelivery(second!.id, due + 5 * DELIVERY_LEASE_MS)
      expect(await store.dueDeliveries(due + 5 * DELIVERY_LEASE_MS - 1, 10)).toEqual([])
      expect(await store.dueDeliveries(due + 5 * DELIVERY_LEASE_MS, 10)).toMatchObject([{ peer: 'p2', tries: 1 }])
      expect(await store.dueDeliveries(due + 6 * DELIVERY_LEASE_MS, 10)).toMatchObject([{ peer: 'p2', tries: 2 }])
      await store.settleDelivery(12_345, undefined)
    }),
  )
  it(
    'of one member are limited: the oldest are dropped, of others none',
    withStore(open, async ({ store, nowMs }) => {
      await store.queueDelivery('other', bytes('x'), nowMs(), 3)
      for (let i = 0; i < 5; i++) await store.queueDelivery('p', bytes(`${i}`), nowMs(), 3)
      const later = nowMs() + DELIVERY_DELAY_MS
      const found = await store.dueDeliveries(later, 100)
      expect(found.map(one => [one.peer, new TextDecoder().decode(one.body)])).toEqual([
        ['other', 'x'],
        ['p', '2'],
        ['p', '3'],
        ['p', '4'],
      ])
      await store.settleDelivery(found[1]!.id, undefined)
      await store.queueDelivery('p', bytes('5'), later, 3)
      expect(await store.dueDeliveries(later + 10 * DELIVERY_LEASE_MS, 100)).toHaveLength(4)
    }),
  )
  it(
    'are counted while they wait, whoever they are for and given out or not',
    withStore(open, async ({ store, nowMs }) => {
      expect(await store.deliveriesWaiting()).toBe(0)
      await store.queueDelivery('other', bytes('x'), nowMs(), 3)
      for (let i = 0; i < 5; i++) await store.queueDelivery('p', bytes(`${i}`), nowMs(), 3)
      expect(await store.deliveriesWaiting()).toBe(4)
      const [first, second] = await store.dueDeliveries(nowMs() + DELIVERY_DELAY_MS, 2)
      expect(await store.deliveriesWaiting()).toBe(4)
      await store.settleDelivery(first!.id, undefined)
      await store.settleDelivery(second!.id, nowMs() + DELIVERY_LEASE_MS)
      expect(await store.deliveriesWaiting()).toBe(3)
    }),
  )
}

function notes(open: Open): void {
  it(
    'are read as they were written last',
    withStore(open, async ({ store }) => {
      expect(await store.readNote('swarm')).toBeUndefined()
      await store.writeNote('swarm', 'a')
      await store.writeNote('swarm', '')
      await store.writeNote('other', 'b')
      expect(await store.readNote('swarm')).toBe('')
      expect(await store.readNote('other')).toBe('b')
    }),
  )
  it(
    'has a size, which grows with what is kept',
    withStore(open, async test => {
      const { store, nowMs } = test
      const before = await store.size()
      for (let i = 0; i < 8; i++) await put(test, message(nowMs(), `m${i}.`, { data: new Uint8Array(70_000) }))
      const after = await store.size()
      expect(after.usedBytes).toBeGreaterThan(before.usedBytes + 400_000)
      if (after.limitBytes !== undefined) expect(after.usedBytes).toBeLessThanOrEqual(after.limitBytes)
    }),
  )
}
