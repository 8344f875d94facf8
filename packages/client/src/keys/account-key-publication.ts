/**
 * The account keys that others seal to, published at −21: kept there, and watched. The keys themselves belong to the device group;
 * what is published is its current key, once the other devices have it. Implements AK-08, AK-15 and the order of DS-32 on a
 * device's side.
 *
 * | −21 shows | what is done |
 * |---|---|
 * | the current key | nothing |
 * | nothing, or an earlier key of the group | the current one is published again |
 * | a key that nobody in the group made, once | it is looked at again with the next poll: a member may not have brought its news yet |
 * | the same, still | alarm: somebody has the recovery password; the account key is rotated, and the new one published |
 * | the key of another group in view | the current one is published again; of the group the person was told when it appeared |
 */
import type { Crypto, Random } from '@session-v2/crypto'
import { encodeHex } from '@session-v2/encoding'
import { MAX_TTL_MS, NAMESPACE } from '@session-v2/network'
import type { Account, AccountKey, Keyring, PublishedKeys } from '@session-v2/protocol'
import { buildAccountKeyRecord, currentKey, prepareRecipient, type Recipient } from '@session-v2/protocol'
import type { EventLog } from '../events/event-log.ts'
import { storeAsOwner } from '../routing/own-swarm.ts'
import type { SwarmRequests } from '../routing/swarm-requests.ts'
import type { Table } from '../store/sealed/sealed-store.ts'
import { newestPublishedKeys } from './published-keys.ts'

/** Published keys live 30 days in the swarm; half of that leaves time for a device that is rarely on. */
const REPUBLISH_AFTER_MS = 14 * 86_400_000

/** What is stored: X25519 public keys in hexadecimal. */
export interface PublicationRecord {
  readonly publishedKey?: string
  readonly publishedAtMs?: number
  /** A key of nobody, seen by the last poll. */
  readonly strange?: string
  /** Keys that an alarm has told of. */
  readonly alarmed?: readonly string[]
  /** When the last alarm was that calls for another account key: who took the strange one counts ours as replaced. */
  readonly alarmedAtMs?: number
}

const RECORD = 'self'
const ALARMED_KEPT = 80
const ALARM_PAUSE_MS = 3_600_000

/** The part of the device group that publishing needs. */
export interface OwnAccountKeys {
  /** Whether this device is a member who may publish. */
  readonly isMember: () => boolean
  readonly keyring: () => Keyring
  /** Whether the other devices have this key. */
  readonly isPassedOn: (x25519: Uint8Array) => boolean
  /** Whether a key is or was the group's. */
  readonly hasKnown: (x25519: Uint8Array) => boolean
  /** Whether a key is that of another group in view. */
  readonly isOfOtherGroup: (x25519: Uint8Array) => boolean
}

export interface PublicationParts {
  readonly crypto: Crypto
  readonly random: Random
  readonly account: Account
  readonly events: EventLog
  readonly requests: SwarmRequests
  readonly table: Table<PublicationRecord>
  readonly keys: OwnAccountKeys
}

export class AccountKeyPublication {
  readonly #parts: PublicationParts
  #record: PublicationRecord
  #recipient: { readonly key: AccountKey; readonly recipient: Recipient } | undefined

  private constructor(parts: PublicationParts, record: PublicationRecord) {
    this.#parts = parts
    this.#record = record
  }

  static async open(parts: PublicationParts): Promise<AccountKeyPublication> {
    return new AccountKeyPublication(parts, (await parts.table.get(RECORD)) ?? {})
  }

  /** The account as a recipient of its own copies; undefined for a device that is no member. */
  recipient(): Recipient | undefined {
    const { crypto, account, keys } = this.#parts
    const key = keys.isMember() ? currentKey(keys.keyring()) : undefined
    if (key === undefined) return undefined
    if (this.#recipient?.key.seed !== key.seed) {
      const published = { mlKem768: key.mlKem768.publicKey, x25519: key.x25519.publicKey }
      this.#recipient = { key, recipient: prepareRecipient(crypto, account.id, published) }
    }
    return this.#recipient?.recipient
  }

