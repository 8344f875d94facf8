/**
 * Messages that do not open yet: kept as they came, tried again when a key is added, dropped when the swarm drops them too.
 * Nothing is lost because a message came before its key.
 */
import { decodeBase64, encodeBase64 } from '@session-v2/encoding'
import type { RetrievedMessage } from '@session-v2/network'
import type { Change } from '../ports/store.ts'
import type { SealedStore, Table } from '../store/sealed/sealed-store.ts'

/** Why a message waits: no key for it, or a version that this program does not read. */
export type QuarantineReason = 'no-key' | 'v1' | 'unknown-version'

interface QuarantineRecord {
  readonly hash: string
  readonly payload: string
  readonly timestampMs: number
  readonly expiryMs: number
  readonly reason: QuarantineReason
}

/** At most this many are kept; anyone can send what does not open. The oldest go first. */
const MAX_KEPT = 1000

export class Quarantine {
  readonly #table: Table<QuarantineRecord>
  #count = 0

  private constructor(store: SealedStore) {
    this.#table = store.table<QuarantineRecord>('quarantine')
  }

  static async open(store: SealedStore): Promise<Quarantine> {
    const quarantine = new Quarantine(store)
    quarantine.#count = (await quarantine.#table.page({ limit: MAX_KEPT * 2 })).length
    return quarantine
  }

  /** How many messages wait. */
  get count(): number {
    return this.#count
  }

  /** The changes that keep a message, and drop the oldest when there are too many. */
  async add(message: RetrievedMessage, reason: QuarantineReason): Promise<Change[]> {
    const { hash, timestampMs, expiryMs } = message
    const changes = [this.#table.put(hash, { hash, payload: encodeBase64(message.payload), timestampMs, expiryMs, reason })]
    if (this.#count < MAX_KEPT) this.#count++
    else for (const { value } of await this.#table.page({ limit: 1 })) changes.push(this.#table.remove(value.hash))
    return changes
  }

  /** What waits, oldest first. */
  async waiting(): Promise<RetrievedMessage[]> {
    const records = await this.#table.page({ limit: MAX_KEPT * 2 })
    return records.map(({ value }) => ({
      hash: value.hash,
      payload: decodeBase64(value.payload),
      timestampMs: value.timestampMs,
      expiryMs: value.expiryMs,
    }))
  }

  /** The change that lets a message go. */
  release(hash: string): Change {
    this.#count = Math.max(0, this.#count - 1)
    return this.#table.remove(hash)
  }
}
