/**
 * Requests to an account's swarm: chooses a member, follows a 421 to where the account is, corrects the clock after a 406, passes
 * over members that are down or refuse. Every failure ends in one of three ways: another member answered, the caller may try later,
 * or all members find the request itself wrong (clause RPC-80).
 */
import { decodeUtf8 } from '@session-v2/encoding'
import type { InfoResult, RpcRequest, ServiceNode } from '@session-v2/network'
import {
  buildInfo,
  encodeRequest,
  errorOfStatus,
  errorOfTransport,
  NetworkError,
  parseGetSwarmResult,
  parseInfoResult,
} from '@session-v2/network'
import type { AccountId } from '@session-v2/protocol'
import { ClientError } from '../client-error.ts'
import type { Transport, TransportAnswer } from '../ports/transport.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import type { NetworkClock } from './network-clock.ts'
import type { NodeDirectory } from './node-directory.ts'

const REQUEST_TIMEOUT_MS = 10_000
const MAX_ATTEMPTS = 6
const MAX_REDIRECTS = 3
/** How many nodes say what time it is, and how many have to, where there are as many. */
const CLOCK_WITNESSES = 3
const CLOCK_WITNESSES_MIN = 2
/** A movement of the clock smaller than this does not explain why a node refused the time. */
const CLOCK_STEP_MS = 2_000
/** A member that failed is asked last for this long. */
const STRIKE_MS = 60_000

/** What was read from an answer, with the node that gave it. */
export interface NodeAnswer<T> {
  readonly node: ServiceNode
  readonly result: T
}

/** The way one request went. */
export interface Route {
  /** The guard first; none where the node was asked directly. */
  readonly relays: readonly ServiceNode[]
  readonly destination: ServiceNode
}

/**
 * A question: makes the request for the time it is sent at (its signature holds the time, and the time may be corrected between
 * attempts) and the node it goes to, and reads the answer. What `read` throws as NetworkError counts like a refusal of the node.
 */
export interface Question<T> {
  build(nowMs: number, node: ServiceNode): RpcRequest
  read(answer: unknown): T
  /** Is shown the answer as it came, before it is read. */
  note?(node: ServiceNode, answer: TransportAnswer): void
}

export class SwarmRequests {
  readonly #transport: Transport
  readonly #scheduler: Scheduler
  readonly #directory: NodeDirectory
  readonly clock: NetworkClock
  readonly #strikes = new Map<string, number>()
  #correcting: Promise<void> | undefined

  constructor(transport: Transport, scheduler: Scheduler, directory: NodeDirectory, clock: NetworkClock) {
    this.#transport = transport
    this.#scheduler = scheduler
    this.#directory = directory
    this.clock = clock
  }

