/**
 * The part of the contract suite that is a law: a store does what a naive model of it does, and stores that saw the same changes in
 * different orders, late, twice or not at all, end with the same once they have taken over from one another.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isLater, TOMBSTONE_MS } from '../src/store/item-version.ts'
import type { Change, ExpiryMode, ItemVersion, NamespaceChoice, StoreOutcome } from '../src/store/store.ts'
import {
  account,
  allVersions,
  bytes,
  expectSums,
  HOUR,
  hashOf,
  itemsOf,
  type Open,
  OUTBOX,
  PLENTY,
  replaces,
  type StoreUnderTest,
  withStore,
} from './message-store-contract-parts.ts'

export const ACCOUNTS = [account(1), account(2)]
const NAMESPACES = [0, 5, OUTBOX]
const NAMES = ['a', 'b', 'c']
const DAY = 24 * HOUR
export const RUNS = 60

/** A change or a moment; times are relative to the time of the store. */
type Step =
  | { do: 'store'; of: number; namespace: number; name: string; ageMs: number; lifeMs: number; at: number; mode: Change['mode'] }
  | { do: 'delete'; of: number; names: string[]; at: number; mode: Change['mode'] }
  | { do: 'deleteAll'; of: number; namespaces: NamespaceChoice; untilAgeMs?: number; at: number; mode: Change['mode'] }
  | { do: 'expire'; of: number; names: string[]; lifeMs: number; how: ExpiryMode; at: number; mode: Change['mode'] }
  | { do: 'expireAll'; of: number; namespaces: NamespaceChoice; lifeMs: number; at: number; mode: Change['mode'] }
  | { do: 'wait'; ms: number }

interface Entry extends ItemVersion {
  readonly key: string
  readonly timestampMs: number
  readonly isShortened: boolean
  readonly arrival: number
}

/** Everything in one list, looked through for each question. */
class Model {
  #entries: Entry[] = []
  #arrivals = 0
  nowMs: number

  constructor(nowMs: number) {
    this.nowMs = nowMs
  }

  /** What has expired goes; where a life was shortened it is a tombstone now. */
  wait(ms: number): void {
    this.nowMs += ms
    this.#entries = this.#entries
      .map(one =>
        !one.isTombstone && one.isShortened && one.expiryMs <= this.nowMs
          ? { ...one, isTombstone: true, expiryMs: one.changedAtMs + TOMBSTONE_MS }
          : one,
      )
      .filter(one => one.expiryMs > this.nowMs)
  }

