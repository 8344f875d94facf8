/**
 * The law of a swarm (NODE-80 to NODE-95): whatever clients asked at whatever members, and whatever lines were cut meanwhile, once members have
 * compared they all hold the same; what was acknowledged and not deleted is everywhere, and what was deleted is nowhere, although its expiry
 * was set at members that missed the deletion.
 */
import { buildDelete, buildDeleteAll, buildDeleteBefore, buildExpire, type Namespace } from '@session-v2/network'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ExpiryMode } from '../src/store/store.ts'
import { HOUR_MS, type Owner, SwarmUnderTest } from './swarm-under-test.ts'

const RUNS = Number(process.env.SWARM_RUNS ?? 8)
const MEMBERS = 4
const INBOXES = [0, 5]
const OUTBOX = -21

type Step = { readonly at: number; readonly cut: readonly [number, number][] } & (
  | { readonly do: 'store'; readonly of: number; readonly namespace: number; readonly text: string }
  | { readonly do: 'delete'; readonly of: number; readonly texts: readonly string[] }
  | { readonly do: 'deleteAll' | 'deleteBefore'; readonly of: number; readonly namespace: number }
  | { readonly do: 'expire'; readonly of: number; readonly text: string; readonly lifeMs: number; readonly how: ExpiryMode }
  | { readonly do: 'deliver'; readonly waitMs: number }
  | { readonly do: 'compare'; readonly with: number }
)

const member = fc.nat(MEMBERS - 1)
const where = { at: member, cut: fc.array(fc.tuple(member, member), { maxLength: 4 }) }
const of = fc.nat(1)
const text = fc.constantFrom('a', 'b', 'c', 'd')
const life = {
  lifeMs: fc.constantFrom(2 * HOUR_MS, 4 * HOUR_MS, 9 * HOUR_MS),
  how: fc.constantFrom<ExpiryMode>('set', 'shorten', 'extend'),
}
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('store' as const),
      of,
      namespace: fc.constantFrom(...INBOXES, OUTBOX),
      text,
      ...where,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('delete' as const), of, texts: fc.uniqueArray(text, { minLength: 1 }), ...where }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('deleteAll' as const, 'deleteBefore' as const),
      of,
      namespace: fc.constantFrom(...INBOXES),
      ...where,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('expire' as const),
      of,
      text,
      ...life,
      ...where,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('deliver' as const), waitMs: fc.constantFrom(1_000, 20_000, 90_000), ...where }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('compare' as const), with: member, ...where }) },
)

/** A message is deleted while some members cannot be reached, then one of those is asked to set its expiry. */
const missedDeletion: fc.Arbitrary<Step[]> = fc
  .record({ members: fc.shuffledSubarray([...Array(MEMBERS).keys()], { minLength: 2 }), of, text, ...life })
  .map(({ members: [at, ...missing], of, text, lifeMs, how }) => [
    { do: 'store', of, namespace: 0, text, at: at!, cut: [] },
    { do: 'delete', of, texts: [text], at: at!, cut: missing.map(other => [at!, other]) },
    { do: 'expire', of, text, lifeMs, how, at: missing[0]!, cut: [] },
  ])
const stepList: fc.Arbitrary<Step[]> = fc
  .array(fc.oneof({ weight: 9, arbitrary: step.map(one => [one]) }, { weight: 2, arbitrary: missedDeletion }), {
    minLength: 5,
    maxLength: 40,
  })
  .map(lists => lists.flat())

/** What a client knows of a message: was it acknowledged, was it told that it was deleted, was that asked for at all. */
interface Known {
  readonly owner: Owner
  readonly namespace: number
  readonly text: string
  stored: boolean
  deleted: 'no' | 'asked' | 'told'
}

class Client {
  readonly known = new Map<string, Known>()
  /** How often a member set the expiry of a message whose deletion it had missed. */
  setAfterDeletion = 0
  readonly #swarm: SwarmUnderTest
  readonly #owners: readonly Owner[]

  constructor(swarm: SwarmUnderTest, owners: readonly Owner[]) {
    this.#swarm = swarm
    this.#owners = owners
  }

