/**
 * Answers that their clients have not taken yet (clause NODE-104). They cost memory for as long as a client likes, so when they are too many
 * the one goes that has waited longest, with its connection.
 */
import type { ServerResponse } from 'node:http'
import type { Clock } from '../ports.ts'
import type { LoadGate } from './load-gate.ts'

/** Up to this size they are not worth counting: a connection has one, and connections are bounded. */
const COUNTED_FROM_BYTES = 16 * 1024
/** A client may be expected to take this long. */
const PATIENCE_MS = 2_000

interface Waiting {
  readonly sinceMs: number
  readonly response: ServerResponse
}

export class WaitingAnswers {
  readonly #gate: LoadGate
  readonly #clock: Clock
  readonly #waiting = new Set<Waiting>()

  constructor(gate: LoadGate, clock: Clock) {
    this.#gate = gate
    this.#clock = clock
  }

  /** Counts an answer that was just handed to its connection, until the connection has taken it or is gone. */
  add(response: ServerResponse, sizeBytes: number): void {
    if (sizeBytes < COUNTED_FROM_BYTES || response.closed) return
    const waiting = { sinceMs: this.#clock.nowMs(), response }
    const taken = this.#gate.answerWaits(sizeBytes)
    this.#waiting.add(waiting)
    response.once('close', () => {
      if (this.#waiting.delete(waiting)) taken()
    })
  }

  /** Whether there is room for another answer, once those that have waited too long are given up. */
  makeRoom(): boolean {
    if (!this.#gate.answersFull) return true
    const latestMs = this.#clock.nowMs() - PATIENCE_MS
    for (const { sinceMs, response } of this.#waiting) {
      if (sinceMs > latestMs) return false
      response.destroy()
      // It counts until it is closed, which is soon, but not now.
      return true
    }
    return true
  }
}
