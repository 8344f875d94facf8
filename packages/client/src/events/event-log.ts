/**
 * What happened, as a stream that can be left and taken up again. Events are committed with what caused them, so that none is told
 * that did not happen and none is lost; the newest 10,000 are kept.
 */
import type { Membership } from '@session-v2/protocol'
import type { Change, CommitOptions } from '../ports/store.ts'
import type { SealedStore, Table } from '../store/sealed/sealed-store.ts'

/** Everything the client tells. Times are milliseconds since the epoch. */
export type ClientEvent =
  | { readonly type: 'message_received'; readonly messageId: string; readonly conversation: string }
  | { readonly type: 'message_state_changed'; readonly messageId: string; readonly conversation: string; readonly state: string }
  | { readonly type: 'message_refused'; readonly reason: string }
  | { readonly type: 'message_quarantined'; readonly reason: string }
  | { readonly type: 'account_keys_rotated'; readonly createdAtMs: number }
  | { readonly type: 'account_keys_erased'; readonly count: number }
  | { readonly type: 'account_keys_published' }
  /** Somebody outside this account's devices published keys for it: they have the recovery password. */
  | { readonly type: 'account_keys_alarm' }
  /** Keys of a device that this one is not linked with are published; this device does not replace them. */
  | { readonly type: 'account_keys_foreign' }
  /** Keys of an account changed, and the new ones do not follow from those before: it may be somebody with its recovery password. */
  | { readonly type: 'recipient_keys_unproven'; readonly account: string }
  /** What this device is to the device groups of its account. */
  | { readonly type: 'membership_changed'; readonly membership: Membership }
  /** `restated`: another device still believed in one that is gone, and is told again. */
  | {
      readonly type: 'device_membership_changed'
      readonly deviceId: string
      readonly change: 'joined' | 'updated' | 'left' | 'removed' | 'restated'
    }
  /** All devices are others: a group was founded, joined or left. */
  | { readonly type: 'devices_replaced' }
  /** Another device group of this account exists. */
  | { readonly type: 'group_appeared'; readonly groupId: string }
  /** Another device asks to be let in. */
  | { readonly type: 'link_request_added'; readonly requestId: string }
  | { readonly type: 'link_request_ended'; readonly requestId: string; readonly how: 'accepted' | 'superseded' | 'expired' }
  /** A member has let this device in; the person at this device has yet to agree. */
  | { readonly type: 'link_answered' }
  /** Another member asks for the history that this device has. */
  | { readonly type: 'history_requested'; readonly requestId: string; readonly deviceId: string }
  /** Messages that the other side has taken, or that this one has, of so many in all. */
  | {
      readonly type: 'history_progress'
      readonly requestId: string
      readonly direction: 'sent' | 'received'
      readonly messages: number
      readonly total: number
    }
  | {
      readonly type: 'history_done'
      readonly requestId: string
      readonly direction: 'sent' | 'received'
      readonly how: 'complete' | 'cancelled' | 'expired' | 'stopped' | 'elsewhere'
    }
  /** The list of the network's storage nodes changed. */
  | { readonly type: 'network_changed'; readonly nodes: number }
  /** All nodes are on this computer, and too few for a path: requests go directly. */
  | { readonly type: 'requests_direct'; readonly nodes: number }

/** An event with its place in the stream. */
export type PlacedEvent = ClientEvent & { readonly cursor: number }

const KEPT_EVENTS = 10_000
/** Old events go in slices, so that no single commit is long. */
const PRUNE_SLICE = 500
const PAGE = 200

interface EventRecord {
  readonly id: number
  readonly event: ClientEvent
}

export class EventLog {
  readonly #table: Table<EventRecord>
  readonly #store: SealedStore
  #nextId = 1
  #oldestId = 1
  readonly #waiting = new Set<() => void>()
  #closed = false

  private constructor(store: SealedStore) {
    this.#store = store
    this.#table = store.table<EventRecord>('events')
  }

  static async open(store: SealedStore): Promise<EventLog> {
    const log = new EventLog(store)
    const [oldest] = await log.#table.page({ limit: 1 })
    const [newest] = await log.#table.page({ limit: 1, reverse: true })
    log.#oldestId = oldest?.value.id ?? 1
    log.#nextId = (newest?.value.id ?? 0) + 1
    return log
  }

  /** Commits changes together with the events they cause, and wakes whoever follows. */
  async commit(changes: readonly Change[], events: readonly ClientEvent[] = [], options?: CommitOptions): Promise<void> {
    // Taken before the write, so that two commits under way never share an id; a failed one leaves a gap, which is harmless.
    const firstId = this.#nextId
    this.#nextId += events.length
    const puts = events.map((event, i) => this.#table.put(String(firstId + i), { id: firstId + i, event }))
    const prune = this.#prune(firstId + events.length)
    await this.#store.commit([...changes, ...puts, ...prune.changes], options)
    this.#oldestId = Math.max(this.#oldestId, prune.oldestId)
    if (events.length > 0) this.#wake()
  }

  /** The cursor behind the newest event. */
  async cursor(): Promise<number> {
    const [newest] = await this.#table.page({ limit: 1, reverse: true })
    return newest?.order ?? 0
  }

  /** The events behind `after` that there are, a page. */
  async past(after: number): Promise<PlacedEvent[]> {
    const page = await this.#table.page({ after, limit: PAGE })
    return page.map(({ order, value }) => ({ ...value.event, cursor: order }))
  }

  /** The events behind `after`, then those that come, until `signal` aborts or the client closes. */
  async *follow(after: number | Promise<number>, signal?: AbortSignal): AsyncGenerator<PlacedEvent> {
    let cursor = await after
    const wake = () => this.#wake()
    signal?.addEventListener('abort', wake)
    try {
      while (!this.#closed && !signal?.aborted) {
        // Before the read: an event committed between reading and waiting must not be slept over.
        const woken = new Promise<void>(resolve => this.#waiting.add(resolve))
        const page = await this.past(cursor)
        for (const event of page) {
          cursor = event.cursor
          yield event
          if (this.#closed || signal?.aborted) return
        }
        if (page.length === 0) await woken
      }
    } finally {
      signal?.removeEventListener('abort', wake)
    }
  }

  close(): void {
    this.#closed = true
    this.#wake()
  }

  #prune(nextId: number): { changes: Change[]; oldestId: number } {
    const surplus = nextId - this.#oldestId - KEPT_EVENTS
    if (surplus < PRUNE_SLICE) return { changes: [], oldestId: this.#oldestId }
    const ids = Array.from({ length: PRUNE_SLICE }, (_, i) => this.#oldestId + i)
    return { changes: ids.map(id => this.#table.remove(String(id))), oldestId: this.#oldestId + PRUNE_SLICE }
  }

  #wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of waiting) resolve()
  }
}
