/**
 * One round of comparing with another member (clauses NODE-90 to NODE-94): sums by the hour, by the minute where those differ, versions
 * where those differ, and the items that are later there.
 */
import { MAX_TTL_MS, type ServiceNode } from '@session-v2/network'
import { NodeError } from '../node-error.ts'
import type { Clock } from '../ports.ts'
import { isLater, MINUTE_MS, minuteOf } from '../store/item-version.ts'
import { type Item, type ItemVersion, type MinuteRange, NEVER_MS } from '../store/store.ts'
import type { ExchangeClient } from './exchange-client.ts'
import { ITEMS_MAX, SUMS_RANGES_MAX, VERSION_RANGES_MAX } from './exchange-messages.ts'
import type { SumsRange } from './exchange-records.ts'
import { type GateParts, judgeVersion, nameKey, takeOver } from './item-gate.ts'
import { type Difference, MinuteMemory } from './minute-memory.ts'

const HOUR_MINUTES = 60
/** What expires within this time is not compared: clocks may differ, and it is gone soon. */
const NEAR_MINUTES = 3
/** Beyond the longest life: clocks may differ, and a change may count a little later than it was asked for. */
const SPARE_MINUTES = 30
/** What a member may say in one round; the rest comes in the next. */
const PAGES_MAX = 200

export interface ComparingParts extends GateParts {
  readonly clock: Clock
  readonly client: ExchangeClient
}

export interface Round {
  /** Whether everything that differed was looked at, and nothing was left for later. */
  readonly isComplete: boolean
  /** Whether the other member has compared itself since it came to its swarm. */
  readonly isPeerComplete: boolean
  /** Minutes that differed. */
  readonly differing: number
  /** Items taken over. */
  readonly fetched: number
}

export class Comparing {
  readonly #parts: ComparingParts
  readonly #memories = new Map<string, MinuteMemory>()

  constructor(parts: ComparingParts) {
    this.#parts = parts
  }

  /** `all`: look at everything that differs at once, as who has nothing does. Rejects with NodeError. */
  async round(peer: ServiceNode, all: boolean): Promise<Round> {
    const { differences, isComplete: isPeerComplete } = await this.#differences(peer)
    const memory = this.#memoryOf(peer)
    const minutes = memory.choose(differences, all)
    const { fetched, isWhole } = await this.#fetch(peer, rangesOf(minutes)).catch(error => {
      memory.failed(minutes)
      throw error
    })
    const isComplete = isWhole && minutes.length === differences.length
    return { isComplete, isPeerComplete, differing: differences.length, fetched }
  }

  /** Forgets what it knows of members that are none any more. */
  keepOnly(isPeer: (ed25519: string) => boolean): void {
    for (const key of this.#memories.keys()) if (!isPeer(key)) this.#memories.delete(key)
  }

  #memoryOf({ ed25519 }: ServiceNode): MinuteMemory {
    let memory = this.#memories.get(ed25519)
    if (memory === undefined) {
      memory = new MinuteMemory()
      this.#memories.set(ed25519, memory)
    }
    return memory
  }

  async #differences(peer: ServiceNode): Promise<{ differences: readonly Difference[]; isComplete: boolean }> {
    const never = minuteOf(NEVER_MS)
    const whole = [hoursFrom(this.#parts.clock.nowMs()), { from: never, to: never + 1, step: 1 }]
    const { own, theirs, isComplete } = await this.#sums(peer, whole)
    const hours = differing(whole, own, theirs)
    const unending = hours.filter(({ minute }) => minute === never)
    const ranges = rangesOf(
      hours.filter(({ minute }) => minute !== never).map(({ minute }) => minute),
      HOUR_MINUTES,
    )
    if (ranges.length === 0) return { differences: unending, isComplete }
    const byMinute = ranges.slice(0, SUMS_RANGES_MAX).map(range => ({ ...range, step: 1 }))
    const minutes = await this.#sums(peer, byMinute)
    return { differences: [...differing(byMinute, minutes.own, minutes.theirs), ...unending], isComplete }
  }

  async #sums(peer: ServiceNode, ranges: readonly SumsRange[]) {
    const { sums: theirs, isComplete } = await this.#parts.client.ask(peer, { method: 'sync_sums', ranges })
    const own = await Promise.all(ranges.map(range => this.#parts.store.sums(range, range.step)))
    return { own: own.flatMap(part => [...part]), theirs, isComplete }
  }

  /** Takes over what is later there in these minutes. */
  async #fetch(peer: ServiceNode, ranges: readonly MinuteRange[]): Promise<{ fetched: number; isWhole: boolean }> {
    let fetched = 0
    let isWhole = true
    let pages = 0
    for (let at = 0; at < ranges.length; at += VERSION_RANGES_MAX) {
      const asked = ranges.slice(at, at + VERSION_RANGES_MAX)
      let after: ItemVersion | undefined
      do {
        if (++pages > PAGES_MAX) return { fetched, isWhole: false }
        const { more, versions } = await this.#parts.client.ask(peer, { method: 'sync_versions', ranges: asked, after })
        checkPage(versions, asked, after)
        const taken = await this.#takeLater(peer, versions)
        fetched += taken.fetched
        isWhole &&= taken.isWhole
        after = more ? versions.at(-1) : undefined
      } while (after !== undefined)
    }
    return { fetched, isWhole }
  }

  async #takeLater(peer: ServiceNode, versions: readonly ItemVersion[]): Promise<{ fetched: number; isWhole: boolean }> {
    const { store, clock, isOurs } = this.#parts
    const nowMs = clock.nowMs()
    const held = await store.heldVersions(versions)
    const later = versions.filter((version, i) => isLater(version, held[i]))
    const wanted = later.filter(version => judgeVersion(version, nowMs, isOurs) === 'good')
    let fetched = 0
    let isWhole = later.every(version => judgeVersion(version, nowMs, isOurs) !== 'later')
    for (let at = 0; at < wanted.length; at += ITEMS_MAX) {
      const taken = await this.#takeItems(peer, wanted.slice(at, at + ITEMS_MAX))
      fetched += taken.fetched
      isWhole &&= taken.isWhole
    }
    return { fetched, isWhole }
  }

  /** Asks for items until each came or is gone there. */
  async #takeItems(peer: ServiceNode, wanted: readonly ItemVersion[]): Promise<{ fetched: number; isWhole: boolean }> {
    let fetched = 0
    let isWhole = true
    for (let left = wanted; left.length > 0; ) {
      const { items } = await this.#parts.client.ask(peer, { method: 'sync_items', names: left })
      if (items.length === 0) break
      const next = behindLast(left, items)
      const verdicts = await takeOver(this.#parts, items, this.#parts.clock.nowMs())
      fetched += verdicts.filter(verdict => verdict === 'good').length
      isWhole &&= verdicts.every(verdict => verdict !== 'later')
      left = left.slice(next)
    }
    return { fetched, isWhole }
  }
}

