/** What every message store must do, whatever it keeps its rows in. */
import { describe, expect, it } from 'vitest'
import { type MessageStore, messageCost, type StoredMessage } from '../src/store/store.ts'
import type { ManualClock } from './manual-clock.ts'

export interface StoreUnderTest {
  readonly store: MessageStore
  readonly clock: ManualClock
  close(): Promise<void>
}

const HOUR = 3_600_000
const PLENTY = 7_800_000

function account(n: number): Uint8Array {
  return Uint8Array.of(5, ...new Uint8Array(31), n)
}

function hashOf(name: string): string {
  return name.padEnd(43, 'A')
}

/** A message of account 1 in namespace 0 that lives for an hour, except for what is said. */
function message(clock: ManualClock, name: string, parts: Partial<StoredMessage> = {}): StoredMessage {
  const data = new TextEncoder().encode(`content of ${name}`)
  return {
    account: account(1),
    namespace: 0,
    hash: hashOf(name),
    timestampMs: clock.ms,
    expiryMs: clock.ms + HOUR,
    data,
    ...parts,
  }
}

async function hashes(
  store: MessageStore,
  query: { account?: Uint8Array; namespace?: number; afterHash?: string } = {},
): Promise<string[]> {
  const page = await store.retrieve({ account: account(1), namespace: 0, budgetBytes: PLENTY, ...query })
  return page.messages.map(found => found.hash.replace(/A+$/, ''))
}

type Open = () => Promise<StoreUnderTest>
type Body = (test: StoreUnderTest) => Promise<void>

function withStore(open: Open, body: Body): () => Promise<void> {
  return async () => {
    const test = await open()
    try {
      await body(test)
    } finally {
      await test.close()
    }
  }
}

export function messageStoreContract(name: string, open: Open): void {
  describe(`message store: ${name}`, () => {
    describe('storing', () => storing(open))
    describe('one message a namespace (NODE-25)', () => replacing(open))
    describe('expiry (NODE-23)', () => expiring(open))
    describe('pages', () => paging(open))
    describe('deleting', () => deleting(open))
    describe('closing', () => closing(open))
  })
}

function storing(open: Open): void {
  it(
    'gives back what was stored, byte for byte, in order of arrival',
    withStore(open, async ({ store, clock }) => {
      const first = message(clock, 'first', { data: Uint8Array.from({ length: 256 }, (_, i) => i), timestampMs: clock.ms + 5 })
      const outcome = await store.store(first, false)
      await store.store(message(clock, 'second'), false)
      expect(outcome).toEqual({ outcome: 'stored', expiryMs: first.expiryMs })
      const page = await store.retrieve({ account: account(1), namespace: 0, budgetBytes: PLENTY })
      expect(page.more).toBe(false)
      const found = page.messages[0]!
      expect({ ...found, data: new Uint8Array(found.data) }).toEqual({
        hash: first.hash,
        timestampMs: first.timestampMs,
        expiryMs: first.expiryMs,
        data: first.data,
      })
      expect(await hashes(store)).toEqual(['first', 'second'])
    }),
  )
  it(
    'keeps an empty message',
    withStore(open, async ({ store, clock }) => {
      await store.store(message(clock, 'empty', { data: new Uint8Array() }), false)
      const page = await store.retrieve({ account: account(1), namespace: 0, budgetBytes: PLENTY })
      expect(page.messages[0]?.data.length).toBe(0)
    }),
  )
  it(
    'raises the expiry of the same message, never lowers it, and keeps timestamp and place (NODE-24)',
    withStore(open, async ({ store, clock }) => {
      await store.store(message(clock, 'a'), false)
      await store.store(message(clock, 'b'), false)
      const longer = message(clock, 'a', { expiryMs: clock.ms + 2 * HOUR, timestampMs: clock.ms + 9 })
      expect(await store.store(longer, false)).toEqual({ outcome: 'already', expiryMs: clock.ms + 2 * HOUR })
      expect(await store.store(message(clock, 'a'), false)).toEqual({ outcome: 'already', expiryMs: clock.ms + 2 * HOUR })
      expect(await hashes(store)).toEqual(['a', 'b'])
      const page = await store.retrieve({ account: account(1), namespace: 0, budgetBytes: PLENTY })
      expect(page.messages[0]).toMatchObject({ timestampMs: clock.ms, expiryMs: clock.ms + 2 * HOUR })
    }),
  )
  it(
    'keeps one hash apart in two namespaces and two accounts (NODE-20)',
    withStore(open, async ({ store, clock }) => {
      await store.store(message(clock, 'x'), false)
      expect((await store.store(message(clock, 'x', { namespace: 2 }), false)).outcome).toBe('stored')
      expect((await store.store(message(clock, 'x', { account: account(2) }), false)).outcome).toBe('stored')
      expect(await hashes(store, { namespace: 2 })).toEqual(['x'])
      expect(await hashes(store, { account: account(2) })).toEqual(['x'])
      expect(await store.count()).toBe(3)
    }),
  )
  it(
    'answers each of many stores of one moment (NODE-22)',
    withStore(open, async ({ store, clock }) => {
      const names = Array.from({ length: 1000 }, (_, i) => `m${i}.`)
      const outcomes = await Promise.all(names.map(name => store.store(message(clock, name), false)))
      expect(outcomes.every(outcome => outcome.outcome === 'stored')).toBe(true)
      expect(await hashes(store)).toEqual(names)
    }),
  )
}

