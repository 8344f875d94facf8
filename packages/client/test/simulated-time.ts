/** A clock that stands still until it is moved, and timers that run when it passes them. */
import type { Clock, Timers } from '@session-v2/client'

export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

export class SimulatedTime implements Clock, Timers {
  #nowMs: number
  #pending: { readonly atMs: number; readonly run: () => void }[] = []

  constructor(nowMs = Date.UTC(2026, 0, 5)) {
    this.#nowMs = nowMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), run }
    this.#pending.push(timer)
    return () => {
      this.#pending = this.#pending.filter(other => other !== timer)
    }
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#pending.length
  }

  /** Moves time on, running what falls due in its order. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (;;) {
      const next = this.#pending.toSorted((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined || next.atMs > untilMs) break
      this.#pending = this.#pending.filter(other => other !== next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.run()
    }
    this.#nowMs = untilMs
  }
}
