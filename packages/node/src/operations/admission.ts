/**
 * Who may ask how often (clauses NODE-72, NODE-100 to NODE-102, NODE-109): buckets by client address, by address that hands in onion
 * requests, and by account.
 *
 * Accounts are known under a keyed hash whose key is made at the start and never leaves the process. An account has two buckets:
 * what is signed for it, and what anybody may ask of it. Otherwise a stranger could keep the owner from their mailbox. A request
 * whose signature turns out wrong is given back to the account it named.
 */
import { blake2b, type Crypto, type Random } from '@session-v2/crypto'
import type { LimitsConfig, Rate } from '../config/limits-config.ts'
import type { Log } from '../log.ts'
import type { Clock } from '../ports.ts'
import type { NodeMetrics, RefusalReason } from './metrics.ts'
import { TokenBuckets } from './token-bucket.ts'

const KEY_BYTES = 32
const ACCOUNT_HASH_BYTES = 16

export interface AdmissionParts {
  readonly limits: Pick<LimitsConfig, 'address' | 'relay' | 'account' | 'tracked'>
  /** One that only moves on. */
  readonly clock: Clock
  readonly crypto: Crypto
  readonly random: Random
  readonly metrics: NodeMetrics
  readonly log: Log
  /** Whether the log may name the addresses that exceed their limit. */
  readonly logAddresses: boolean
}

export class Admission {
  readonly #parts: AdmissionParts
  readonly #key: Uint8Array
  readonly #addresses: TokenBuckets
  readonly #relays: TokenBuckets
  readonly #forgers: TokenBuckets
  readonly #accounts: TokenBuckets
  readonly #refusals: TokenBuckets
  /** Addresses that the log has named already, where it may; no more than a table holds. */
  readonly #named = new Set<string>()

  constructor(parts: AdmissionParts) {
    const { limits, clock, random } = parts
    const buckets = (rate: Rate) => new TokenBuckets(rate, limits.tracked, clock)
    this.#parts = parts
    this.#key = random.bytes(KEY_BYTES)
    this.#addresses = buckets(limits.address)
    this.#relays = buckets(limits.relay)
    this.#forgers = buckets(limits.address)
    this.#accounts = buckets(limits.account)
    this.#refusals = buckets(limits.address)
  }

  /** Whether an address may ask for `cost` more. */
  address(address: string, cost = 1): boolean {
    return this.#addresses.take(address, cost) || this.#refuse('address', address)
  }

  /** Whether an address may hand in one more onion request. */
  relay(address: string): boolean {
    return this.#relays.take(address) || this.#refuse('relay', address)
  }

  /** Whether what claims to come from a peer may be looked at: not from an address that forged too much. */
  peer(address: string): boolean {
    return this.#forgers.has(address) || this.#refuse('peer', address)
  }

  /** What an address sent in the name of a peer was not the peer's. */
  forged(address: string): void {
    this.#forgers.take(address)
  }

  /** What an address sent in the name of a peer was the peer's: what was taken for `parts` of its body is given back. */
  genuine(address: string, parts: number): void {
    this.#forgers.giveBack(address, parts)
  }

  /** Whether an address may send one more part of a body: of an onion request, in the name of a peer, or of any other request. */
  bodyPart(address: string, kind: 'relay' | 'peer' | 'address'): boolean {
    const buckets = { relay: this.#relays, peer: this.#forgers, address: this.#addresses }[kind]
    return buckets.take(address) || this.#refuse(kind, address)
  }

  /** Whether an address that is refused has been refused more often than it may ask: it floods. `cost` of one that is dear to refuse. */
  floods(address: string, cost = 1): boolean {
    return !this.#refusals.take(address, cost)
  }

  /** Whether one more request for an account of 33 bytes may go on. */
  account(account: Uint8Array, signed: boolean): boolean {
    if (this.#parts.limits.account.burst === 0 || this.#accounts.take(this.#accountKey(account, signed))) return true
    this.#parts.metrics.refused('account')
    return false
  }

  /** A signed request for the account was none of its owner's. */
  giveBack(account: Uint8Array): void {
    if (this.#parts.limits.account.burst > 0) this.#accounts.giveBack(this.#accountKey(account, true))
  }

  #accountKey(account: Uint8Array, signed: boolean): string {
    const hash = blake2b(this.#parts.crypto, ACCOUNT_HASH_BYTES, [account], { key: this.#key })
    return (signed ? 's' : 'o') + Buffer.from(hash.buffer, hash.byteOffset, hash.length).toString('latin1')
  }

  #refuse(reason: RefusalReason, address: string): false {
    const { metrics, log, logAddresses, limits } = this.#parts
    metrics.refused(reason)
    if (!logAddresses || this.#named.has(address)) return false
    if (this.#named.size >= limits.tracked) this.#named.clear()
    this.#named.add(address)
    log.info({ address, limit: reason }, 'an address exceeds its limit')
    return false
  }
}
