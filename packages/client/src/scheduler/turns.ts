/** One after the other: what reads and then changes the same state takes turns. */
import { ClientError } from '../client-error.ts'

export class Turns {
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  /** Runs `task` when all before it have ended. @throws ClientError `closed` */
  take<T>(task: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new ClientError('closed', 'The client is closed.'))
    const run = this.#last.catch(() => undefined).then(task)
    this.#last = run
    return run
  }

  /** Gives no more turns; resolves when the last has ended. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#last.catch(() => undefined)
  }
}
