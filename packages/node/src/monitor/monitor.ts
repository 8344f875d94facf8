/**
 * `monitor` over WebSocket: clients keep a connection to `/monitor/v1`, say once what they want to be told of, and are told of each new
 * message (clauses MON-01 to MON-06, NODE-150 to NODE-158).
 *
 * | message | from | |
 * |---|---|---|
 * | text | both | JSON |
 * | binary | both | bt |
 *
 * A request is answered with its reply, before the next one is read; notifications and ends of subscriptions come at any time.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { encodeMonitorEnd } from '@session-v2/network'
import { describeException } from '../log.ts'
import type { Admission } from '../operations/admission.ts'
import type { NodeMetrics } from '../operations/metrics.ts'
import type { Readiness } from '../operations/readiness.ts'
import type { Timers } from '../ports.ts'
import type { NodeServices } from '../rpc/services.ts'
import type { StoreEvents } from '../store/store-events.ts'
import { Notifier } from './notifier.ts'
import { answerMessage, movedEnd, type SubscribeParts, swarmElsewhere } from './subscribe.ts'
import { type Subscriber, Subscribers } from './subscribers.ts'
import { SubscriptionTable } from './subscription-table.ts'

export const MONITOR_PATH = '/monitor/v1'

export interface MonitorParts {
  readonly node: NodeServices
  readonly events: StoreEvents
  readonly readiness: Readiness
  readonly admission: Admission
  readonly metrics: NodeMetrics
  readonly timers: Timers
  /** Whether a page of this origin may use the node. */
  readonly allowsOrigin: (origin: string) => boolean
  /** Whether JSON nests too deep to be parsed. */
  readonly isTooDeep: (json: Uint8Array) => boolean
}

const TOO_MANY_CODE = 1013
const FAILED_CODE = 1011

export class Monitor {
  readonly #parts: MonitorParts
  readonly #table = new SubscriptionTable<Subscriber>()
  readonly #subscribers: Subscribers
  readonly #subscribeParts: SubscribeParts
  readonly #stopListening: () => void
  /** The list of nodes for which accounts were looked at. */
  #nodes: NodeServices['swarms']['nodes']

  constructor(parts: MonitorParts) {
    const { node, events, timers, metrics } = parts
    const table = this.#table
    this.#parts = parts
    this.#nodes = node.swarms.nodes
    this.#subscribers = new Subscribers({
      timers,
      receive: this.#receive,
      gone: subscriber => table.removeAll(subscriber),
      isSubscribed: subscriber => table.countOf(subscriber) > 0,
      beat: () => {
        table.removeExpired(node.clock.nowMs())
        this.swarmsReplaced()
      },
    })
    this.#subscribeParts = { ...parts, table }
    const notifier = new Notifier({ ...node, table, subscribers: this.#subscribers })
    this.#stopListening = events.listen(
      event => notifier.tell(event),
      account => table.of(account).size > 0,
    )
    metrics.gauge('monitor_connections', 'Connections of subscribers', () => this.#subscribers.size)
    metrics.gauge('monitor_subscriptions', 'Subscriptions to new messages', () => table.size)
    metrics.counter('monitor_notifications_total', 'Notifications of new messages', () => notifier.notifications)
    metrics.counter('monitor_lost_events_total', 'Events that other front ends were not told of', () => events.lost)
    metrics.counter('monitor_dropped_total', 'Subscribers dropped as too slow or silent', () => this.#subscribers.dropped)
  }

  /** For an HttpServer: takes over a connection, or refuses it with 403 or 503. */
  readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer, address: string): void => {
    const { readiness, metrics, allowsOrigin } = this.#parts
    const { origin } = request.headers
    const reasons = readiness.reasons()
    if (reasons.length > 0) {
      metrics.refused('not-ready')
      refuse(socket, '503 Service Unavailable', `Service node is not ready: ${reasons.join('; ')}`)
    } else if (origin !== undefined && !allowsOrigin(origin)) {
      refuse(socket, '403 Forbidden', 'pages of this origin may not use the node')
    } else if (this.#subscribers.isFull) {
      metrics.refused('busy')
      refuse(socket, '503 Service Unavailable', 'Server busy, try again later')
    } else {
      this.#subscribers.accept(request, socket, head, address)
    }
  }

  /** The list of nodes has changed: subscriptions to accounts that are not ours any more end. Where it has not, nothing is done. */
  swarmsReplaced(): void {
    const { node } = this.#parts
    if (this.#nodes === node.swarms.nodes) return
    this.#nodes = node.swarms.nodes
    for (const account of this.#table.accounts()) {
      const swarm = swarmElsewhere(node, account)
      if (swarm === undefined) continue
      for (const [subscriber, { form }] of [...this.#table.of(account)]) {
        this.#table.remove(subscriber, account)
        this.#subscribers.send(subscriber, encodeMonitorEnd(form, movedEnd(account, swarm)))
      }
    }
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    this.#stopListening()
    await this.#subscribers.close()
  }

  readonly #receive = async (subscriber: Subscriber, message: Uint8Array, isBinary: boolean): Promise<void> => {
    const { admission, metrics, node } = this.#parts
    metrics.received(message.length)
    if (!admission.address(subscriber.address)) {
      subscriber.socket.close(TOO_MANY_CODE, 'Too many requests, try again later')
      return
    }
    try {
      this.#subscribers.send(subscriber, await answerMessage(this.#subscribeParts, subscriber, message, isBinary))
    } catch (error) {
      node.log.error(describeException(error), 'a subscriber could not be answered')
      subscriber.socket.close(FAILED_CODE, 'request failed')
    }
  }
}

function refuse(socket: Duplex, status: string, body: string): void {
  socket.once('finish', () => socket.destroy())
  const head = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}`
  socket.end(`${head}\r\n\r\n${body}`)
}
