/** Removes what has had its time, account by account, and makes up for what front ends left undone (clauses NODE-23, NODE-82, NODE-143). */
import type { Clock } from '../../ports.ts'
import type { AccountWrites } from './account-writes.ts'
import type { MinuteIndex } from './minute-index.ts'
import { accountFromHex, hourOf } from './names.ts'
import { parseIndexEntry } from './notes-of-write.ts'
import { textOfReply } from './replies.ts'
import { SWEEP } from './takeover-scripts.ts'

/** Accounts that are swept at once. */
const ABREAST = 16

export class Sweep {
  readonly #index: MinuteIndex
  readonly #writes: AccountWrites
  readonly #clock: Clock

  constructor(index: MinuteIndex, writes: AccountWrites, clock: Clock) {
    this.#index = index
    this.#writes = writes
    this.#clock = clock
  }

  /** Resolves to how many messages went. */
  async run(): Promise<number> {
    await this.#writes.recover()
    let gone = 0
    for (const hour of await this.#index.hours(0, hourOf(this.#clock.nowMs()))) {
      for (;;) {
        const entries = await this.#index.expired(hour)
        const accounts = [...new Set(entries.map(entry => parseIndexEntry(entry).hex))]
        for (let at = 0; at < accounts.length; at += ABREAST) {
          const counts = await Promise.all(accounts.slice(at, at + ABREAST).map(hex => this.#account(accountFromHex(hex))))
          gone += counts.reduce((a, b) => a + b, 0)
        }
        await this.#index.remove(hour, entries)
        if (entries.length === 0) break
      }
      await this.#index.dropIfPast(hour)
    }
    await this.#index.purge()
    return gone
  }

  async #account(account: Uint8Array): Promise<number> {
    let gone = 0
    for (;;) {
      const [count, more] = await this.#writes.write(SWEEP, account, [])
      gone += Number(textOfReply(count))
      if (textOfReply(more) !== '1') return gone
    }
  }
}
