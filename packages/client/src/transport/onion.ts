/**
 * Requests through three relays: the first of them, the guard, sees this device's address and nothing else, the node that is asked sees
 * the request and not whose it is. A request that got no reply goes over another path; all that nodes are asked may be asked twice.
 *
 *     no word from the guard       again over a path with another guard, at most 3 paths
 *     another failure              once more over another path
 *     the destination is named     once more over a path without that guard: one of them may lie
 *
 * Whom it is held against is decided when the request has ended, one way or the other (`path-verdict.ts`).
 */
import type { Crypto, Random } from '@session-v2/crypto'
import { encodeUtf8 } from '@session-v2/encoding'
import {
  type FailedAnswer,
  judgeFailure,
  NetworkError,
  ONION_REQUEST_PATH,
  type OnionPath,
  openReply,
  PATH_NODES_MIN,
  type SealedOnion,
  type ServiceNode,
  sealOnion,
  serviceNodeUrl,
} from '@session-v2/network'
import { ClientError } from '../client-error.ts'
import type { Http, Transport, TransportAnswer } from '../ports/transport.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { directTransport } from './direct.ts'
import { isLocalWithoutPaths, isOnThisComputer } from './locality.ts'
import { type FailedPath, PathVerdict } from './path-verdict.ts'
import type { Paths } from './paths.ts'

/** How long a path may take. */
const PATH_TIMEOUT_MS = 10_000
/** Paths that are tried while no guard says a word. */
const SILENT_MAX = 3
/** Paths that are tried once a guard has answered. */
const ANSWERED_MAX = 2
/** Bytes, not base64: a third less on every leg. */
const FORM = { base64: false }

export interface OnionParts {
  readonly crypto: Crypto
  readonly random: Random
  readonly scheduler: Scheduler
  readonly http: Http
  readonly paths: Paths
}

/** An error stands for a reply that cannot be read: it came all the same, from the node that was asked. */
type Outcome = { readonly answer: TransportAnswer | NetworkError } | { readonly failed: FailedPath }

/** Why a guard said nothing. */
interface Silence {
  readonly reason: 'timeout' | 'unreachable'
  readonly cause: unknown
}

export class OnionTransport implements Transport {
  readonly timeoutMs = SILENT_MAX * PATH_TIMEOUT_MS
  readonly #parts: OnionParts
  readonly #direct: Transport
  readonly #verdict: PathVerdict

  constructor(parts: OnionParts) {
    this.#parts = parts
    this.#direct = directTransport(parts.http)
    this.#verdict = new PathVerdict(parts.paths)
  }

  hidesAddress(): boolean {
    return this.#parts.paths.nodes.length >= PATH_NODES_MIN
  }

  sendToSeed(seedUrl: string, body: Uint8Array, signal: AbortSignal): Promise<TransportAnswer> {
    return this.#direct.sendToSeed(seedUrl, body, signal)
  }

  /**
   * Rejects with ClientError `no-path` where there are too few nodes: then nothing is sent. Only in a network of this computer alone the
   * node is asked directly.
   */
  async send(node: ServiceNode, body: Uint8Array, signal: AbortSignal): Promise<TransportAnswer> {
    const { paths } = this.#parts
    signal.throwIfAborted()
    if (isLocalWithoutPaths(paths.nodes) && isOnThisComputer(node)) return this.#direct.send(node, body, signal)
    const failures: FailedPath[] = []
    do {
      const path = await paths.choose(node.ed25519, avoidedGuards(failures))
      if (path === undefined) break
      const sealed = this.#sealed(path, node, body)
      if (sealed === undefined) continue
      const outcome = await this.#attempt(path, node, sealed, signal)
      if ('answer' in outcome) {
        await this.#verdict.answered(path, failures)
        if (outcome.answer instanceof NetworkError) throw outcome.answer
        return outcome.answer
      }
      failures.push(outcome.failed)
      await this.#verdict.failed(outcome.failed)
    } while (isTriedAgain(failures))
    if (failures.length > 0) throw await this.#verdict.unanswered(failures)
    throw noPath(paths.nodes.length)
  }

