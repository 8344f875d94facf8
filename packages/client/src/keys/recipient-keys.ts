/**
 * The published account keys of others.
 *
 * | what is held | what a send does |
 * |---|---|
 * | keys, fetched < 24 h ago | uses them |
 * | keys, < 48 h | uses them, and fetches in the background |
 * | keys, older | fetches first; without an answer the send waits |
 * | none ever, absence seen < 1 h ago | V2 without forward secrecy, or, by `strict`, holds the message |
 * | none ever | fetches first |
 * | had keys, now none | holds the message: silence is not consent to weaker encryption; by `allow`, V2 without |
 *
 * What is held goes out when there are keys, or when the person says of this account that it may go without.
 *
 * A key that was superseded is never taken again, whatever a node serves; without a new one two more members are asked. So they are
 * for new keys that do not follow from those before (AK-18): these are used when nobody shows better ones, and the person is told.
 */
import type { Crypto } from '@session-v2/crypto'
import { ed25519PublicKey, mlKem768PublicKey, x25519PublicKey } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import type { AccountId, PublishedKeys, Recipient, RememberedKeys } from '@session-v2/protocol'
import { judgePublishedKeys, prepareRecipient, rememberPublishedKeys } from '@session-v2/protocol'
import type { EventLog } from '../events/event-log.ts'
import type { Change } from '../ports/store.ts'
import type { SwarmRequests } from '../routing/swarm-requests.ts'
import type { DowngradePolicy } from '../settings.ts'
import type { SealedStore, Table } from '../store/sealed/sealed-store.ts'
import { fetchPublishedKeys } from './published-keys.ts'

const HOUR_MS = 3_600_000
export const FRESH_MS = 24 * HOUR_MS
export const EXPIRED_MS = 48 * HOUR_MS
export const ABSENCE_MS = HOUR_MS
/** Keys that are younger are not fetched again because somebody looks at the conversation. */
const LOOKED_AT_MS = HOUR_MS

/** `RememberedKeys` in hexadecimal, absent while none were ever seen, and when they were looked for. */
interface RecipientRecord {
  readonly x25519?: string
  readonly mlKem768?: string
  readonly createdMinutes?: number
  readonly continuityKey?: string
  readonly fetchedAtMs?: number
  readonly absentAtMs?: number
  /** Fingerprints of keys that were current before, newest last. */
  readonly superseded: readonly string[]
  /** The person said that messages may go without forward secrecy, until there are keys again. */
  readonly goesWithout?: boolean
}

/** What a message to an account is to be sealed to. */
export type RecipientKeys =
  | { readonly kind: 'pfs'; readonly recipient: Recipient }
  | { readonly kind: 'no-pfs' }
  | { readonly kind: 'held' }

export interface RecipientKeyParts {
  readonly crypto: Crypto
  readonly store: SealedStore
  readonly events: EventLog
  readonly requests: SwarmRequests
  readonly policy: () => DowngradePolicy
}

export class RecipientKeyCache {
  readonly #parts: RecipientKeyParts
  readonly #table: Table<RecipientRecord>
  readonly #prepared = new Map<AccountId, { x25519: string; mlKem768: string; recipient: Recipient }>()
  readonly #fetching = new Map<AccountId, Promise<RecipientRecord>>()

