/**
 * The scheduler owns every timer of the client: named jobs, deadlines of requests, pauses between attempts. With injected timers and
 * randomness all of it is repeatable.
 */
import type { Random } from '@session-v2/crypto'
import { readUint32Le } from '@session-v2/encoding'
import type { Timers } from '../ports/timers.ts'

/** First pause after a failure, and the longest. */
const BACKOFF_FIRST_MS = 500
const BACKOFF_LONGEST_MS = 5 * 60_000

/** A time limit on something that takes an AbortSignal. */
export interface Deadline {
  readonly signal: AbortSignal
  /** Call when the thing is over; the limit then counts no more. */
  clear(): void
}

export class Scheduler {
  readonly #timers: Timers
  readonly #random: Random
  readonly #jobs = new Map<string, () => void>()
  readonly #aborts = new Set<AbortController>()
  #closed = false

  constructor(timers: Timers, random: Random) {
    this.#timers = timers
    this.#random = random
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Runs `job` once after `delayMs`. A job of the same name that has not run yet is replaced. */
  schedule(name: string, delayMs: number, job: () => void): void {
    this.cancel(name)
    if (this.#closed) return
    const stop = this.#timers.after(delayMs, () => {
      this.#jobs.delete(name)
      job()
    })
    this.#jobs.set(name, stop)
  }

  cancel(name: string): void {
    this.#jobs.get(name)?.()
    this.#jobs.delete(name)
  }

  /** A signal that aborts after `delayMs`, or when the scheduler closes. */
  deadline(delayMs: number): Deadline {
    const controller = new AbortController()
    if (this.#closed) controller.abort()
    this.#aborts.add(controller)
    const stop = this.#timers.after(delayMs, () => controller.abort())
    return {
      signal: controller.signal,
      clear: () => {
        stop()
        this.#aborts.delete(controller)
      },
    }
  }

  /** Resolves with the promise's value, or with undefined after `delayMs`. The promise goes on. */
  async within<T>(promise: Promise<T>, delayMs: number): Promise<T | undefined> {
    const limit = this.deadline(delayMs)
    const expired = new Promise<undefined>(resolve => {
      if (limit.signal.aborted) resolve(undefined)
      limit.signal.addEventListener('abort', () => resolve(undefined), { once: true })
    })
    try {
      return await Promise.race([promise, expired])
    } finally {
      limit.clear()
    }
  }

  /** Lets what waits have its turn, a screen above all: for work that comes in slices. */
  breathe(): Promise<void> {
    return new Promise(resolve => void this.#timers.after(0, resolve))
  }

  /** How long to pause before attempt `attempt` (1 and up): doubling, with half of it random so that devices do not march in step. */
  backoffMs(attempt: number): number {
    const full = Math.min(BACKOFF_LONGEST_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt - 1, 20))
    return full / 2 + (this.below(1 << 16) / (1 << 16)) * (full / 2)
  }

  /** A random integer from 0 up to, not including, `limit` (at most 2³²). */
  below(limit: number): number {
    return readUint32Le(this.#random.bytes(4), 0) % limit
  }

  /** Stops every job and aborts every deadline. */
  close(): void {
    this.#closed = true
    for (const stop of this.#jobs.values()) stop()
    this.#jobs.clear()
    for (const controller of this.#aborts) controller.abort()
  }
}
