/**
 * The port behind which a node keeps what it is given (clauses NODE-20 to NODE-29, NODE-80 to NODE-89). Every implementation passes
 * the suite in test/message-store-contract.ts, and shares `item-version.ts` and `item-digest.ts`.
 *
 * Messages are unique by (account, namespace, hash): the hash alone is not enough, because its text has no separator between
 * namespace and data, so that a stranger could occupy the hash of a private message by storing its twin in an open namespace.
 *
 * An item is a message or its tombstone. Its version has two times: `decidedAtMs`, when it was last decided whether the item is there, and
 * `changedAtMs`, when it changed last, in whatever way. Of two versions of an item that of the later decision counts, then that of the
 * later change, then the tombstone, then the later expiry. So members of a swarm that have seen the same changes hold the same, and what
 * was deleted does not come back because its expiry is set where the deletion was missed.
 */
import { RETRIEVE_MESSAGE_OVERHEAD_BYTES } from '@session-v2/network'

/** A message as it is kept. */
export interface StoredMessage {
  /** 33 bytes: prefix ‖ public key. */
  readonly account: Uint8Array
  /** −32768 … 32767 */
  readonly namespace: number
  /** 43 base64 characters. */
  readonly hash: string
  /** Unix milliseconds, as the sender claims. */
  readonly timestampMs: number
  /** Unix milliseconds; from then on the message is not served any more. */
  readonly expiryMs: number
  readonly data: Uint8Array
}

/** One namespace, or every one of an account. */
export type NamespaceChoice = number | 'all'

/** When something was asked, and whether it is asked now. */
export interface Change {
  /** Unix milliseconds, by the clock of the node that took the client's request. */
  readonly atMs: number
  /**
   * `asked`: by a client now. It takes effect: where what is held is not earlier, the change counts as one millisecond after it. `late`: a
   * delivery that was tried again; it takes effect where it is the later one. A store and a deletion are measured by the decision that is
   * held, an expiry by the last change.
   */
  readonly mode: 'asked' | 'late'
  /** The owner's signed request, opaque here; kept with what was deleted or shortened (NODE-84). */
  readonly proof?: Uint8Array
}

export interface StoreOutcome {
  /**
   * `stored`: it is new · `already`: it was there, and its expiry is now the later of the two · `obsolete`: nothing changed, because the
   * namespace keeps one message and holds a newer one, or because the change is late and a later decision is known.
   */
  readonly outcome: 'stored' | 'already' | 'obsolete'
  /** The expiry in force, in unix milliseconds. A late store does not raise one that was set after it. */
  readonly expiryMs: number
}

export interface RetrieveQuery {
  readonly account: Uint8Array
  readonly namespace: number
  /** Only messages that arrived after this one; unknown here: all of them. */
  readonly afterHash?: string | undefined
  /** At most so many messages. */
  readonly maxCount?: number | undefined
  /** The answer's size; a message costs `messageCost`. The first message is returned whatever it costs. */
  readonly budgetBytes: number
}

/** Messages in the order in which they arrived here, which differs between members of a swarm. */
export interface RetrievePage {
  readonly messages: readonly RetrievedMessage[]
  /** The limits cut the page short. */
  readonly more: boolean
}

export type RetrievedMessage = Pick<StoredMessage, 'hash' | 'timestampMs' | 'expiryMs' | 'data'>

/** Hashes with their namespaces, in the order of both. */
export interface AffectedMessage {
  readonly namespace: number
  readonly hash: string
}

/** `set` the expiry, or only if that is earlier (`shorten`) or later (`extend`) than the one in force. */
export type ExpiryMode = 'set' | 'shorten' | 'extend'

/** The messages of `hashes` that are here, sorted by hash; a hash in several namespaces stands once, with its latest expiry. */
export interface ExpiryOutcome {
  readonly updated: readonly { readonly hash: string; readonly expiryMs: number }[]
  readonly unchanged: readonly { readonly hash: string; readonly expiryMs: number }[]
}

/**
 * All methods reject with NodeError `store-failed`, `store-full`, `store-corrupt` or `closed`, and have then changed nothing. What can
 * concern more items than one moment should is done a slice at a time, so that other requests are answered in between: `deleteAll`,
 * `expireAll`, `merge`, `forget` and `sweep`. There each slice is done or not, and what was done stays; the same call again completes it.
 */
