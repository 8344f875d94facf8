/**
 * Who is subscribed to what: one subscription for each account and subscriber (clauses MON-04, NODE-153). What has expired counts until it
 * is removed, and is told of nothing.
 */
import type { RequestForm, Subscription } from '@session-v2/network'

/** Of one connection. */
export const SUBSCRIPTIONS_PER_CONNECTION = 1_000
/** Of one account: a message goes to all of them at once. */
export const SUBSCRIPTIONS_PER_ACCOUNT = 256
/** Of one client address, whatever the number of its connections. */
export const SUBSCRIPTIONS_PER_ADDRESS = 10_000
/** Of a node. */
export const SUBSCRIPTIONS_MAX = 100_000

/** A subscription, and the form of the request that made it, in which its notifications are. */
export interface HeldSubscription extends Subscription {
  readonly form: RequestForm
}

const NOBODY = new Map<never, never>()

interface Watched<S> {
  readonly account: Uint8Array
  readonly held: Map<S, HeldSubscription>
}

export class SubscriptionTable<S extends { readonly address: string }> {
  readonly #accounts = new Map<string, Watched<S>>()
  /** The accounts of each subscriber. */
  readonly #subscribers = new Map<S, Set<string>>()
  readonly #addresses = new Map<string, number>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** What is held for an account of 33 bytes. */
  of(account: Uint8Array): ReadonlyMap<S, HeldSubscription> {
    // Asked for each message that is stored, and mostly nobody is subscribed.
    return this.#size === 0 ? NOBODY : (this.#accounts.get(keyOf(account))?.held ?? NOBODY)
  }

  countOf(subscriber: S): number {
    return this.#subscribers.get(subscriber)?.size ?? 0
  }

  /** Keeps a subscription in place of the one before; false when it would be one more than there may be. */
  put(subscriber: S, held: HeldSubscription): boolean {
    const key = keyOf(held.account)
    const watched = this.#accounts.get(key)
    if (watched?.held.has(subscriber)) {
      watched.held.set(subscriber, held)
      return true
    }
    const { address } = subscriber
    const ofAddress = this.#addresses.get(address) ?? 0
    const isFull = this.#size >= SUBSCRIPTIONS_MAX || (watched?.held.size ?? 0) >= SUBSCRIPTIONS_PER_ACCOUNT
    if (isFull || ofAddress >= SUBSCRIPTIONS_PER_ADDRESS || this.countOf(subscriber) >= SUBSCRIPTIONS_PER_CONNECTION) return false
    if (watched === undefined) this.#accounts.set(key, { account: held.account, held: new Map([[subscriber, held]]) })
    else watched.held.set(subscriber, held)
    const keys = this.#subscribers.get(subscriber)
    if (keys === undefined) this.#subscribers.set(subscriber, new Set([key]))
    else keys.add(key)
    this.#addresses.set(address, ofAddress + 1)
    this.#size++
    return true
  }

  remove(subscriber: S, account: Uint8Array): void {
    this.#remove(subscriber, keyOf(account))
  }

  /** Removes everything that a subscriber has. */
  removeAll(subscriber: S): void {
    for (const key of [...(this.#subscribers.get(subscriber) ?? [])]) this.#remove(subscriber, key)
  }

  removeExpired(nowMs: number): void {
    for (const { account, held } of [...this.#accounts.values()]) {
      for (const [subscriber, { expiresAtMs }] of [...held]) if (expiresAtMs <= nowMs) this.remove(subscriber, account)
    }
  }

  /** The accounts that somebody is subscribed to, 33 bytes each. */
  accounts(): readonly Uint8Array[] {
    return [...this.#accounts.values()].map(({ account }) => account)
  }

  #remove(subscriber: S, key: string): void {
    const held = this.#accounts.get(key)?.held
    if (!held?.delete(subscriber)) return
    if (held.size === 0) this.#accounts.delete(key)
    const keys = this.#subscribers.get(subscriber)
    keys?.delete(key)
    if (keys?.size === 0) this.#subscribers.delete(subscriber)
    const left = (this.#addresses.get(subscriber.address) ?? 1) - 1
    if (left === 0) this.#addresses.delete(subscriber.address)
    else this.#addresses.set(subscriber.address, left)
    this.#size--
  }
}

function keyOf(account: Uint8Array): string {
  return Buffer.from(account.buffer, account.byteOffset, account.length).toString('latin1')
}
