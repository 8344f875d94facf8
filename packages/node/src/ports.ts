/**
 * Time, as the node sees it. Everything in this package takes these as arguments; the system's own clock and timers are
 * touched in this file and nowhere else.
 */

export interface Clock {
  /** Unix time in milliseconds. */
  nowMs(): number
}

export interface Timers {
  /** Runs `run` once after `delayMs`; the returned function cancels it. A pending timer does not keep the process alive. */
  after(delayMs: number, run: () => void): () => void
  /** Runs `run` once, after the input that is already waiting has been read. */
  soon(run: () => void): void
}

export const systemClock: Clock = { nowMs: () => Date.now() }

/**
 * Time that only moves on, whatever is done to the system's clock: durations and rates are measured by it. Milliseconds since some
 * moment before the process started.
 */
export const monotonicClock: Clock = { nowMs: () => performance.now() }

export const systemTimers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
  soon: run => void setImmediate(run),
}
