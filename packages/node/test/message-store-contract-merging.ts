/** The part of the contract suite about what a member takes over from another. */
import { loadCrypto } from '@session-v2/crypto'
import { describe, expect, it } from 'vitest'
import { TOMBSTONE_MS, tokenHash } from '../src/store/item-version.ts'
import { type Item, NEVER_MS, REVOCATIONS } from '../src/store/store.ts'
import {
  account,
  allVersions,
  asked,
  bytes,
  DAY,
  expectSums,
  HOUR,
  hashes,
  hashOf,
  itemsOf,
  late,
  message,
  type Open,
  OUTBOX,
  plain,
  put,
  replaces,
  times,
  versionOf,
  withStore,
} from './message-store-contract-parts.ts'

const crypto = await loadCrypto()

export function mergingContract(open: Open): void {
  describe('merging (NODE-80)', () => merging(open))
  describe('merging much, or what was never here', () => mergingMany(open))
  describe('merging outboxes and revocations', () => mergingSpecial(open))
}

/** An item as it could come from a member. */
function item(nowMs: number, name: string, parts: Partial<Item> = {}): Item {
  const { account: of, namespace, hash, expiryMs, timestampMs, data } = message(nowMs, name)
  const version = { ...times(nowMs), isTombstone: false, expiryMs }
  return { account: of, namespace, hash, ...version, message: { timestampMs, data }, ...parts }
}

function tombstone(nowMs: number, name: string, parts: Partial<Item> = {}): Item {
  const { message: _, ...version } = item(nowMs, name)
  return { ...version, isTombstone: true, expiryMs: nowMs + TOMBSTONE_MS, ...parts }
}

function merging(open: Open): void {
  it(
    'takes what is later, and nothing else, and tells how many it took',
    withStore(open, async ({ store, nowMs }) => {
      const at = nowMs()
      expect(await store.merge([item(at, 'a'), item(at, 'b')], replaces)).toBe(2)
      expect(await store.merge([item(at, 'a'), item(at, 'b', { ...times(at - 1), expiryMs: at + DAY })], replaces)).toBe(0)
      expect(await store.merge([item(at, 'a', { ...times(at + 1), expiryMs: at + 9, proof: bytes('p') })], replaces)).toBe(1)
      expect((await itemsOf(store, [account(1)]))[0]).toEqual(
        item(at, 'a', { ...times(at + 1), expiryMs: at + 9, proof: bytes('p') }),
      )
    }),
  )
  it(
    'lets at one time the tombstone win, then the later expiry',
    withStore(open, async ({ store, nowMs }) => {
      const at = nowMs()
      await store.merge([item(at, 'a')], replaces)
      expect(await store.merge([item(at, 'a', { expiryMs: at + HOUR - 1 })], replaces)).toBe(0)
      expect(await store.merge([item(at, 'a', { expiryMs: at + HOUR + 1 })], replaces)).toBe(1)
      expect(await store.merge([tombstone(at - 1, 'a')], replaces)).toBe(0)
      expect(await store.merge([tombstone(at, 'a', { proof: bytes('p') })], replaces)).toBe(1)
      expect(await store.merge([item(at, 'a', { expiryMs: at + DAY }), tombstone(at, 'a')], replaces)).toBe(0)
      expect(await hashes(store)).toEqual([])
      expect(await store.merge([item(at, 'a', times(at + 1))], replaces)).toBe(1)
      expect(await hashes(store)).toEqual(['a'])
      expect(await versionOf(store, 'a')).toEqual({ ...times(at + 1), isTombstone: false, expiryMs: at + HOUR })
    }),
  )
  it(
    'asks of two versions for the later decision first, then for the later change, the tombstone and the later expiry',
    withStore(open, async test => {
      const { store, nowMs } = test
      const at = nowMs()
      const ascending = [
        item(at, 'a', times(at)),
        item(at, 'a', { ...times(at), expiryMs: at + DAY }),
        tombstone(at, 'a', times(at)),
        item(at, 'a', { ...times(at, at + 5), expiryMs: at + 9 }),
        tombstone(at, 'a', times(at, at + 5)),
        item(at, 'a', times(at + 1)),
        item(at, 'a', { ...times(at + 1, at + 9), expiryMs: at + 30 * DAY }),
        tombstone(at, 'a', times(at + 2)),
        item(at, 'a', times(at + 3)),
      ]
      for (const [i, one] of ascending.entries()) {
        expect(await store.merge([one], replaces)).toBe(1)
        expect(await store.merge(ascending.slice(0, i + 1), replaces)).toBe(0)
        const { decidedAtMs, changedAtMs, isTombstone } = one
        expect(await versionOf(store, 'a')).toMatchObject({ decidedAtMs, changedAtMs, isTombstone })
        await expectSums(test)
      }
    }),
  )
  it(
    'puts what is new at the end of the order of arrival, and leaves what was there in its place',
    withStore(open, async test => {
      const { store, nowMs } = test
      for (const name of ['a', 'b', 'c']) await put(test, message(nowMs(), name))
      await store.delete(account(1), [hashOf('a')], asked(nowMs()))
      await store.merge(
        ['b', 'a'].map(name => item(nowMs(), name, times(nowMs() + 5))),
        replaces,
      )
      expect(await hashes(store)).toEqual(['b', 'c', 'a'])
      expect(await hashes(store, { afterHash: hashOf('c') })).toEqual(['a'])
    }),
  )
}