/** All hours in which something can expire that is not near. */
function hoursFrom(nowMs: number): SumsRange {
  const from = minuteOf(nowMs) + NEAR_MINUTES
  const hours = Math.ceil((MAX_TTL_MS / MINUTE_MS + SPARE_MINUTES) / HOUR_MINUTES)
  return { from, to: from + hours * HOUR_MINUTES, step: HOUR_MINUTES }
}

/** Where two lists of sums differ, each step named by its first minute. */
function differing(ranges: readonly SumsRange[], own: readonly bigint[], theirs: BigUint64Array): Difference[] {
  const starts = ranges.flatMap(({ from, to, step }) => Array.from({ length: (to - from) / step }, (_, i) => from + i * step))
  return starts
    .map((minute, i) => ({ minute, own: own[i]!, theirs: theirs[i]! }))
    .filter(difference => difference.own !== difference.theirs)
}

/** Steps of so many minutes, ascending, as ranges; those that touch are one. */
function rangesOf(starts: readonly number[], stepMinutes = 1): MinuteRange[] {
  const ranges: { from: number; to: number }[] = []
  for (const from of starts) {
    const last = ranges.at(-1)
    if (last?.to === from) last.to = from + stepMinutes
    else ranges.push({ from, to: from + stepMinutes })
  }
  return ranges
}

/** A page goes on behind the one before, in order, within what was asked: so a list that never ends is seen. */
function checkPage(versions: readonly ItemVersion[], asked: readonly MinuteRange[], after: ItemVersion | undefined): void {
  let last = after
  let range = 0
  for (const version of versions) {
    const minute = minuteOf(version.expiryMs)
    while (range < asked.length && asked[range]!.to <= minute) range++
    const isAsked = range < asked.length && asked[range]!.from <= minute
    if (!isAsked || (last !== undefined && compareVersions(version, last) <= 0)) throw lied('versions out of order')
    last = version
  }
}

/** In the order of (expiry, account, namespace, hash). */
function compareVersions(a: ItemVersion, b: ItemVersion): number {
  return (
    a.expiryMs - b.expiryMs ||
    Buffer.compare(a.account, b.account) ||
    a.namespace - b.namespace ||
    (a.hash === b.hash ? 0 : a.hash < b.hash ? -1 : 1)
  )
}

/** How many names are done with these items, which have to be among them and in their order. */
function behindLast(names: readonly ItemVersion[], items: readonly Item[]): number {
  let at = 0
  for (const item of items) {
    const key = nameKey(item)
    while (at < names.length && nameKey(names[at]!) !== key) at++
    if (at === names.length) throw lied('items that nobody asked for')
    at++
  }
  return at
}

function lied(what: string): NodeError {
  return new NodeError('bad-peer-response', `a peer told ${what}`)
}
