/** Carries a signed request to one other member over kept-alive connections (clauses NODE-42, NODE-46). */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { ServiceNode } from '@session-v2/network'
import { NodeError } from '../node-error.ts'
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
  const pool = { keepAlive: true, maxSockets: CONNECTIONS_PER_PEER }
  const http = new HttpAgent(pool)
  // Nodes present certificates that they signed themselves; who asks is proven by the signature, and what a peer answers is
  // signed by it and checked by the client.
  const https = new HttpsAgent({ ...pool, rejectUnauthorized: false })
  const long: LongReplies = { bytes: 0 }
  return {
    send: (peer, body, headers, limits = DEFAULT_LIMITS) =>
      send(timers, peer.protocol === 'https' ? https : http, { peer, body, headers, limits, long }),
    close() {
      http.destroy()
      https.destroy()
    },
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

function send(timers: Timers, agent: HttpAgent | HttpsAgent, call: PeerCall): Promise<PeerReply> {
  const { peer, body, headers, limits, long } = call
  const { host, port } = peer
  const open = peer.protocol === 'https' ? requestHttps : requestHttp
  const fields = { ...headers, 'content-type': 'application/json', 'content-length': String(body.length) }
  return new Promise((resolve, reject) => {
    const request = open({ agent, host, port, method: 'POST', path: PEER_PATH, headers: fields }, response => {
      collect(response, limits.maxBytes, long).then(resolve, reject)
    })
    let isOver = false
    let cancel = (): void => {}
    const startClock = (): void => {
      if (isOver) return
      cancel = timers.after(limits.timeoutMs, () =>
        request.destroy(new NodeError('peer-timeout', 'a peer did not answer in time')),
      )
    }
    if (limits.from === undefined) startClock()
    else limits.from.then(startClock, startClock)
    request.on('close', () => {
      isOver = true
      cancel()
    })
    request.on('error', cause => {
      reject(cause instanceof NodeError ? cause : new NodeError('peer-unreachable', 'a peer cannot be reached', { cause }))
    })
    request.end(body)
  })
}

async function collect(response: IncomingMessage, maxBytes: number, long: LongReplies): Promise<PeerReply> {
  const chunks: Buffer[] = []
  let size = 0
  let counted = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxBytes) throw new NodeError('bad-peer-response', 'a peer answered more than was asked')
      if (size > SHORT_BYTES) {
        counted += chunk.length
        long.bytes += chunk.length
        if (long.bytes > LONG_REPLIES_MAX_BYTES) throw new NodeError('bad-peer-response', 'too many long answers of peers arrive')
      }
      chunks.push(chunk)
    }
    return { status: response.statusCode ?? 0, body: Buffer.concat(chunks) }
  } finally {
    long.bytes -= counted
  }
}
