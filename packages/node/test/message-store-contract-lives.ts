/** The part of the contract suite about how long something is kept: expiries that are set, revocations that have none. */
import { describe, expect, it } from 'vitest'
import { TOMBSTONE_MS } from '../src/store/item-version.ts'
import { type Item, NEVER_MS, REVOCATIONS } from '../src/store/store.ts'
import {
  account,
  asked,
  bytes,
  DAY,
  expectSums,
  forgetAll,
  HOUR,
  hashes,
  hashOf,
  itemsOf,
  late,
  message,
  type Open,
  put,
  replaces,
  times,
  versionOf,
  withStore,
} from './message-store-contract-parts.ts'

export function lifeContract(open: Open): void {
  describe('setting expiries', () => expiries(open))
  describe('setting expiries late, or of what is not there', () => settingAgain(open))
  describe('shortening everything', () => shorteningAll(open))
  describe('lives that were shortened (NODE-84)', () => shortened(open))
  describe('lives that were shortened and are over (NODE-80)', () => ended(open))
  describe('revocations (NODE-88)', () => revocations(open))
}

function expiries(open: Open): void {
  const inAnHour = (name: string, at: number) => ({ hash: hashOf(name), expiryMs: at + HOUR })
  it(
    'sets one for all, or one for each, in every namespace, and tells them of those that are there',
    withStore(open, async test => {
      const { store, nowMs } = test
      const at = nowMs()
      await put(test, message(at, 'b'))
      await put(test, message(at, 'a'))
      await put(test, message(at, 'a', { namespace: 5 }))
      const names = [hashOf('b'), hashOf('none'), hashOf('a')]
      expect(await store.setExpiries(account(1), names, [at + 9], 'set', asked(at))).toEqual({
        updated: [
          { hash: hashOf('a'), expiryMs: at + 9 },
          { hash: hashOf('b'), expiryMs: at + 9 },
        ],
        unchanged: [],
      })
      await store.setExpiries(account(1), names, [at + 1, at + 2, at + 3], 'set', asked(at))
      expect(await store.expiries(account(1), names)).toEqual(
        new Map([
          [hashOf('b'), at + 1],
          [hashOf('a'), at + 3],
        ]),
      )
      expect(await versionOf(store, 'a', 5)).toMatchObject({ expiryMs: at + 3, ...times(at, at + 2) })
      expect(await store.expiries(account(2), names)).toEqual(new Map())
    }),
  )
  it(
    'only shortens, or only extends, and tells the others with the expiry in force, the latest of several namespaces',
    withStore(open, async test => {
      const { store, nowMs } = test
      const at = nowMs()
      await put(test, message(at, 'a'))
      await put(test, message(at, 'b'))
      await put(test, message(at, 'b', { namespace: 5, expiryMs: at + 3 * HOUR }))
      const names = [hashOf('a'), hashOf('b')]
      expect(await store.setExpiries(account(1), names, [at + HOUR], 'extend', asked(at))).toEqual({
        updated: [],
        unchanged: [inAnHour('a', at), { hash: hashOf('b'), expiryMs: at + 3 * HOUR }],
      })
      expect(await store.setExpiries(account(1), names, [at + 2 * HOUR], 'extend', asked(at))).toEqual({
        updated: [
          { hash: hashOf('a'), expiryMs: at + 2 * HOUR },
          { hash: hashOf('b'), expiryMs: at + 3 * HOUR },
        ],
        unchanged: [],
      })
      expect(await store.setExpiries(account(1), names, [at + 2 * HOUR], 'shorten', asked(at))).toEqual({
        updated: [{ hash: hashOf('b'), expiryMs: at + 2 * HOUR }],
        unchanged: [{ hash: hashOf('a'), expiryMs: at + 2 * HOUR }],
      })
    }),
  )
}

