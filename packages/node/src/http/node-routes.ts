/** The paths of a node, and what a request passes before it is answered (clauses NODE-41, NODE-60, NODE-66, NODE-100, NODE-106). */
import type { IncomingMessage } from 'node:http'
import { decodeHex } from '@session-v2/encoding'
import { legacyKey, STORAGE_RPC_PATH } from '@session-v2/network'
import type { Admission } from '../operations/admission.ts'
import type { NodeMetrics } from '../operations/metrics.ts'
import type { Readiness } from '../operations/readiness.ts'
import { FrameAnswers } from '../rpc/frame-answers.ts'
import { answerClient, answerPeer } from '../rpc/rpc.ts'
import type { NodeServices } from '../rpc/services.ts'
import { base64 } from '../rpc/wire-fields.ts'
import { isQuestion } from '../swarm/exchange-messages.ts'
import { isFrame } from '../swarm/forward-frame.ts'
import { verifyPeerRequest } from '../swarm/peer-authentication.ts'
import { PEER_PATH } from '../swarm/peer-sender.ts'
import type { SwarmUpkeep } from '../swarm/swarm-upkeep.ts'
import { VERSION } from '../version.ts'
import { BODY_PART_BYTES, hasLongBody, isStreamed } from './body.ts'
import type { Admit, HttpAnswer, Route } from './http-answer.ts'
import { JSON_MAX_DEPTH, nestsDeeper } from './json-depth.ts'
import { type Arrival, GuardedRequest, TOO_MANY } from './request-guard.ts'

export const ONION_PATH = '/onion_req/v2'

/** What begins with it is bt, whose reader has a limit of its own. */
const BT_DICT = 0x64
const TOO_DEEP: HttpAnswer = { status: 400, body: 'invalid json' }
const TOO_MANY_LATE: HttpAnswer = { ...TOO_MANY, isLate: true }
/** Refusals that one counts as: what was read of such a body has been taken apart already, and can have been ten thousand pieces. */
const STREAMED_COST = 300
/** The same of another long body: its connection is closed, and made anew. */
const LONG_COST = 10
/** An old client that asks to be kept waiting for messages. */
const LONG_POLL_FIELD = 'x-loki-long-poll'
const NO_LONG_POLL: HttpAnswer = { status: 410, body: 'long polling is not supported any more' }

/** What the routes of a node need besides its services. */
export interface RouteParts {
  readonly readiness: Readiness
  readonly admission: Admission
  readonly metrics: NodeMetrics
  /** Answers what other nodes ask about items. Without it the node does not know these questions. */
  readonly upkeep?: Pick<SwarmUpkeep, 'answer'> | undefined
  /** Called when another node tests whether this one can be reached (NODE-133). */
  readonly tested?: (() => void) | undefined
  /** Further routes, `POST /path`: those of a relay. */
  readonly extraRoutes?: Readonly<Record<string, Route>>
}

/** The routes of a node for an HttpServer. */
export function nodeRoutes(node: NodeServices, parts: RouteParts): Record<string, Route> {
  const { ed25519 } = node.identity
  const frames = new FrameAnswers(node)
  // On the chain a node may go by another key: that is the one a test looks for.
  const listedKey = () => legacyKey(node.swarms.node(ed25519) ?? { ed25519 })
  return {
    [`POST ${STORAGE_RPC_PATH}`]: (body, _request, address) => notReady(parts) ?? clientAnswer(node, parts, body, { address }),
    [`POST ${PEER_PATH}`]: (body, request, address) =>
      notReady(parts, 'members') ?? peerAnswer(node, { ...parts, frames }, body, request, address),
    'POST /ping_test/v1': () => {
      parts.tested?.()
      return { status: 200, body: '', headers: { 'X-Oxen-Snode-Pubkey': base64(decodeHex(listedKey())) } }
    },
    'GET /get_stats/v1': () => ({ status: 200, body: { version: VERSION.join('.') } }),
    ...parts.extraRoutes,
  }
}

/**
 * Refuses who asks too often before the body is read, and who sends too much while it is. Peers are known only after it: they are asked for
 * less there.
 */
export function admitRequest(admission: Admission): Admit {
  const refusal = (request: IncomingMessage, address: string): HttpAnswer => {
    return admission.floods(address, refusalCost(request)) ? TOO_MANY_LATE : TOO_MANY
  }
  return {
    request(request, path, address) {
      if (!admission[kindOf(path)](address)) return refusal(request, address)
      return path === STORAGE_RPC_PATH && request.headers[LONG_POLL_FIELD] !== undefined ? NO_LONG_POLL : undefined
    },
    bodyPart: (path, address) => admission.bodyPart(address, kindOf(path)),
    refusal,
  }
}

function refusalCost(request: IncomingMessage): number {
  if (isStreamed(request)) return STREAMED_COST
  return hasLongBody(request) ? LONG_COST : 1
}

function kindOf(path: string): 'relay' | 'peer' | 'address' {
  if (path === PEER_PATH) return 'peer'
  return path === ONION_PATH ? 'relay' : 'address'
}

/** 503 with the reasons, while there are any. */
export function notReady(
  { readiness, metrics }: Pick<RouteParts, 'readiness' | 'metrics'>,
  audience: 'clients' | 'members' = 'clients',
): HttpAnswer | undefined {
  const reasons = readiness.reasons(audience)
  if (reasons.length === 0) return undefined
  metrics.refused('not-ready')
  return { status: 503, body: `Service node is not ready: ${reasons.join('; ')}` }
}

/** Answers a storage request, however it comes. */
export async function clientAnswer(
  node: NodeServices,
  parts: Pick<RouteParts, 'admission' | 'metrics'>,
  body: Buffer,
  arrival: Arrival,
): Promise<HttpAnswer> {
  if (body[0] !== BT_DICT && nestsDeeper(body, JSON_MAX_DEPTH)) return TOO_DEEP
  const guard = new GuardedRequest(parts.admission, parts.metrics, arrival)
  const answer = await answerClient(node, body, guard)
  return { status: answer.status, body: answer.body, method: guard.method }
}

async function peerAnswer(
  node: NodeServices,
  parts: RouteParts & { readonly frames: FrameAnswers },
  body: Buffer,
  { headers }: IncomingMessage,
  address: string,
): Promise<HttpAnswer> {
  const method = 'swarm_rpc'
  const { swarms } = node
  const upkeep = isQuestion(body) ? parts.upkeep : undefined
  // Other nodes of the network may offer what falls to our swarm, also those that have just left it.
  const isKnown = (ed25519: string) => (upkeep === undefined ? swarms.isPeer(ed25519) : swarms.mayOffer(ed25519))
  switch (verifyPeerRequest(node.crypto, headers, body, node.clock.nowMs(), isKnown)) {
    case 'genuine': {
      const sender = headers['x-session-node'] as string
      parts.admission.genuine(address, Math.max(0, Math.ceil(body.length / BODY_PART_BYTES) - 1))
      const framed = isFrame(body) ? parts.frames.answer(sender, body) : undefined
      const answer = await (framed ?? upkeep?.answer(sender, body) ?? answerPeer(node, body))
      return { status: answer.status, body: answer.body, method }
    }
    case 'stale':
      parts.admission.forged(address)
      return { status: 406, body: 'swarm request timestamp too far from current time', method }
    case 'refused':
      parts.admission.forged(address)
      return { status: 403, body: 'swarm request is not signed by a member of this swarm', method }
  }
}
