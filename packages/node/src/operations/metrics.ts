/**
 * What the node counts, for Prometheus (clauses NODE-71, NODE-111). Names begin with `session_v2_node_`; a label has few values, all known
 * beforehand: no account, address, hash or name of a peer is one.
 *
 * | metric | labels |
 * |---|---|
 * | `requests_total` | `method`, `status` (`2xx` …) |
 * | `request_seconds` (histogram) | `method` |
 * | `stores_total` | |
 * | `refused_requests_total` | `reason`: `address`, `relay`, `account`, `peer`, `busy`, `not-ready`, `slow` |
 * | `received_bytes_total`, `sent_bytes_total` | |
 * | `open_connections` | |
 * | `dropped_connections_total` | |
 *
 * Other parts add theirs with `gauge` and `counter`.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

const PREFIX = 'session_v2_node_'
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const OTHER = 'other'
/** Statuses of HTTP by their first digit. */
const STATUS_CLASSES = 6

/** Methods that get a value of their own; everything else a client may write is `other`. */
const METHODS: ReadonlySet<string> = new Set([
  ...['store', 'retrieve', 'delete', 'delete_all', 'delete_before', 'expire', 'expire_all', 'get_expiries', 'get_swarm', 'info'],
  ...['batch', 'sequence', 'ifelse', 'oxend_request', 'revoke_subaccount', 'unrevoke_subaccount', 'revoked_subaccounts'],
  ...['active_nodes_bin', 'monitor', 'onion_req', 'swarm_rpc'],
])

export type RefusalReason = 'address' | 'relay' | 'account' | 'peer' | 'busy' | 'not-ready' | 'slow'

export class NodeMetrics {
  readonly registry = new Registry()
  /** Plain numbers in the path of a request; they become metrics when somebody asks. */
  readonly #requests = new Map<string, number[]>()
  readonly #refused = new Map<RefusalReason, number>()
  readonly #seconds: Histogram<'method'>
  readonly #secondsOf = new Map<string, { observe(seconds: number): void }>()
  #watched = false
  #stores = 0
  #receivedBytes = 0
  #sentBytes = 0

  constructor() {
    const { registry } = this
    const name = `${PREFIX}request_seconds`
    this.#seconds = new Histogram({
      name,
      help: 'Time to answer a request',
      labelNames: ['method'],
      buckets: SECONDS,
      registers: [registry],
    })
    this.#counts('requests_total', 'Requests answered', ['method', 'status'], () =>
      [...this.#requests].flatMap(([method, counts]) =>
        counts.flatMap((count, status): [Record<string, string>, number][] =>
          count === 0 ? [] : [[{ method, status: `${status}xx` }, count]],
        ),
      ),
    )
    this.#counts('refused_requests_total', 'Requests refused', ['reason'], () =>
      [...this.#refused].map(([reason, value]) => [{ reason }, value]),
    )
    this.counter('stores_total', 'Messages taken from clients and peers', () => this.#stores)
    this.counter('received_bytes_total', 'Bytes of bodies received', () => this.#receivedBytes)
    this.counter('sent_bytes_total', 'Bytes of answers sent', () => this.#sentBytes)
  }

  /** A request was answered. `method` may be anything a client wrote. */
  answered(method: string, status: number, seconds: number): void {
    const known = METHODS.has(method) ? method : OTHER
    let counts = this.#requests.get(known)
    if (counts === undefined) {
      counts = Array(STATUS_CLASSES).fill(0)
      this.#requests.set(known, counts)
    }
    counts[Math.trunc(status / 100)]!++
    if (this.#watched) this.#observe(known, seconds)
  }

  refused(reason: RefusalReason): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1)
  }

  stored(messages: number): void {
    this.#stores += messages
  }

  received(sizeBytes: number): void {
    this.#receivedBytes += sizeBytes
  }

  sent(sizeBytes: number): void {
    this.#sentBytes += sizeBytes
  }

  /** Adds a number that may rise and fall, read when somebody asks; NaN where it cannot be read then. `name` without the prefix. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void {
    new Gauge({
      name: PREFIX + name,
      help,
      registers: [this.registry],
      async collect() {
        // One that fails must not take the others with it: it is then that they are looked at.
        this.set(
          await Promise.resolve()
            .then(read)
            .catch(() => Number.NaN),
        )
      },
    })
  }

  /** Adds a number that only rises, read when somebody asks. `name` without the prefix. */
  counter(name: string, help: string, read: () => number): void {
    this.#counts(name, help, [], () => [[{}, read()]])
  }

  /** Somebody listens: from now on times are measured, and the process too, its memory, processor and event loop. */
  watch(): void {
    this.#watched = true
    collectDefaultMetrics({ register: this.registry, prefix: PREFIX })
  }

  #observe(method: string, seconds: number): void {
    let observer = this.#secondsOf.get(method)
    if (observer === undefined) {
      observer = this.#seconds.labels(method)
      this.#secondsOf.set(method, observer)
    }
    observer.observe(seconds)
  }

  #counts(name: string, help: string, labelNames: string[], read: () => [Record<string, string>, number][]): void {
    new Counter({
      name: PREFIX + name,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        this.reset()
        for (const [labels, value] of read()) this.inc(labels, value)
      },
    })
  }
}
