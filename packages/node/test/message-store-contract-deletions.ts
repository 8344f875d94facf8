/** The part of the contract suite that is the law of deletions: no expiry brings back what was deleted. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Change, ExpiryMode } from '../src/store/store.ts'
import { ACCOUNTS, compare, life, RUNS, readable, when } from './message-store-contract-model.ts'
import {
  account,
  allVersions,
  asked,
  DAY,
  hashes,
  message,
  type Open,
  type StoreUnderTest,
  withStore,
} from './message-store-contract-parts.ts'

type Deletion = Pick<Change, 'mode'> & { readonly at: number; readonly all: boolean }
type Expiry = Pick<Change, 'mode'> & { readonly at: number; readonly lifeMs: number; readonly how: ExpiryMode }

const deletion: fc.Arbitrary<Deletion> = fc.record({ ...when, all: fc.boolean() })
const expiry: fc.Arbitrary<Expiry> = fc.record({
  ...when,
  at: fc.integer({ min: -4, max: DAY }),
  lifeMs: fc.oneof(life, fc.constant(20 * DAY)),
  how: fc.constantFrom<ExpiryMode>('set', 'shorten', 'extend'),
})

/** Whether a message that was stored at the store's time went. */
async function remove({ store, nowMs }: StoreUnderTest, { at, mode, all }: Deletion): Promise<boolean> {
  const change = { atMs: nowMs() + at, mode }
  const gone = all ? store.deleteAll(account(1), 'all', change) : store.delete(account(1), [message(0, 'a').hash], change)
  return (await gone).length > 0
}

export function deletionContract(open: Open): void {
  describe('a deletion that another store missed (NODE-81)', () => {
    it('stays, whatever expiries were set there, and what was stored after it stays too', async () => {
      let outlived = 0
      const property = fc.asyncProperty(
        deletion,
        fc.array(expiry, { maxLength: 4 }),
        fc.boolean(),
        (change, set, isStoredAgain) =>
          withStore(open, one =>
            withStore(open, async other => {
              const at = one.nowMs()
              const stored = message(at, 'a', { account: account(1), expiryMs: at + DAY })
              for (const { store } of [one, other]) await store.store(stored, false, asked(at))
              const isDeleted = await remove(one, change)
              for (const { lifeMs, how, at: setAt, mode } of set) {
                await other.store.setExpiries(account(1), [stored.hash], [at + lifeMs], how, { atMs: at + setAt, mode })
              }
              if (isStoredAgain) await one.store.store(stored, false, asked(at + change.at))
              await compare(one, other)
              expect(await hashes(one.store)).toEqual(isStoredAgain || !isDeleted ? ['a'] : [])
              expect(await readable(other)).toEqual(await readable(one))
              expect(await allVersions(other.store, ACCOUNTS)).toEqual(await allVersions(one.store, ACCOUNTS))
              if (isDeleted && !isStoredAgain && set.length > 0) outlived += 1
            })(),
          )(),
      )
      await fc.assert(property, { numRuns: RUNS })
      expect(outlived).toBeGreaterThan(5)
    })
  })
}
