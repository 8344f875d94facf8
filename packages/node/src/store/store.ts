/**
 * The port behind which messages are kept (clauses NODE-20 to NODE-28). Every implementation passes the suite in
 * test/message-store-contract.ts.
 *
 * Messages are unique by (account, namespace, hash): the hash alone is not enough, because its text has no separator between
 * namespace and data, so that a stranger could occupy the hash of a private message by storing its twin in an open namespace.
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

export interface StoreOutcome {
  /**
   * `stored`: it is new · `already`: it was there, and its expiry is now the later of the two · `obsolete`: the namespace
   * keeps one message and holds a newer one, so nothing changed.
   */
  readonly outcome: 'stored' | 'already' | 'obsolete'
  /** The expiry in force, in unix milliseconds. */
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

/** All methods reject with NodeError `store-failed`, `store-full` or `closed`, and have then changed nothing. */
export interface MessageStore {
  /**
   * Keeps a message. Resolves once it survives the death of this process. With `replaces` the namespace holds one message
   * per account: the one with the latest timestamp, among equals the one with the greatest hash.
   */
  store(message: StoredMessage, replaces: boolean): Promise<StoreOutcome>
  /** Reads a page; what has expired is not in it, swept or not. */
  retrieve(query: RetrieveQuery): Promise<RetrievePage>
  /** Deletes the account's messages with these hashes in every namespace; resolves to those that were there, sorted. */
  delete(account: Uint8Array, hashes: readonly string[]): Promise<string[]>
  /** Removes what has expired, a slice at a time; resolves to how many messages went. */
  sweep(): Promise<number>
  /** How many messages are kept, expired ones that are not swept yet included. */
  count(): Promise<number>
  /** Finishes accepted writes, then refuses further ones. */
  close(): Promise<void>
}

/** What a message of `sizeBytes` counts in a page: its base64 form, its hash and the fields around them. */
export function messageCost(hash: string, sizeBytes: number): number {
  return RETRIEVE_MESSAGE_OVERHEAD_BYTES + hash.length + Math.floor((sizeBytes * 4) / 3)
}
