/** Passing a client's request on to the other members of the swarm (clauses NODE-32, NODE-33, NODE-43, NODE-95). */
import type { Crypto } from '@session-v2/crypto'
import { decodeAnswer, type ServiceNode } from '@session-v2/network'
import type { NodeIdentity } from '../identity.ts'
import type { Log } from '../log.ts'
import { NodeError } from '../node-error.ts'
import type { Clock } from '../ports.ts'
import { isToBeTriedAgain } from './deliveries.ts'
import { encodeForwarded } from './forwarded-request.ts'
import { type PeerHeaders, signPeerRequest } from './peer-authentication.ts'
import type { PeerSender } from './peer-sender.ts'
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
}

export interface ReplicationParts {
  readonly crypto: Crypto
  readonly identity: NodeIdentity
  readonly clock: Clock
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

  constructor(parts: ReplicationParts) {
    this.#parts = parts
  }

  /** Sends to all peers at once and resolves to their entries by Ed25519 key; never rejects. */
  async forward(request: SwarmRequest): Promise<[string, SwarmEntry][]> {
    const { crypto, identity, clock, swarms } = this.#parts
    const body = encodeForwarded(request.body, { atMs: request.atMs, late: false })
    const headers = signPeerRequest(crypto, identity, body, clock.nowMs())
    return Promise.all(
      swarms.peers.map(async peer => [peer.ed25519, await this.#ask(peer, body, headers, request)] as [string, SwarmEntry]),
    )
  }

  async #ask(peer: ServiceNode, body: Uint8Array, headers: PeerHeaders, request: SwarmRequest): Promise<SwarmEntry> {
    const { readEntry } = request
    const missed = (): void => this.#parts.missed?.(peer.ed25519, request.body, request.atMs)
    try {
      const reply = await this.#parts.sender.send(peer, body, headers)
      if (isToBeTriedAgain(reply.status)) missed()
      return reply.status === 200 ? parseEntry(reply.body, readEntry) : refusal(reply.status, reply.body)
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
