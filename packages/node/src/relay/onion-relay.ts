/**
 * `POST /onion_req/v2`: what a node does with an onion request (clauses ON-70 to ON-79).
 *
 * | the layer says | |
 * |---|---|
 * | here | the storage request within is answered like any other, and the answer sealed |
 * | relay | `next-node.ts`; this node again: the next layer is opened at once |
 * | server | `web-server.ts` |
 * | it cannot be opened or followed | refused, in the clear or sealed |
 *
 * Nothing about a request is logged: who handed it in, and where it went next, is what an onion request hides.
 */
import type { Crypto, Random, X25519KeyPair } from '@session-v2/crypto'
import {
  type LayerKey,
  NetworkError,
  ONION_REPLY_MAX_BYTES,
  ONION_REQUEST_PATH,
  type OnionReply,
  type PeeledHere,
  type PeeledRelay,
  peelOnion,
  REPLY_FORM,
  type ReplyForm,
  sealReply,
} from '@session-v2/network'
import type { OnionConfig } from '../config/onion-config.ts'
import type { NodeMetrics } from '../operations/metrics.ts'
import type { Clock, Timers } from '../ports.ts'
import type { WireAnswer } from '../rpc/rpc.ts'
import { base64 } from '../rpc/wire-fields.ts'
import type { SwarmView } from '../swarm/swarm-view.ts'
import { Flights } from './flights.ts'
import { FLIGHTS_PER_NODE, NextNode } from './next-node.ts'
import type { RelayAnswer } from './relay-answer.ts'
import { type Resolve, systemResolve } from './server-address.ts'
import { askWebServer, FLIGHTS_PER_SERVER, type WebServerParts } from './web-server.ts'

export interface OnionRelayParts {
  readonly crypto: Crypto
  readonly random: Random
  /** The node's keys: `ed25519` as it is listed, and those that open layers. */
  readonly ed25519: string
  readonly keys: X25519KeyPair
  readonly nodes: Pick<SwarmView, 'node'>
  readonly config: OnionConfig
  /** Answers a storage request that came through an onion; never rejects. */
  readonly answer: (request: Uint8Array) => Promise<WireAnswer>
  /** Whether the node takes requests now. */
  readonly isReady: () => boolean
  readonly metrics?: NodeMetrics
  /** One that only moves on. */
  readonly clock: Clock
  readonly timers: Timers
  /** Default: name servers of the system. */
  readonly resolve?: Resolve
  /** Certificates, in PEM, that sign those of web servers. Default: those of the system. */
  readonly authorities?: string
}

/** Replies in memory, each beyond its first 64 KiB. */
const REPLY_BYTES = 64 * 1024 * 1024
/** Requests to web servers are slower, and their hosts are anybody's. */
const SERVERS_PART = 4
const METHOD = 'onion_req'
/** A reply whose answer has no room in it. */
const TOO_LONG: OnionReply = { status: 413, body: 'The answer is too long for an onion reply' }

type Kind = 'here' | 'relay' | 'server' | 'refused'

export class OnionRelay {
  readonly #parts: OnionRelayParts
  readonly #toNodes: Flights
  readonly #toServers: Flights
  readonly #nextNode: NextNode
  readonly #servers: WebServerParts
  readonly #counts: Record<Kind, number> = { here: 0, relay: 0, server: 0, refused: 0 }

  constructor(parts: OnionRelayParts) {
    const { config, nodes, clock, timers, resolve = systemResolve(), authorities } = parts
    const flights = (total: number, perTarget: number) =>
      new Flights({ total, perTarget, replyBytes: REPLY_BYTES }, clock, timers)
    this.#parts = parts
    this.#toNodes = flights(config.relays, FLIGHTS_PER_NODE)
    this.#toServers = flights(Math.ceil(config.relays / SERVERS_PART), FLIGHTS_PER_SERVER)
    this.#nextNode = new NextNode({ nodes, flights: this.#toNodes, timeoutMs: config.relayTimeoutMs })
    this.#servers = { config, flights: this.#toServers, resolve, ...(authorities !== undefined && { authorities }) }
    if (parts.metrics !== undefined) this.#measure(parts.metrics)
  }

