/**
 * What happens in the store, told to those who wait for it (clauses NODE-154, NODE-155). An event is published after its change is
 * committed. Where several processes serve one store, an implementation carries events between them too.
 */
import { describeException, type Log } from '../log.ts'
import type { StoredMessage } from './store.ts'

/**
 * `stored`: a message is new here, from a client or passed on by a member, also late · `revoked`: tokens of an account were revoked; which
 * they are is the store's to say.
 */
export type StoreEvent =
  | { readonly kind: 'stored'; readonly message: StoredMessage }
  | { readonly kind: 'revoked'; readonly account: Uint8Array }

export type StoreListener = (event: StoreEvent) => void

/** Every event that is published reaches each listener once, in every process that serves the store, unless the way there is broken. */
export interface StoreEvents {
  /** Never throws, and waits for nobody. */
  publish(event: StoreEvent): void
  /** Of accounts (33 bytes) that it does not await, events of other processes need not come. The returned function ends it. */
  listen(listener: StoreListener, awaits?: (account: Uint8Array) => boolean): () => void
  /** How many events others were not told of, as far as that is known. */
  readonly lost: number
  /** Tells nobody any more. */
  close(): Promise<void>
}

/** Events of one process. A listener that throws is logged, and disturbs neither the others nor the store. */
export class LocalStoreEvents implements StoreEvents {
  readonly lost = 0
  readonly #listeners = new Set<StoreListener>()
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  publish(event: StoreEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event)
      } catch (error) {
        this.#log.error(describeException(error), 'a listener of the store failed')
      }
    }
  }

  listen(listener: StoreListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#listeners.clear()
  }
}