  /** The members of an account's swarm in the order to try them: at random, those that failed lately last. */
  async members(account: AccountId): Promise<ServiceNode[]> {
    const members = [...(await this.#directory.swarm(account))]
    for (let i = members.length - 1; i > 0; i--) {
      const j = this.#scheduler.below(i + 1)
      ;[members[i], members[j]] = [members[j]!, members[i]!]
    }
    const struck = (node: ServiceNode) => !this.isHealthy(node)
    return [...members.filter(node => !struck(node)), ...members.filter(struck)]
  }

  /** Whether a node has not failed lately. */
  isHealthy(node: ServiceNode): boolean {
    return (this.#strikes.get(node.ed25519) ?? 0) <= this.clock.deviceMs()
  }

  /**
   * Asks members of the account's swarm until one answers; asks the seeds for the members of today before giving up.
   * @param preferred members to begin with, in order
   * @throws ClientError `network-unavailable`, `no-path`, `clock-off`; NetworkError when the request itself is refused
   */
  async ask<T>(account: AccountId, question: Question<T>, preferred: readonly ServiceNode[] = []): Promise<NodeAnswer<T>> {
    try {
      return await this.#askMembers(account, question, inOrder(preferred, await this.members(account)))
    } catch (error) {
      const unanswered = error instanceof ClientError && UNANSWERED.has(error.code)
      if (!unanswered || !(await this.#directory.changed())) throw error
      return this.#askMembers(account, question, await this.members(account))
    }
  }

  /** Asks up to `count` different members, at the same time, and returns the answers that came. */
  async askSeveral<T>(
    account: AccountId,
    question: Question<T>,
    count: number,
    except: readonly ServiceNode[],
  ): Promise<NodeAnswer<T>[]> {
    const excluded = new Set(except.map(node => node.ed25519))
    const others = (await this.members(account)).filter(node => !excluded.has(node.ed25519)).slice(0, count)
    const asked = others.map(async node => ({ node, result: await this.askNode(node, question) }))
    return (await Promise.allSettled(asked)).flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  }

  /** The way to a member of the account's swarm, found by asking one for the time. @throws ClientError, NetworkError */
  async route(account: AccountId): Promise<Route> {
    const relays = new Map<string, readonly ServiceNode[]>()
    const note = (node: ServiceNode, answer: TransportAnswer) => relays.set(node.ed25519, answer.relays ?? [])
    const { node } = await this.ask(account, { ...TIME, note })
    return { relays: relays.get(node.ed25519) ?? [], destination: node }
  }

  /** One question to one node. @throws NetworkError, ClientError `no-path` */
  async askNode<T>(node: ServiceNode, question: Question<T>): Promise<T> {
    const limit = this.#scheduler.deadline(this.#transport.timeoutMs ?? REQUEST_TIMEOUT_MS)
    try {
      const sent = await this.#send(node, question.build(this.clock.nowMs(), node), limit.signal)
      const { status } = sent
      const answer = parseBody(sent.body)
      if (status >= 200 && status < 300) {
        this.#strikes.delete(node.ed25519)
        question.note?.(node, sent)
        return question.read(answer)
      }
      const error = errorOfStatus(status, answer)
      if (error.retry === 'other-node' || error.retry === 'later') this.#strike(node)
      throw error
    } finally {
      limit.clear()
    }
  }

  /** Asks several nodes for the time and adopts the median, once however many ask for it. */
  correctClock(): Promise<void> {
    this.#correcting ??= this.#askTime().finally(() => {
      this.#correcting = undefined
    })
    return this.#correcting
  }

  async #askTime(): Promise<void> {
    const nodes = [...(await this.#directory.nodes())]
    const witnesses: ServiceNode[] = []
    while (witnesses.length < CLOCK_WITNESSES && nodes.length > 0) {
      witnesses.push(...nodes.splice(this.#scheduler.below(nodes.length), 1))
    }
    const offsets = await Promise.allSettled(
      witnesses.map(async node => (await this.askNode(node, TIME)).nodeTimeMs - this.clock.deviceMs()),
    )
    const answered = offsets.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
    // One that answers alone, of several, could have seen to that.
    if (answered.length >= Math.min(witnesses.length, CLOCK_WITNESSES_MIN)) await this.clock.adopt(answered)
  }

  async #askMembers<T>(account: AccountId, question: Question<T>, members: readonly ServiceNode[]): Promise<NodeAnswer<T>> {
    let queue = [...members]
    let redirects = 0
    let clockRefusal: NetworkError | undefined
    let last: NetworkError | undefined
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const node = queue.shift()
      if (node === undefined) break
      const offsetMs = this.clock.offsetMs
      try {
        return { node, result: await this.askNode(node, question) }
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error
        last = error
        if (error.code === 'wrong-swarm' && redirects++ < MAX_REDIRECTS) queue = this.#redirect(account, error, queue)
        else if (error.code === 'clock') {
          // When the time is right after all, it is this node that is wrong: the others are asked.
          if (clockRefusal === undefined && (await this.#clockMovedFrom(offsetMs))) queue.unshift(node)
          clockRefusal = error
        }
      }
    }
    if (clockRefusal !== undefined) throw clockOff(clockRefusal)
    if (last?.retry === 'never') throw last
    throw new ClientError('network-unavailable', 'No storage node of the swarm answers. Nothing is lost; try again.', last)
  }

  /** Whether the network's time is now another than the one a refused request was made with; corrects it when nobody else did. */
  async #clockMovedFrom(offsetMs: number): Promise<boolean> {
    const moved = () => Math.abs(this.clock.offsetMs - offsetMs) > CLOCK_STEP_MS
    if (!moved()) await this.correctClock()
    return moved()
  }

  async #send(node: ServiceNode, request: RpcRequest, signal: AbortSignal): Promise<TransportAnswer> {
    try {
      return await this.#transport.send(node, encodeRequest(request), signal)
    } catch (cause) {
      // Neither is the node's fault: it was not asked.
      if (cause instanceof ClientError || (cause instanceof NetworkError && cause.retry === 'later')) throw cause
      this.#strike(node)
      throw errorOfTransport(signal.aborted ? 'timeout' : 'unreachable', cause)
    }
  }

  #redirect(account: AccountId, error: NetworkError, queue: readonly ServiceNode[]): ServiceNode[] {
    return inOrder(this.#directory.correct(account, membersOf(error)), queue)
  }

  #strike(node: ServiceNode): void {
    this.#strikes.set(node.ed25519, this.clock.deviceMs() + STRIKE_MS)
  }
}

const UNANSWERED: ReadonlySet<string> = new Set(['network-unavailable', 'no-path'])

const TIME: Question<InfoResult> = { build: buildInfo, read: parseInfoResult }

/** The members that a 421 names; none when its body cannot be read. */
function membersOf(error: NetworkError): readonly ServiceNode[] {
  try {
    return parseGetSwarmResult(error.body).nodes
  } catch (cause) {
    if (cause instanceof NetworkError) return []
    throw cause
  }
}

/** `first`, then those of `rest` that are not among them. */
function inOrder(first: readonly ServiceNode[], rest: readonly ServiceNode[]): ServiceNode[] {
  const named = new Set(first.map(node => node.ed25519))
  return [...first, ...rest.filter(node => !named.has(node.ed25519))]
}

/** The body of an answer: JSON where it is JSON, else text. */
function parseBody(body: Uint8Array): unknown {
  let text = ''
  try {
    text = decodeUtf8(body)
    return JSON.parse(text)
  } catch {
    return text
  }
}

function clockOff(cause: NetworkError): ClientError {
  return new ClientError(
    'clock-off',
    "The network refuses this device's time. Set the clock and try again; nothing is lost.",
    cause,
  )
}