function settingAgain(open: Open): void {
  const inAnHour = (name: string, at: number) => ({ hash: hashOf(name), expiryMs: at + HOUR })
  it(
    'is late: takes effect where it is later than the message',
    withStore(open, async test => {
      const { store, nowMs } = test
      const at = nowMs()
      await put(test, message(at, 'a'))
      for (const time of [at - 1, at]) {
        expect(await store.setExpiries(account(1), [hashOf('a')], [at + 9], 'set', late(time))).toEqual({
          updated: [],
          unchanged: [inAnHour('a', at)],
        })
      }
      expect((await store.setExpiries(account(1), [hashOf('a')], [at + 9], 'set', late(at + 1))).updated).toHaveLength(1)
      expect(await versionOf(store, 'a')).toEqual({ ...times(at, at + 1), isTombstone: false, expiryMs: at + 9 })
    }),
  )
  it(
    'does not concern what was deleted, has expired, or is a revocation',
    withStore(open, async test => {
      const { store, nowMs } = test
      await put(test, message(nowMs(), 'deleted'))
      await put(test, message(nowMs(), 'expired', { expiryMs: nowMs() + 1 }))
      await store.delete(account(1), [hashOf('deleted')], asked(nowMs()))
      await store.revoke(account(1), [bytes('token')], asked(nowMs()))
      await test.advance(1)
      const items = await itemsOf(store, [account(1)])
      const names = [hashOf('expired'), ...items.map(item => item.hash)]
      expect(await store.setExpiries(account(1), names, [nowMs() + HOUR], 'set', asked(nowMs()))).toEqual({
        updated: [],
        unchanged: [],
      })
      expect(await store.delete(account(1), names, late(nowMs() - DAY))).toEqual([])
      expect(await store.expiries(account(1), names)).toEqual(new Map())
      expect(await store.isRevoked(account(1), bytes('token'))).toBe(true)
    }),
  )
}

function shorteningAll(open: Open): void {
  it(
    'shortens what would live longer, in one namespace or all, and names it',
    withStore(open, async test => {
      const { store, nowMs } = test
      const at = nowMs()
      await put(test, message(at, 'long'))
      await put(test, message(at, 'short', { expiryMs: at + 60_000 }))
      await put(test, message(at, 'other', { namespace: 2 }))
      expect(await store.expireAll(account(1), 0, at + 60_000, asked(at, 'p'))).toEqual([{ namespace: 0, hash: hashOf('long') }])
      expect(await store.expireAll(account(1), 'all', at + 60_000, asked(at))).toEqual([{ namespace: 2, hash: hashOf('other') }])
      expect(await versionOf(store, 'long')).toEqual({ ...times(at, at + 1), isTombstone: false, expiryMs: at + 60_000 })
      expect(await versionOf(store, 'short')).toMatchObject(times(at))
      expect(await store.expireAll(account(1), 'all', at + 1, late(at))).toEqual([])
    }),
  )
}

