/** The timers of the system. */
import type { Timers } from '../ports/timers.ts'

const LONGEST_DELAY_MS = 2 ** 31 - 1

export const systemTimers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), LONGEST_DELAY_MS))
    return () => clearTimeout(timer)
  },
}