function replacing(open: Open): void {
  it(
    'replaces also the only message that the account has',
    withStore(open, async ({ store, clock }) => {
      const slot = { namespace: -21 }
      await store.store(message(clock, 'old', slot), true)
      const newer = message(clock, 'new', { ...slot, timestampMs: clock.ms + 1 })
      expect(await store.store(newer, true)).toEqual({ outcome: 'stored', expiryMs: newer.expiryMs })
      expect(await hashes(store, slot)).toEqual(['new'])
    }),
  )
  it(
    'lets the newest win, in whichever order they arrive',
    withStore(open, async ({ store, clock }) => {
      const slot = { namespace: -21 }
      await store.store(message(clock, 'new', { ...slot, timestampMs: clock.ms + 1 }), true)
      expect((await store.store(message(clock, 'old', slot), true)).outcome).toBe('obsolete')
      expect(await hashes(store, slot)).toEqual(['new'])
    }),
  )
  it(
    'lets the greater hash win among equally new ones, so that members agree',
    withStore(open, async ({ store, clock }) => {
      await store.store(message(clock, 'y', { namespace: -1 }), true)
      expect((await store.store(message(clock, 'x', { namespace: -1 }), true)).outcome).toBe('obsolete')
      expect((await store.store(message(clock, 'z', { namespace: -1 }), true)).outcome).toBe('stored')
      expect(await hashes(store, { namespace: -1 })).toEqual(['z'])
    }),
  )
  it(
    'raises the expiry of the same message and leaves other namespaces and accounts alone',
    withStore(open, async ({ store, clock }) => {
      await store.store(message(clock, 'inbox'), false)
      await store.store(message(clock, 'other', { account: account(2), namespace: -21 }), true)
      await store.store(message(clock, 'key', { namespace: -21 }), true)
      const longer = message(clock, 'key', { namespace: -21, expiryMs: clock.ms + 2 * HOUR })
      expect(await store.store(longer, true)).toEqual({ outcome: 'already', expiryMs: clock.ms + 2 * HOUR })
      await store.store(message(clock, 'next', { namespace: -21, timestampMs: clock.ms + 1 }), true)
      expect(await hashes(store)).toEqual(['inbox'])
      expect(await hashes(store, { account: account(2), namespace: -21 })).toEqual(['other'])
    }),
  )
  it(
    'takes an older message once the newer one has expired',
    withStore(open, async ({ store, clock }) => {
      await store.store(message(clock, 'short', { namespace: -21, timestampMs: clock.ms + 1 }), true)
      const older = message(clock, 'long', { namespace: -21, expiryMs: clock.ms + 3 * HOUR })
      clock.ms += HOUR
      expect((await store.store(older, true)).outcome).toBe('stored')
      expect(await hashes(store, { namespace: -21 })).toEqual(['long'])
    }),
  )
}

