/**
 * Whose request is next (clause NODE-108). While requests of one address come, each is done at once, and while those of several are few, too. Else
 * they wait in a lane for each address, and the lane goes first that took least of the processor lately. One that took more than its part waits, also
 * when nobody else has anything to do just then: a client that asks one thing after the other has nothing to do most of the time, and
 * would meet a long piece of work of somebody else each time.
 *
 *     a request ──▶ one address for a second, or little to do: done at once
 *               └─▶ lane ──▶ next in turn: done, and its time is noted
 *                       └──▶ no room, and the longest lane: given up
 */
import type { Clock, Timers } from '../ports.ts'

/** Addresses take turns for this long after a request of another one. */
const SHARED_MS = 1_000
/** What an address may take at most of the processor while it shares it. */
const PART = 0.5
/** An address is ahead of its part by this at most, beside the piece of work that brought it there. */
const AHEAD_MAX_MS = 4
/** What a turn takes beyond that counts so many times. */
const LONG_TURN_MS = 1
const LONG_TURN_WEIGHT = 3
/** A request costs this much beside what its turn takes: its head, and its answer. */
const REQUEST_COST_MS = 0.1
/** One that is done at once is over later than it is seen to be: behind that come the check of its signature and the store. */
const SOON_COST_MS = 0.2
/** What is done at once before the sockets are looked at again, and behind it the others wait. */
const AT_ONCE_MAX_MS = 5
/** Turns in a row before that. */
const TURNS_MAX = 16
const TURNS_MAX_MS = 3
/** How many of the oldest lanes a new one looks at, to drop those that are of no use any more. */
const DROPPED_PER_NEW = 2

/** What an address has taken beyond its part, and its requests that wait. */
interface Lane {
  usedMs: number
  atMs: number
  readonly waiting: Turn[]
}

interface Turn {
  readonly begin: () => void
  readonly giveUp: () => void
}

export class Turns {
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #lanes = new Map<string, Lane>()
  #last: string | undefined
  #sharedUntilMs = Number.NEGATIVE_INFINITY
  #waiting = 0
  #scheduled = false
  /** Taken by what was done at once since the sockets were last looked at. */
  #atOnceMs = 0
  /** How often the sockets have been looked at behind such work. */
  #looks = 0
  #cancelTimer = (): void => {}
  /** The turn that was taken last, until its time is noted. */
  #running: { readonly lane: Lane; readonly startedMs: number } | undefined

