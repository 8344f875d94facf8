/**
 * Messages that do not open yet: kept as they came, tried again when a key is added, dropped when the swarm drops them too.
 * Nothing is lost because a message came before its key.
 */
import { decodeBase64, encodeBase64 } from '@session-v2/encoding'
import type { RetrievedMessage } from '@session-v2/network'
import type { Change } from '../ports/store.ts'
import type { SealedStore, Table } from '../store/sealed/sealed-store.ts'

/** Why a message waits: no key for it, or a version that this program does not read. */
export type QuarantineReason = 'no-key' | 'unknown-version'

interface QuarantineRecord {
  readonly hash: string
  readonly payload: string
  readonly timestampMs: number
  readonly expiryMs: number
  readonly reason: QuarantineReason
  /** The 2 bytes that tell which key a `no-key` message wants, in hexadecimal. */
  readonly indicator?: string
}

/** At most this many are kept; anyone can send what does not open. The oldest go first. */
export const QUARANTINE_MAX_MESSAGES = 1000
/** How many are read at a time. */
const PAGE = 50

export class Quarantine {
  readonly #table: Table<QuarantineRecord>
  #count = 0

  private constructor(store: SealedStore) {
    this.#table = store.table<QuarantineRecord>('quarantine')
  }

  static async open(store: SealedStore): Promise<Quarantine> {
    const quarantine = new Quarantine(store)
    for await (const page of quarantine.waiting()) quarantine.#count += page.length
    return quarantine
  }

  /** How many messages wait. */
  get count(): number {
    return this.#count
  }

  /** How many wait, and until when the last of them. */
  async view(): Promise<{ readonly messages: number; readonly untilMs: number | undefined }> {
    let untilMs: number | undefined
    for await (const page of this.waiting()) {
      for (const { expiryMs } of page) untilMs = Math.max(untilMs ?? expiryMs, expiryMs)
    }
    return { messages: this.#count, untilMs }
  }

  /** The change that keeps a message. */
  keep(message: RetrievedMessage, reason: QuarantineReason, indicator: string | undefined): Change {
    const { hash, timestampMs, expiryMs } = message
    const payload = encodeBase64(message.payload)
    const record = { hash, payload, timestampMs, expiryMs, reason, ...(indicator === undefined ? {} : { indicator }) }
    return this.#table.put(hash, record)
  }

  /** The change that lets a message go. */
  release(hash: string): Change {
    return this.#table.remove(hash)
  }

  /** The changes that drop the oldest messages when `added` more would be too many. */
  async evict(added: number): Promise<Change[]> {
    const surplus = this.#count + added - QUARANTINE_MAX_MESSAGES
    if (surplus <= 0) return []
    return (await this.#table.page({ limit: surplus })).map(({ value }) => this.#table.remove(value.hash))
  }

  /** Counts what was committed: so many messages more, or fewer when negative. */
  committed(added: number): void {
    this.#count += added
  }

  /** What waits, oldest first, in pages. */
  async *waiting(): AsyncGenerator<RetrievedMessage[]> {
    for (let after = 0; ; ) {
      const page = await this.#table.page({ after, limit: PAGE })
      if (page.length === 0) return
      after = page.at(-1)!.order
      yield page.map(({ value: { hash, payload, timestampMs, expiryMs } }) => ({
        hash,
        payload: decodeBase64(payload),
        timestampMs,
        expiryMs,
      }))
    }
  }
}
