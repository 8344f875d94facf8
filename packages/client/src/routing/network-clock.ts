/**
 * The time of the network: this device's clock and what it is known to be off by. Nodes refuse requests whose time is too far from
 * theirs; then several are asked, and the median counts, so that one lying node moves nothing. What was found is kept for the next
 * start, since a wrong clock is mostly still wrong then.
 */
import type { Clock } from '../ports/clock.ts'
import type { SealedStore, Table } from '../store/sealed/sealed-store.ts'

interface ClockRecord {
  readonly offsetMs: number
}

const RECORD = 'clock'

export class NetworkClock {
  readonly #clock: Clock
  readonly #store: SealedStore
  readonly #table: Table<ClockRecord>
  #offsetMs = 0

  private constructor(clock: Clock, store: SealedStore) {
    this.#clock = clock
    this.#store = store
    this.#table = store.table<ClockRecord>('network')
  }

  static async open(clock: Clock, store: SealedStore): Promise<NetworkClock> {
    const networkClock = new NetworkClock(clock, store)
    networkClock.#offsetMs = (await networkClock.#table.get(RECORD))?.offsetMs ?? 0
    return networkClock
  }

  /** Milliseconds since the epoch as the network counts them. */
  nowMs(): number {
    return this.#clock.nowMs() + this.#offsetMs
  }

  /** Milliseconds since the epoch as this device counts them. */
  deviceMs(): number {
    return this.#clock.nowMs()
  }

  /** By how much the network is ahead of this device, in milliseconds. */
  get offsetMs(): number {
    return this.#offsetMs
  }

  /** Takes the median of what nodes said; of two in the middle the one that moves less, so that one liar of two witnesses moves nothing. */
  async adopt(offsetsMs: readonly number[]): Promise<void> {
    const sorted = offsetsMs.toSorted((a, b) => a - b)
    const [lower, upper] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]]
    if (lower === undefined || upper === undefined) return
    const movement = (offsetMs: number) => Math.abs(offsetMs - this.#offsetMs)
    const median = movement(lower) <= movement(upper) ? lower : upper
    await this.#store.commit([this.#table.put(RECORD, { offsetMs: median })])
    this.#offsetMs = median
  }
}