function shortened(open: Open): void {
  it(
    'keep the proof of the last request that set them, also when they become longer again',
    withStore(open, async test => {
      const { store, nowMs } = test
      const at = nowMs()
      const proofOf = async () => (await itemsOf(store, [account(1)]))[0]?.proof
      await put(test, message(at, 'a'))
      await store.setExpiries(account(1), [hashOf('a')], [at + 2 * HOUR], 'extend', asked(at, 'longer'))
      expect(await proofOf()).toBeUndefined()
      await store.setExpiries(account(1), [hashOf('a')], [at + HOUR], 'shorten', asked(at, 'shorter'))
      expect(await proofOf()).toEqual(bytes('shorter'))
      await store.setExpiries(account(1), [hashOf('a')], [at + 2 * HOUR], 'extend', asked(at, 'again'))
      expect(await proofOf()).toEqual(bytes('again'))
      await put(test, message(at, 'a'))
      expect(await proofOf()).toEqual(bytes('again'))
    }),
  )
  it(
    'leave, when they end, a tombstone of their version, so that no late store brings the message back',
    withStore(open, async test => {
      const { store, nowMs } = test
      const at = nowMs()
      const one = message(at, 'a', { expiryMs: at + 20 * DAY })
      await put(test, one)
      await store.setExpiries(account(1), [hashOf('a')], [at + HOUR], 'shorten', asked(at + 5, 'shorter'))
      await test.advance(HOUR)
      const tombstone = { ...times(at, at + 5), isTombstone: true, expiryMs: at + 5 + TOMBSTONE_MS }
      expect(await versionOf(store, 'a')).toEqual(tombstone)
      expect((await store.store(one, false, late(at))).outcome).toBe('obsolete')
      await store.sweep()
      expect(await itemsOf(store, [account(1)])).toEqual([
        { account: account(1), namespace: 0, hash: hashOf('a'), ...tombstone, proof: bytes('shorter') },
      ])
      expect((await store.store(one, false, late(at))).outcome).toBe('obsolete')
      expect((await store.store(one, false, asked(at))).outcome).toBe('stored')
      expect(await versionOf(store, 'a')).toMatchObject({ ...times(at + 1), isTombstone: false })
    }),
  )
  it(
    'end at once where the time is past, also before they are swept, and can be stored again',
    withStore(open, async test => {
      const { store, nowMs } = test
      await put(test, message(nowMs(), 'a'))
      await store.expireAll(account(1), 'all', nowMs() - 1, asked(nowMs(), 'now'))
      expect(await hashes(store)).toEqual([])
      expect(await versionOf(store, 'a')).toMatchObject({ ...times(nowMs(), nowMs() + 1), isTombstone: true })
      expect(await store.delete(account(1), [hashOf('a')], asked(nowMs() + 9, 'deleted'))).toEqual([])
      expect(await versionOf(store, 'a')).toMatchObject({ ...times(nowMs() + 9), isTombstone: true })
      expect((await put(test, message(nowMs(), 'a'))).outcome).toBe('stored')
      expect(await hashes(store)).toEqual(['a'])
    }),
  )
}

function ended(open: Open): void {
  it(
    'leave a tombstone that is later than the message with its life unshortened, not than a later expiry or a later store of it',
    withStore(open, async test => {
      const { store, nowMs } = test
      const at = nowMs()
      for (const isSwept of [false, true]) {
        const { account: of, namespace, hash, timestampMs, expiryMs, data } = message(at, 'a', { expiryMs: at + DAY })
        const item = (version: { decidedAtMs: number; changedAtMs: number }): Item => ({
          ...{ account: of, namespace, hash, ...version, isTombstone: false, expiryMs },
          message: { timestampMs, data },
        })
        await store.merge([item(times(at))], replaces)
        await store.expireAll(account(1), 'all', nowMs() - 1, late(at + 5, 'now'))
        if (isSwept) await store.sweep()
        expect(await store.merge([item(times(at)), item(times(at, at + 4))], replaces)).toBe(0)
        expect(await versionOf(store, 'a')).toMatchObject({ ...times(at, at + 5), isTombstone: true })
        expect(await store.merge([item(times(at, at + 6))], replaces)).toBe(1)
        await store.expireAll(account(1), 'all', nowMs() - 1, late(at + 7, 'again'))
        if (isSwept) await store.sweep()
        expect(await store.merge([item(times(at + 1))], replaces)).toBe(1)
        expect(await versionOf(store, 'a')).toMatchObject({ ...times(at + 1), isTombstone: false })
        await forgetAll(store, account(1))
        await expectSums(test)
      }
    }),
  )
  it(
    'leave a tombstone that a late store after the last one takes away, as does a late deletion',
    withStore(open, async test => {
      const { store, nowMs } = test
      const at = nowMs()
      await put(test, message(at, 'a'))
      await store.expireAll(account(1), 'all', at - 1, asked(at + 5, 'now'))
      expect((await store.store(message(at, 'a'), false, late(at))).outcome).toBe('obsolete')
      expect((await store.store(message(at, 'a'), false, late(at + 1))).outcome).toBe('stored')
      expect(await versionOf(store, 'a')).toMatchObject(times(at + 1))
      await store.expireAll(account(1), 'all', at - 1, asked(at + 5, 'now'))
      expect(await store.delete(account(1), [hashOf('a')], late(at + 2, 'deleted'))).toEqual([])
      expect(await versionOf(store, 'a')).toMatchObject({ ...times(at + 2), isTombstone: true })
    }),
  )
}

