/** A device of the scene: the real client, and its store, which whoever takes the device unlocked can read and copy. */
import { type Change, type Client, type CommitOptions, openMemoryStore, type RecordStore } from '@session-v2/client'
import { openVault, SealedStore } from '@session-v2/client/testing'
import { type Crypto, systemRandom } from '@session-v2/crypto'

export interface Device {
  readonly client: Client
  readonly store: DeviceStore
}

/** By what the stores of the scene are unlocked. */
export const UNLOCK = { key: new Uint8Array(32).fill(7) }

const ALL = Number.MAX_SAFE_INTEGER

/** A store in memory that remembers what was written, so that it can be copied. */
export class DeviceStore implements RecordStore {
  readonly #inner = openMemoryStore()
  readonly #written: (readonly Change[])[] = []

  readonly get: RecordStore['get'] = (table, key) => this.#inner.get(table, key)
  readonly scan: RecordStore['scan'] = (table, query) => this.#inner.scan(table, query)

  async commit(changes: readonly Change[], options?: CommitOptions): Promise<void> {
    await this.#inner.commit(changes, options)
    this.#written.push(changes)
  }

  async close(): Promise<void> {}

  /** As it is now. What was erased from it is not in the copy. */
  async copy(): Promise<DeviceStore> {
    const copy = new DeviceStore()
    for (const changes of this.#written) await copy.commit(changes)
    return copy
  }

  /** One record, unsealed. */
  async record<T extends object>(crypto: Crypto, table: string, key: string): Promise<T | undefined> {
    return (await (await this.#unsealed(crypto)).get<T>(table, key))?.value
  }

  /** Every record that is in it now, unsealed, as text. */
  async records(crypto: Crypto): Promise<{ readonly table: string; readonly text: string }[]> {
    const sealed = await this.#unsealed(crypto)
    const tables = new Set(this.#written.flatMap(changes => changes.map(({ table }) => table)))
    tables.delete('vault')
    const pages = await Promise.all(
      [...tables].map(async table => {
        const records = await sealed.page<object>(table, { limit: ALL })
        return records.map(({ value }) => ({ table, text: JSON.stringify(value) }))
      }),
    )
    return pages.flat()
  }

  async #unsealed(crypto: Crypto): Promise<SealedStore> {
    return new SealedStore(crypto, systemRandom(), this, await openVault(crypto, this, UNLOCK))
  }
}
