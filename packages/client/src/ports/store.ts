/**
 * The store port: records in tables, kept in the order in which they were first written.
 *
 * A record has a key, unique in its table; a group, by which a table can be walked in parts; and an order, a number that grows over
 * the whole store with every new record and stays when a record is overwritten. All are opaque bytes: what reaches a store through
 * the sealing layer tells it nothing but sizes and order.
 *
 * `commit` is atomic and durable: after it resolves the changes survive the end of the process at any moment; if it rejects none of
 * them is there. With `erase` the medium keeps nothing of what the changes replace or delete, neither in free pages nor in a log.
 * Adapters run the suite in `testing/record-store-contract.ts`.
 */

export interface StoredRecord {
  readonly key: Uint8Array
  /** 1 and up. */
  readonly order: number
  readonly value: Uint8Array
}

export type Change =
  | {
      readonly kind: 'put'
      readonly table: string
      readonly key: Uint8Array
      readonly group?: Uint8Array | undefined
      readonly value: Uint8Array
    }
  | { readonly kind: 'delete'; readonly table: string; readonly key: Uint8Array }

export interface ScanQuery {
  /** Only records of this group. */
  readonly group?: Uint8Array | undefined
  /** Only records with a larger order. */
  readonly after?: number | undefined
  /** Only records with a smaller order. */
  readonly before?: number | undefined
  readonly limit: number
  /** Newest first. */
  readonly reverse?: boolean | undefined
}

export interface CommitOptions {
  /** What is replaced or deleted must be gone from the medium when the commit resolves. */
  readonly erase?: boolean
}

export interface RecordStore {
  get(table: string, key: Uint8Array): Promise<StoredRecord | undefined>
  scan(table: string, query: ScanQuery): Promise<readonly StoredRecord[]>
  commit(changes: readonly Change[], options?: CommitOptions): Promise<void>
  close(): Promise<void>
}
