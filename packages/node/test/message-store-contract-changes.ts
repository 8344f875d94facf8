/** The part of the contract suite about versions: what is asked, what is late, what is deleted. */
import { describe, expect, it } from 'vitest'
import { TOMBSTONE_MS } from '../src/store/item-version.ts'
import {
  account,
  asked,
  bytes,
  forgetAll,
  HOUR,
  hashes,
  hashOf,
  itemsOf,
  late,
  message,
  type Open,
  OUTBOX,
  put,
  type StoreUnderTest,
  times,
  versionOf,
  withStore,
} from './message-store-contract-parts.ts'

export function changingContract(open: Open): void {
  describe('versions (NODE-80, NODE-81)', () => versions(open))
  describe('what is stored again after its expiry was set (NODE-81)', () => storingAgain(open))
  describe('what is deleted after its expiry was set (NODE-81)', () => deletingAgain(open))
  describe('versions of public outboxes (NODE-25)', () => outboxes(open))
  describe('tombstones (NODE-82)', () => tombstones(open))
  describe('deleting everything', () => deletingAll(open))
}

function versions(open: Open): void {
  it(
    'carries the time of the change that stored it',
    withStore(open, async ({ store, nowMs }) => {
      const one = message(nowMs(), 'a')
      await store.store(one, false, asked(nowMs() - 7))
      expect(await versionOf(store, 'a')).toEqual({ ...times(nowMs() - 7), isTombstone: false, expiryMs: one.expiryMs })
      expect(await versionOf(store, 'b')).toBeUndefined()
    }),
  )
  it(
    'counts a change that is asked as later than what is held, whatever its time',
    withStore(open, async ({ store, nowMs }) => {
      const at = nowMs()
      await store.store(message(at, 'a'), false, asked(at + 100))
      expect((await store.store(message(at, 'a'), false, asked(at))).outcome).toBe('already')
      expect(await versionOf(store, 'a')).toMatchObject(times(at + 101))
      expect(await store.delete(account(1), [hashOf('a')], asked(at))).toEqual([hashOf('a')])
      expect(await versionOf(store, 'a')).toMatchObject({ ...times(at + 102), isTombstone: true })
      expect((await store.store(message(at, 'a'), false, asked(at))).outcome).toBe('stored')
      expect(await versionOf(store, 'a')).toMatchObject({ ...times(at + 103), isTombstone: false })
      expect(await hashes(store)).toEqual(['a'])
    }),
  )
  it(
    'lets a late store take effect where it is later, and nowhere else',
    withStore(open, async ({ store, nowMs }) => {
      const at = nowMs()
      const longer = message(at, 'a', { expiryMs: at + 2 * HOUR })
      expect((await store.store(message(at, 'a'), false, late(at))).outcome).toBe('stored')
      expect(await store.store(longer, false, late(at - 1))).toEqual({ outcome: 'obsolete', expiryMs: at + HOUR })
      expect(await store.store(message(at, 'a'), false, late(at))).toEqual({ outcome: 'already', expiryMs: at + HOUR })
      expect(await versionOf(store, 'a')).toMatchObject({ ...times(at), expiryMs: at + HOUR })
      expect(await store.store(longer, false, late(at + 1))).toEqual({ outcome: 'already', expiryMs: at + 2 * HOUR })
      expect(await versionOf(store, 'a')).toMatchObject({ ...times(at + 1), expiryMs: at + 2 * HOUR })
    }),
  )
  it(
    'does not bring back with a late store what was deleted at that time or later',
    withStore(open, async ({ store, nowMs }) => {
      const at = nowMs()
      await store.store(message(at, 'a'), false, asked(at))
      await store.delete(account(1), [hashOf('a')], asked(at + 5))
      for (const time of [at, at + 5]) {
        expect((await store.store(message(at, 'a'), false, late(time))).outcome).toBe('obsolete')
        expect(await hashes(store)).toEqual([])
      }
      expect((await store.store(message(at, 'a'), false, late(at + 6))).outcome).toBe('stored')
      expect(await hashes(store)).toEqual(['a'])
    }),
  )
}

