/**
 * What expires when, over all accounts (clauses NODE-85 to NODE-87, NODE-142): for each hour a sorted set of entries, scored by expiry, and
 * the sums of its minutes. Entries may say too much: one counts where the account's record is of that expiry. They never say too
 * little once a write is told or made up for. Times that are past belong to the sweep.
 */
import type { Clock } from '../../ports.ts'
import { addLanes, itemDigest, type Lanes, lanesToBigInt } from '../item-digest.ts'
import { MINUTE_MS, minuteOf } from '../item-version.ts'
import { type ItemVersion, type MinuteRange, NEVER_MS } from '../store.ts'
import type { ClusterConnection } from './cluster-connection.ts'
import { accountFromHex, HOUR_MINUTES, hourOf, itemName, type Keys, parseRecord, versionOfRecord } from './names.ts'
import { indexEntry, parseIndexEntry } from './notes-of-write.ts'
import { groupBy, textsOf } from './replies.ts'
import { HEAL, INDEX, LIST } from './shared-scripts.ts'

/** Entries that are looked up at a time. */
const SLICE = 512
/** Hours that this front end knows to be listed. */
const KNOWN_HOURS_MAX = 2000
/** Sums of longer ranges are not counted anew when they have been listed. */
const HEALED_MINUTES_MAX = 60
const ZERO: Lanes = { high: 0, low: 0 }
const LANE_BITS = 32

export type MinuteSum = [minute: number, change: { high: number; low: number }]

export class MinuteIndex {
  readonly #cluster: ClusterConnection
  readonly #keys: Keys
  readonly #clock: Clock
  readonly #known = new Set<number>()
  /** Where the purge goes on. */
  #purged = ''

  constructor(cluster: ClusterConnection, keys: Keys, clock: Clock) {
    this.#cluster = cluster
    this.#keys = keys
    this.#clock = clock
  }

  /** Adds entries to an hour and changes sums of its minutes; must not run twice where there are sums. */
  async add(hour: number, sums: readonly MinuteSum[], entries: readonly (readonly [number, string])[]): Promise<void> {
    await this.#list(hour)
    const minutes = sums.flatMap(([minute, { high, low }]) => [minute, high, low])
    const args = [sumEndMs(hour), sums.length, ...minutes, ...entries.flat()]
    if (sums.length > 0) await this.#cluster.writeOnce(INDEX, this.#keys.hour(hour, 'ix'), args)
    else if (entries.length > 0) await this.#cluster.write(INDEX, this.#keys.hour(hour, 'ix'), args)
  }

