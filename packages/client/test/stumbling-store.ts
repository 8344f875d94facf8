/** A store in front of a real one that refuses one commit, as a full disk would, and works before and after. */
import type { Change, CommitOptions, RecordStore } from '@session-v2/client'

export class StumblingStore implements RecordStore {
  readonly #inner: RecordStore
  #refusedCommit: number
  #commits = 0

  constructor(inner: RecordStore, refusedCommit: number) {
    this.#inner = inner
    this.#refusedCommit = refusedCommit
  }

  /** Whether it came to that. */
  get stumbled(): boolean {
    return this.#commits >= this.#refusedCommit
  }

  /** From now on it refuses none. */
  recover(): void {
    if (!this.stumbled) this.#refusedCommit = Number.POSITIVE_INFINITY
  }

  get(table: string, key: Uint8Array) {
    return this.#inner.get(table, key)
  }

  scan(table: string, query: Parameters<RecordStore['scan']>[1]) {
    return this.#inner.scan(table, query)
  }

  async commit(changes: readonly Change[], options?: CommitOptions): Promise<void> {
    if (++this.#commits === this.#refusedCommit) throw new Error('no space left on device')
    await this.#inner.commit(changes, options)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}