/** Stored at `at`, its expiry set to two hours at `at + 10`. */
async function setLater({ store, nowMs }: StoreUnderTest): Promise<void> {
  await store.store(message(nowMs(), 'a'), false, asked(nowMs()))
  await store.setExpiries(account(1), [hashOf('a')], [nowMs() + 2 * HOUR], 'set', asked(nowMs() + 10))
  expect(await versionOf(store, 'a')).toMatchObject({ ...times(nowMs(), nowMs() + 10), expiryMs: nowMs() + 2 * HOUR })
}

function storingAgain(open: Open): void {
  const longer = (nowMs: number) => message(nowMs, 'a', { expiryMs: nowMs + 3 * HOUR })
  it(
    'is decided anew and lives as long as asked for, asked before that or after',
    withStore(open, async test => {
      const { store, nowMs } = test
      const at = nowMs()
      await setLater(test)
      const live = { outcome: 'already', expiryMs: at + 3 * HOUR }
      expect(await store.store(longer(at), false, asked(at + 5))).toEqual(live)
      expect(await versionOf(store, 'a')).toMatchObject({ ...times(at + 5, at + 10), expiryMs: at + 3 * HOUR })
      expect(await store.store(message(at, 'a'), false, asked(at + 4))).toEqual(live)
      expect(await versionOf(store, 'a')).toMatchObject({ ...times(at + 6, at + 10), expiryMs: at + 3 * HOUR })
      await store.store(longer(at), false, asked(at + 11))
      expect(await versionOf(store, 'a')).toMatchObject(times(at + 11))
    }),
  )
  it(
    'is decided anew by a late store, which raises no expiry that was set after it',
    withStore(open, async test => {
      const { store, nowMs } = test
      const at = nowMs()
      await setLater(test)
      const set = { outcome: 'already', expiryMs: at + 2 * HOUR }
      expect(await store.store(longer(at), false, late(at - 1))).toEqual({ ...set, outcome: 'obsolete' })
      for (const [time, decidedAtMs] of [
        [at, at],
        [at + 5, at + 5],
        [at + 5, at + 5],
      ] as const) {
        expect(await store.store(longer(at), false, late(time))).toEqual(set)
        expect(await versionOf(store, 'a')).toMatchObject({ ...times(decidedAtMs, at + 10), expiryMs: at + 2 * HOUR })
      }
      expect(await store.store(longer(at), false, late(at + 10))).toEqual({ ...set, expiryMs: at + 3 * HOUR })
      expect(await versionOf(store, 'a')).toMatchObject(times(at + 10))
    }),
  )
}

function deletingAgain(open: Open): void {
  it(
    'goes, by hash and with everything, asked or late, and its tombstone has the time of the deletion',
    withStore(open, async test => {
      const { store, nowMs } = test
      const at = nowMs()
      const deletions = [
        () => store.delete(account(1), [hashOf('a')], late(at + 5)),
        () => store.delete(account(1), [hashOf('a')], asked(at + 5)),
        () => store.deleteAll(account(1), 'all', late(at + 5)),
        () => store.deleteAll(account(1), 0, asked(at + 5), at),
      ]
      for (const remove of deletions) {
        await setLater(test)
        expect(await remove()).toHaveLength(1)
        expect(await versionOf(store, 'a')).toEqual({ ...times(at + 5), isTombstone: true, expiryMs: at + 5 + TOMBSTONE_MS })
        await forgetAll(store, account(1))
      }
    }),
  )
  it(
    'is deleted as one behind its store where that was not earlier, so that no expiry that is set elsewhere brings it back',
    withStore(open, async test => {
      const { store, nowMs } = test
      const at = nowMs()
      for (const change of [asked(at), asked(at - 9), late(at)]) {
        await setLater(test)
        expect(await store.delete(account(1), [hashOf('a')], change)).toEqual([hashOf('a')])
        expect(await versionOf(store, 'a')).toMatchObject(times(at + 1))
        await forgetAll(store, account(1))
      }
      await setLater(test)
      expect(await store.delete(account(1), [hashOf('a')], late(at - 1))).toEqual([])
      expect(await store.deleteAll(account(1), 0, asked(at - 1))).toEqual([])
      expect(await hashes(store)).toEqual(['a'])
    }),
  )
}