  /** `clock` only moves on. */
  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock
    this.#timers = timers
  }

  get waiting(): number {
    return this.#waiting
  }

  /** Does `work` when it is the turn of `address`; undefined when it was given up before. */
  async run<T>(address: string, work: () => T | Promise<T>): Promise<T | undefined> {
    const nowMs = this.#clock.nowMs()
    const isAnother = this.#last !== undefined && address !== this.#last
    if (isAnother || this.#othersWait(address)) this.#sharedUntilMs = nowMs + SHARED_MS
    this.#last = address
    if (this.#waiting === 0) {
      if (nowMs >= this.#sharedUntilMs) return work()
      const lane = this.#laneOf(address, nowMs)
      if (this.#atOnceMs < AT_ONCE_MAX_MS && usedMs(lane, nowMs) <= AHEAD_MAX_MS) return this.#atOnce(lane, nowMs, work)
    }
    return (await this.#wait(address, nowMs)) ? work() : undefined
  }

  async #atOnce<T>(lane: Lane, nowMs: number, work: () => T | Promise<T>): Promise<T> {
    if (this.#atOnceMs === 0) {
      this.#timers.soon(() => {
        this.#atOnceMs = 0
        this.#looks++
      })
    }
    const look = this.#looks
    let tookMs = 0
    const charge = (): void => {
      const moreMs = Math.max(0, this.#clock.nowMs() - nowMs + SOON_COST_MS - tookMs)
      tookMs += moreMs
      take(lane, nowMs, moreMs)
      this.#atOnceMs += moreMs
    }
    try {
      const worked = work()
      charge()
      return await worked
    } finally {
      // What was over before the sockets were looked at again was nobody else's.
      if (look === this.#looks) charge()
    }
  }

  /** Makes room for a request of `address`: gives up the newest one of the longest lane. False when no lane is longer than that of `address`. */
  giveWay(address: string): boolean {
    let longest = this.#lanes.get(address)?.waiting ?? []
    const own = longest.length
    for (const { waiting } of this.#lanes.values()) if (waiting.length > longest.length) longest = waiting
    if (longest.length <= own) return false
    this.#waiting--
    longest.pop()?.giveUp()
    return true
  }

  #othersWait(address: string): boolean {
    return this.#waiting > 0 && this.#waiting > (this.#lanes.get(address)?.waiting.length ?? 0)
  }

  /** True in its turn, false when it is given up. */
  #wait(address: string, nowMs: number): Promise<boolean> {
    return new Promise(resolve => {
      this.#laneOf(address, nowMs).waiting.push({ begin: () => resolve(true), giveUp: () => resolve(false) })
      this.#waiting++
      this.#schedule()
    })
  }

  #laneOf(address: string, nowMs: number): Lane {
    const known = this.#lanes.get(address)
    if (known !== undefined) return known
    let looked = 0
    for (const [oldest, lane] of this.#lanes) {
      if (lane.waiting.length === 0 && usedMs(lane, nowMs) === 0) this.#lanes.delete(oldest)
      if (++looked === DROPPED_PER_NEW) break
    }
    const lane = { usedMs: 0, atMs: nowMs, waiting: [] }
    this.#lanes.set(address, lane)
    return lane
  }

  /** Sees to it that whoever waits has a turn: soon, or when the first of them may. */
  #schedule(): void {
    if (this.#scheduled || this.#waiting === 0) return
    const nowMs = this.#clock.nowMs()
    const dueMs = this.#dueMs(nowMs)
    this.#cancelTimer()
    // Whatever the clock says then, it is somebody's turn.
    if (dueMs > 0) this.#cancelTimer = this.#timers.after(Math.ceil(dueMs), () => this.#takeTurns(1, Number.POSITIVE_INFINITY))
    else this.#takeTurns(TURNS_MAX, AHEAD_MAX_MS)
  }

  /** Each turn comes in a call of its own, so that what it does at once is over when the next one begins. */
  #takeTurns(turns: number, aheadMaxMs: number): void {
    this.#scheduled = true
    const startedMs = this.#clock.nowMs()
    for (let i = Math.min(this.#waiting, turns); i > 0; i--) this.#timers.soon(() => this.#turn(startedMs, aheadMaxMs))
    this.#timers.soon(() => {
      this.#note(this.#clock.nowMs())
      this.#scheduled = false
      this.#schedule()
    })
  }

  #turn(startedMs: number, aheadMaxMs: number): void {
    const nowMs = this.#clock.nowMs()
    this.#note(nowMs)
    const lane = this.#next(nowMs)
    if (lane === undefined || nowMs - startedMs > TURNS_MAX_MS) return
    if (nowMs < this.#sharedUntilMs && usedMs(lane, nowMs) > aheadMaxMs) return
    this.#waiting--
    this.#running = { lane, startedMs: nowMs }
    lane.waiting.shift()!.begin()
  }

  /** The turn before this one is over. */
  #note(nowMs: number): void {
    if (this.#running === undefined) return
    const { lane, startedMs } = this.#running
    take(lane, startedMs, nowMs - startedMs + REQUEST_COST_MS)
    this.#running = undefined
  }

  /** How long until the first of those that wait may go on. */
  #dueMs(nowMs: number): number {
    const lane = nowMs < this.#sharedUntilMs ? this.#next(nowMs) : undefined
    return lane === undefined ? 0 : (usedMs(lane, nowMs) - AHEAD_MAX_MS) / PART
  }

  #next(nowMs: number): Lane | undefined {
    let next: Lane | undefined
    for (const lane of this.#lanes.values()) {
      if (lane.waiting.length > 0 && (next === undefined || usedMs(lane, nowMs) < usedMs(next, nowMs))) next = lane
    }
    return next
  }
}

/** What an address has taken and not been given back by time yet. */
function usedMs(lane: Lane, nowMs: number): number {
  return Math.max(0, lane.usedMs - Math.max(0, nowMs - lane.atMs) * PART)
}

/** A long turn costs others more than its time: whoever asks meanwhile waits for all of it. */
function take(lane: Lane, atMs: number, tookMs: number): void {
  lane.usedMs = usedMs(lane, atMs) + tookMs + Math.max(0, tookMs - LONG_TURN_MS) * (LONG_TURN_WEIGHT - 1)
  lane.atMs = atMs
}
