/**
 * The disk of a device: a store in memory that can die with its program at any write, and can be put back to how it was earlier.
 *
 * | moment | of the write at which the program dies |
 * |---|---|
 * | before | it never began |
 * | torn | it was under way; stores are atomic, so nothing of it is there afterwards |
 * | after | it is there, and the program never learned |
 */
import {
  type Change,
  type CommitOptions,
  openMemoryStore,
  type RecordStore,
  type ScanQuery,
  type StoredRecord,
} from '@session-v2/client'

export type CrashMoment = 'before' | 'torn' | 'after'

interface Crash {
  writesLeft: number
  readonly moment: CrashMoment
  readonly onCrash: () => void
}

export class Disk {
  #store = openMemoryStore()
  /** Every write so far, so that an earlier state can be had again. */
  readonly #writes: (readonly Change[])[] = []
  #mount = 0
  #crash: Crash | undefined

  /** How often was written: names a state of the disk. */
  get writes(): number {
    return this.#writes.length
  }

  /** The tables that were ever written to. */
  get tables(): readonly string[] {
    return [...new Set(this.#writes.flatMap(changes => changes.map(({ table }) => table)))]
  }

  /** The program dies at a coming write, the next one with `writesLeft` 1. */
  crashAt(writesLeft: number, moment: CrashMoment, onCrash: () => void): void {
    this.#crash = { writesLeft, moment, onCrash }
  }

  /** No crash is to come any more. */
  spare(): void {
    this.#crash = undefined
  }

  /** The store for a program that starts now; the one before it can do nothing any more. */
  mount(): RecordStore {
    const mount = ++this.#mount
    const live = <T>(run: () => Promise<T>): Promise<T> =>
      mount === this.#mount ? run() : Promise.reject(new Error('the program is dead'))
    return {
      get: (table, key) => live(() => this.#store.get(table, key)),
      scan: (table, query) => live(() => this.#store.scan(table, query)),
      commit: (changes, options) => live(() => this.#commit(changes, options)),
      close: async () => {},
    }
  }

  /** What lies on the disk, for whoever looks at it without the program. */
  get atRest(): {
    get(table: string, key: Uint8Array): Promise<StoredRecord | undefined>
    scan(table: string, query: ScanQuery): Promise<readonly StoredRecord[]>
  } {
    return this.#store
  }

  /** Writes without the program, as another one on the device could. */
  async append(changes: readonly Change[]): Promise<void> {
    await this.#store.commit(changes)
    this.#writes.push(changes)
  }

  /** Whoever has mounted it is dead. */
  unmount(): void {
    this.#mount++
  }

  /** Puts back how it was after so many writes. */
  async restore(writes: number): Promise<void> {
    this.unmount()
    this.#store = openMemoryStore()
    this.#writes.length = Math.min(writes, this.#writes.length)
    for (const changes of this.#writes) await this.#store.commit(changes)
  }

  async #commit(changes: readonly Change[], options?: CommitOptions): Promise<void> {
    const crash = this.#crash
    const isLast = crash !== undefined && --crash.writesLeft === 0
    if (!isLast || crash.moment === 'after') {
      await this.#store.commit(changes, options)
      this.#writes.push(changes)
    }
    if (!isLast) return
    this.#crash = undefined
    this.unmount()
    crash.onCrash()
    throw new Error('the program died')
  }
}