  versions(of: Uint8Array): ItemVersion[] {
    return this.#of(of)
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ account, namespace, hash, decidedAtMs, changedAtMs, isTombstone, expiryMs }) => ({
        account,
        namespace,
        hash,
        decidedAtMs,
        changedAtMs,
        isTombstone,
        expiryMs,
      }))
  }

  page(of: Uint8Array, namespace: number): { hash: string; expiryMs: number; timestampMs: number }[] {
    return this.#live(of, namespace)
      .sort((a, b) => a.arrival - b.arrival)
      .map(({ hash, expiryMs, timestampMs }) => ({ hash, expiryMs, timestampMs }))
  }

  store(of: Uint8Array, namespace: number, name: string, timestampMs: number, expiryMs: number, change: Change): StoreOutcome {
    const held = this.#entries.find(one => one.key === keyOf(of, namespace, hashOf(name)))
    const isOutbox = replaces(namespace)
    const at = effective(change, held?.decidedAtMs)
    if (held?.isTombstone === false) {
      const isLate = change.mode === 'late'
      if (isLate && change.atMs < held.decidedAtMs) return { outcome: 'obsolete', expiryMs: held.expiryMs }
      const wasSetSince = isLate && change.atMs < held.changedAtMs
      const longer = wasSetSince ? held.expiryMs : Math.max(expiryMs, held.expiryMs)
      const timestamp = isOutbox ? Math.max(timestampMs, held.timestampMs) : held.timestampMs
      const decidedAtMs = at ?? held.decidedAtMs
      const changedAtMs = Math.max(decidedAtMs, held.changedAtMs)
      this.#set({ ...held, expiryMs: longer, timestampMs: timestamp, decidedAtMs, changedAtMs })
      return { outcome: 'already', expiryMs: longer }
    }
    const others = isOutbox ? this.#live(of, namespace) : []
    const beaten = others.some(
      one => one.timestampMs > timestampMs || (one.timestampMs === timestampMs && one.hash > hashOf(name)),
    )
    if (at === undefined || beaten) return { outcome: 'obsolete', expiryMs }
    this.#entries = this.#entries.filter(one => !others.includes(one))
    const times = { decidedAtMs: at, changedAtMs: at, expiryMs, timestampMs }
    const version = { ...times, isTombstone: false, isShortened: false, arrival: this.#arrivals++ }
    const hash = hashOf(name)
    this.#set({ account: of, namespace, hash, key: keyOf(of, namespace, hash), ...version })
    return { outcome: 'stored', expiryMs }
  }

  delete(of: Uint8Array, names: readonly string[], change: Change): string[] {
    const hit = this.#of(of).filter(one => names.map(hashOf).includes(one.hash))
    const gone = hit.filter(one => {
      const isLater = change.atMs > one.decidedAtMs
      if (!isLater && (one.isTombstone || (change.mode === 'late' && change.atMs !== one.decidedAtMs))) return false
      this.#bury(one, change.atMs)
      return !one.isTombstone
    })
    return [...new Set(gone.map(one => one.hash))].sort()
  }

  deleteAll(of: Uint8Array, namespaces: NamespaceChoice, change: Change, untilMs = Number.POSITIVE_INFINITY): string[] {
    const hit = this.#live(of, namespaces).filter(one => one.decidedAtMs <= change.atMs && one.timestampMs <= untilMs)
    for (const one of hit) this.#bury(one, change.atMs)
    return hit.map(one => `${one.namespace} ${one.hash}`).sort()
  }

  expire(of: Uint8Array, names: readonly string[], expiryMs: number, how: ExpiryMode, change: Change): string[] {
    const hit = this.#live(of, 'all').filter(one => names.map(hashOf).includes(one.hash))
    return [...new Set(hit.filter(one => this.#setExpiry(one, expiryMs, how, change)).map(one => one.hash))].sort()
  }

  expireAll(of: Uint8Array, namespaces: NamespaceChoice, expiryMs: number, change: Change): string[] {
    const hit = this.#live(of, namespaces).filter(one => this.#setExpiry(one, expiryMs, 'shorten', change))
    return hit.map(one => `${one.namespace} ${one.hash}`).sort()
  }

  #setExpiry(one: Entry, expiryMs: number, how: ExpiryMode, change: Change): boolean {
    const changedAtMs = effective(change, one.changedAtMs)
    const applies = how === 'set' || (how === 'shorten' ? expiryMs < one.expiryMs : expiryMs > one.expiryMs)
    if (!applies || changedAtMs === undefined) return false
    this.#set({ ...one, expiryMs, changedAtMs, isShortened: one.isShortened || expiryMs < one.expiryMs })
    this.wait(0)
    return true
  }

  #bury(one: Entry, askedAtMs: number): void {
    const atMs = Math.max(askedAtMs, one.decidedAtMs + 1)
    this.#set({ ...one, isTombstone: true, decidedAtMs: atMs, changedAtMs: atMs, expiryMs: atMs + TOMBSTONE_MS })
    this.wait(0)
  }

  #of(of: Uint8Array): Entry[] {
    return this.#entries.filter(one => one.account === of)
  }

  #live(of: Uint8Array, namespaces: NamespaceChoice): Entry[] {
    return this.#of(of).filter(one => !one.isTombstone && (namespaces === 'all' || one.namespace === namespaces))
  }

  #set(entry: Entry): void {
    this.#entries = [...this.#entries.filter(one => one.key !== entry.key), entry]
  }
}

function keyOf(of: Uint8Array, namespace: number, hash: string): string {
  return `${of[32]} ${hash} ${String(namespace + 100).padStart(4, '0')}`
}

function effective(change: Change, heldMs: number | undefined): number | undefined {
  if (heldMs === undefined) return change.atMs
  if (change.mode === 'asked') return Math.max(change.atMs, heldMs + 1)
  return change.atMs > heldMs ? change.atMs : undefined
}

/** Does a step at both; returns what the store said and what the model did. */
async function take(step: Step, { store, nowMs }: StoreUnderTest, model: Model): Promise<[unknown, unknown]> {
  if (step.do === 'wait') return [undefined, model.wait(step.ms)]
  const at = nowMs()
  const of = ACCOUNTS[step.of]!
  const change: Change = { atMs: at + step.at, mode: step.mode, proof: bytes(JSON.stringify(step)) }
  const keys = (affected: readonly { namespace: number; hash: string }[]) =>
    affected.map(one => `${one.namespace} ${one.hash}`).sort()
  switch (step.do) {
    case 'store': {
      const times = { timestampMs: at - step.ageMs, expiryMs: at + step.lifeMs }
      const message = { account: of, namespace: step.namespace, hash: hashOf(step.name), ...times, data: bytes(step.name) }
      return [
        await store.store(message, replaces(step.namespace), change),
        model.store(of, step.namespace, step.name, times.timestampMs, times.expiryMs, change),
      ]
    }
    case 'delete':
      return [await store.delete(of, step.names.map(hashOf), change), model.delete(of, step.names, change)]
    case 'deleteAll': {
      const untilMs = step.untilAgeMs === undefined ? undefined : at - step.untilAgeMs
      return [
        keys(await store.deleteAll(of, step.namespaces, change, untilMs)),
        model.deleteAll(of, step.namespaces, change, untilMs),
      ]
    }
    case 'expire': {
      const expiryMs = at + step.lifeMs
      const { updated } = await store.setExpiries(of, step.names.map(hashOf), [expiryMs], step.how, change)
      return [updated.map(one => one.hash), model.expire(of, step.names, expiryMs, step.how, change)]
    }
    case 'expireAll':
      return [
        keys(await store.expireAll(of, step.namespaces, at + step.lifeMs, change)),
        model.expireAll(of, step.namespaces, at + step.lifeMs, change),
      ]
  }
}

