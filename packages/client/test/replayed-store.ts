/** A store that remembers what was committed, so that a home can be had again as it was, as often as a test needs it. */
import { type Change, type CommitOptions, openMemoryStore, type RecordStore } from '@session-v2/client'

export class ReplayedStore implements RecordStore {
  readonly #inner = openMemoryStore()
  readonly #commits: (readonly Change[])[] = []

  get(table: string, key: Uint8Array) {
    return this.#inner.get(table, key)
  }

  scan(table: string, query: Parameters<RecordStore['scan']>[1]) {
    return this.#inner.scan(table, query)
  }

  async commit(changes: readonly Change[], options?: CommitOptions): Promise<void> {
    await this.#inner.commit(changes, options)
    this.#commits.push(changes)
  }

  /** Another home with the same records in the same order. */
  async replayed(): Promise<RecordStore> {
    const store = openMemoryStore()
    for (const changes of this.#commits) await store.commit(changes)
    return store
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}