  async take(one: Step): Promise<void> {
    const swarm = this.#swarm
    const { crypto, clock } = swarm
    const asked = swarm.members[one.at]!
    swarm.mend()
    for (const [a, b] of one.cut) swarm.cut(a, b)
    clock.ms += 7
    switch (one.do) {
      case 'store': {
        await asked.put(this.#owners[one.of]!, one.text, one.namespace, 6 * HOUR_MS)
        this.#stored(one.of, one.namespace, one.text)
        return
      }
      case 'delete': {
        const owner = this.#owners[one.of]!
        const hashes = one.texts.flatMap(each => [...INBOXES, OUTBOX].map(namespace => swarm.hashOf(owner, each, namespace)))
        const answer = await asked.ask(buildDelete(crypto, { signer: owner, hashes }))
        this.#deleted(one.of, ({ text: each }) => one.texts.includes(each), answer)
        return
      }
      case 'deleteAll':
      case 'deleteBefore': {
        const signer = this.#owners[one.of]!
        const namespace = one.namespace as Namespace
        const request =
          one.do === 'deleteAll'
            ? buildDeleteAll(crypto, { signer, namespace, timestampMs: clock.ms })
            : buildDeleteBefore(crypto, { signer, namespace, beforeMs: clock.ms })
        this.#deleted(one.of, known => known.namespace === one.namespace, await asked.ask(request))
        return
      }
      case 'expire': {
        const signer = this.#owners[one.of]!
        const hashes = [...INBOXES, OUTBOX].map(namespace => swarm.hashOf(signer, one.text, namespace))
        this.#countSetAfterDeletion(
          signer,
          one.text,
          await asked.ask(buildExpire(crypto, { signer, hashes, expiriesMs: [clock.ms + one.lifeMs], mode: one.how })),
        )
        return
      }
      case 'deliver':
        clock.ms += one.waitMs
        for (const each of swarm.members) await each.deliveries.send()
        return
      case 'compare': {
        const peer = asked.swarms.peers.find(({ ed25519 }) => ed25519 === swarm.members[one.with]!.identity.ed25519)
        if (peer !== undefined) await asked.comparing.round(peer, true).catch(() => undefined)
        return
      }
    }
  }

  #stored(of: number, namespace: number, each: string): void {
    const key = `${of} ${namespace} ${each}`
    this.known.delete(key)
    this.known.set(key, { owner: this.#owners[of]!, namespace, text: each, stored: true, deleted: 'no' })
  }

  /** A member that says that it set the expiry of what was deleted has missed the deletion. */
  // biome-ignore lint/suspicious/noExplicitAny: an answer of any method
  #countSetAfterDeletion(owner: Owner, each: string, answer: any): void {
    const set = new Set(Object.values<{ updated?: string[] }>(answer.swarm).flatMap(entry => entry.updated ?? []))
    for (const { owner: whose, namespace, text: what, deleted } of this.known.values()) {
      if (whose !== owner || what !== each || deleted !== 'told') continue
      if (set.has(this.#swarm.hashOf(owner, each, namespace))) this.setAfterDeletion += 1
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: an answer of any method
  #deleted(of: number, isMeant: (known: Known) => boolean, answer: any): void {
    const told = new Set(Object.values<{ deleted?: string[] }>(answer.swarm).flatMap(entry => entry.deleted ?? []))
    for (const known of this.known.values()) {
      if (known.owner !== this.#owners[of] || !isMeant(known)) continue
      const { owner, namespace } = known
      if (told.has(this.#swarm.hashOf(owner, known.text, namespace))) known.deleted = 'told'
      else if (known.deleted === 'no') known.deleted = 'asked'
    }
  }
}

describe('a swarm', () => {
  it('holds the same everywhere once its members have compared', { timeout: 60_000 + 10_000 * RUNS }, async () => {
    let checked = 0
    let setAfterDeletion = 0
    await fc.assert(
      fc.asyncProperty(stepList, fc.boolean(), async (steps, delivers) => {
        const swarm = await SwarmUnderTest.start(MEMBERS)
        try {
          const owners = [swarm.owner(), swarm.owner()]
          const client = new Client(swarm, owners)
          for (const one of steps) await client.take(one)
          swarm.mend()
          swarm.clock.ms += 60_000
          if (delivers) for (const each of swarm.members) await each.deliveries.send()
          await swarm.settle()
          checked += await expectTheLaw(swarm, client, owners)
          setAfterDeletion += client.setAfterDeletion
        } finally {
          await swarm.close()
        }
      }),
      { numRuns: RUNS },
    )
    expect(checked).toBeGreaterThan(RUNS)
    expect(setAfterDeletion).toBeGreaterThan(0)
    console.info(`${checked} messages looked for, ${setAfterDeletion} expiries set where the deletion was missed`)
  })
})

/** How many messages it looked for. */
async function expectTheLaw(swarm: SwarmUnderTest, client: Client, owners: readonly Owner[]): Promise<number> {
  const [first, ...others] = swarm.members
  for (const owner of owners) {
    const versions = await first!.versions(owner)
    for (const other of others) expect(await other.versions(owner)).toEqual(versions)
    for (const namespace of [...INBOXES, OUTBOX]) {
      const texts = await first!.texts(owner, namespace)
      for (const other of others) expect(await other.texts(owner, namespace)).toEqual(texts)
    }
  }
  let checked = 0
  for (const { owner, namespace, text: each, deleted } of client.known.values()) {
    if (deleted === 'asked') continue
    // An outbox holds one; which, the first law says.
    if (namespace === OUTBOX && deleted === 'no') continue
    const isThere = (await first!.texts(owner, namespace)).includes(each)
    expect({ namespace, each, isThere }).toEqual({ namespace, each, isThere: deleted === 'no' })
    checked += 1
  }
  return checked
}
