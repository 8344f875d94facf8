/** The paths of a node (clauses NODE-41, NODE-60, NODE-66). */
import type { IncomingHttpHeaders } from 'node:http'
import { decodeHex } from '@session-v2/encoding'
import { STORAGE_RPC_PATH } from '@session-v2/network'
import { answerClient, answerPeer } from '../rpc/rpc.ts'
import type { NodeServices } from '../rpc/services.ts'
import { base64 } from '../rpc/wire-fields.ts'
import { verifyPeerRequest } from '../swarm/peer-authentication.ts'
import { PEER_PATH } from '../swarm/peer-sender.ts'
import { VERSION } from '../version.ts'
import type { HttpAnswer, Route } from './http-server.ts'

/** Set by the node when it starts to close. */
export interface Readiness {
  closing: boolean
}

/** The routes of a node for an HttpServer. */
export function nodeRoutes(node: NodeServices, readiness: Readiness): Record<string, Route> {
  const pubkey = base64(decodeHex(node.identity.ed25519))
  return {
    [`POST ${STORAGE_RPC_PATH}`]: body => notReady(node, readiness) ?? answerClient(node, body),
    [`POST ${PEER_PATH}`]: (body, request) => notReady(node, readiness) ?? peerAnswer(node, body, request.headers),
    'POST /ping_test/v1': () => ({ status: 200, body: '', headers: { 'X-Oxen-Snode-Pubkey': pubkey } }),
    'GET /get_stats/v1': () => ({ status: 200, body: { version: VERSION.join('.') } }),
  }
}

function notReady(node: NodeServices, readiness: Readiness): HttpAnswer | undefined {
  if (node.swarms.own !== undefined && !readiness.closing) return undefined
  const reasons = [
    ...(node.swarms.own === undefined ? ['not in any swarm'] : []),
    ...(readiness.closing ? ['shutting down'] : []),
  ]
  return { status: 503, body: `Service node is not ready: ${reasons.join('; ')}` }
}

function peerAnswer(node: NodeServices, body: Buffer, headers: IncomingHttpHeaders): HttpAnswer | Promise<HttpAnswer> {
  const isPeer = (ed25519: string) => node.swarms.isPeer(ed25519)
  switch (verifyPeerRequest(node.crypto, headers, body, node.clock.nowMs(), isPeer)) {
    case 'genuine':
      return answerPeer(node, body)
    case 'stale':
      return { status: 406, body: 'swarm request timestamp too far from current time' }
    case 'refused':
      return { status: 403, body: 'swarm request is not signed by a member of this swarm' }
  }
}
