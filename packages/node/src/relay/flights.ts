/**
 * Requests that were sent on and are not answered yet (clause ON-74). They are bounded in all and by target, and so are the bytes of their
 * replies. Where there is no room, the one that has been under way for longest gives way, if that is more than 2 s: whoever has many
 * requests wait for servers that never answer keeps out nobody whose own are answered soon.
 *
 *     started ──▶ under way ──▶ ended
 *                     │ timeout, displaced, closing: who waits for it is told
 *                     └──────────▲
 */
import type { Clock, Timers } from '../ports.ts'

export interface FlightLimits {
  readonly total: number
  readonly perTarget: number
  /** Of replies in memory, in all, beyond the first `SHORT_REPLY_BYTES` of each. */
  readonly replyBytes: number
}

/** Why a request was given up. */
export type StopReason = 'timeout' | 'displaced' | 'closing'

/** A reply up to this size always has room: its request has. */
export const SHORT_REPLY_BYTES = 64 * 1024
/** Nobody gives way sooner. */
export const PATIENCE_MS = 2_000
/** What a piece of a reply costs in memory beside its bytes: a reply that comes byte by byte takes a hundred times its size. */
const PIECE_BYTES = 256

/** A request under way. */
export interface Flight {
  /** Set once it is given up. */
  readonly stopReason: StopReason | undefined
  /** Calls `listener` when it is given up; the returned function ends that. One at a time is listened to. */
  onStop(listener: () => void): () => void
}

class RunningFlight implements Flight {
  #listener = nothing
  stopReason: StopReason | undefined
  readonly target: string
  readonly sinceMs: number
  replyBytes = 0

  constructor(target: string, sinceMs: number) {
    this.target = target
    this.sinceMs = sinceMs
  }

  onStop(listener: () => void): () => void {
    this.#listener = listener
    return () => {
      if (this.#listener === listener) this.#listener = nothing
    }
  }

  get longBytes(): number {
    return Math.max(0, this.replyBytes - SHORT_REPLY_BYTES)
  }

  stop(reason: StopReason): void {
    if (this.stopReason !== undefined) return
    this.stopReason = reason
    this.#listener()
  }
}

export class Flights {
  readonly #limits: FlightLimits
  readonly #clock: Clock
  readonly #timers: Timers
  /** In the order in which they started, as are those of a target. */
  readonly #all = new Set<RunningFlight>()
  readonly #byTarget = new Map<string, Set<RunningFlight>>()
  #longBytes = 0
  #closed = false

  /** `clock` only moves on. */
  constructor(limits: FlightLimits, clock: Clock, timers: Timers) {
    this.#limits = limits
    this.#clock = clock
    this.#timers = timers
  }

  get underWay(): number {
    return this.#all.size
  }

  /** Does `work` for a request to `target`; undefined when there is no room for it. It is given up after `timeoutMs`. */
  async run<T>(target: string, timeoutMs: number, work: (flight: Flight) => Promise<T>): Promise<T | undefined> {
    const flight = this.#start(target)
    if (flight === undefined) return undefined
    const cancel = this.#timers.after(timeoutMs, () => flight.stop('timeout'))
    try {
      return await work(flight)
    } finally {
      cancel()
      this.#end(flight)
    }
  }

  /** Whether there is room for one more piece of a reply; when true it counts until the flight ends. */
  grow(flight: Flight, pieceBytes: number): boolean {
    if (!(flight instanceof RunningFlight) || !this.#all.has(flight)) return false
    const before = flight.longBytes
    flight.replyBytes += pieceBytes + PIECE_BYTES
    this.#longBytes += flight.longBytes - before
    while (this.#longBytes > this.#limits.replyBytes) {
      const oldest = [...this.#all].find(each => each.longBytes > 0)
      if (oldest === undefined || oldest === flight || !this.#displace(oldest)) return false
    }
    return true
  }

  /** Ends all, and lets none start any more. */
  close(): void {
    this.#closed = true
    for (const flight of this.#all) flight.stop('closing')
  }

  #start(target: string): RunningFlight | undefined {
    const { total, perTarget } = this.#limits
    if (this.#closed || !this.#hasRoom(this.#byTarget.get(target), perTarget) || !this.#hasRoom(this.#all, total))
      return undefined
    const flight = new RunningFlight(target, this.#clock.nowMs())
    this.#all.add(flight)
    const toTarget = this.#byTarget.get(target)
    if (toTarget === undefined) this.#byTarget.set(target, new Set([flight]))
    else toTarget.add(flight)
    return flight
  }

  #hasRoom(flights: ReadonlySet<RunningFlight> | undefined, limit: number): boolean {
    if (flights === undefined || flights.size < limit) return true
    const [oldest] = flights
    return oldest !== undefined && this.#displace(oldest)
  }

  #displace(flight: RunningFlight): boolean {
    if (this.#clock.nowMs() - flight.sinceMs <= PATIENCE_MS) return false
    flight.stop('displaced')
    this.#end(flight)
    return true
  }

  #end(flight: RunningFlight): void {
    if (!this.#all.delete(flight)) return
    this.#longBytes -= flight.longBytes
    const toTarget = this.#byTarget.get(flight.target)
    toTarget?.delete(flight)
    if (toTarget?.size === 0) this.#byTarget.delete(flight.target)
  }
}

function nothing(): void {}
