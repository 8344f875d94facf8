/** Passing a client's request on to the other members of the swarm (clauses NODE-32, NODE-33). */
import type { Crypto } from '@session-v2/crypto'
import { encodeRequest, type RpcRequest, type ServiceNode } from '@session-v2/network'
import type { NodeIdentity } from '../identity.ts'
import type { Log } from '../log.ts'
import { NodeError } from '../node-error.ts'
import type { Clock } from '../ports.ts'
import { type PeerHeaders, signPeerRequest } from './peer-authentication.ts'
import type { PeerSender } from './peer-sender.ts'
import type { SwarmView } from './swarm-view.ts'

/** What one member says of a request; `failed: true` when it did not execute it. */
export type SwarmEntry = Readonly<Record<string, unknown>>

export interface ReplicationParts {
  readonly crypto: Crypto
  readonly identity: NodeIdentity
  readonly clock: Clock
  readonly swarms: SwarmView
  readonly sender: PeerSender
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
  async forward(request: RpcRequest): Promise<[string, SwarmEntry][]> {
    const { crypto, identity, clock, swarms } = this.#parts
    const body = encodeRequest(request)
    const headers = signPeerRequest(crypto, identity, body, clock.nowMs())
    return Promise.all(
      swarms.peers.map(async peer => [peer.ed25519, await this.#ask(peer, body, headers)] as [string, SwarmEntry]),
    )
  }

  async #ask(peer: ServiceNode, body: Uint8Array, headers: PeerHeaders): Promise<SwarmEntry> {
    try {
      const reply = await this.#parts.sender.send(peer, body, headers)
      return reply.status === 200 ? parseEntry(reply.body) : refusal(reply.status, reply.body)
    } catch (error) {
      const code = error instanceof NodeError ? error.code : 'peer-unreachable'
      this.#parts.log.warn({ peer: peer.ed25519, code }, 'a peer did not take a request')
      return code === 'bad-peer-response' ? BAD_RESPONSE : TIMED_OUT
    }
  }
}

function refusal(status: number, body: Buffer): SwarmEntry {
  return { failed: true, code: String(status), reason: body.toString().slice(0, REASON_MAX_CHARACTERS) }
}

function parseEntry(body: Buffer): SwarmEntry {
  try {
    const entry: unknown = JSON.parse(body.toString())
    const isEntry = typeof entry === 'object' && entry !== null && !Array.isArray(entry)
    return isEntry ? (entry as SwarmEntry) : BAD_RESPONSE
  } catch {
    return BAD_RESPONSE
  }
}
