/** Gives up bodies that come more slowly than they must (clause NODE-107). Looks once a second, while there are any. */
import type { Clock, Timers } from '../ports.ts'
import type { Reading } from './body.ts'

const CHECK_INTERVAL_MS = 1_000
/** A client may be slow for this long. */
export const SLOW_GRACE_MS = 5_000

export class SlowBodies {
  readonly #bytesPerSecond: number
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #readings = new Set<Reading>()
  #watching = false

  /** 0 bytes a second: no limit. */
  constructor(bytesPerSecond: number, clock: Clock, timers: Timers) {
    this.#bytesPerSecond = bytesPerSecond
    this.#clock = clock
    this.#timers = timers
  }

  add(reading: Reading): void {
    if (this.#bytesPerSecond === 0) return
    this.#readings.add(reading)
    if (!this.#watching) this.#watch()
  }

  delete(reading: Reading): void {
    this.#readings.delete(reading)
  }

  #watch(): void {
    this.#watching = true
    this.#timers.after(CHECK_INTERVAL_MS, () => {
      this.#watching = false
      this.#check()
      if (this.#readings.size > 0) this.#watch()
    })
  }

  #check(): void {
    const nowMs = this.#clock.nowMs()
    for (const reading of this.#readings) {
      const elapsedMs = nowMs - reading.startedMs
      const isSlow = reading.share.bytes * 1000 < this.#bytesPerSecond * elapsedMs
      if (elapsedMs > SLOW_GRACE_MS && isSlow) reading.giveUp()
    }
  }
}
