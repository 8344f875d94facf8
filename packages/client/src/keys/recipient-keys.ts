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
 * A key that was superseded is never taken again, whatever a node serves; a doubtful answer is checked with two more members.
 */
import type { Crypto } from '@session-v2/crypto'
import { mlKem768PublicKey, x25519PublicKey } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import type { RetrieveResult } from '@session-v2/network'
import { buildRetrieve, NAMESPACE, parseRetrieveResult } from '@session-v2/network'
import type { AccountId, PublishedKeys, Recipient } from '@session-v2/protocol'
import { ProtocolError, prepareRecipient, verifyAccountKeyRecord } from '@session-v2/protocol'
import type { SwarmRequests } from '../routing/swarm-requests.ts'
import type { SealedStore, Table } from '../store/sealed/sealed-store.ts'

const HOUR_MS = 3_600_000
export const FRESH_MS = 24 * HOUR_MS
export const EXPIRED_MS = 48 * HOUR_MS
export const ABSENCE_MS = HOUR_MS
/** Keys rotate about twice a day and live 16 days: what is older cannot be served to any effect. */
const SUPERSEDED_KEPT = 64
/** How many more members are asked when one answers nothing usable. */
const SECOND_OPINIONS = 2

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
  readonly #prepared = new Map<AccountId, { x25519: string; recipient: Recipient }>()
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
      if (ageMs >= EXPIRED_MS) record = await this.fetch(account)
      else if (ageMs >= FRESH_MS) this.refresh(account)
    } else if (record?.absentAtMs === undefined || this.#nowMs() - record.absentAtMs >= ABSENCE_MS) {
      record = await this.fetch(account)
    }
    if (record?.x25519 === undefined) return { kind: 'no-pfs' }
    const absentSinceFetch = (record.absentAtMs ?? 0) > (record.fetchedAtMs ?? 0)
    if (absentSinceFetch && this.#nowMs() - (record.fetchedAtMs ?? 0) >= EXPIRED_MS) return { kind: 'held' }
    return { kind: 'pfs', recipient: this.#prepare(account, record) }
  }

  /** Fetches in the background; a failure leaves everything as it was. */
  refresh(account: AccountId): void {
    this.fetch(account).catch(() => undefined)
  }

  /** Fetches now, once however many ask. */
  fetch(account: AccountId): Promise<RecipientRecord> {
    let running = this.#fetching.get(account)
    if (running === undefined) {
      running = this.#fetch(account).finally(() => this.#fetching.delete(account))
      this.#fetching.set(account, running)
    }
    return running
  }

  async #fetch(account: AccountId): Promise<RecipientRecord> {
    const known = await this.#table.get(account)
    const namespace = NAMESPACE.accountKeys
    const question = {
      build: (timestampMs: number) => buildRetrieve(this.#crypto, { accountId: account, namespace, timestampMs }),
      read: parseRetrieveResult,
    }
    const first = await this.#requests.ask(account, question)
    let found = this.#usable(account, first.result, known)
    if (found === undefined) {
      const others = await this.#requests.askSeveral(account, question, SECOND_OPINIONS, [first.node])
      for (const { result } of others) found ??= this.#usable(account, result, known)
    }
    const record = this.#merge(known, found)
    await this.#store.commit([this.#table.put(account, record)])
    return record
  }

  /** The newest valid keys of an answer that were not superseded. */
  #usable(account: AccountId, answer: RetrieveResult, known: RecipientRecord | undefined): PublishedKeys | undefined {
    let newest: PublishedKeys | undefined
    for (const { payload } of answer.messages) newest = this.#verify(account, payload) ?? newest
    return newest !== undefined && known?.superseded.includes(encodeHex(newest.x25519)) ? undefined : newest
  }

  #verify(account: AccountId, payload: Uint8Array): PublishedKeys | undefined {
    try {
      return verifyAccountKeyRecord(this.#crypto, account, payload)
    } catch (error) {
      if (error instanceof ProtocolError) return undefined
      throw error
    }
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
    if (cached?.x25519 === record.x25519 && cached !== undefined) return cached.recipient
    const recipient = prepareRecipient(this.#crypto, account, {
      x25519: x25519PublicKey(decodeHex(record.x25519!)),
      mlKem768: mlKem768PublicKey(decodeHex(record.mlKem768!)),
    })
    this.#prepared.set(account, { x25519: record.x25519!, recipient })
    return recipient
  }

  #nowMs(): number {
    return this.#requests.clock.nowMs()
  }
}