export const when = { at: fc.integer({ min: -4, max: 4 }), mode: fc.constantFrom('asked' as const, 'late' as const) }
const of = fc.nat(1)
export const life = fc.constantFrom(20_000, 90_000, HOUR, HOUR + 1, DAY)
const names = fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1 })
const namespaces = fc.constantFrom<NamespaceChoice>('all', ...NAMESPACES)

const changes: fc.Arbitrary<Exclude<Step, { do: 'wait' }>> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('store' as const),
      of,
      namespace: fc.constantFrom(...NAMESPACES),
      name: fc.constantFrom(...NAMES),
      ageMs: fc.nat(3),
      lifeMs: life,
      ...when,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), of, names, ...when }) },
  {
    weight: 1,
    arbitrary: fc.record(
      { do: fc.constant('deleteAll' as const), of, namespaces, untilAgeMs: fc.nat(3), ...when },
      { requiredKeys: ['do', 'of', 'namespaces', 'at', 'mode'] },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('expire' as const),
      of,
      names,
      lifeMs: fc.oneof(life, fc.constant(-5)),
      how: fc.constantFrom<ExpiryMode>('set', 'shorten', 'extend'),
      ...when,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('expireAll' as const),
      of,
      namespaces,
      lifeMs: fc.oneof(life, fc.constant(0)),
      ...when,
    }),
  },
)

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: changes },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 2, 20_000, 61_000, HOUR, 29 * DAY, 30 * DAY),
    }),
  },
)

/** The pages of all mailboxes. */
export async function readable({ store }: StoreUnderTest) {
  const pages = ACCOUNTS.flatMap(one =>
    NAMESPACES.map(async namespace => {
      const { messages } = await store.retrieve({ account: one, namespace, budgetBytes: PLENTY })
      return messages.map(({ hash, expiryMs, timestampMs }) => ({ hash, expiryMs, timestampMs }))
    }),
  )
  return Promise.all(pages)
}

/** Each takes from the other what is later there, until neither has anything to take. */
export async function compare(a: StoreUnderTest, b: StoreUnderTest): Promise<void> {
  const pull = async (to: StoreUnderTest, from: StoreUnderTest): Promise<number> => {
    const offered = await itemsOf(from.store, ACCOUNTS)
    const held = await to.store.heldVersions(offered)
    return to.store.merge(
      offered.filter((item, i) => isLater(item, held[i])),
      replaces,
    )
  }
  for (let round = 0; ; round++) {
    const taken = [await pull(a, b), await pull(b, a)]
    if (taken.every(count => count === 0)) return
    expect(round).toBeLessThan(5)
  }
}

export function convergenceContract(open: Open): void {
  describe('laws', () => {
    it('does what the model does, step by step', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 30 }), list =>
          withStore(open, async test => {
            const model = new Model(test.nowMs())
            for (const step of list) {
              const [said, meant] = await take(step, test, model)
              expect(said).toEqual(meant)
              if (step.do === 'wait') {
                await test.advance(step.ms)
                await test.store.sweep()
              }
              expect(await readable(test)).toEqual(
                ACCOUNTS.flatMap(one => NAMESPACES.map(namespace => model.page(one, namespace))),
              )
            }
            await test.store.sweep()
            const versions = await allVersions(test.store, ACCOUNTS)
            expect(versions).toEqual(ACCOUNTS.flatMap(one => model.versions(one)))
            await expectSums(test)
          })(),
        ),
        { numRuns: RUNS },
      )
    })
    it('ends with the same at two stores, whatever reached them in whatever order, once they have compared (NODE-80)', async () => {
      const fate = fc.record({ step: changes, there: fc.boolean(), twice: fc.boolean(), order: fc.nat() })
      await fc.assert(
        fc.asyncProperty(fc.array(fate, { minLength: 1, maxLength: 25 }), fc.constantFrom(0, 30_000, HOUR, DAY), (list, waitMs) =>
          withStore(open, one =>
            withStore(open, async other => {
              const model = new Model(one.nowMs())
              for (const { step } of list) await take({ ...step, mode: 'asked' }, one, model)
              const elsewhere = list.filter(({ there }) => there).sort((a, b) => a.order - b.order)
              for (const { step, twice } of elsewhere) {
                await take({ ...step, mode: 'late' }, other, model)
                if (twice) await take({ ...step, mode: 'late' }, other, model)
              }
              for (const test of [one, other]) {
                await test.advance(waitMs)
                await test.store.sweep()
              }
              await compare(one, other)
              const versions = await allVersions(one.store, ACCOUNTS)
              expect(await allVersions(other.store, ACCOUNTS)).toEqual(versions)
              for (const test of [one, other]) await expectSums(test)
              const sorted = async (test: StoreUnderTest) =>
                (await readable(test)).map(page => page.map(({ hash, expiryMs }) => `${hash} ${expiryMs}`).sort())
              expect(await sorted(other)).toEqual(await sorted(one))
            })(),
          )(),
        ),
        { numRuns: RUNS },
      )
    })
  })
}
