/**
 * Writes that a member did not take for want of a connection or of time: kept in the store and sent again, as late, until the member
 * answers or a day is over (clauses NODE-89, NODE-95). Several processes on one store share the work: the store gives each out once.
 */
import type { Crypto } from '@session-v2/crypto'
import type { ServiceNode } from '@session-v2/network'
import type { NodeIdentity } from '../identity.ts'
import { describeException, type Log } from '../log.ts'
import { NodeError } from '../node-error.ts'
import type { Clock } from '../ports.ts'
import type { Delivery, SwarmStore } from '../store/store.ts'
import { encodeForwarded } from './forwarded-request.ts'
import { signPeerRequest } from './peer-authentication.ts'
import type { PeerSender } from './peer-sender.ts'
import type { SwarmView } from './swarm-view.ts'

/** Writes that wait for one member; comparing gives it what went before. */
export const DELIVERIES_PER_PEER = 10_000
export const DELIVERY_RETRY_MS = 60_000
const DELIVERY_MAX_AGE_MS = 86_400_000
/** Given out at once: 64 requests of the largest kind take 7 MB. */
const BATCH = 64
/** Sent to one member at once. */
const AT_ONCE = 8

export interface DeliveriesParts {
  readonly crypto: Crypto
  readonly identity: NodeIdentity
  readonly clock: Clock
  readonly store: SwarmStore
  readonly swarms: SwarmView
  readonly sender: PeerSender
  readonly log: Log
}

/** What came of deliveries since the start. */
export interface DeliveryCounts {
  queued: number
  delivered: number
  /** By a member that is none any more, that refuses, or too old. */
  dropped: number
}

export class Deliveries {
  readonly counts: DeliveryCounts = { queued: 0, delivered: 0, dropped: 0 }
  readonly #parts: DeliveriesParts
  #closed = false

  constructor(parts: DeliveriesParts) {
    this.#parts = parts
  }

  /** Keeps a client's request, in bt, for a member that did not take it. Never rejects: comparing makes up for what is not kept. */
  async queue(peer: string, request: Uint8Array, atMs: number): Promise<void> {
    const body = encodeForwarded(request, { atMs, late: true })
    try {
      await this.#parts.store.queueDelivery(peer, body, this.#parts.clock.nowMs(), DELIVERIES_PER_PEER)
      this.counts.queued += 1
    } catch (error) {
      this.#parts.log.warn(describeException(error), 'a write for another member cannot be kept')
    }
  }

  /** Stops after what is being sent. */
  close(): void {
    this.#closed = true
  }

  /** Sends what is due. Rejects with NodeError of the store alone. */
  async send(): Promise<void> {
    for (;;) {
      const due = await this.#parts.store.dueDeliveries(this.#parts.clock.nowMs(), BATCH)
      const byPeer = new Map<string, Delivery[]>()
      for (const delivery of due) {
        const list = byPeer.get(delivery.peer)
        if (list === undefined) byPeer.set(delivery.peer, [delivery])
        else list.push(delivery)
      }
      await Promise.all([...byPeer].map(([peer, deliveries]) => this.#sendTo(peer, deliveries)))
      if (due.length < BATCH || this.#closed) return
    }
  }

  async #sendTo(key: string, deliveries: readonly Delivery[]): Promise<void> {
    const { store, swarms, clock } = this.#parts
    const peer = swarms.peers.find(one => one.ed25519 === key)
    const oldestMs = clock.nowMs() - DELIVERY_MAX_AGE_MS
    let isReached = true
    for (let at = 0; at < deliveries.length; at += AT_ONCE) {
      await Promise.all(
        deliveries.slice(at, at + AT_ONCE).map(async delivery => {
          if (peer === undefined || delivery.queuedAtMs <= oldestMs) {
            this.counts.dropped += 1
            return store.settleDelivery(delivery.id, undefined)
          }
          if (!(await this.#isSettled(peer, delivery, isReached))) isReached = false
        }),
      )
    }
  }

  /** Whether the member answered; where it did not answer another just now, it is not asked. */
  async #isSettled(peer: ServiceNode, { id, body }: Delivery, isReached: boolean): Promise<boolean> {
    const { store, clock } = this.#parts
    const status = isReached ? await this.#statusOf(peer, body) : undefined
    const isAnswered = status !== undefined && !isToBeTriedAgain(status)
    if (status === 200) this.counts.delivered += 1
    else if (isAnswered) this.counts.dropped += 1
    await store.settleDelivery(id, isAnswered ? undefined : clock.nowMs() + DELIVERY_RETRY_MS)
    return isAnswered
  }

  /** Undefined when there is no answer. */
  async #statusOf(peer: ServiceNode, body: Uint8Array): Promise<number | undefined> {
    const { crypto, identity, clock, sender } = this.#parts
    try {
      return (await sender.send(peer, body, signPeerRequest(crypto, identity, body, clock.nowMs()))).status
    } catch (error) {
      if (error instanceof NodeError) return error.code === 'bad-peer-response' ? 200 : undefined
      throw error
    }
  }
}

/** A member that is busy, starting or failing has not refused. */
export function isToBeTriedAgain(status: number): boolean {
  return status === 429 || status >= 500
}