  /** Takes note of what −21 holds, oldest first, after what the group said was merged. */
  async observe(records: readonly Uint8Array[]): Promise<void> {
    const { crypto, account, keys } = this.#parts
    const shown = newestPublishedKeys(crypto, account.id, records)
    const fingerprint = shown && encodeHex(shown.x25519)
    if (!keys.isMember()) return this.#observeForeign(shown)
    const { publishedKey, strange, alarmed = [] } = this.#record
    if (fingerprint === undefined || keys.hasKnown(shown!.x25519)) {
      if (fingerprint !== publishedKey || strange !== undefined)
        await this.#keep({ publishedKey: fingerprint, strange: undefined })
      return
    }
    const isToldOf = alarmed.includes(fingerprint) && !this.#mayCallForRotation()
    if (isToldOf || keys.isOfOtherGroup(shown!.x25519)) await this.#keep({ publishedKey: undefined, strange: undefined })
    else if (strange === fingerprint) await this.#alarm(fingerprint, 'account_keys_alarm')
    else await this.#keep({ strange: fingerprint })
  }

  /**
   * Whether an alarm calls for another account key, and neither this device nor another has made one since. It does once an hour at most,
   * or whoever publishes strange keys could have keys made without end.
   */
  owesRotation(): boolean {
    const current = currentKey(this.#parts.keys.keyring())
    return this.#parts.keys.isMember() && current !== undefined && current.createdAtS * 1000 < (this.#record.alarmedAtMs ?? 0)
  }

  /** Publishes the current key unless −21 is known to hold it. True when it did. @throws ClientError, NetworkError */
  async publishIfDue(): Promise<boolean> {
    const { crypto, random, account, requests, keys } = this.#parts
    const key = keys.isMember() ? currentKey(keys.keyring()) : undefined
    if (key === undefined || !keys.isPassedOn(key.x25519.publicKey)) return false
    const mine = encodeHex(key.x25519.publicKey)
    const { publishedKey, publishedAtMs = 0, strange } = this.#record
    const isFresh = requests.clock.nowMs() - publishedAtMs < REPUBLISH_AFTER_MS
    if (strange !== undefined || (publishedKey === mine && isFresh)) return false
    const payload = buildAccountKeyRecord(crypto, random, account, key, { continuity: keys.keyring().keys })
    const message = { namespace: NAMESPACE.accountKeys, payload, ttlMs: MAX_TTL_MS }
    if (!(await storeAsOwner({ crypto, account, requests }, message))) return false
    const record = { ...this.#record, publishedKey: mine, publishedAtMs: requests.clock.nowMs() }
    await this.#parts.events.commit([this.#parts.table.put(RECORD, record)], [{ type: 'account_keys_published' }])
    this.#record = record
    return true
  }

  /** Of a device that is no member nothing is published; it tells, once, that others publish. */
  async #observeForeign(shown: PublishedKeys | undefined): Promise<void> {
    const fingerprint = shown && encodeHex(shown.x25519)
    if (fingerprint === undefined || this.#parts.keys.hasKnown(shown!.x25519)) return
    if (this.#record.alarmed?.includes(fingerprint) !== true) await this.#alarm(fingerprint, 'account_keys_foreign')
  }

  #mayCallForRotation(): boolean {
    return this.#parts.requests.clock.nowMs() - (this.#record.alarmedAtMs ?? 0) >= ALARM_PAUSE_MS
  }

  async #alarm(fingerprint: string, type: 'account_keys_alarm' | 'account_keys_foreign'): Promise<void> {
    const alarmed = [...(this.#record.alarmed ?? []).filter(other => other !== fingerprint), fingerprint].slice(-ALARMED_KEPT)
    const { publishedKey: _, strange: __, ...rest } = this.#record
    const calls = type === 'account_keys_alarm' && this.#mayCallForRotation()
    const record = { ...rest, alarmed, ...(calls && { alarmedAtMs: this.#parts.requests.clock.nowMs() }) }
    await this.#parts.events.commit([this.#parts.table.put(RECORD, record)], [{ type }])
    this.#record = record
  }

  async #keep(news: { readonly [Key in keyof PublicationRecord]?: PublicationRecord[Key] | undefined }): Promise<void> {
    const merged = Object.entries({ ...this.#record, ...news }).filter(([, value]) => value !== undefined)
    const record: PublicationRecord = Object.fromEntries(merged)
    await this.#parts.events.commit([this.#parts.table.put(RECORD, record)])
    this.#record = record
  }
}
