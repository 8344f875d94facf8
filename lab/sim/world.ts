/**
 * Virtual time. Everything of a simulation runs in this process and waits for nothing but the timers here, so a turn of the event loop
 * without I/O empties the queue of promises; then time jumps to the next timer. No clock of the system is read.
 *
 *     run what is ready → idle → the next timer's moment → run it → idle → …
 */

interface Timer {
  readonly atMs: number
  /** Among timers of one moment the one that was set first runs first. */
  readonly place: number
  readonly run: () => void
}

/** The first moment of every simulation. */
const BEGIN_MS = Date.UTC(2026, 0, 5)

export class World {
  #nowMs = BEGIN_MS
  #places = 0
  /** By moment, the next one last. */
  readonly #timers: Timer[] = []

  nowMs(): number {
    return this.#nowMs
  }

  /** How much time has passed. */
  get ageMs(): number {
    return this.#nowMs - BEGIN_MS
  }

  after(delayMs: number, run: () => void): () => void {
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, Math.ceil(delayMs)), place: this.#places++, run }
    let at = this.#timers.length
    while (at > 0 && isLater(timer, this.#timers[at - 1]!)) at--
    this.#timers.splice(at, 0, timer)
    return () => {
      const index = this.#timers.indexOf(timer)
      if (index !== -1) this.#timers.splice(index, 1)
    }
  }

  soon(run: () => void): void {
    void Promise.resolve().then(run)
  }

  /** Resolves after so much time. */
  pause(delayMs: number): Promise<void> {
    return new Promise(resolve => void this.after(delayMs, resolve))
  }

  /** Lets time pass. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    await idle()
    while (await this.#step(untilMs));
    this.#nowMs = untilMs
  }

  /** Lets time pass until everything is done, at most for `limitMs`; what is not done then goes on. */
  async until(tasks: readonly Promise<unknown>[], limitMs: number): Promise<boolean> {
    let isDone = false
    void Promise.allSettled(tasks).then(() => {
      isDone = true
    })
    const untilMs = this.#nowMs + limitMs
    await idle()
    while (!isDone && (await this.#step(untilMs)));
    return isDone
  }

  /** Runs the next timer that is due by then; false when there is none. */
  async #step(untilMs: number): Promise<boolean> {
    const timer = this.#timers.at(-1)
    if (timer === undefined || timer.atMs > untilMs) return false
    this.#timers.pop()
    this.#nowMs = Math.max(this.#nowMs, timer.atMs)
    timer.run()
    await idle()
    return true
  }
}

function isLater(timer: Timer, other: Timer): boolean {
  return timer.atMs > other.atMs || (timer.atMs === other.atMs && timer.place > other.place)
}

/** Resolves when nothing is left that could run without time passing. */
function idle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
