/**
 * Answers that their clients have not taken yet (clause NODE-104). They cost memory for as long as a client likes, so when they are too many
 * one goes, with its connection: the oldest of the address for which most waits. Who has most itself has to wait for 2 s until it does.
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

/** The answers of one address, in the order in which they were given. */
interface OfAddress {
  bytes: number
  readonly waiting: Set<Waiting>
}

export class WaitingAnswers {
  readonly #gate: LoadGate
  readonly #clock: Clock
  readonly #byAddress = new Map<string, OfAddress>()

  constructor(gate: LoadGate, clock: Clock) {
    this.#gate = gate
    this.#clock = clock
  }

  /** Counts an answer that was just handed to a connection of `address`, until the connection has taken it or is gone. */
  add(response: ServerResponse, address: string, sizeBytes: number): void {
    if (sizeBytes < COUNTED_FROM_BYTES || response.closed) return
    const waiting = { sinceMs: this.#clock.nowMs(), response }
    const taken = this.#gate.answerWaits(sizeBytes)
    const own = this.#byAddress.get(address) ?? { bytes: 0, waiting: new Set() }
    this.#byAddress.set(address, own)
    own.waiting.add(waiting)
    own.bytes += sizeBytes
    response.once('close', () => {
      if (!own.waiting.delete(waiting)) return
      own.bytes -= sizeBytes
      if (own.waiting.size === 0) this.#byAddress.delete(address)
      taken()
    })
  }

  /** Whether there is room for another answer to `address`, once one that has waited too long is given up. */
  makeRoom(address: string): boolean {
    if (!this.#gate.answersFull) return true
    const most = this.#most()
    const latestMs = most === this.#byAddress.get(address) ? this.#clock.nowMs() - PATIENCE_MS : Number.POSITIVE_INFINITY
    for (const { sinceMs, response } of most?.waiting ?? []) {
      if (response.destroyed) continue
      if (sinceMs > latestMs) return false
      response.destroy()
      break
    }
    // It counts until it is closed, which is soon, but not now.
    return true
  }

  /** The same for one that is made already; a small one always has room. */
  hasRoom(sizeBytes: number, address: string): boolean {
    return sizeBytes < COUNTED_FROM_BYTES || this.makeRoom(address)
  }

  #most(): OfAddress | undefined {
    let most: OfAddress | undefined
    for (const each of this.#byAddress.values()) if (most === undefined || each.bytes > most.bytes) most = each
    return most
  }
}
