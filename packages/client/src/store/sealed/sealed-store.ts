/**
 * The sealing layer over any store. Every record is encrypted on its own with XChaCha20-Poly1305 under the data key, bound to its
 * table and key, so that records cannot be exchanged for one another. Keys and groups are keyed hashes of the real ones.
 *
 * A thief of the store learns how many records each table has, their sizes and the order of writing; not whose, nor with whom.
 */
import type { Crypto, Random } from '@session-v2/crypto'
import { blake2b, CryptoError, Secret, wipe, xchacha20Poly1305Decrypt, xchacha20Poly1305Encrypt } from '@session-v2/crypto'
import { concatBytes, encodeUtf8 } from '@session-v2/encoding'
import { ClientError } from '../../client-error.ts'
import type { Change, CommitOptions, RecordStore, StoredRecord } from '../../ports/store.ts'
import { decodeRecord, encodeRecord } from './record-codec.ts'

const NONCE_BYTES = 24
const HASH_BYTES = 16
const KEY_BYTES = 32
const RECORD_PERSONAL = 'SessionV2_Record'
const INDEX_PERSONAL = 'SessionV2_RecIdx'

/** A record as it was put in, with its place in the order of writing. */
export interface SealedRecord<T> {
  readonly order: number
  readonly value: T
}

export interface PageQuery {
  readonly group?: string | undefined
  readonly after?: number | undefined
  readonly before?: number | undefined
  readonly limit: number
  readonly reverse?: boolean | undefined
}

export class SealedStore {
  readonly #crypto: Crypto
  readonly #random: Random
  readonly #store: RecordStore
  readonly #recordKey: Secret<'record-key'>
  readonly #indexKey: Secret<'index-key'>

  /** @param dataKey 32 bytes; wiped once the keys of this layer are derived from it */
  constructor(crypto: Crypto, random: Random, store: RecordStore, dataKey: Secret<'data-key'>) {
    this.#crypto = crypto
    this.#random = random
    this.#store = store
    const derive = (personal: string) => blake2b(crypto, KEY_BYTES, [], { key: dataKey.expose(), personal })
    this.#recordKey = Secret.of(derive(RECORD_PERSONAL), 'record-key')
    this.#indexKey = Secret.of(derive(INDEX_PERSONAL), 'index-key')
    dataKey.wipe()
  }

  /** One table with records of one type. */
  table<T extends object>(name: string): Table<T> {
    return new Table<T>(this, name)
  }

  async get<T extends object>(table: string, key: string): Promise<SealedRecord<T> | undefined> {
    const record = await this.#store.get(table, this.#hash(table, key))
    return record === undefined ? undefined : this.#open<T>(table, record)
  }

  async page<T extends object>(table: string, query: PageQuery): Promise<SealedRecord<T>[]> {
    const group = query.group === undefined ? undefined : this.#hash(table, query.group)
    const records = await this.#store.scan(table, { ...query, group })
    return records.map(record => this.#open<T>(table, record))
  }

  put(table: string, key: string, value: object, group?: string): Change {
    const hashedKey = this.#hash(table, key)
    const plaintext = encodeRecord(value)
    const nonce = this.#random.bytes(NONCE_BYTES)
    const associated = associatedBytes(table, hashedKey)
    const sealed = xchacha20Poly1305Encrypt(this.#crypto, keyOf(this.#recordKey), nonce, plaintext, associated)
    wipe(plaintext)
    const hashedGroup = group === undefined ? undefined : this.#hash(table, group)
    return { kind: 'put', table, key: hashedKey, group: hashedGroup, value: concatBytes(nonce, sealed) }
  }

  remove(table: string, key: string): Change {
    return { kind: 'delete', table, key: this.#hash(table, key) }
  }

  /** Writes all changes or none. @throws ClientError `store-failed`; nothing was written then. */
  async commit(changes: readonly Change[], options?: CommitOptions): Promise<void> {
    try {
      await this.#store.commit(changes, options)
    } catch (cause) {
      if (cause instanceof ClientError) throw cause
      throw new ClientError('store-failed', 'The account could not be written. Is the disk full? Nothing was changed.', cause)
    }
  }

  /** Closes the store beneath and wipes the keys. */
  async close(): Promise<void> {
    this.#recordKey.wipe()
    this.#indexKey.wipe()
    await this.#store.close()
  }

  #hash(table: string, text: string): Uint8Array {
    const input = [encodeUtf8(`${table}\0`), encodeUtf8(text)]
    return blake2b(this.#crypto, HASH_BYTES, input, { key: keyOf(this.#indexKey) })
  }

  #open<T extends object>(table: string, record: StoredRecord): SealedRecord<T> {
    const [nonce, sealed] = [record.value.subarray(0, NONCE_BYTES), record.value.subarray(NONCE_BYTES)]
    try {
      const associated = associatedBytes(table, record.key)
      const plaintext = xchacha20Poly1305Decrypt(this.#crypto, keyOf(this.#recordKey), nonce, sealed, associated)
      const value = decodeRecord<T>(plaintext)
      wipe(plaintext)
      return { order: record.order, value }
    } catch (cause) {
      if (!(cause instanceof CryptoError)) throw cause
      throw new ClientError(
        'store-damaged',
        'A record of the account was altered. Restore it from a backup or the recovery password.',
        cause,
      )
    }
  }
}

/** One table of a sealed store, with records of one type under text keys. `put` and `remove` make changes; `commit` writes them. */
export class Table<T extends object> {
  readonly #store: SealedStore
  readonly #name: string

  constructor(store: SealedStore, name: string) {
    this.#store = store
    this.#name = name
  }

  async get(key: string): Promise<T | undefined> {
    return (await this.#store.get<T>(this.#name, key))?.value
  }

  page(query: PageQuery): Promise<SealedRecord<T>[]> {
    return this.#store.page<T>(this.#name, query)
  }

  /** Every record, oldest first. For tables that stay small. */
  async all(): Promise<T[]> {
    return (await this.page({ limit: Number.MAX_SAFE_INTEGER })).map(record => record.value)
  }

  put(key: string, value: T, group?: string): Change {
    return this.#store.put(this.#name, key, value, group)
  }

  remove(key: string): Change {
    return this.#store.remove(this.#name, key)
  }
}

/** The key, for one call. @throws ClientError `closed` for what is still under way when the store closes. */
function keyOf(secret: Secret<'record-key'> | Secret<'index-key'>): Uint8Array {
  if (secret.wiped) throw new ClientError('closed', 'The client is closed.')
  return secret.expose()
}

function associatedBytes(table: string, hashedKey: Uint8Array): Uint8Array {
  return concatBytes(encodeUtf8(`${table}\0`), hashedKey)
}
