/** Carries a signed request to one other member over kept-alive connections (clauses NODE-42, NODE-46). */
import type { ServiceNode } from '@session-v2/network'
import type { Dispatcher } from 'undici'
import { NodeError } from '../node-error.ts'
import { keptConnections, post } from '../outgoing/post.ts'
import type { Timers } from '../ports.ts'
import type { PeerHeaders } from './peer-authentication.ts'

export const PEER_PATH = '/swarm_rpc/v1'
/** Nobody waits longer for a peer, from when the request is done here. */
export const PEER_TIMEOUT_MS = 5_000

const CONNECTIONS_PER_PEER = 16
export const REPLY_MAX_BYTES = 1024 * 1024
/** What may have arrived of all replies together, beyond the first 64 KiB of each; above, a reply is given up. */
export const LONG_REPLIES_MAX_BYTES = 64 * 1024 * 1024
const SHORT_BYTES = 64 * 1024

/** What one request may take; by default five seconds and 1 MiB. */
export interface ReplyLimits {
  readonly timeoutMs: number
  readonly maxBytes: number
  /** The time is counted from when this settles; default: from the start. */
  readonly from?: Promise<unknown>
}

const DEFAULT_LIMITS: ReplyLimits = { timeoutMs: PEER_TIMEOUT_MS, maxBytes: REPLY_MAX_BYTES }

export interface PeerReply {
  readonly status: number
  readonly body: Buffer
}

export interface PeerSender {
  /** Rejects with NodeError `peer-timeout`, `peer-unreachable` or `bad-peer-response`. */
  send(peer: ServiceNode, body: Uint8Array, headers: PeerHeaders, limits?: ReplyLimits): Promise<PeerReply>
  close(): void
}

/** A sender over HTTP or HTTPS, as each peer is listed. */
export function httpPeerSender(timers: Timers): PeerSender {
  // Nodes present certificates that they signed themselves; who asks is proven by the signature, and what a peer answers is
  // signed by it and checked by the client.
  const connections = keptConnections(CONNECTIONS_PER_PEER, { rejectUnauthorized: false })
  const long: LongReplies = { bytes: 0 }
  return {
    send: (peer, body, headers, limits = DEFAULT_LIMITS) => send(timers, connections, { peer, body, headers, limits, long }),
    close: () => void connections.destroy(),
  }
}

interface PeerCall {
  readonly peer: ServiceNode
  readonly body: Uint8Array
  readonly headers: PeerHeaders
  readonly limits: ReplyLimits
  readonly long: LongReplies
}

/** Of all replies that are arriving. */
interface LongReplies {
  bytes: number
}

async function send(timers: Timers, connections: Dispatcher, call: PeerCall): Promise<PeerReply> {
  const { peer, body, headers, limits, long } = call
  const size = new ReplySize(limits.maxBytes, long)
  const target = { ...peer, path: PEER_PATH, headers: { ...headers, 'content-type': 'application/json' } }
  const sent = post(connections, target, body, pieceBytes => size.add(pieceBytes))
  let isOver = false
  let cancel = (): void => {}
  const startClock = (): void => {
    if (isOver) return
    cancel = timers.after(limits.timeoutMs, () => sent.stop(new NodeError('peer-timeout', 'a peer did not answer in time')))
  }
  if (limits.from === undefined) startClock()
  else limits.from.then(startClock, startClock)
  try {
    return await sent.answer
  } catch (cause) {
    throw cause instanceof NodeError ? cause : new NodeError('peer-unreachable', 'a peer cannot be reached', { cause })
  } finally {
    isOver = true
    cancel()
    size.end()
  }
}

/** How much of a reply has come, and what of it counts with the others. */
class ReplySize {
  readonly #maxBytes: number
  readonly #long: LongReplies
  #bytes = 0
  #counted = 0

  constructor(maxBytes: number, long: LongReplies) {
    this.#maxBytes = maxBytes
    this.#long = long
  }

  /** @throws NodeError `bad-peer-response` beyond its own limit, or that of all long replies. */
  add(pieceBytes: number): void {
    this.#bytes += pieceBytes
    if (this.#bytes > this.#maxBytes) throw new NodeError('bad-peer-response', 'a peer answered more than was asked')
    if (this.#bytes <= SHORT_BYTES) return
    this.#counted += pieceBytes
    this.#long.bytes += pieceBytes
    if (this.#long.bytes > LONG_REPLIES_MAX_BYTES)
      throw new NodeError('bad-peer-response', 'too many long answers of peers arrive')
  }

  end(): void {
    this.#long.bytes -= this.#counted
  }
}
