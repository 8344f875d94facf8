/**
 * The account keys of this device's own account: kept, rotated on schedule, published at −21, erased 16 days after rotation.
 *
 * A thief of the unlocked device finds the current key and those rotated in the last 16 days, and nothing older. Implements AK-04,
 * AK-06, AK-07, AK-08 and AK-15 on a device's side.
 */
import type { Crypto, Random } from '@session-v2/crypto'
import { wipe } from '@session-v2/crypto'
import { decodeHex, encodeHex, equalBytes } from '@session-v2/encoding'
import { buildStore, MAX_TTL_MS, messageHash, NAMESPACE, parseStoreResult } from '@session-v2/network'
import type { Account, AccountKey, Keyring, PublishedKeys } from '@session-v2/protocol'
import {
  ACCOUNT_KEY_RETENTION_S,
  accountIdBytes,
  accountKeyFromSeed,
  buildAccountKeyRecord,
  currentKey,
  emptyKeyring,
  keyringOf,
  prepareRecipient,
  pruneKeyring,
  type Recipient,
  rotateKeyring,
  rotationDueAtS,
  wipeAccountKey,
} from '@session-v2/protocol'
import type { ClientEvent, EventLog } from '../events/event-log.ts'
import { requestSigner } from '../routing/request-signer.ts'
import type { SwarmRequests } from '../routing/swarm-requests.ts'
import type { Table } from '../store/sealed/sealed-store.ts'
import { fetchPublishedKeys, newestPublishedKeys } from './published-keys.ts'

const SEED_BYTES = 32
/** Published keys live 30 days in the swarm; half of that leaves time for a device that is rarely on. */
const REPUBLISH_AFTER_MS = 14 * 86_400_000
/** This device is alone until devices can be linked. */
const DEVICE_COUNT = 1
/** Erased keys are still known by their public half for as long as a node may serve them, 30 days of two rotations and more. */
const ERASED_KEPT = 80

interface KeyRecord {
  readonly seed: string
  readonly createdAtS: number
  readonly rotatedAtS?: number
}

/** What is stored: the seeds, and what is known about −21. */
export interface OwnKeysRecord {
  readonly keys: readonly KeyRecord[]
  readonly publishedKey?: string
  readonly publishedAtMs?: number
  /** X25519 public keys of erased keys, newest last. */
  readonly erased?: readonly string[]
}

const RECORD = 'keyring'

/** What changes; the rest stays. */
interface NextState {
  readonly keyring?: Keyring
  readonly publishedKey?: string
  readonly publishedAtMs?: number
  readonly erased?: readonly string[]
}

/** One key as a person may see it. Times in milliseconds. */
export interface AccountKeyView {
  readonly createdAtMs: number
  readonly rotatedAtMs: number | undefined
  readonly eraseAtMs: number | undefined
  readonly current: boolean
}

export interface OwnKeysParts {
  readonly crypto: Crypto
  readonly random: Random
  readonly account: Account
  readonly deviceId: Uint8Array
  readonly events: EventLog
  readonly requests: SwarmRequests
  readonly table: Table<OwnKeysRecord>
}

export class OwnAccountKeys {
  readonly #parts: OwnKeysParts
  #keyring: Keyring = emptyKeyring
  #publishedKey: string | undefined
  #publishedAtMs = 0
  #erased: readonly string[] = []
  #recipient: Recipient | undefined
  /** The X25519 keys of others that an event has told of, so that it is told once. */
  readonly #alarmed = new Set<string>()

  private constructor(parts: OwnKeysParts) {
    this.#parts = parts
  }

  static async open(parts: OwnKeysParts): Promise<OwnAccountKeys> {
    const own = new OwnAccountKeys(parts)
    const record = await parts.table.get(RECORD)
    if (record !== undefined) own.#load(record)
    return own
  }

  get keyring(): Keyring {
    return this.#keyring
  }

