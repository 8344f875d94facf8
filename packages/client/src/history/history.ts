/**
 * Hand-over of history: a device that is new in the group asks for what is older than the swarm keeps, and another one, whose person
 * agrees, sends it. This is an extension of this project; clients that do not know it see nothing of it.
 *
 * All of it happens within `sync`: the swarm is looked into on every sync while something moves, else once a minute, and only by members
 * of a group of several devices. When the network does not answer, everything waits for the next one.
 *
 * Implements HT-12.
 */
import type { Crypto, Random } from '@session-v2/crypto'
import { NAMESPACE } from '@session-v2/network'
import { type Account, currentKey, historyRequestIdOf, sealHistoryAsk } from '@session-v2/protocol'
import { ClientError, isUnanswered } from '../client-error.ts'
import type { DeviceGroup } from '../devices/device-group.ts'
import { isMember } from '../devices/devices.ts'
import type { EventLog } from '../events/event-log.ts'
import type { MessageLog } from '../messages/message-log.ts'
import type { SwarmRequests } from '../routing/swarm-requests.ts'
import type { Turns } from '../scheduler/turns.ts'
import type { SealedStore } from '../store/sealed/sealed-store.ts'
import { HistoryAsking, isActive } from './history-asking.ts'
import { hasOthers } from './history-peers.ts'
import {
  type ChunkRecord,
  type HalfPageRecord,
  HISTORY_TTL_MS,
  type HistoryRequestRecord,
  type OwnHistoryRecord,
} from './history-records.ts'
import { HistorySending } from './history-sending.ts'
import { outgoing, readHistory } from './history-swarm.ts'
import { type HistoryRequestView, historyRequestView, type OwnHistoryView, ownHistoryView } from './read-models.ts'

export interface HistoryParts {
  readonly crypto: Crypto
  readonly random: Random
  readonly account: Account
  readonly group: DeviceGroup
  readonly requests: SwarmRequests
  readonly turns: Turns
  readonly store: SealedStore
  readonly events: EventLog
  readonly log: MessageLog
}

/** How often members look for asks while nothing moves. */
const IDLE_POLL_MS = 60_000
/** So many looks in a row that show the same mean that nothing moves: the other device is off. */
const SAME_LOOKS = 10
const REQUEST_ID_BYTES = 16

export interface AskOptions {
  /** Only messages sent then or later, in milliseconds since the epoch. */
  readonly sinceMs?: number
}

export class History {
  readonly #parts: HistoryParts
  readonly #asking: HistoryAsking
  readonly #sending: HistorySending
  #polledAtMs = 0
  /** What was listed last, and how often in a row. */
  #listed = ''
  #sameLooks = 0

  constructor(parts: HistoryParts) {
    const { store } = parts
    this.#parts = parts
    const own = { table: store.table<OwnHistoryRecord>('history-own'), halves: store.table<HalfPageRecord>('history-halves') }
    this.#asking = new HistoryAsking({ ...parts, ...own })
    const others = {
      table: store.table<HistoryRequestRecord>('history-requests'),
      chunks: store.table<ChunkRecord>('history-chunks'),
    }
    this.#sending = new HistorySending({ ...parts, ...others })
  }

  /** What this device asked last; undefined when it never did. */
  async own(): Promise<OwnHistoryView | undefined> {
    const record = await this.#asking.record()
    return record && ownHistoryView(record)
  }

  /** What other members ask, ended requests too, the newest first. */
  async requests(): Promise<HistoryRequestView[]> {
    const records = await this.#sending.records()
    return records.map(record => historyRequestView(this.#parts.group.state, record)).reverse()
  }

  /**
   * Asks the other devices for the history that they have. It is written down first and goes out with this or a later sync. While a
   * request is under way, that one is returned.
   * @throws ClientError `not-in-group`, `unknown-device` when there is no other device
   */
  async ask({ sinceMs }: AskOptions = {}): Promise<OwnHistoryView> {
    if (sinceMs !== undefined && !(Number.isSafeInteger(sinceMs) && sinceMs >= 0))
      throw new ClientError('bad-message', 'A time is a whole number of milliseconds since 1970.')
    return this.#parts.turns.take(async () => {
      const before = await this.#asking.record()
      if (before === undefined || !isActive(before)) await this.#begin(sinceMs, before?.deletes ?? [])
      await this.#runNow()
      return ownHistoryView((await this.#asking.record())!)
    })
  }

  /** Takes the request of this device back. What was received stays. @throws ClientError `unknown-request` */
  async cancel(): Promise<void> {
    await this.#parts.turns.take(async () => {
      const record = await this.#asking.record()
      if (record === undefined || !isActive(record)) throw new ClientError('unknown-request', 'This device asks for no history.')
      await this.#asking.end(record, 'cancelled')
      await this.#runNow()
    })
  }