function expiring(open: Open): void {
  it(
    'does not serve a message from the moment it expires, swept or not',
    withStore(open, async ({ store, clock }) => {
      await store.store(message(clock, 'a'), false)
      clock.ms += HOUR - 1
      expect(await hashes(store)).toEqual(['a'])
      clock.ms += 1
      expect(await hashes(store)).toEqual([])
      expect(await store.count()).toBe(1)
      expect(await store.sweep()).toBe(1)
      expect(await store.count()).toBe(0)
    }),
  )
  it(
    'sweeps more than a slice and nothing that lives',
    withStore(open, async ({ store, clock }) => {
      const brief = Array.from({ length: 700 }, (_, i) => message(clock, `brief${i}.`, { account: account(i % 9) }))
      const lasting = message(clock, 'lasting', { expiryMs: clock.ms + 5 * HOUR })
      await Promise.all([...brief, lasting].map(one => store.store(one, false)))
      clock.ms += HOUR
      expect(await store.sweep()).toBe(700)
      expect(await hashes(store)).toEqual(['lasting'])
      expect(await store.sweep()).toBe(0)
    }),
  )
  it(
    'takes an expired message that is stored again as a new one, at the end (NODE-27)',
    withStore(open, async ({ store, clock }) => {
      await store.store(message(clock, 'again'), false)
      await store.store(message(clock, 'other', { expiryMs: clock.ms + 5 * HOUR }), false)
      clock.ms += HOUR
      expect((await store.store(message(clock, 'again'), false)).outcome).toBe('stored')
      expect(await hashes(store)).toEqual(['other', 'again'])
    }),
  )
}

function paging(open: Open): void {
  const stored = async ({ store, clock }: StoreUnderTest, count: number) => {
    const all = Array.from({ length: count }, (_, i) => message(clock, `m${i}.`, { data: new Uint8Array(300) }))
    await Promise.all(all.map(one => store.store(one, false)))
  }
  it(
    'continues after a hash, and starts over after an unknown one',
    withStore(open, async test => {
      await stored(test, 5)
      expect(await hashes(test.store, { afterHash: hashOf('m2.') })).toEqual(['m3.', 'm4.'])
      expect(await hashes(test.store, { afterHash: hashOf('m4.') })).toEqual([])
      expect(await hashes(test.store, { afterHash: hashOf('unknown') })).toHaveLength(5)
      await test.store.store(message(test.clock, 'elsewhere', { namespace: 2 }), false)
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
    withStore(open, async ({ store, clock }) => {
      await store.store(message(clock, 'b'), false)
      await store.store(message(clock, 'a', { namespace: 7 }), false)
      await store.store(message(clock, 'a', { account: account(2) }), false)
      const wanted = [hashOf('b'), hashOf('a'), hashOf('none'), hashOf('b')]
      expect(await store.delete(account(1), wanted)).toEqual([hashOf('a'), hashOf('b')])
      expect(await store.delete(account(1), wanted)).toEqual([])
      expect(await hashes(store, { account: account(2) })).toEqual(['a'])
      expect((await store.store(message(clock, 'b'), false)).outcome).toBe('stored')
    }),
  )
  it(
    'does not name a message that had expired',
    withStore(open, async ({ store, clock }) => {
      await store.store(message(clock, 'a'), false)
      clock.ms += HOUR
      expect(await store.delete(account(1), [hashOf('a')])).toEqual([])
    }),
  )
}

function closing(open: Open): void {
  it(
    'finishes what it accepted, then refuses with a code',
    withStore(open, async ({ store, clock }) => {
      const accepted = store.store(message(clock, 'a'), false)
      await store.close()
      expect((await accepted).outcome).toBe('stored')
      await expect(store.store(message(clock, 'b'), false)).rejects.toMatchObject({ code: 'closed' })
      await expect(store.retrieve({ account: account(1), namespace: 0, budgetBytes: 1 })).rejects.toMatchObject({
        code: 'closed',
      })
    }),
  )
}