  /** The account as a recipient of its own copies, or undefined while it has no key. */
  recipient(): Recipient | undefined {
    const key = currentKey(this.#keyring)
    if (key === undefined) return undefined
    this.#recipient ??= prepareRecipient(this.#parts.crypto, this.#parts.account.id, publicKeys(key))
    return this.#recipient
  }

  view(): AccountKeyView[] {
    return this.#keyring.keys.map(key => ({
      createdAtMs: key.createdAtS * 1000,
      rotatedAtMs: key.rotatedAtS === undefined ? undefined : key.rotatedAtS * 1000,
      eraseAtMs: key.rotatedAtS === undefined ? undefined : (key.rotatedAtS + ACCOUNT_KEY_RETENTION_S) * 1000,
      current: key.rotatedAtS === undefined,
    }))
  }

  /** When the current key is due for rotation, in milliseconds; undefined without a key. */
  rotationDueAtMs(): number | undefined {
    const key = currentKey(this.#keyring)
    if (key === undefined) return undefined
    return rotationDueAtS(this.#parts.crypto, key, this.#parts.deviceId, DEVICE_COUNT) * 1000
  }

  /** Rotates when due, erases what has served its time. */
  async maintain(): Promise<void> {
    const dueAtMs = this.rotationDueAtMs()
    if (dueAtMs !== undefined && this.#nowMs() >= dueAtMs) await this.rotate()
    const { keyring, wipe: expired } = pruneKeyring(this.#keyring, Math.floor(this.#nowMs() / 1000))
    if (expired.length === 0) return
    const gone = this.#keyring.keys.filter(key => !keyring.keys.includes(key)).map(key => encodeHex(key.x25519.publicKey))
    const erased = [...this.#erased, ...gone].slice(-ERASED_KEPT)
    await this.#keep({ keyring, erased }, { type: 'account_keys_erased', count: gone.length })
    for (const secret of expired) secret.wipe()
  }

  /** Makes a new current key. It is published by the next `publishIfDue`. */
  async rotate(): Promise<void> {
    const seed = this.#parts.random.bytes(SEED_BYTES)
    const rotated = rotateKeyring(this.#parts.crypto, this.#keyring, seed, Math.floor(this.#nowMs() / 1000))
    wipe(seed)
    try {
      await this.#keep(
        { keyring: rotated.keyring },
        { type: 'account_keys_rotated', createdAtMs: rotated.current.createdAtS * 1000 },
      )
    } catch (error) {
      wipeAccountKey(rotated.current)
      throw error
    }
    this.#recipient = undefined
  }

  /**
   * Takes note of what −21 holds, oldest first. A key of nobody known is an alarm and is replaced; on a device without keys of its
   * own it is another device's and is left alone.
   */
  async observe(records: readonly Uint8Array[]): Promise<void> {
    const { crypto, requests, account } = this.#parts
    const shown = newestPublishedKeys(crypto, account.id, records)
    if (currentKey(this.#keyring) === undefined) {
      const published = shown ?? (await fetchPublishedKeys(crypto, requests, account.id))
      if (published === undefined) await this.rotate()
      else await this.#tellOnce(published, 'account_keys_foreign')
      return
    }
    if (shown === undefined || encodeHex(shown.x25519) !== this.#publishedKey) this.#publishedKey = undefined
    if (shown !== undefined && !this.#made(shown)) await this.#tellOnce(shown, 'account_keys_alarm')
  }

  /** Publishes the current key unless −21 is known to hold it. True when it did. @throws ClientError, NetworkError. */
  async publishIfDue(): Promise<boolean> {
    const key = currentKey(this.#keyring)
    if (key === undefined) return false
    const mine = encodeHex(key.x25519.publicKey)
    if (this.#publishedKey === mine && this.#nowMs() - this.#publishedAtMs < REPUBLISH_AFTER_MS) return false
    const { crypto, random, account, requests } = this.#parts
    const payload = buildAccountKeyRecord(crypto, random, account, key, { continuity: this.#keyring.keys })
    const signer = requestSigner(account)
    const options = { accountId: account.id, namespace: NAMESPACE.accountKeys, payload, ttlMs: MAX_TTL_MS, signer }
    const hash = messageHash(crypto, accountIdBytes(account.id), NAMESPACE.accountKeys, payload)
    const { result } = await requests.ask(account.id, {
      build: timestampMs => buildStore(crypto, { ...options, timestampMs }),
      read: answer => parseStoreResult(crypto, answer),
    })
    if (result.hash !== hash || result.stored.length <= result.failed.length) return false
    await this.#keep({ publishedKey: mine, publishedAtMs: this.#nowMs() }, { type: 'account_keys_published' })
    return true
  }

  /** Wipes every secret. */
  close(): void {
    for (const key of this.#keyring.keys) wipeAccountKey(key)
  }

  #load(record: OwnKeysRecord): void {
    const keys = record.keys.map(key => {
      const seed = decodeHex(key.seed, SEED_BYTES)
      const loaded = accountKeyFromSeed(this.#parts.crypto, seed, key.createdAtS, key.rotatedAtS)
      wipe(seed)
      return loaded
    })
    this.#keyring = keyringOf(keys)
    this.#publishedKey = record.publishedKey
    this.#publishedAtMs = record.publishedAtMs ?? 0
    this.#erased = record.erased ?? []
  }

  /** Stores first, then believes. What the stored state replaces is erased: the seeds of old keys are in it. */
  async #keep(next: NextState, event: ClientEvent): Promise<void> {
    const keyring = next.keyring ?? this.#keyring
    const publishedKey = next.publishedKey ?? this.#publishedKey
    const publishedAtMs = next.publishedAtMs ?? this.#publishedAtMs
    const erased = next.erased ?? this.#erased
    const record: OwnKeysRecord = {
      keys: keyring.keys.map(key => ({
        seed: encodeHex(key.seed.expose()),
        createdAtS: key.createdAtS,
        ...(key.rotatedAtS === undefined ? {} : { rotatedAtS: key.rotatedAtS }),
      })),
      ...(publishedKey === undefined ? {} : { publishedKey, publishedAtMs }),
      erased,
    }
    await this.#parts.events.commit([this.#parts.table.put(RECORD, record)], [event], { erase: next.erased !== undefined })
    this.#keyring = keyring
    this.#publishedKey = publishedKey
    this.#publishedAtMs = publishedAtMs
    this.#erased = erased
  }

  /** Whether a key was made by this device, even if it is erased by now. */
  #made(keys: PublishedKeys): boolean {
    const held = this.#keyring.keys.some(key => equalBytes(key.x25519.publicKey, keys.x25519))
    return held || this.#erased.includes(encodeHex(keys.x25519))
  }

  async #tellOnce(published: PublishedKeys, type: 'account_keys_alarm' | 'account_keys_foreign'): Promise<void> {
    const fingerprint = encodeHex(published.x25519)
    if (this.#alarmed.has(fingerprint)) return
    this.#alarmed.add(fingerprint)
    await this.#parts.events.commit([], [{ type }])
  }

  #nowMs(): number {
    return this.#parts.requests.clock.nowMs()
  }
}

function publicKeys(key: AccountKey): PublishedKeys {
  return { mlKem768: key.mlKem768.publicKey, x25519: key.x25519.publicKey }
}
