/**
 * Whose turn it is to change a whole mailbox (clause NODE-46). Such a change may take seconds and some ten megabytes: a few are done at a
 * time, of one account one, and the others wait in the order in which they came.
 */
import type { Timers } from '../ports.ts'

/** At a time. */
export const TURNS_MAX = 4
/** That wait for their turn; further ones are refused. */
export const TURNS_WAITING_MAX = 200
/** Of one account: those of a batch. */
export const TURNS_WAITING_PER_ACCOUNT = 20
/** Whose turn has not come by then is refused: other members would not take a request that is much older. */
export const TURN_PATIENCE_MS = 15_000

interface Waiting {
  readonly key: string
  readonly start: () => void
}

/** Ends a turn; may be called again. */
export type EndTurn = () => void

export class MailboxTurns {
  readonly #timers: Pick<Timers, 'after'>
  readonly #running = new Set<string>()
  readonly #waiting = new Set<Waiting>()

  constructor(timers: Pick<Timers, 'after'>) {
    this.#timers = timers
  }

  /** Resolves once it is the turn of an account of 33 bytes; to undefined when too many wait, or it has waited for too long. */
  async take(account: Uint8Array): Promise<EndTurn | undefined> {
    const key = Buffer.from(account.buffer, account.byteOffset, account.length).toString('latin1')
    const isFree = this.#running.size < TURNS_MAX && !this.#running.has(key)
    if (isFree) this.#running.add(key)
    else if (!(await this.#wait(key))) return undefined
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      this.#running.delete(key)
      this.#next()
    }
  }

  async #wait(key: string): Promise<boolean> {
    if (this.#waiting.size >= TURNS_WAITING_MAX) return false
    const ofAccount = [...this.#waiting].filter(other => other.key === key)
    if (ofAccount.length >= TURNS_WAITING_PER_ACCOUNT) return false
    return new Promise(resolve => {
      const cancel = this.#timers.after(TURN_PATIENCE_MS, () => {
        this.#waiting.delete(waiting)
        resolve(false)
      })
      const start = (): void => {
        cancel()
        resolve(true)
      }
      const waiting = { key, start }
      this.#waiting.add(waiting)
    })
  }

  #next(): void {
    for (const waiting of this.#waiting) {
      if (this.#running.size >= TURNS_MAX) return
      if (this.#running.has(waiting.key)) continue
      this.#waiting.delete(waiting)
      this.#running.add(waiting.key)
      waiting.start()
    }
  }
}