  /** The routes for an HttpServer. */
  get routes(): Record<string, (body: Uint8Array) => Promise<RelayAnswer & { readonly method: string }>> {
    return { [`POST ${ONION_REQUEST_PATH}`]: async body => ({ ...(await this.#answer(body)), method: METHOD }) }
  }

  /** Ends what is under way and releases all connections. */
  close(): void {
    this.#toNodes.close()
    this.#toServers.close()
    this.#nextNode.close()
  }

  async #answer(body: Uint8Array): Promise<RelayAnswer> {
    const { crypto, keys, ed25519, isReady } = this.#parts
    if (!isReady()) return { status: 503, body: `Snode not ready: ${ed25519}` }
    const peeled = peelOnion(crypto, keys, body)
    this.#counts[peeled.kind]++
    if (peeled.kind === 'relay' && this.#isForUs(peeled)) return this.#answer(peeled.body)
    switch (peeled.kind) {
      case 'here':
        return this.#answerHere(peeled)
      case 'relay':
        return this.#nextNode.send(peeled)
      case 'server':
        return askWebServer(this.#servers, peeled)
      case 'refused': {
        const { status, text, replyKey } = peeled
        return replyKey === undefined ? { status, body: text } : this.#sealed(replyKey, { status, body: text }, REPLY_FORM)
      }
    }
  }

  /**
   * Whether the next node is this one. What goes round here is opened here: as requests to itself they would cost the other clients of the
   * node more, and whose turn they are would not be known any more. The hop limit ends it (ON-30).
   */
  #isForUs({ destination }: PeeledRelay): boolean {
    const { ed25519, nodes } = this.#parts
    return destination === ed25519 && nodes.node(ed25519) !== undefined
  }

  async #answerHere({ request, replyKey, json, base64 }: PeeledHere): Promise<RelayAnswer> {
    const { status, body } = await this.#parts.answer(request)
    return this.#sealed(replyKey, { status, body: textOf(body) }, { json, base64 })
  }

  /** Wipes the key. */
  #sealed(key: LayerKey, reply: OnionReply, form: ReplyForm): RelayAnswer {
    const { crypto, random } = this.#parts
    try {
      return { status: 200, body: sealedBody(crypto, random, key, reply, form) }
    } catch (error) {
      if (!(error instanceof NetworkError && error.code === 'too-large')) throw error
      return { status: 200, body: sealedBody(crypto, random, key, TOO_LONG, form) }
    } finally {
      key.secret.wipe()
    }
  }

  #measure(metrics: NodeMetrics): void {
    metrics.gauge('onion_requests_under_way', 'Onion requests that another node has not answered yet', () => {
      return this.#toNodes.underWay
    })
    metrics.gauge('onion_server_requests_under_way', 'Onion requests that a web server has not answered yet', () => {
      return this.#toServers.underWay
    })
    metrics.counter('onion_answered_total', 'Onion requests for this node', () => this.#counts.here)
    metrics.counter('onion_relayed_total', 'Onion requests for other nodes', () => this.#counts.relay)
    metrics.counter('onion_servers_total', 'Onion requests for web servers', () => this.#counts.server)
    metrics.counter('onion_refused_total', 'Onion requests that could not be opened or followed', () => this.#counts.refused)
  }
}

/** Bytes have no place in JSON. */
function textOf(body: string | object): string | object {
  return body instanceof Uint8Array ? base64(body) : body
}

/** The reply as it goes out, its base64 by Node's own encoder. Throws NetworkError `too-large`. */
function sealedBody(crypto: Crypto, random: Random, key: LayerKey, reply: OnionReply, form: ReplyForm): string | Uint8Array {
  const bytes = sealReply(crypto, random, key, reply, { ...form, base64: false })
  if (!form.base64) return bytes
  const text = base64(bytes)
  if (text.length > ONION_REPLY_MAX_BYTES) throw new NetworkError('too-large', 'the reply to an onion request is too long')
  return text
}
