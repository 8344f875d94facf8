/** What every message store must do, whatever it keeps its rows in. */
import { describe, expect, it } from 'vitest'
import { messageCost } from '../src/store/store.ts'
import { changingContract } from './message-store-contract-changes.ts'
import { deletionContract } from './message-store-contract-deletions.ts'
import { forgettingContract } from './message-store-contract-forgetting.ts'
import { lifeContract } from './message-store-contract-lives.ts'
import { mergingContract } from './message-store-contract-merging.ts'
import { convergenceContract } from './message-store-contract-model.ts'
import {
  account,
  asked,
  HOUR,
  hashes,
  hashOf,
  message,
  type Open,
  OUTBOX,
  PLENTY,
  put,
  type StoreUnderTest,
  withStore,
} from './message-store-contract-parts.ts'
import { swarmStoreContract } from './message-store-contract-swarm.ts'

export function messageStoreContract(name: string, open: Open): void {
  describe(`message store: ${name}`, () => {
    describe('storing', () => storing(open))
    describe('one message a namespace (NODE-25)', () => replacing(open))
    describe('expiry (NODE-23)', () => expiring(open))
    describe('pages', () => paging(open))
    describe('deleting', () => deleting(open))
    describe('closing', () => closing(open))
    changingContract(open)
    lifeContract(open)
    mergingContract(open)
    swarmStoreContract(open)
    forgettingContract(open)
    convergenceContract(open)
    deletionContract(open)
  })
}

function storing(open: Open): void {
  it(
    'gives back what was stored, byte for byte, in order of arrival',
    withStore(open, async test => {
      const first = message(test.nowMs(), 'first', {
        data: Uint8Array.from({ length: 256 }, (_, i) => i),
        timestampMs: test.nowMs() + 5,
      })
      const outcome = await put(test, first)
      await put(test, message(test.nowMs(), 'second'))
      expect(outcome).toEqual({ outcome: 'stored', expiryMs: first.expiryMs })
      const page = await test.store.retrieve({ account: account(1), namespace: 0, budgetBytes: PLENTY })
      expect(page.more).toBe(false)
      const found = page.messages[0]!
      expect({ ...found, data: new Uint8Array(found.data) }).toEqual({
        hash: first.hash,
        timestampMs: first.timestampMs,
        expiryMs: first.expiryMs,
        data: first.data,
      })
      expect(await hashes(test.store)).toEqual(['first', 'second'])
    }),
  )
  it(
    'keeps an empty message',
    withStore(open, async test => {
      await put(test, message(test.nowMs(), 'empty', { data: new Uint8Array() }))
      const page = await test.store.retrieve({ account: account(1), namespace: 0, budgetBytes: PLENTY })
      expect(page.messages[0]?.data.length).toBe(0)
    }),
  )
  it(
    'raises the expiry of the same message, never lowers it, and keeps timestamp and place (NODE-24)',
    withStore(open, async test => {
      await put(test, message(test.nowMs(), 'a'))
      await put(test, message(test.nowMs(), 'b'))
      const longer = message(test.nowMs(), 'a', { expiryMs: test.nowMs() + 2 * HOUR, timestampMs: test.nowMs() + 9 })
      expect(await put(test, longer)).toEqual({ outcome: 'already', expiryMs: test.nowMs() + 2 * HOUR })
      expect(await put(test, message(test.nowMs(), 'a'))).toEqual({ outcome: 'already', expiryMs: test.nowMs() + 2 * HOUR })
      expect(await hashes(test.store)).toEqual(['a', 'b'])
      const page = await test.store.retrieve({ account: account(1), namespace: 0, budgetBytes: PLENTY })
      expect(page.messages[0]).toMatchObject({ timestampMs: test.nowMs(), expiryMs: test.nowMs() + 2 * HOUR })
    }),
  )
  it(
    'keeps one hash apart in two namespaces and two accounts (NODE-20)',
    withStore(open, async test => {
      await put(test, message(test.nowMs(), 'x'))
      expect((await put(test, message(test.nowMs(), 'x', { namespace: 2 }))).outcome).toBe('stored')
      expect((await put(test, message(test.nowMs(), 'x', { account: account(2) }))).outcome).toBe('stored')
      expect(await hashes(test.store, { namespace: 2 })).toEqual(['x'])
      expect(await hashes(test.store, { account: account(2) })).toEqual(['x'])
      expect(await test.store.count()).toBe(3)
    }),
  )
  it(
    'answers each of many stores of one moment (NODE-22)',
    withStore(open, async test => {
      const names = Array.from({ length: 1000 }, (_, i) => `m${i}.`)
      const outcomes = await Promise.all(names.map(name => put(test, message(test.nowMs(), name))))
      expect(outcomes.every(outcome => outcome.outcome === 'stored')).toBe(true)
      expect(await hashes(test.store)).toEqual(names)
    }),
  )
}

