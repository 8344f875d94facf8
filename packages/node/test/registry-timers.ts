import type { Timers } from '../src/ports.ts'

interface Pending {
  readonly delayMs: number
  readonly dueMs: number
  readonly run: () => void
}

/** Timers that fire when told. */
export class ManualTimers implements Timers {
  readonly #pending = new Set<Pending>()
  readonly #waiting = new Set<() => void>()
  nowMs = 0

  after(delayMs: number, run: () => void): () => void {
    const timer = { delayMs, dueMs: this.nowMs + delayMs, run }
    this.#pending.add(timer)
    for (const check of [...this.#waiting]) check()
    return () => void this.#pending.delete(timer)
  }

  soon(run: () => void): void {
    setImmediate(run)
  }

  /** Delays of what is pending, ascending. */
  get delaysMs(): number[] {
    return [...this.#pending].map(timer => timer.delayMs).sort((a, b) => a - b)
  }

  /** Lets `ms` go by: what falls due meanwhile runs, in order. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms
    for (;;) {
      const [next] = [...this.#pending].filter(({ dueMs }) => dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs)
      if (next === undefined) break
      this.#pending.delete(next)
      this.nowMs = next.dueMs
      next.run()
    }
    this.nowMs = untilMs
  }

  /** Resolves once a timer that `isWanted` is pending: whatever real I/O sets it, has ended. */
  pending(isWanted: (delayMs: number) => boolean): Promise<void> {
    return new Promise(resolve => {
      const check = (): void => {
        if (!this.delaysMs.some(isWanted)) return
        this.#waiting.delete(check)
        resolve()
      }
      this.#waiting.add(check)
      check()
    })
  }

  /** Runs the earliest pending timer that `isWanted`, at its time, and says what its delay was. */
  fire(isWanted: (delayMs: number) => boolean): number {
    const [next] = [...this.#pending].filter(({ delayMs }) => isWanted(delayMs)).sort((a, b) => a.dueMs - b.dueMs)
    if (next === undefined) throw new Error('no such timer is pending')
    this.#pending.delete(next)
    this.nowMs = Math.max(this.nowMs, next.dueMs)
    next.run()
    return next.delayMs
  }
}