  /** Hands the history over to the device that asks, from now on, with every sync. @throws ClientError `unknown-request` */
  async agree(requestId: string): Promise<void> {
    await this.#parts.turns.take(async () => {
      await this.#sending.agree(requestId.toLowerCase(), this.#nowMs())
      await this.#runNow()
    })
  }

  /** Hands nothing over; the request can still be agreed to. @throws ClientError `unknown-request` */
  async refuse(requestId: string): Promise<void> {
    await this.#parts.turns.take(() => this.#sending.refuse(requestId.toLowerCase()))
  }

  /** What a sync does for hand-overs. In turn. @throws ClientError `store-failed` */
  async sync(): Promise<void> {
    const { group } = this.#parts
    const nowMs = this.#nowMs()
    const own = await this.#asking.record()
    const isBusy = own?.isOpen === true || (await this.#sending.isBusy())
    const isWatching = isMember(group.state) && hasOthers(group.state)
    const isDue = Math.abs(nowMs - this.#polledAtMs) >= IDLE_POLL_MS
    if (isBusy ? isDue || this.#sameLooks < SAME_LOOKS : isDue && isWatching) await this.#runIfAnswered()
  }

  /** The person did something: it moves again. */
  #runNow(): Promise<void> {
    this.#sameLooks = 0
    return this.#runIfAnswered()
  }

  async #runIfAnswered(): Promise<void> {
    try {
      const own = await this.#asking.record()
      const listing = await readHistory(this.#parts, own !== undefined && isActive(own))
      const nowMs = this.#nowMs()
      this.#polledAtMs = nowMs
      const listed = [...listing.controls, ...listing.chunks].map(({ hash }) => hash).join()
      this.#sameLooks = listed === this.#listed ? this.#sameLooks + 1 : 0
      this.#listed = listed
      await this.#asking.run(listing, nowMs)
      const after = await this.#asking.record()
      await this.#sending.run(listing, after?.isOpen === true ? after.requestId : undefined, nowMs)
    } catch (error) {
      if (!isUnanswered(error)) throw error
    }
  }

  async #begin(sinceMs: number | undefined, deletes: readonly string[]): Promise<void> {
    const { crypto, random, account, group } = this.#parts
    const accountKey = isMember(group.state) ? currentKey(group.keyring) : undefined
    if (accountKey === undefined)
      throw new ClientError('not-in-group', 'This device is in no device group that could hand history over.')
    if (!hasOthers(group.state)) throw new ClientError('unknown-device', 'There is no other device in the group.')
    const askedAtMs = this.#nowMs()
    const requestId = historyRequestIdOf(random.bytes(REQUEST_ID_BYTES))
    const since = sinceMs === undefined ? {} : { sinceMs }
    const recipient = { x25519: accountKey.x25519.publicKey, mlKem768: accountKey.mlKem768.publicKey }
    const said = { requestId, deviceId: group.state.self, askedAtMs, ...since }
    const message = sealHistoryAsk(crypto, random, account, recipient, said)
    await this.#asking.begin({
      ...{ requestId, ...since, askedAtMs, expiresAtMs: askedAtMs + HISTORY_TTL_MS, state: 'asking', isOpen: true },
      ask: outgoing(this.#parts, NAMESPACE.history, message),
      ...{ next: 0, beyond: [], received: 0, ackSeqno: 0, deletes },
    })
  }

  #nowMs(): number {
    return this.#parts.requests.clock.nowMs()
  }
}
