/** A clock that stands still until it is moved, and timers that run when it passes them: weeks of an attack take seconds. */
import type { Clock, Timers } from '@session-v2/client'

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

const BEGIN_MS = Date.UTC(2026, 0, 5)

interface Timer {
  readonly atMs: number
  readonly run: () => void
}

export class SimulatedTime implements Clock, Timers {
  #nowMs = BEGIN_MS
  readonly #waiting = new Set<Timer>()

  nowMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), run }
    this.#waiting.add(timer)
    return () => this.#waiting.delete(timer)
  }

  /** Moves time on, running what falls due in its order. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#waiting.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.run()
    }
    this.#nowMs = untilMs
  }

  #next(untilMs: number): Timer | undefined {
    const due = [...this.#waiting].filter(({ atMs }) => atMs <= untilMs)
    return due.reduce<Timer | undefined>(
      (first, timer) => (first === undefined || timer.atMs < first.atMs ? timer : first),
      undefined,
    )
  }
}