  constructor(parts: RecipientKeyParts) {
    this.#parts = parts
    this.#table = parts.store.table<RecipientRecord>('recipient-keys')
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
    const without = this.#withoutKeys(record)
    if (record?.x25519 === undefined) return without
    const absentSinceFetch = (record.absentAtMs ?? 0) > (record.fetchedAtMs ?? 0)
    if (absentSinceFetch && this.#nowMs() - (record.fetchedAtMs ?? 0) >= EXPIRED_MS) return without
    return { kind: 'pfs', recipient: this.#prepare(account, record) }
  }

  /** The change by which messages to an account may go without forward secrecy, until there are keys again. */
  async letGoWithout(account: AccountId): Promise<Change> {
    const record = await this.#table.get(account)
    return this.#table.put(account, { superseded: [], ...record, goesWithout: true })
  }

  #withoutKeys(record: RecipientRecord | undefined): RecipientKeys {
    const policy = this.#parts.policy()
    const hadKeys = record?.x25519 !== undefined
    const isHeld = policy === 'strict' || (policy === 'ask' && hadKeys)
    return { kind: isHeld && record?.goesWithout !== true ? 'held' : 'no-pfs' }
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
    const { crypto, requests, events } = this.#parts
    const known = await this.#table.get(account)
    const remembered = rememberedOf(known)
    const judge = (keys: PublishedKeys) => {
      const { verdict, continuity } = judgePublishedKeys(crypto, account, remembered, keys)
      if (verdict === 'stale') return 'refused'
      return verdict === 'newer' && continuity !== 'unproven' ? 'new' : 'known'
    }
    const found = await fetchPublishedKeys(crypto, requests, account, judge)
    const record = this.#merge(account, known, remembered, found)
    const isUnproven =
      found !== undefined &&
      remembered !== undefined &&
      judgePublishedKeys(crypto, account, remembered, found).continuity === 'unproven'
    const isNews = record.x25519 !== known?.x25519
    await events.commit(
      [this.#table.put(account, record)],
      isUnproven && isNews ? [{ type: 'recipient_keys_unproven', account }] : [],
    )
    return record
  }

  #merge(
    account: AccountId,
    known: RecipientRecord | undefined,
    remembered: RememberedKeys | undefined,
    found: PublishedKeys | undefined,
  ): RecipientRecord {
    const nowMs = this.#nowMs()
    if (found === undefined) return { superseded: [], ...known, absentAtMs: nowMs }
    const nowS = Math.floor(nowMs / 1000)
    const next = rememberPublishedKeys(this.#parts.crypto, account, remembered, found, { nowS, confirmed: false })
    const { createdMinutes, continuityKey, superseded } = next
    return {
      x25519: encodeHex(next.x25519),
      mlKem768: encodeHex(next.mlKem768),
      ...(createdMinutes === undefined ? {} : { createdMinutes }),
      ...(continuityKey === undefined ? {} : { continuityKey: encodeHex(continuityKey) }),
      fetchedAtMs: nowMs,
      superseded: superseded.map(fingerprint => encodeHex(fingerprint)),
    }
  }

  #prepare(account: AccountId, record: RecipientRecord): Recipient {
    const cached = this.#prepared.get(account)
    if (cached !== undefined && cached.x25519 === record.x25519 && cached.mlKem768 === record.mlKem768) return cached.recipient
    const recipient = prepareRecipient(this.#parts.crypto, account, {
      x25519: x25519PublicKey(decodeHex(record.x25519!)),
      mlKem768: mlKem768PublicKey(decodeHex(record.mlKem768!)),
    })
    this.#prepared.set(account, { x25519: record.x25519!, mlKem768: record.mlKem768!, recipient })
    return recipient
  }

  #nowMs(): number {
    return this.#parts.requests.clock.nowMs()
  }
}

function rememberedOf(record: RecipientRecord | undefined): RememberedKeys | undefined {
  if (record?.x25519 === undefined || record.mlKem768 === undefined) return undefined
  const { createdMinutes, continuityKey } = record
  return {
    x25519: x25519PublicKey(decodeHex(record.x25519)),
    mlKem768: mlKem768PublicKey(decodeHex(record.mlKem768)),
    ...(createdMinutes === undefined ? {} : { createdMinutes }),
    ...(continuityKey === undefined ? {} : { continuityKey: ed25519PublicKey(decodeHex(continuityKey)) }),
    superseded: record.superseded.map(fingerprint => decodeHex(fingerprint)),
  }
}