function token(n: number): Uint8Array {
  return new Uint8Array(36).fill(n)
}

function revocations(open: Open): void {
  const tokensOf = async (store: { revokedTokens(of: Uint8Array): Promise<readonly Uint8Array[]> }) =>
    (await store.revokedTokens(account(1))).map(one => one[0])
  it(
    'are kept without a message, newest first, and taken back',
    withStore(open, async ({ store, nowMs }) => {
      expect(await store.isRevoked(account(1), token(1))).toBe(false)
      await store.revoke(account(1), [token(1)], asked(nowMs(), 'revoke'))
      await store.revoke(account(1), [token(2), token(2)], asked(nowMs() + 10))
      expect(await tokensOf(store)).toEqual([2, 1])
      await store.revoke(account(1), [token(1)], asked(nowMs() + 20))
      expect(await tokensOf(store)).toEqual([1, 2])
      expect(await store.isRevoked(account(2), token(1))).toBe(false)
      expect(await store.unrevoke(account(1), [token(1), token(3)], asked(nowMs() + 30))).toBe(1)
      expect(await tokensOf(store)).toEqual([2])
      expect(await store.isRevoked(account(1), token(1))).toBe(false)
      expect(await store.unrevoke(account(1), [token(1)], asked(nowMs() + 40))).toBe(0)
    }),
  )
  it(
    'have no end, do not count as messages, and stay when all messages are deleted and swept',
    withStore(open, async test => {
      const { store, nowMs } = test
      await store.revoke(account(1), [token(1)], asked(nowMs(), 'revoke'))
      await put(test, message(nowMs(), 'a', { expiryMs: nowMs() + 1 }))
      await store.deleteAll(account(1), 'all', asked(nowMs() + 1))
      await store.expireAll(account(1), 'all', nowMs(), asked(nowMs() + 1))
      expect(await store.count()).toBe(0)
      const [item] = (await itemsOf(store, [account(1)])).filter(one => !one.isTombstone)
      expect(item).toMatchObject({ namespace: REVOCATIONS, expiryMs: NEVER_MS, ...times(nowMs()), proof: bytes('revoke') })
      expect(item?.message?.data).toEqual(token(1))
      expect(await store.delete(account(1), [item!.hash], asked(nowMs() + 9))).toEqual([])
      await test.advance(400 * DAY)
      await store.sweep()
      expect(await store.isRevoked(account(1), token(1))).toBe(true)
    }),
  )
  it(
    'are 50 at most: the newest',
    withStore(open, async ({ store, nowMs }) => {
      for (let n = 0; n < 60; n++) await store.revoke(account(1), [token(n)], asked(nowMs() + n))
      expect(await tokensOf(store)).toEqual(Array.from({ length: 50 }, (_, i) => 59 - i))
      await store.revoke(account(1), [token(100)], late(nowMs()))
      expect(await store.isRevoked(account(1), token(100))).toBe(false)
    }),
  )
  it(
    'do not come late behind what took them back',
    withStore(open, async ({ store, nowMs }) => {
      expect(await store.unrevoke(account(1), [token(1)], asked(nowMs()))).toBe(0)
      await store.revoke(account(1), [token(1)], late(nowMs() - 1))
      expect(await store.isRevoked(account(1), token(1))).toBe(false)
      await store.revoke(account(1), [token(1)], asked(nowMs() - 1))
      expect(await store.isRevoked(account(1), token(1))).toBe(true)
      expect(await store.unrevoke(account(1), [token(1)], late(nowMs()))).toBe(0)
    }),
  )
}