function mergingMany(open: Open): void {
  it(
    'takes tombstones of what it never had, for 30 days from the change, and nothing that has expired',
    withStore(open, async test => {
      const { store, nowMs } = test
      const at = nowMs()
      expect(await store.merge([tombstone(at, 'a', { expiryMs: at + 400 * DAY })], replaces)).toBe(1)
      expect(await versionOf(store, 'a')).toEqual({ ...times(at), isTombstone: true, expiryMs: at + TOMBSTONE_MS })
      expect((await store.store(message(at, 'a'), false, late(at))).outcome).toBe('obsolete')
      const gone = [
        item(at, 'b', { expiryMs: at }),
        tombstone(at - TOMBSTONE_MS, 'c'),
        { ...tombstone(at, 'd'), isTombstone: false },
      ]
      expect(
        await store.merge(
          gone.map(one => ({ ...one, account: account(2) })),
          replaces,
        ),
      ).toBe(0)
      expect(await store.accounts(10, account(1))).toEqual([])
      await expectSums(test)
    }),
  )
  it(
    'takes many, and the same twice, as once',
    withStore(open, async test => {
      const { store, nowMs } = test
      const many = Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? tombstone : item)(nowMs(), `m${i}.`))
      expect(await store.merge([...many, ...many], replaces)).toBe(300)
      expect(await store.count()).toBe(200)
      const versions = await allVersions(store, [account(1)])
      expect(versions).toHaveLength(300)
      expect(plain(await store.heldVersions(versions))).toEqual(versions)
      expect((await store.items(versions, 1e9)).map(one => one.hash)).toEqual(versions.map(one => one.hash))
      await expectSums(test)
    }),
  )
}

function mergingSpecial(open: Open): void {
  it(
    'keeps in an outbox what has the latest timestamp, among equals the greatest hash, whatever its version',
    withStore(open, async test => {
      const { store, nowMs } = test
      const at = nowMs()
      const slot = (name: string, age: number, changedAtMs: number): Item => ({
        ...item(at, name, { namespace: OUTBOX, ...times(changedAtMs) }),
        message: { timestampMs: at - age, data: bytes(name) },
      })
      expect(await store.merge([slot('m', 5, at)], replaces)).toBe(1)
      expect(await store.merge([slot('z', 6, at + 9), slot('a', 5, at + 9)], replaces)).toBe(0)
      expect(await store.merge([slot('n', 5, at - 9)], replaces)).toBe(1)
      expect(await store.merge([slot('a', 4, at - 9)], replaces)).toBe(1)
      expect(await hashes(store, { namespace: OUTBOX })).toEqual(['a'])
      expect(await versionOf(store, 'n', OUTBOX)).toBeUndefined()
      expect(await store.merge([slot('a', 9, at + 1)], replaces)).toBe(1)
      expect((await itemsOf(store, [account(1)]))[0]).toMatchObject({ ...times(at + 1), message: { timestampMs: at - 4 } })
      await expectSums(test)
    }),
  )
  it(
    'keeps the newest 50 revocations',
    withStore(open, async test => {
      const { store, nowMs } = test
      const revocation = (n: number): Item => {
        const data = new Uint8Array(36).fill(n)
        const version = { ...times(nowMs() + n), isTombstone: false, expiryMs: NEVER_MS }
        return {
          account: account(1),
          namespace: REVOCATIONS,
          hash: tokenHash(crypto, data),
          ...version,
          message: { timestampMs: 0, data },
        }
      }
      expect(
        await store.merge(
          Array.from({ length: 52 }, (_, i) => revocation(i + 10)),
          replaces,
        ),
      ).toBe(52)
      expect((await store.revokedTokens(account(1))).map(token => token[0])).toEqual(Array.from({ length: 50 }, (_, i) => 61 - i))
      expect(await store.merge([revocation(1), revocation(70)], replaces)).toBe(1)
      expect(await store.isRevoked(account(1), new Uint8Array(36).fill(70))).toBe(true)
      await expectSums(test)
    }),
  )
}