function replacing(open: Open): void {
  it(
    'replaces also the only message that the account has',
    withStore(open, async test => {
      const slot = { namespace: OUTBOX }
      await put(test, message(test.nowMs(), 'old', slot))
      const newer = message(test.nowMs(), 'new', { ...slot, timestampMs: test.nowMs() + 1 })
      expect(await put(test, newer)).toEqual({ outcome: 'stored', expiryMs: newer.expiryMs })
      expect(await hashes(test.store, slot)).toEqual(['new'])
    }),
  )
  it(
    'lets the newest win, in whichever order they arrive',
    withStore(open, async test => {
      const slot = { namespace: OUTBOX }
      await put(test, message(test.nowMs(), 'new', { ...slot, timestampMs: test.nowMs() + 1 }))
      expect((await put(test, message(test.nowMs(), 'old', slot))).outcome).toBe('obsolete')
      expect(await hashes(test.store, slot)).toEqual(['new'])
    }),
  )
  it(
    'lets the greater hash win among equally new ones, so that members agree',
    withStore(open, async test => {
      await put(test, message(test.nowMs(), 'y', { namespace: -1 }))
      expect((await put(test, message(test.nowMs(), 'x', { namespace: -1 }))).outcome).toBe('obsolete')
      expect((await put(test, message(test.nowMs(), 'z', { namespace: -1 }))).outcome).toBe('stored')
      expect(await hashes(test.store, { namespace: -1 })).toEqual(['z'])
    }),
  )
  it(
    'raises the expiry of the same message and leaves other namespaces and accounts alone',
    withStore(open, async test => {
      await put(test, message(test.nowMs(), 'inbox'))
      await put(test, message(test.nowMs(), 'other', { account: account(2), namespace: OUTBOX }))
      await put(test, message(test.nowMs(), 'key', { namespace: OUTBOX }))
      const longer = message(test.nowMs(), 'key', { namespace: OUTBOX, expiryMs: test.nowMs() + 2 * HOUR })
      expect(await put(test, longer)).toEqual({ outcome: 'already', expiryMs: test.nowMs() + 2 * HOUR })
      await put(test, message(test.nowMs(), 'next', { namespace: OUTBOX, timestampMs: test.nowMs() + 1 }))
      expect(await hashes(test.store)).toEqual(['inbox'])
      expect(await hashes(test.store, { account: account(2), namespace: OUTBOX })).toEqual(['other'])
    }),
  )
  it(
    'takes an older message once the newer one has expired',
    withStore(open, async test => {
      await put(test, message(test.nowMs(), 'short', { namespace: OUTBOX, timestampMs: test.nowMs() + 1 }))
      const older = message(test.nowMs(), 'long', { namespace: OUTBOX, expiryMs: test.nowMs() + 3 * HOUR })
      await test.advance(HOUR)
      expect((await put(test, older)).outcome).toBe('stored')
      expect(await hashes(test.store, { namespace: OUTBOX })).toEqual(['long'])
    }),
  )
}

function expiring(open: Open): void {
  it(
    'does not serve a message from the moment it expires, swept or not',
    withStore(open, async test => {
      await put(test, message(test.nowMs(), 'a'))
      await test.advance(HOUR - 1)
      expect(await hashes(test.store)).toEqual(['a'])
      await test.advance(1)
      expect(await hashes(test.store)).toEqual([])
      await test.store.sweep()
      expect(await test.store.count()).toBe(0)
    }),
  )
  it(
    'sweeps more than a slice and nothing that lives',
    withStore(open, async test => {
      const brief = Array.from({ length: 700 }, (_, i) => message(test.nowMs(), `brief${i}.`, { account: account(i % 9) }))
      const lasting = message(test.nowMs(), 'lasting', { expiryMs: test.nowMs() + 5 * HOUR })
      await Promise.all([...brief, lasting].map(one => put(test, one)))
      await test.advance(HOUR)
      await test.store.sweep()
      expect(await test.store.count()).toBe(1)
      expect(await hashes(test.store)).toEqual(['lasting'])
      expect(await test.store.sweep()).toBe(0)
    }),
  )
  it(
    'takes an expired message that is stored again as a new one, at the end (NODE-27)',
    withStore(open, async test => {
      await put(test, message(test.nowMs(), 'again'))
      await put(test, message(test.nowMs(), 'other', { expiryMs: test.nowMs() + 5 * HOUR }))
      await test.advance(HOUR)
      expect((await put(test, message(test.nowMs(), 'again'))).outcome).toBe('stored')
      expect(await hashes(test.store)).toEqual(['other', 'again'])
    }),
  )
}

