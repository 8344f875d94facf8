/**
 * The published account keys of others.
 *
 * | what is held | what a send does |
 * |---|---|
 * | keys, fetched < 24 h ago | uses them |
 * | keys, < 48 h | uses them, and fetches in the background |
 * | keys, older | fetches first; without an answer the send waits |
 * | none ever, absence seen < 1 h ago | V2 without forward secrecy |
 * | none ever | fetches first |
 * | had keys, now none | holds the message: silence is not consent to weaker encryption |
 *
 * A key that was superseded is never taken again, whatever a node serves; without a new one two more members are asked.
 */
import type { Crypto } from '@session-v2/crypto'
import { mlKem768PublicKey, x25519PublicKey } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import type { AccountId, PublishedKeys, Recipient } from '@session-v2/protocol'
import { prepareRecipient } from '@session-v2/protocol'
import type { SwarmRequests } from '../routing/swarm-requests.ts'
import type { SealedStore, Table } from '../store/sealed/sealed-store.ts'
import { fetchPublishedKeys } from './published-keys.ts'

const HOUR_MS = 3_600_000
export const FRESH_MS = 24 * HOUR_MS
export const EXPIRED_MS = 48 * HOUR_MS
export const ABSENCE_MS = HOUR_MS
/** Keys that are younger are not fetched again because somebody looks at the conversation. */
const LOOKED_AT_MS = HOUR_MS
/** Keys rotate about twice a day and live 16 days: what is older cannot be served to any effect. */
const SUPERSEDED_KEPT = 64

interface RecipientRecord {
  readonly x25519?: string
  readonly mlKem768?: string
  readonly fetchedAtMs?: number
  readonly absentAtMs?: number
  /** X25519 keys that were current before, newest last. */
  readonly superseded: readonly string[]
}

/** What a message to an account is to be sealed to. */
export type RecipientKeys =
  | { readonly kind: 'pfs'; readonly recipient: Recipient }
  | { readonly kind: 'no-pfs' }
  | { readonly kind: 'held' }

export class RecipientKeyCache {
  readonly #crypto: Crypto
  readonly #store: SealedStore
  readonly #table: Table<RecipientRecord>
  readonly #requests: SwarmRequests
  readonly #prepared = new Map<AccountId, { x25519: string; mlKem768: string; recipient: Recipient }>()
  readonly #fetching = new Map<AccountId, Promise<RecipientRecord>>()

  constructor(crypto: Crypto, store: SealedStore, requests: SwarmRequests) {
    this.#crypto = crypto
    this.#store = store
    this.#table = store.table<RecipientRecord>('recipient-keys')
    this.#requests = requests
  }

  /** What to seal to now. @throws ClientError, NetworkError when keys must be fetched and nobody answers. */
  async resolve(account: AccountId): Promise<RecipientKeys> {
    let record = await this.#table.get(account)
    const ageMs = this.#nowMs() - (record?.fetchedAtMs ?? 0)
    if (record?.x25519 !== undefined) {
      if (ageMs >= EXPIRED_MS) record = await this.#fetchOnce(account)
      else if (ageMs >= FRESH_MS) this.#refresh(account)
    } else if (record?.absentAtMs === undefined || this.#nowMs() - record.absentAtMs >= ABSENCE_MS) {
      record = await this.#fetchOnce(account)
    }
    if (record?.x25519 === undefined) return { kind: 'no-pfs' }
    const absentSinceFetch = (record.absentAtMs ?? 0) > (record.fetchedAtMs ?? 0)
    if (absentSinceFetch && this.#nowMs() - (record.fetchedAtMs ?? 0) >= EXPIRED_MS) return { kind: 'held' }
    return { kind: 'pfs', recipient: this.#prepare(account, record) }
  }

  /** Somebody is about to write: keys that are not of this hour are fetched in the background. */
  async lookAt(account: AccountId): Promise<void> {
    const record = await this.#table.get(account)
    const askedAtMs = Math.max(record?.fetchedAtMs ?? 0, record?.absentAtMs ?? 0)
    if (this.#nowMs() - askedAtMs >= LOOKED_AT_MS) this.#refresh(account)
  }

  /** Fetches in the background; a failure leaves everything as it was. */
  #refresh(account: AccountId): void {
    this.#fetchOnce(account).catch(() => undefined)
  }

  /** Fetches now, once however many ask. */
  #fetchOnce(account: AccountId): Promise<RecipientRecord> {
    let running = this.#fetching.get(account)
    if (running === undefined) {
      running = this.#fetch(account).finally(() => this.#fetching.delete(account))
      this.#fetching.set(account, running)
    }
    return running
  }

  async #fetch(account: AccountId): Promise<RecipientRecord> {
    const known = await this.#table.get(account)
    const judge = (keys: PublishedKeys) => {
      const x25519 = encodeHex(keys.x25519)
      if (known?.superseded.includes(x25519)) return 'refused'
      return known?.x25519 === x25519 ? 'known' : 'new'
    }
    const found = await fetchPublishedKeys(this.#crypto, this.#requests, account, judge)
    const record = this.#merge(known, found)
    await this.#store.commit([this.#table.put(account, record)])
    return record
  }

  #merge(known: RecipientRecord | undefined, found: PublishedKeys | undefined): RecipientRecord {
    const nowMs = this.#nowMs()
    if (found === undefined) return { superseded: [], ...known, absentAtMs: nowMs }
    const x25519 = encodeHex(found.x25519)
    const replaced = known?.x25519 !== undefined && known.x25519 !== x25519 ? [known.x25519] : []
    const superseded = [...(known?.superseded ?? []), ...replaced].slice(-SUPERSEDED_KEPT)
    return { x25519, mlKem768: encodeHex(found.mlKem768), fetchedAtMs: nowMs, superseded }
  }

  #prepare(account: AccountId, record: RecipientRecord): Recipient {
    const cached = this.#prepared.get(account)
    if (cached !== undefined && cached.x25519 === record.x25519 && cached.mlKem768 === record.mlKem768) return cached.recipient
    const recipient = prepareRecipient(this.#crypto, account, {
      x25519: x25519PublicKey(decodeHex(record.x25519!)),
      mlKem768: mlKem768PublicKey(decodeHex(record.mlKem768!)),
    })
    this.#prepared.set(account, { x25519: record.x25519!, mlKem768: record.mlKem768!, recipient })
    return recipient
  }

  #nowMs(): number {
    return this.#requests.clock.nowMs()
  }
}