function outboxes(open: Open): void {
  const slot = { namespace: OUTBOX }
  it(
    'gives a message that is stored again the later timestamp, so that members agree on what is newer',
    withStore(open, async ({ store, nowMs }) => {
      const at = nowMs()
      await store.store(message(at, 'x', { ...slot, timestampMs: at }), true, asked(at))
      await store.store(message(at, 'x', { ...slot, timestampMs: at + 2 }), true, asked(at + 2))
      expect((await store.store(message(at, 'y', { ...slot, timestampMs: at + 1 }), true, asked(at + 3))).outcome).toBe(
        'obsolete',
      )
      expect(await hashes(store, slot)).toEqual(['x'])
    }),
  )
  it(
    'leaves no tombstone of what was replaced',
    withStore(open, async ({ store, nowMs }) => {
      await store.store(message(nowMs(), 'x', slot), true, asked(nowMs()))
      await store.store(message(nowMs(), 'y', slot), true, asked(nowMs()))
      expect(await versionOf(store, 'x', OUTBOX)).toBeUndefined()
    }),
  )
  it(
    'does not take late what was deleted, but any other message in its place',
    withStore(open, async ({ store, nowMs }) => {
      const at = nowMs()
      await store.store(message(at, 'x', { ...slot, timestampMs: at + 1 }), true, asked(at))
      await store.delete(account(1), [hashOf('x')], asked(at + 1))
      expect((await store.store(message(at, 'x', slot), true, late(at))).outcome).toBe('obsolete')
      expect((await store.store(message(at, 'a', slot), true, late(at))).outcome).toBe('stored')
      expect(await hashes(store, slot)).toEqual(['a'])
    }),
  )
}

function tombstones(open: Open): void {
  it(
    'stands in the place of what was deleted for 30 days, with its proof',
    withStore(open, async test => {
      const { store, nowMs } = test
      await put(test, message(nowMs(), 'a', { namespace: 3 }))
      const at = nowMs() + 1
      await store.delete(account(1), [hashOf('a')], asked(at, 'delete a'))
      const version = { ...times(at), isTombstone: true, expiryMs: at + TOMBSTONE_MS }
      expect(await itemsOf(store, [account(1)])).toEqual([
        { account: account(1), namespace: 3, hash: hashOf('a'), ...version, proof: bytes('delete a') },
      ])
      expect(await store.count()).toBe(0)
      await test.advance(TOMBSTONE_MS)
      expect(await versionOf(store, 'a', 3)).toEqual(version)
      await test.advance(1)
      expect(await versionOf(store, 'a', 3)).toBeUndefined()
      await store.sweep()
      expect(await store.accounts(10)).toEqual([])
    }),
  )
  it(
    'takes the time of a later deletion, not of an earlier one, and is not named as deleted again',
    withStore(open, async test => {
      const { store, nowMs } = test
      await put(test, message(nowMs(), 'a'))
      const at = nowMs() + 10
      await store.delete(account(1), [hashOf('a')], asked(at))
      for (const change of [asked(at - 1), late(at - 1), late(at)]) {
        expect(await store.delete(account(1), [hashOf('a')], change)).toEqual([])
        expect(await versionOf(store, 'a')).toMatchObject(times(at))
      }
      expect(await store.delete(account(1), [hashOf('a')], late(at + 5))).toEqual([])
      expect(await versionOf(store, 'a')).toMatchObject(times(at + 5))
    }),
  )
  it(
    'is not made by a late deletion of what was stored later, but by one of the same time, as one behind it',
    withStore(open, async ({ store, nowMs }) => {
      const at = nowMs()
      await store.store(message(at, 'a'), false, asked(at))
      expect(await store.delete(account(1), [hashOf('a')], late(at - 1))).toEqual([])
      expect(await hashes(store)).toEqual(['a'])
      expect(await store.delete(account(1), [hashOf('a')], late(at))).toEqual([hashOf('a')])
      expect(await versionOf(store, 'a')).toMatchObject({ ...times(at + 1), isTombstone: true })
    }),
  )
  it(
    'is not made of what was never here, nor by a deletion of more than 30 days ago',
    withStore(open, async ({ store, nowMs }) => {
      await store.delete(account(1), [hashOf('never')], asked(nowMs()))
      await store.store(message(nowMs(), 'old', { account: account(2) }), false, asked(nowMs() - TOMBSTONE_MS - 5))
      await store.delete(account(2), [hashOf('old')], late(nowMs() - TOMBSTONE_MS))
      expect(await store.accounts(10)).toEqual([])
    }),
  )
}