function paging(open: Open): void {
  const stored = async (test: StoreUnderTest, count: number) => {
    const all = Array.from({ length: count }, (_, i) => message(test.nowMs(), `m${i}.`, { data: new Uint8Array(300) }))
    await Promise.all(all.map(one => put(test, one)))
  }
  it(
    'continues after a hash, and starts over after an unknown one',
    withStore(open, async test => {
      await stored(test, 5)
      expect(await hashes(test.store, { afterHash: hashOf('m2.') })).toEqual(['m3.', 'm4.'])
      expect(await hashes(test.store, { afterHash: hashOf('m4.') })).toEqual([])
      expect(await hashes(test.store, { afterHash: hashOf('unknown') })).toHaveLength(5)
      await put(test, message(test.nowMs(), 'elsewhere', { namespace: 2 }))
      expect(await hashes(test.store, { afterHash: hashOf('elsewhere') })).toHaveLength(5)
    }),
  )
  it(
    'stops at the count and says whether there is more',
    withStore(open, async test => {
      await stored(test, 5)
      const query = { account: account(1), namespace: 0, budgetBytes: PLENTY }
      expect(await test.store.retrieve({ ...query, maxCount: 4 })).toMatchObject({ more: true, messages: { length: 4 } })
      expect(await test.store.retrieve({ ...query, maxCount: 5 })).toMatchObject({ more: false, messages: { length: 5 } })
    }),
  )
  it(
    'stops at the budget, but never before the first message',
    withStore(open, async test => {
      await stored(test, 5)
      const cost = messageCost(hashOf('m0.'), 300)
      const query = { account: account(1), namespace: 0 }
      expect(await test.store.retrieve({ ...query, budgetBytes: 3 * cost })).toMatchObject({
        more: true,
        messages: { length: 3 },
      })
      expect(await test.store.retrieve({ ...query, budgetBytes: 3 * cost - 1 })).toMatchObject({ messages: { length: 2 } })
      expect(await test.store.retrieve({ ...query, budgetBytes: 1 })).toMatchObject({ more: true, messages: { length: 1 } })
      expect(await test.store.retrieve({ ...query, budgetBytes: 5 * cost })).toMatchObject({
        more: false,
        messages: { length: 5 },
      })
    }),
  )
}

function deleting(open: Open): void {
  it(
    'deletes in every namespace of the account and names what was there, sorted',
    withStore(open, async test => {
      await put(test, message(test.nowMs(), 'b'))
      await put(test, message(test.nowMs(), 'a', { namespace: 7 }))
      await put(test, message(test.nowMs(), 'a', { account: account(2) }))
      const wanted = [hashOf('b'), hashOf('a'), hashOf('none'), hashOf('b')]
      expect(await test.store.delete(account(1), wanted, asked(test.nowMs()))).toEqual([hashOf('a'), hashOf('b')])
      expect(await test.store.delete(account(1), wanted, asked(test.nowMs()))).toEqual([])
      expect(await hashes(test.store, { account: account(2) })).toEqual(['a'])
      expect((await put(test, message(test.nowMs(), 'b'))).outcome).toBe('stored')
    }),
  )
  it(
    'does not name a message that had expired',
    withStore(open, async test => {
      await put(test, message(test.nowMs(), 'a'))
      await test.advance(HOUR)
      expect(await test.store.delete(account(1), [hashOf('a')], asked(test.nowMs()))).toEqual([])
    }),
  )
}

function closing(open: Open): void {
  it(
    'finishes what it accepted, then refuses with a code',
    withStore(open, async test => {
      const accepted = put(test, message(test.nowMs(), 'a'))
      await test.store.close()
      expect((await accepted).outcome).toBe('stored')
      await expect(put(test, message(test.nowMs(), 'b'))).rejects.toMatchObject({ code: 'closed' })
      await expect(test.store.retrieve({ account: account(1), namespace: 0, budgetBytes: 1 })).rejects.toMatchObject({
        code: 'closed',
      })
    }),
  )
}
