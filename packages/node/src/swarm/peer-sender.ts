/** Carries a signed request to one other member over kept-alive connections (clause NODE-42). */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { ServiceNode } from '@session-v2/network'
import { NodeError } from '../node-error.ts'
import type { Timers } from '../ports.ts'
import type { PeerHeaders } from './peer-authentication.ts'

export const PEER_PATH = '/swarm_rpc/v1'
const PEER_TIMEOUT_MS = 5_000

const CONNECTIONS_PER_PEER = 16
const REPLY_MAX_BYTES = 1024 * 1024

/** What one request may take; by default five seconds and 1 MiB. */
export interface ReplyLimits {
  readonly timeoutMs: number
  readonly maxBytes: number
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
  return {
    send: (peer, body, headers, limits = DEFAULT_LIMITS) =>
      send(timers, peer.protocol === 'https' ? https : http, { peer, body, headers, limits }),
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
}

function send(timers: Timers, agent: HttpAgent | HttpsAgent, { peer, body, headers, limits }: PeerCall): Promise<PeerReply> {
  const { host, port } = peer
  const open = peer.protocol === 'https' ? requestHttps : requestHttp
  const fields = { ...headers, 'content-type': 'application/json', 'content-length': String(body.length) }
  return new Promise((resolve, reject) => {
    const request = open({ agent, host, port, method: 'POST', path: PEER_PATH, headers: fields }, response => {
      collect(response, limits.maxBytes).then(resolve, reject)
    })
    const cancel = timers.after(limits.timeoutMs, () =>
      request.destroy(new NodeError('peer-timeout', 'a peer did not answer in time')),
    )
    request.on('close', cancel)
    request.on('error', cause => {
      reject(cause instanceof NodeError ? cause : new NodeError('peer-unreachable', 'a peer cannot be reached', { cause }))
    })
    request.end(body)
  })
}

async function collect(response: IncomingMessage, maxBytes: number): Promise<PeerReply> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new NodeError('bad-peer-response', 'a peer answered more than was asked')
    chunks.push(chunk)
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks) }
}
