/** The timer port. Only the scheduler uses it. */

export interface Timers {
  /** Calls `run` once after `delayMs` milliseconds, unless the returned function is called before. */
  after(delayMs: number, run: () => void): () => void
}