  /** As `SwarmStore.sums`. */
  async sums({ from, to }: MinuteRange, step: number): Promise<BigUint64Array> {
    const steps: Lanes[] = new Array(Math.max(0, Math.ceil((to - from) / step))).fill(ZERO)
    const first = Math.max(from, minuteOf(this.#clock.nowMs()))
    const hours = await this.hours(Math.floor(first / HOUR_MINUTES), Math.floor((to - 1) / HOUR_MINUTES))
    const replies = await Promise.all(hours.map(hour => this.#cluster.command('hgetall', [this.#keys.hour(hour, 'sum')])))
    for (const [i, reply] of replies.entries()) {
      // The client makes an object of this one reply.
      for (const [field, value] of Object.entries(reply as unknown as Record<string, Buffer>)) {
        const minute = hours[i]! * HOUR_MINUTES + Number(field.slice(0, -1))
        if (minute < first || minute >= to || field.endsWith('r')) continue
        const lane = lanePart(String(value))
        const at = Math.floor((minute - from) / step)
        steps[at] = addLanes(steps[at]!, field.endsWith('h') ? { high: lane, low: 0 } : { high: 0, low: lane })
      }
    }
    return BigUint64Array.from(steps, lanesToBigInt)
  }

  /** As `SwarmStore.versions`; what was listed to its end has its sums counted anew where they are wrong. */
  async versions(range: MinuteRange, limit: number, after?: ItemVersion): Promise<ItemVersion[]> {
    const found: ItemVersion[] = []
    const fromMs = Math.max(range.from * MINUTE_MS, this.#clock.nowMs() + 1, after?.expiryMs ?? 0)
    for (const hour of await this.hours(hourOf(fromMs), hourOf(range.to * MINUTE_MS - 1))) {
      if (found.length >= limit) break
      for await (const slice of this.#entries(hour, fromMs, range.to * MINUTE_MS, after)) {
        found.push(...(await this.#versionsOf(slice)))
        if (found.length >= limit) break
      }
    }
    if (found.length < limit && range.to - range.from <= HEALED_MINUTES_MAX) {
      for (let minute = range.from; minute < range.to; minute++) await this.heal(minute)
    }
    return found.slice(0, limit)
  }

  /** Counts the sum of a minute anew, unless it changes meanwhile. The current minute has what expired in it too: it is left alone. */
  async heal(minute: number): Promise<void> {
    if (minute <= minuteOf(this.#clock.nowMs())) return
    const hour = Math.floor(minute / HOUR_MINUTES)
    const at = minute - hour * HOUR_MINUTES
    const fields = [`${at}h`, `${at}l`, `${at}r`]
    const [high, low, revision] = textsOf(await this.#cluster.command('hmget', [this.#keys.hour(hour, 'sum'), ...fields]))
    let real = ZERO
    for await (const slice of this.#entries(hour, minute * MINUTE_MS, (minute + 1) * MINUTE_MS)) {
      for (const version of await this.#versionsOf(slice)) real = addLanes(real, itemDigest(version))
    }
    if (lanePart(high) === real.high && lanePart(low) === real.low) return
    await this.#list(hour)
    await this.#cluster.run(HEAL, this.#keys.hour(hour, 'ix'), [sumEndMs(hour), at, revision ?? '0', real.high, real.low])
  }

  /** Hours that have entries, the last included. */
  async hours(from: number, to: number): Promise<number[]> {
    const hours = textsOf(await this.#cluster.command('zrangebyscore', [this.#keys.hours, from, to]))
    return hours.map(Number)
  }

  /** Entries of what has expired in an hour, a slice. */
  async expired(hour: number): Promise<string[]> {
    const args = [this.#keys.hour(hour, 'ix'), '-inf', this.#clock.nowMs(), 'LIMIT', 0, SLICE]
    return textsOf(await this.#cluster.command('zrangebyscore', args)) as string[]
  }

  async remove(hour: number, entries: readonly string[]): Promise<void> {
    if (entries.length > 0) await this.#cluster.command('zrem', [this.#keys.hour(hour, 'ix'), ...entries])
  }

  /** Takes an hour that is past off the list, if nothing is left in it. */
  async dropIfPast(hour: number): Promise<void> {
    if (hour >= hourOf(this.#clock.nowMs())) return
    if (Number(await this.#cluster.command('exists', [this.#keys.hour(hour, 'ix')])) > 0) return
    await this.#cluster.command('zrem', [this.#keys.hours, hour])
    this.#known.delete(hour)
  }

  /**
   * Removes entries of revocations that are gone, of the next slice: their hour never comes. Whoever writes one adds its entry again
   * afterwards.
   */
  async purge(): Promise<void> {
    const hour = hourOf(NEVER_MS)
    const key = this.#keys.hour(hour, 'ix')
    const from = this.#purged === '' ? '-' : `(${this.#purged}`
    const slice = textsOf(await this.#cluster.command('zrangebylex', [key, from, '+', 'LIMIT', 0, SLICE])) as string[]
    this.#purged = slice.length < SLICE ? '' : slice.at(-1)!
    const versions = await this.#versionsOf(slice.map(entry => [entry, NEVER_MS]))
    const kept = new Set(versions.map(indexEntry))
    const gone = slice.filter(entry => !kept.has(entry))
    if (gone.length === 0) return
    await this.remove(hour, gone)
    const back = await this.#versionsOf(gone.map(entry => [entry, NEVER_MS]))
    await this.add(
      hour,
      [],
      back.map(version => [NEVER_MS, indexEntry(version)] as const),
    )
  }

  async #list(hour: number): Promise<void> {
    if (this.#known.has(hour)) return
    await this.#cluster.write(LIST, this.#keys.hours, [hour, hour])
    if (this.#known.size >= KNOWN_HOURS_MAX) this.#known.clear()
    if (hour > hourOf(this.#clock.nowMs())) this.#known.add(hour)
  }

  /** Entries of an hour with a score in [fromMs, toMs), behind an item, in slices. */
  async *#entries(hour: number, fromMs: number, toMs: number, after?: ItemVersion): AsyncGenerator<[string, number][]> {
    const behind = after === undefined ? undefined : ([indexEntry(after), after.expiryMs] as const)
    let score = fromMs
    let skipped = behind === undefined ? 0 : await this.#skippedBefore(hour, fromMs, behind)
    for (;;) {
      const args = [this.#keys.hour(hour, 'ix'), score, `(${toMs}`, 'WITHSCORES', 'LIMIT', skipped, SLICE]
      const reply = textsOf(await this.#cluster.command('zrangebyscore', args))
      const slice: [string, number][] = []
      for (let at = 0; at + 1 < reply.length; at += 2) slice.push([reply[at]!, Number(reply[at + 1])])
      if (slice.length > 0) yield behind === undefined ? slice : slice.filter(entry => isBehind(entry, behind))
      if (slice.length < SLICE) return
      const last = slice.at(-1)![1]
      const same = slice.filter(([, expiryMs]) => expiryMs === last).length
      skipped = last === score ? skipped + same : same
      score = last
    }
  }

  /** How many entries of the score from which a listing goes on are known already; 0 where nobody knows. */
  async #skippedBefore(hour: number, fromMs: number, [entry, expiryMs]: readonly [string, number]): Promise<number> {
    if (expiryMs !== fromMs) return 0
    const key = this.#keys.hour(hour, 'ix')
    const rank = await this.#cluster.command('zrank', [key, entry])
    return rank === null ? 0 : Number(rank) + 1 - Number(await this.#cluster.command('zcount', [key, '-inf', `(${fromMs}`]))
  }

  /** The versions that entries stand for, in their order; what is of another expiry now, or gone, is left out. */
  async #versionsOf(entries: readonly (readonly [string, number])[]): Promise<ItemVersion[]> {
    const parsed = entries.map(([entry, expiryMs]) => ({ ...parseIndexEntry(entry), expiryMs }))
    const byAccount = groupBy(parsed, ({ hex }) => hex)
    const found = new Map<(typeof parsed)[0], ItemVersion>()
    await Promise.all(
      [...byAccount].map(async ([hex, list]) => {
        const account = accountFromHex(hex)
        const reply = await this.#cluster.command('hmget', [this.#keys.account(account), ...list.map(itemName)])
        for (const [i, text] of textsOf(reply).entries()) {
          const { namespace, hash, expiryMs } = list[i]!
          const record = parseRecord({ account, namespace, hash }, text)
          if (record?.expiryMs === expiryMs) found.set(list[i]!, versionOfRecord(record))
        }
      }),
    )
    return parsed.flatMap(one => found.get(one) ?? [])
  }
}

function isBehind([entry, expiryMs]: readonly [string, number], [after, afterMs]: readonly [string, number]): boolean {
  return expiryMs === afterMs ? entry > after : expiryMs > afterMs
}

function lanePart(text: string | undefined): number {
  return Number(BigInt.asUintN(LANE_BITS, BigInt(text ?? 0)))
}

/** A sum is kept an hour longer than it is asked for. */
function sumEndMs(hour: number): number {
  return (hour + 2) * HOUR_MINUTES * MINUTE_MS
}
