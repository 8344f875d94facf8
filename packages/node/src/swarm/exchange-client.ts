/** Asks other nodes what they hold, and offers them what is theirs (clauses NODE-90, NODE-96, NODE-97). */
import type { Crypto } from '@session-v2/crypto'
import type { ServiceNode } from '@session-v2/network'
import type { NodeIdentity } from '../identity.ts'
import { NodeError } from '../node-error.ts'
import type { Clock } from '../ports.ts'
import { type Answers, decodeAnswerTo, EXCHANGE_MAX_BYTES, encodeQuestion, type Question } from './exchange-messages.ts'
import { MalformedExchange } from './exchange-records.ts'
import { signPeerRequest } from './peer-authentication.ts'
import type { PeerSender } from './peer-sender.ts'

/** A node that does not know the questions is not asked again for so long. */
const UNAWARE_MS = 600_000
/** 8 MB take a while over a slow line. */
const REPLY_LIMITS = { timeoutMs: 30_000, maxBytes: EXCHANGE_MAX_BYTES }
/** Statuses of nodes that do not know the questions. */
const UNAWARE: ReadonlySet<number> = new Set([400, 404, 405])

export interface ExchangeClientParts {
  readonly crypto: Crypto
  readonly identity: NodeIdentity
  readonly clock: Clock
  /** A clock that only moves on. */
  readonly monotonic: Clock
  readonly sender: PeerSender
}

/** What went over the wire. */
export interface Traffic {
  questions: number
  sentBytes: number
  receivedBytes: number
}

export class ExchangeClient {
  readonly traffic: Traffic = { questions: 0, sentBytes: 0, receivedBytes: 0 }
  /** When a node last gave an answer, by the clock that only moves on. */
  lastAnswerMs = 0
  readonly #parts: ExchangeClientParts
  #closed = false
  /** When nodes said that they do not know the questions. */
  readonly #unaware = new Map<string, number>()
  /** The last question to each node: the next waits for its answer. */
  readonly #running = new Map<string, Promise<unknown>>()

  constructor(parts: ExchangeClientParts) {
    this.#parts = parts
  }

  /** Whether the node said within the last ten minutes that it does not know the questions. */
  isUnaware(peer: ServiceNode): boolean {
    const sinceMs = this.#unaware.get(peer.ed25519)
    return sinceMs !== undefined && this.#parts.monotonic.nowMs() - sinceMs < UNAWARE_MS
  }

  /** Asks nobody any more. */
  close(): void {
    this.#closed = true
  }

  /** One question at a time to each node. Rejects with NodeError `peer-timeout`, `peer-unreachable`, `bad-peer-response` or `closed`. */
  async ask<Q extends Question>(peer: ServiceNode, question: Q): Promise<Answers[Q['method']]> {
    const before = this.#running.get(peer.ed25519)
    const asked = (async () => {
      await before?.catch(() => undefined)
      return this.#ask(peer, question)
    })()
    this.#running.set(peer.ed25519, asked)
    try {
      return await asked
    } finally {
      if (this.#running.get(peer.ed25519) === asked) this.#running.delete(peer.ed25519)
    }
  }

  /** Forgets what it knows of nodes that are not among these. */
  keepOnly(isNode: (ed25519: string) => boolean): void {
    for (const key of this.#unaware.keys()) if (!isNode(key)) this.#unaware.delete(key)
  }

  async #ask<Q extends Question>(peer: ServiceNode, question: Q): Promise<Answers[Q['method']]> {
    if (this.#closed) throw new NodeError('closed', 'the node is shutting down')
    const { crypto, identity, clock, monotonic, sender } = this.#parts
    const body = encodeQuestion(question)
    this.traffic.questions += 1
    this.traffic.sentBytes += body.length
    const reply = await sender.send(peer, body, signPeerRequest(crypto, identity, body, clock.nowMs()), REPLY_LIMITS)
    this.traffic.receivedBytes += reply.body.length
    if (UNAWARE.has(reply.status)) this.#unaware.set(peer.ed25519, monotonic.nowMs())
    if (reply.status !== 200) throw new NodeError('bad-peer-response', `a peer answered ${reply.status} to ${question.method}`)
    this.#unaware.delete(peer.ed25519)
    try {
      const answer = decodeAnswerTo(question, reply.body)
      this.lastAnswerMs = monotonic.nowMs()
      return answer
    } catch (cause) {
      if (!(cause instanceof MalformedExchange)) throw cause
      throw new NodeError('bad-peer-response', `a peer answered ${question.method} with what is none`, { cause })
    }
  }
}