  /** Undefined when a relay's key is of no use: that node is then out of the pool. @throws NetworkError where the destination's is */
  #sealed(path: OnionPath, node: ServiceNode, body: Uint8Array): SealedOnion | undefined {
    const { crypto, random, paths } = this.#parts
    const seal = (hops: readonly ServiceNode[], to: ServiceNode, text: Uint8Array) =>
      sealOnion(crypto, random, hops, { kind: 'node', ...to }, text, { form: FORM })
    try {
      return seal(path.hops, node, body)
    } catch (error) {
      if (!(error instanceof NetworkError) || error.retry !== 'other-node') throw error
      const unusable = path.hops.filter(hop => !canBeSealedTo(() => seal([], hop, new Uint8Array())))
      if (unusable.length === 0) throw error
      for (const { ed25519 } of unusable) paths.exclude(ed25519)
      return undefined
    }
  }

  async #attempt(path: OnionPath, node: ServiceNode, sealed: SealedOnion, signal: AbortSignal): Promise<Outcome> {
    const route = { relays: path.hops.map(({ ed25519 }) => ed25519), destination: node.ed25519 }
    const failed = (answer: FailedAnswer, isSilent: boolean, cause?: unknown): Outcome => {
      return { failed: { path, destination: node.ed25519, isSilent, cause, ...judgeFailure(answer, route) } }
    }
    try {
      const answer = await this.#post(path, sealed.body, signal)
      if ('reason' in answer) return failed(answer.reason, true, answer.cause)
      if (answer.status !== 200) return failed(answer, false, refusalOf(answer))
      const opened = openAnswer(this.#parts.crypto, sealed, answer.body)
      if (opened === undefined) return failed('unsealed', false)
      return { answer: opened instanceof NetworkError ? opened : { ...opened, relays: path.hops } }
    } finally {
      sealed.replyKey.secret.wipe()
    }
  }

  /** The answer of the guard, or why there is none. @throws when whoever asked gave up */
  async #post(path: OnionPath, body: Uint8Array, signal: AbortSignal): Promise<TransportAnswer | Silence> {
    const { http, scheduler } = this.#parts
    const limit = scheduler.deadline(PATH_TIMEOUT_MS)
    try {
      const url = `${serviceNodeUrl(path.hops[0]!)}${ONION_REQUEST_PATH}`
      return await http.toNode(url, body, AbortSignal.any([signal, limit.signal]))
    } catch (cause) {
      if (signal.aborted || scheduler.closed) throw cause
      return { reason: limit.signal.aborted ? 'timeout' : 'unreachable', cause }
    } finally {
      limit.clear()
    }
  }
}

/** The answer of the node within a reply; undefined when it is sealed under another key, an error when it cannot be read. */
function openAnswer(crypto: Crypto, { replyKey }: SealedOnion, bytes: Uint8Array): TransportAnswer | NetworkError | undefined {
  try {
    const reply = openReply(crypto, replyKey, bytes, { json: false, ...FORM })
    if (reply === undefined) return undefined
    const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body)
    return { status: reply.status, body: encodeUtf8(text) }
  } catch (error) {
    if (error instanceof NetworkError) return error
    // JSON that nests deeper than the stack.
    return new NetworkError('malformed', 'the reply of the node cannot be read', { retry: 'other-node', cause: error })
  }
}

/** Guards that another path must do without: those that said nothing, and those whose word about the destination is in question. */
function avoidedGuards(failures: readonly FailedPath[]): ReadonlySet<string> {
  const avoided = failures.filter(failure => failure.isSilent || failure.retry === 'other-node')
  return new Set(avoided.map(({ path }) => path.hops[0]!.ed25519))
}

function isTriedAgain(failures: readonly FailedPath[]): boolean {
  if (failures.at(-1)?.retry === 'later') return false
  return failures.length < (failures.every(({ isSilent }) => isSilent) ? SILENT_MAX : ANSWERED_MAX)
}

function canBeSealedTo(seal: () => SealedOnion): boolean {
  try {
    seal().replyKey.secret.wipe()
    return true
  } catch (error) {
    if (error instanceof NetworkError) return false
    throw error
  }
}

function refusalOf({ status }: TransportAnswer): NetworkError {
  return new NetworkError('server', `the path answered ${status}`, { retry: 'later', status })
}

function noPath(nodes: number): ClientError {
  const few = nodes === 0 ? 'There are no nodes' : `The network's nodes are too few (${nodes}) or too close together for a path`
  return new ClientError(
    'no-path',
    `${few}, which needs ${PATH_NODES_MIN} of different networks. Nothing is sent directly unless you choose so; nothing is lost.`,
  )
}