export interface MessageStore extends SwarmStore {
  /**
   * Keeps a message. Resolves once it survives the death of this process. With `replaces` the namespace holds one message
   * per account: the one with the latest timestamp, among equals the one with the greatest hash. Of a message that is there
   * the timestamp stays, with `replaces` the later one counts.
   */
  store(message: StoredMessage, replaces: boolean, change: Change): Promise<StoreOutcome>
  /** Reads a page; what has expired is not in it, swept or not. */
  retrieve(query: RetrieveQuery): Promise<RetrievePage>
  /**
   * Deletes the account's messages with these hashes in every namespace, also when their expiry was set after the change; resolves to
   * the hashes that were there, sorted. Where a tombstone was decided before the change, it takes the change's time.
   */
  delete(account: Uint8Array, hashes: readonly string[], change: Change): Promise<string[]>
  /** Deletes what was stored last up to `change.atMs`, of messages with a timestamp up to `untilMs` where that is given. */
  deleteAll(account: Uint8Array, namespaces: NamespaceChoice, change: Change, untilMs?: number): Promise<AffectedMessage[]>
  /**
   * Sets the expiry of each hash, in every namespace; `expiriesMs` is one for all, or one for each. A message whose life was
   * shortened leaves, when it ends, a tombstone of its version, so that a member that missed the change does not bring it back.
   */
  setExpiries(
    account: Uint8Array,
    hashes: readonly string[],
    expiriesMs: readonly number[],
    mode: ExpiryMode,
    change: Change,
  ): Promise<ExpiryOutcome>
  /** Shortens the life of all messages that would live longer; those are the answer. */
  expireAll(account: Uint8Array, namespaces: NamespaceChoice, expiryMs: number, change: Change): Promise<AffectedMessage[]>
  /** The expiry of each of these hashes that is here, the latest where it is in several namespaces. */
  expiries(account: Uint8Array, hashes: readonly string[]): Promise<ReadonlyMap<string, number>>
  /** Notes tokens of 36 bytes as revoked; the newest 50 of an account are kept, whether or not it has messages. */
  revoke(account: Uint8Array, tokens: readonly Uint8Array[], change: Change): Promise<void>
  /** Takes revocations back, also those that are yet to arrive; resolves to how many there were. */
  unrevoke(account: Uint8Array, tokens: readonly Uint8Array[], change: Change): Promise<number>
  /** The tokens that are revoked, newest first. */
  revokedTokens(account: Uint8Array): Promise<readonly Uint8Array[]>
  isRevoked(account: Uint8Array, token: Uint8Array): Promise<boolean>
  /** Removes what has expired, tombstones, sums and proofs too; resolves to how many messages went. */
  sweep(): Promise<number>
  /** How many messages are kept, expired ones that are not swept yet included. */
  count(): Promise<number>
  /** Bytes that the store takes, and its limit where it has one. */
  size(): Promise<{ readonly usedBytes: number; readonly limitBytes: number | undefined }>
  /** Finishes accepted writes, then refuses further ones. */
  close(): Promise<void>
}

/**
 * Revocations are items too, so that members compare them: in this namespace, which no message can be in, named by `tokenHash`, with
 * the token as data; one that was taken back is a tombstone. They have no end. Nothing that is said of messages of all namespaces
 * concerns them.
 */
export const REVOCATIONS = 65_536
/** The expiry of what has no end: a minute of its own, after all that messages can have. */
export const NEVER_MS = 253_402_300_740_000

/** The name and version of an item. */
export interface ItemVersion {
  readonly account: Uint8Array
  readonly namespace: number
  readonly hash: string
  /**
   * Unix milliseconds: when it was last decided whether the item is there. Of a message its last store, of a revocation its revocation,
   * of a tombstone its deletion; of one that a shortened life has left, the last store of the message.
   */
  readonly decidedAtMs: number
  /** Unix milliseconds, not before `decidedAtMs`: the last change of any kind. */
  readonly changedAtMs: number
  readonly isTombstone: boolean
  /** Of a message its own; of a tombstone `tombstoneExpiryMs`: 30 days after its change. */
  readonly expiryMs: number
}

