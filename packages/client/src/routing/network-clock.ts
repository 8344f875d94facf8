/**
 * The time of the network: this device's clock and what it is known to be off by. Nodes refuse requests whose time is too far from
 * theirs; then several are asked, and the median counts, so that one lying node moves nothing.
 */
import type { Clock } from '../ports/clock.ts'

export class NetworkClock {
  readonly #clock: Clock
  #offsetMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds since the epoch as the network counts them. */
  nowMs(): number {
    return this.#clock.nowMs() + this.#offsetMs
  }

  /** Milliseconds since the epoch as this device counts them. */
  deviceMs(): number {
    return this.#clock.nowMs()
  }

  /** Takes the median of what nodes said, and returns by how many milliseconds the network's time moved. */
  adopt(offsetsMs: readonly number[]): number {
    const sorted = offsetsMs.toSorted((a, b) => a - b)
    const median = sorted[Math.floor(sorted.length / 2)]
    if (median === undefined) return 0
    const moved = Math.abs(median - this.#offsetMs)
    this.#offsetMs = median
    return moved
  }
}
