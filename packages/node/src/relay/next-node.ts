/**
 * Passes an onion request on to the next node, over connections that are kept, and its answer back as it is (clauses ON-72 to ON-74).
 *
 * | it | status, text |
 * |---|---|
 * | is not in the registry | 502 `Next node not found: K` |
 * | is not reached | 502 `Next node is currently unreachable: K` |
 * | answers what is no HTTP, or too much, or not to the end | 500 `Invalid response from snode` |
 * | does not answer in time | 504 `Request time out` |
 * | has no room here | 503 `Server busy, try again later` |
 *
 * The connections are not those of the swarm: what strangers send on does not keep the members from one another.
 */
import { ONION_REQUEST_PATH, type PeeledRelay } from '@session-v2/network'
import type { Dispatcher } from 'undici'
import { keptConnections } from '../outgoing/post.ts'
import type { SwarmView } from '../swarm/swarm-view.ts'
import type { Flights } from './flights.ts'
import { type PostOutcome, postKept } from './post.ts'
import { BUSY, type RelayAnswer } from './relay-answer.ts'

/** Requests that one node has not answered yet. */
export const FLIGHTS_PER_NODE = 128
/** Nodes present certificates that they signed themselves. What is sent can be opened by the right node alone. */
const TLS = { rejectUnauthorized: false }
const HEADERS = { 'content-type': 'application/octet-stream' }

export interface NextNodeParts {
  readonly nodes: Pick<SwarmView, 'node'>
  readonly flights: Flights
  readonly timeoutMs: number
}

export class NextNode {
  readonly #parts: NextNodeParts
  readonly #connections: Dispatcher = keptConnections(FLIGHTS_PER_NODE, TLS)

  constructor(parts: NextNodeParts) {
    this.#parts = parts
  }

  /** Never rejects. */
  async send({ destination, body }: PeeledRelay): Promise<RelayAnswer> {
    const { nodes, flights, timeoutMs } = this.#parts
    const node = nodes.node(destination)
    if (node === undefined) return { status: 502, body: `Next node not found: ${destination}` }
    const target = { ...node, path: ONION_REQUEST_PATH, headers: HEADERS }
    const outcome = await flights.run(destination, timeoutMs, flight => {
      return postKept(flights, flight, target, this.#connections, TLS, body)
    })
    return outcome === undefined ? BUSY : answerOf(outcome, destination)
  }

  close(): void {
    void this.#connections.destroy()
  }
}

function answerOf(outcome: PostOutcome, destination: string): RelayAnswer {
  switch (outcome.kind) {
    case 'answered':
      return { status: outcome.status, body: outcome.body }
    case 'unreachable':
      return { status: 502, body: `Next node is currently unreachable: ${destination}` }
    case 'broken':
      return { status: 500, body: 'Invalid response from snode' }
    case 'timeout':
      return { status: 504, body: 'Request time out' }
    case 'displaced':
    case 'no-room':
    case 'closing':
      return BUSY
  }
}