/** An item with everything that another member needs to take it over. */
export type Item = ItemVersion & {
  /** Absent for a tombstone. */
  readonly message?: { readonly timestampMs: number; readonly data: Uint8Array }
  /**
   * The owner's request that deleted it, shortened its life or revoked. A message keeps that of the last request that set its
   * expiry once its life was shortened; a tombstone may have that of the expiry that ended the message.
   */
  readonly proof?: Uint8Array
}

/** What names an item. */
export type ItemName = Pick<ItemVersion, 'account' | 'namespace' | 'hash'>

/** Minutes since the epoch, the first included, the last not. */
export interface MinuteRange {
  readonly from: number
  readonly to: number
}

/** A write that a member has not taken yet. */
export interface Delivery {
  readonly id: number
  /** Ed25519 key of the member, 64 hexadecimal digits. */
  readonly peer: string
  /** What was sent: opaque here. */
  readonly body: Uint8Array
  readonly queuedAtMs: number
  /** How often it was given out before. */
  readonly tries: number
}

/** Most sums that one question may ask for: 34 days by the minute. */
export const SUMS_MAX = 50_000

/** A delivery is tried again after this time first. */
export const DELIVERY_DELAY_MS = 15_000
/** A delivery that was given out is not given out again for this time, unless it is settled. */
export const DELIVERY_LEASE_MS = 60_000

/** What the members of a swarm keep for one another (NODE-80 to NODE-89). */
export interface SwarmStore {
  /**
   * Sums of the digests of what expires in each minute of the range, `step` minutes together: as many as there are steps, at most
   * `SUMS_MAX`. Minutes that are past have 0.
   */
  sums(range: MinuteRange, step: number): Promise<BigUint64Array>
  /** What expires in these minutes, at most `limit` items, in the order of (expiry, account, namespace, hash), behind `after`. */
  versions(range: MinuteRange, limit: number, after?: ItemVersion): Promise<readonly ItemVersion[]>
  /** The versions that are held of these names, one for each; where there is none, undefined. */
  heldVersions(names: readonly ItemName[]): Promise<readonly (ItemVersion | undefined)[]>
  /**
   * Items by name, in that order, until data and proofs exceed `budgetBytes`, at least one; those that are gone are left out. Items
   * with the same proof share one array, which counts once.
   */
  items(names: readonly ItemName[], budgetBytes: number): Promise<readonly Item[]>
  /** Takes items over where they are later than what is held; resolves to how many were. `replaces` tells the public outboxes. */
  merge(items: readonly Item[], replaces: (namespace: number) => boolean): Promise<number>
  /** Accounts that have items, `limit` of them behind `after` in the order of their bytes. */
  accounts(limit: number, after?: Uint8Array): Promise<readonly Uint8Array[]>
  /** All items of an account, tombstones included, at most `limit`, in the order of (hash, namespace), behind `after`. */
  versionsOf(account: Uint8Array, limit: number, after?: ItemVersion): Promise<readonly ItemVersion[]>
  /**
   * Forgets these versions of items, without tombstones: others have them now. What has changed since is kept. Resolves to how many it
   * has forgotten.
   */
  forget(versions: readonly ItemVersion[]): Promise<number>
  /** Keeps a write for a member, due after `DELIVERY_DELAY_MS`; of more than `limit` for one member the oldest are dropped. */
  queueDelivery(peer: string, body: Uint8Array, nowMs: number, limit: number): Promise<void>
  /**
   * Deliveries that are due at `nowMs`, those first that have been so for longest; none that was given out within `DELIVERY_LEASE_MS`,
   * here or to another process.
   */
  dueDeliveries(nowMs: number, limit: number): Promise<readonly Delivery[]>
  /** Done, or not and due again at `dueAtMs`. */
  settleDelivery(id: number, dueAtMs: number | undefined): Promise<void>
  /** How many deliveries are kept, for all members together. */
  deliveriesWaiting(): Promise<number>
  /** Small values of the node itself, kept like messages: its last swarm, when it was last complete. */
  readNote(name: string): Promise<string | undefined>
  writeNote(name: string, text: string): Promise<void>
}

/** What a message of `sizeBytes` counts in a page: its base64 form, its hash and the fields around them. */
export function messageCost(hash: string, sizeBytes: number): number {
  return RETRIEVE_MESSAGE_OVERHEAD_BYTES + hash.length + Math.floor((sizeBytes * 4) / 3)
}
