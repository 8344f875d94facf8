/**
 * Tells subscribers of what happens in the store (clauses MON-03, MON-05, NODE-154, NODE-155). Owners are told at once. For subaccounts
 * the revocations of the account are looked up first, each time: a lookup begins after the message is kept, and ends the subscriptions
 * of what was revoked, however the node came to know of it.
 */
import {
  encodeMonitorEnd,
  encodeNotification,
  isSubscribed,
  MONITOR_ERROR,
  type Namespace,
  type RequestForm,
} from '@session-v2/network'
import { describeException, type Log } from '../log.ts'
import { NodeError } from '../node-error.ts'
import type { Clock } from '../ports.ts'
import { base64 } from '../rpc/wire-fields.ts'
import type { MessageStore, StoredMessage } from '../store/store.ts'
import type { StoreEvent } from '../store/store-events.ts'
import type { Subscriber, Subscribers } from './subscribers.ts'
import type { HeldSubscription, SubscriptionTable } from './subscription-table.ts'

export interface NotifierParts {
  readonly store: Pick<MessageStore, 'revokedTokens'>
  readonly clock: Clock
  readonly table: SubscriptionTable<Subscriber>
  readonly subscribers: Subscribers
  readonly log: Log
}

/** Messages that wait for a lookup of revocations; above, the subaccounts of an account are not told any more. */
export const LOOKUP_MAX_MESSAGES = 1_000

const REVOKED = 'the subaccount is revoked'
const UNKNOWN = 'revocations cannot be looked up'

export class Notifier {
  readonly #parts: NotifierParts
  /** By account, what waits for a lookup that runs. */
  readonly #waiting = new Map<string, StoredMessage[]>()
  /** Accounts for which something came while a lookup ran. */
  readonly #again = new Set<string>()
  #waitingMessages = 0
  #notifications = 0

  constructor(parts: NotifierParts) {
    this.#parts = parts
  }

  /** How many were sent. */
  get notifications(): number {
    return this.#notifications
  }

  tell(event: StoreEvent): void {
    const account = event.kind === 'stored' ? event.message.account : event.account
    const held = this.#parts.table.of(account)
    if (held.size === 0) return
    const message = event.kind === 'stored' ? event.message : undefined
    if (message !== undefined)
      this.#notify(
        message,
        [...held].filter(([, { token }]) => token === undefined),
      )
    for (const { token } of held.values()) {
      if (token === undefined) continue
      this.#lookUp(account, message)
      return
    }
  }

  #lookUp(account: Uint8Array, message: StoredMessage | undefined): void {
    const key = base64(account)
    if (message !== undefined && this.#waitingMessages >= LOOKUP_MAX_MESSAGES) {
      this.#endSubaccounts(account, UNKNOWN, () => true)
      return
    }
    const added = message === undefined ? [] : [message]
    this.#waitingMessages += added.length
    const waiting = this.#waiting.get(key)
    if (waiting !== undefined) {
      waiting.push(...added)
      this.#again.add(key)
      return
    }
    this.#waiting.set(key, added)
    void this.#tellSubaccounts(account, key)
  }

  async #tellSubaccounts(account: Uint8Array, key: string): Promise<void> {
    const { store, table, log } = this.#parts
    do {
      this.#again.delete(key)
      const messages = this.#waiting.get(key)!.splice(0)
      try {
        const revoked = new Set((await store.revokedTokens(account)).map(base64))
        this.#endSubaccounts(account, REVOKED, token => revoked.has(base64(token)))
        const held = [...table.of(account)].filter(([, { token }]) => token !== undefined)
        for (const message of messages) this.#notify(message, held)
      } catch (error) {
        log.error(error instanceof NodeError ? { code: error.code } : describeException(error), 'revocations were not looked up')
        this.#endSubaccounts(account, UNKNOWN, () => true)
      }
      this.#waitingMessages -= messages.length
    } while (this.#again.has(key))
    this.#waiting.delete(key)
  }

  #endSubaccounts(account: Uint8Array, error: string, ends: (token: Uint8Array) => boolean): void {
    const { table, subscribers } = this.#parts
    for (const [subscriber, { token, form }] of [...table.of(account)]) {
      if (token === undefined || !ends(token)) continue
      table.remove(subscriber, account)
      subscribers.send(subscriber, encodeMonitorEnd(form, { account, errcode: MONITOR_ERROR.badSignature, error }))
    }
  }

  #notify(message: StoredMessage, held: readonly (readonly [Subscriber, HeldSubscription])[]): void {
    const { clock, subscribers } = this.#parts
    const nowMs = clock.nowMs()
    const namespace = message.namespace as Namespace
    const written = new Map<string, string | Uint8Array>()
    for (const [subscriber, subscription] of held) {
      if (!isSubscribed(subscription, namespace, nowMs)) continue
      const { form, wantData } = subscription
      const kind = `${form} ${wantData}`
      const notification = written.get(kind) ?? encode(form, message, wantData)
      written.set(kind, notification)
      this.#notifications++
      subscribers.send(subscriber, notification)
    }
  }
}

function encode(form: RequestForm, message: StoredMessage, wantData: boolean): string | Uint8Array {
  const { account, hash, namespace, timestampMs, expiryMs, data: payload } = message
  const notification = { account, hash, namespace: namespace as Namespace, timestampMs, expiryMs, ...(wantData && { payload }) }
  return encodeNotification(form, notification, base64)
}
