/** Passing a client's request on to the other members of the swarm (clauses NODE-32, NODE-33, NODE-43, NODE-95). */
import type { Crypto } from '@session-v2/crypto'
import { decodeAnswer, type ServiceNode } from '@session-v2/network'
import type { NodeIdentity } from '../identity.ts'
import type { Log } from '../log.ts'
import { NodeError } from '../node-error.ts'
import type { Clock, Timers } from '../ports.ts'
import { isToBeTriedAgain } from './deliveries.ts'
import { ForwardQueue } from './forward-queue.ts'
import { encodeForwarded } from './forwarded-request.ts'
import type { PeerReply, PeerSender } from './peer-sender.ts'
import type { SwarmView } from './swarm-view.ts'

/** What one member says of a request; `failed: true` when it did not execute it. */
export type SwarmEntry = Readonly<Record<string, unknown>>

/** The entry of a peer's answer as it may go on to a client; undefined when it is none. */
export type EntryReader = (fields: SwarmEntry) => SwarmEntry | undefined

/** What a client asked for, to be done at all members. */
export interface SwarmRequest {
  /** In bt. */
  readonly body: Uint8Array
  /** When this node took it, in unix milliseconds. */
  readonly atMs: number
  readonly readEntry: EntryReader
  /** Settles once it is done here: how long it takes elsewhere is counted from then. */
  readonly executed: Promise<unknown>
  /** How long the entry of a peer is at most. Default: 1 MiB. */
  readonly entryMaxBytes?: number
}

export interface ReplicationParts {
  readonly crypto: Crypto
  readonly identity: NodeIdentity
  readonly clock: Clock
  readonly timers: Timers
  readonly swarms: SwarmView
  readonly sender: PeerSender
  /** Told of each request that a member did not take for want of a connection or of time (NODE-95). */
  readonly missed?: (peer: string, request: Uint8Array, atMs: number) => void
  readonly log: Log
}

const REASON_MAX_CHARACTERS = 200
const TIMED_OUT: SwarmEntry = { failed: true, timeout: true }
const BAD_RESPONSE: SwarmEntry = { failed: true, bad_peer_response: true }

export class Replication {
  readonly #parts: ReplicationParts
  readonly #queue: ForwardQueue

  constructor(parts: ReplicationParts) {
    this.#parts = parts
    this.#queue = new ForwardQueue(parts)
  }

  /** Sends to all peers at once and resolves to their entries by Ed25519 key; never rejects. */
  async forward(request: SwarmRequest): Promise<[string, SwarmEntry][]> {
    const { peers } = this.#parts.swarms
    const body = encodeForwarded(request.body, { atMs: request.atMs, late: false })
    const { executed, entryMaxBytes } = request
    const replies = this.#queue.send(peers, { body, executed, entryMaxBytes })
    return Promise.all(
      peers.map(async (peer, i) => [peer.ed25519, await this.#entryOf(peer, replies[i]!, request)] as [string, SwarmEntry]),
    )
  }

  async #entryOf(peer: ServiceNode, replied: Promise<PeerReply>, request: SwarmRequest): Promise<SwarmEntry> {
    const missed = (): void => this.#parts.missed?.(peer.ed25519, request.body, request.atMs)
    try {
      const reply = await replied
      if (isToBeTriedAgain(reply.status)) missed()
      return reply.status === 200 ? parseEntry(reply.body, request.readEntry) : refusal(reply.status, reply.body)
    } catch (error) {
      const code = error instanceof NodeError ? error.code : 'peer-unreachable'
      this.#parts.log.warn({ peer: peer.ed25519, code }, 'a peer did not take a request')
      if (code !== 'bad-peer-response') missed()
      return code === 'bad-peer-response' ? BAD_RESPONSE : TIMED_OUT
    }
  }
}

function refusal(status: number, body: Buffer): SwarmEntry {
  return { failed: true, code: String(status), reason: body.toString().slice(0, REASON_MAX_CHARACTERS) }
}

function parseEntry(body: Buffer, readEntry: EntryReader): SwarmEntry {
  try {
    const entry = decodeAnswer('bt', body)
    const isEntry = typeof entry === 'object' && entry !== null && !Array.isArray(entry) && !(entry instanceof Uint8Array)
    return (isEntry && readEntry(entry as SwarmEntry)) || BAD_RESPONSE
  } catch {
    return BAD_RESPONSE
  }
}
