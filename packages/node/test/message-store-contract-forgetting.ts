/** What a node forgets because others have it now (clause NODE-97). */
import { describe, expect, it } from 'vitest'
import {
  account,
  asked,
  expectSums,
  HOUR,
  hashOf,
  message,
  type Open,
  plain,
  put,
  withStore,
} from './message-store-contract-parts.ts'

export function forgettingContract(open: Open): void {
  describe('forgetting (NODE-97)', () => {
    it(
      'leaves what was changed after it was listed, whatever the change was',
      withStore(open, async test => {
        const { store, nowMs } = test
        const at = nowMs()
        const changes: ((hash: string) => Promise<unknown>)[] = [
          hash => store.delete(account(1), [hash], asked(at + 5, 'p')),
          hash => store.setExpiries(account(1), [hash], [at + 2 * HOUR], 'set', asked(at + 5)),
          hash => store.setExpiries(account(1), [hash], [at + HOUR / 2], 'set', asked(at + 5, 'p')),
          () => put(test, message(at + 5, 'stored again')),
        ]
        const names = ['deleted', 'later', 'sooner', 'stored again', 'unchanged']
        for (const name of names) await put(test, message(at, name))
        const listed = await store.versionsOf(account(1), 100)
        await test.advance(5)
        for (const [i, change] of changes.entries()) await change(hashOf(names[i]!))
        const changed = await store.versionsOf(account(1), 100)
        expect(await store.forget(listed)).toBe(1)
        const kept = changed.filter(({ hash }) => hash !== hashOf('unchanged'))
        expect(plain(await store.versionsOf(account(1), 100))).toEqual(plain(kept))
        expect(await store.forget(listed)).toBe(0)
        expect(await store.forget([])).toBe(0)
        await expectSums(test)
        expect(await store.forget(kept)).toBe(4)
        expect(await store.accounts(10)).toEqual([])
        await expectSums(test)
      }),
    )
    it(
      'leaves the end of a shortened life, which becomes a tombstone',
      withStore(open, async test => {
        const { store, nowMs } = test
        await put(test, message(nowMs(), 'a'))
        const listed = await store.versionsOf(account(1), 10)
        await store.expireAll(account(1), 'all', nowMs() - 1, asked(nowMs() + 5, 'p'))
        expect(await store.forget(listed)).toBe(0)
        await store.sweep()
        const [left] = await store.versionsOf(account(1), 10)
        expect(left).toMatchObject({ isTombstone: true })
        expect(await store.forget([left!])).toBe(1)
        await expectSums(test)
      }),
    )
  })
}
