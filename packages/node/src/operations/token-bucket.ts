/**
 * Token buckets by key: how often each client may ask (clauses NODE-100, NODE-101). A key has a bucket that starts full; a request takes
 * tokens out of it, time puts them back. A value in memory: it forgets the keys used longest ago, and takes its clock as an argument.
 *
 * A full table refuses nobody: it forgets a bucket, and whoever it was starts anew with a full one. To gain from that, a client
 * would need as many addresses as the table has places.
 */
import type { Rate } from '../config/limits-config.ts'
import type { Clock } from '../ports.ts'

interface Bucket {
  tokens: number
  atMs: number
}

/** How many of the oldest buckets a new one looks at, to drop those that time has filled. */
const DROPPED_PER_NEW = 2

export class TokenBuckets {
  readonly #rate: Rate
  readonly #maxTracked: number
  readonly #clock: Clock
  /** By use, the one that waited longest first. */
  readonly #buckets = new Map<string, Bucket>()

  /** `clock` should be one that only moves on; where it goes back, no tokens are added meanwhile. */
  constructor(rate: Rate, maxTracked: number, clock: Clock) {
    this.#rate = rate
    this.#maxTracked = maxTracked
    this.#clock = clock
  }

  get tracked(): number {
    return this.#buckets.size
  }

  /** Takes `cost` tokens, or none and gives false when there are fewer. A cost above the burst is a whole burst. */
  take(key: string, cost = 1): boolean {
    const { burst } = this.#rate
    if (burst === 0) return true
    const bucket = this.#touch(key)
    const due = Math.min(cost, burst)
    if (bucket.tokens < due) return false
    bucket.tokens -= due
    return true
  }

  /** Whether a take of one would succeed. Remembers nothing. */
  has(key: string): boolean {
    if (this.#rate.burst === 0) return true
    const bucket = this.#buckets.get(key)
    return bucket === undefined || this.#filled(bucket, this.#clock.nowMs()) >= 1
  }

  /** Undoes a take. */
  giveBack(key: string, cost = 1): void {
    const bucket = this.#buckets.get(key)
    if (bucket !== undefined) bucket.tokens = Math.min(this.#rate.burst, bucket.tokens + cost)
  }

  #touch(key: string): Bucket {
    const nowMs = this.#clock.nowMs()
    const known = this.#buckets.get(key)
    if (known === undefined) return this.#add(key, nowMs)
    known.tokens = this.#filled(known, nowMs)
    known.atMs = nowMs
    this.#buckets.delete(key)
    this.#buckets.set(key, known)
    return known
  }

  #add(key: string, nowMs: number): Bucket {
    let looked = 0
    for (const [oldest, bucket] of this.#buckets) {
      const isFull = this.#filled(bucket, nowMs) >= this.#rate.burst
      if (!isFull && this.#buckets.size < this.#maxTracked) break
      this.#buckets.delete(oldest)
      if (++looked === DROPPED_PER_NEW) break
    }
    const bucket = { tokens: this.#rate.burst, atMs: nowMs }
    this.#buckets.set(key, bucket)
    return bucket
  }

  #filled(bucket: Bucket, nowMs: number): number {
    const elapsedMs = Math.max(0, nowMs - bucket.atMs)
    return Math.min(this.#rate.burst, bucket.tokens + (elapsedMs * this.#rate.perSecond) / 1000)
  }
}