function deletingAll(open: Open): void {
  it(
    'concerns one namespace, or all, and names what went in the order of namespace and hash',
    withStore(open, async test => {
      const { store, nowMs } = test
      for (const [name, namespace] of [
        ['b', 0],
        ['a', 0],
        ['c', -3],
        ['d', 7],
      ] as const) {
        await store.store(message(nowMs(), name, { namespace }), false, asked(nowMs()))
      }
      await put(test, message(nowMs(), 'foreign', { account: account(2) }))
      expect(await store.deleteAll(account(1), 7, asked(nowMs()))).toEqual([{ namespace: 7, hash: hashOf('d') }])
      expect(await store.deleteAll(account(1), 'all', asked(nowMs(), 'all'))).toEqual([
        { namespace: -3, hash: hashOf('c') },
        { namespace: 0, hash: hashOf('a') },
        { namespace: 0, hash: hashOf('b') },
      ])
      expect(await store.count()).toBe(1)
      expect(await versionOf(store, 'a')).toMatchObject({ ...times(nowMs() + 1), isTombstone: true })
      expect(await store.deleteAll(account(3), 'all', asked(nowMs()))).toEqual([])
    }),
  )
  it(
    'leaves what was changed later, asked or late',
    withStore(open, async ({ store, nowMs }) => {
      const at = nowMs()
      await store.store(message(at, 'before'), false, asked(at))
      await store.store(message(at, 'after'), false, asked(at + 1))
      expect(await store.deleteAll(account(1), 0, late(at))).toEqual([{ namespace: 0, hash: hashOf('before') }])
      expect(await store.deleteAll(account(1), 0, asked(at))).toEqual([])
      expect(await hashes(store)).toEqual(['after'])
    }),
  )
  it(
    'leaves what has a later timestamp than said',
    withStore(open, async test => {
      const { store, nowMs } = test
      for (const age of [2, 1, 0]) await put(test, message(nowMs(), `m${age}`, { timestampMs: nowMs() - age }))
      const gone = await store.deleteAll(account(1), 'all', asked(nowMs()), nowMs() - 1)
      expect(gone.map(one => one.hash)).toEqual([hashOf('m1'), hashOf('m2')])
      expect(await hashes(store)).toEqual(['m0'])
    }),
  )
  it(
    'reaches more than a slice, in many namespaces',
    withStore(open, async test => {
      const { store, nowMs } = test
      const all = Array.from({ length: 1500 }, (_, i) => message(nowMs(), `m${i}.`, { namespace: i < 700 ? 0 : i }))
      await Promise.all(all.map(one => put(test, one)))
      expect(await store.deleteAll(account(1), 'all', asked(nowMs()))).toHaveLength(1500)
      expect(await store.count()).toBe(0)
    }),
  )
}
