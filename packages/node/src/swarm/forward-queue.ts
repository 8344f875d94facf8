/**
 * Requests on their way to the other members (clauses NODE-32, NODE-47): what is to go to a member while enough of this node is under
 * way to it waits, and then goes together, as one body with one signature.
 *
 *     a request ──▶ waits in the line of each member ──▶ alone: as it is
 *                     ▲                             └──▶ several: a frame ──▶ each has its own answer
 *                     └────────── a member that does not know frames ◀──┘
 *
 * Each request has its own deadline, wherever it is then. A line is in the order in which requests came.
 */
import type { Crypto } from '@session-v2/crypto'
import type { ServiceNode } from '@session-v2/network'
import type { NodeIdentity } from '../identity.ts'
import { NodeError } from '../node-error.ts'
import type { Clock, Timers } from '../ports.ts'
import {
  decodeFrameReply,
  encodeFrame,
  FRAME_MAX_BYTES,
  FRAME_REPLY_MAX_BYTES,
  FRAME_REQUESTS_MAX,
  PART_OVERHEAD_BYTES,
} from './forward-frame.ts'
import { type PeerHeaders, signPeerRequest } from './peer-authentication.ts'
import { PEER_TIMEOUT_MS, type PeerReply, type PeerSender, REPLY_MAX_BYTES } from './peer-sender.ts'

/** Bodies under way to a member while more gathers behind them. */
export const UNDER_WAY_MAX = 2
/** What has waited for so long goes although that many are under way: a member may be far, or slow with one of them. */
export const PATIENCE_MS = 100
/** Bodies under way to a member at most, and to one that does not know frames. */
export const UNDER_WAY_LIMIT = 16
/** A request above this goes alone, and waits for none of the others. */
export const LONE_BYTES = FRAME_MAX_BYTES / 2
/** Requests that wait for a member. */
export const WAITING_MAX = 4_096
export const WAITING_MAX_BYTES = 32 * 1024 * 1024
/** A member that does not know frames is not sent any for so long. */
export const UNAWARE_MS = 600_000

/** Statuses of a member that does not know frames. */
const UNAWARE: ReadonlySet<number> = new Set([400, 404, 405])

export interface ForwardQueueParts {
  readonly crypto: Crypto
  readonly identity: NodeIdentity
  readonly clock: Clock
  readonly timers: Timers
  readonly sender: PeerSender
}

/** A request for all other members. */
export interface Forwarded {
  readonly body: Uint8Array
  /** Settles once it is done here: the time of the others is counted from then. */
  readonly executed: Promise<unknown>
  /** How long an entry is at most, where it may be longer than others. Such a request goes alone. */
  readonly entryMaxBytes?: number | undefined
}

/** What the members have in common. */
interface Shared extends Forwarded {
  /** Once it goes to one of them alone; they are the same for all. */
  headers?: PeerHeaders
  /** Members that have not answered. */
  readonly open: Set<Waiting>
  cancelDeadline: () => void
}

/** A request and one member. */
interface Waiting {
  readonly line: Line
  readonly shared: Shared
  readonly resolve: (reply: PeerReply) => void
  readonly reject: (error: unknown) => void
  /** The body that it is under way in; without it, it stands in the line. */
  sent: Sent | undefined
}

interface Sent {
  /** Requests in it whose time is not over. */
  open: number
  readonly giveUp: () => void
}

/** One member. */
interface Line {
  peer: ServiceNode
  waiting: Waiting[]
  waitingBytes: number
  underWay: number
  knowsFrames: boolean
  isImpatient: boolean
}

interface SignedBody {
  readonly body: Uint8Array
  readonly headers: PeerHeaders
}

export class ForwardQueue {
  readonly #parts: ForwardQueueParts
  readonly #lines = new Map<string, Line>()
  #isScheduled = false
  /** Often one member after the other is sent the same. */
  #lastFrame: { readonly requests: readonly Shared[]; readonly signed: SignedBody } | undefined

  constructor(parts: ForwardQueueParts) {
    this.#parts = parts
  }

  /** The answers of these members, in their order. Each may reject with NodeError, as of `PeerSender.send`. */
  send(peers: readonly ServiceNode[], request: Forwarded): Promise<PeerReply>[] {
    const shared: Shared = { ...request, open: new Set(), cancelDeadline: nothing }
    const replies = peers.map(peer => wait(this.#lineOf(peer, peers), shared))
    const start = () => this.#startDeadline(shared)
    request.executed.then(start, start)
    this.#schedule()
    return replies
  }

  #lineOf(peer: ServiceNode, peers: readonly ServiceNode[]): Line {
    const known = this.#lines.get(peer.ed25519)
    if (known !== undefined) {
      known.peer = peer
      return known
    }
    for (const [key, { waiting, underWay }] of this.#lines) {
      if (waiting.length + underWay === 0 && !peers.some(({ ed25519 }) => ed25519 === key)) this.#lines.delete(key)
    }
    const line = { peer, waiting: [], waitingBytes: 0, underWay: 0, knowsFrames: true, isImpatient: false }
    this.#lines.set(peer.ed25519, line)
    return line
  }

  #startDeadline(shared: Shared): void {
    if (shared.open.size === 0) return
    shared.cancelDeadline = this.#parts.timers.after(PEER_TIMEOUT_MS, () => {
      for (const waiting of shared.open) expire(waiting)
    })
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#parts.timers.soon(() => {
      this.#isScheduled = false
      for (const line of this.#lines.values()) this.#flush(line, line.knowsFrames ? UNDER_WAY_MAX : UNDER_WAY_LIMIT)
    })
  }

  /** Sends what may go while fewer than `underWayMax` are under way. */
  #flush(line: Line, underWayMax: number): void {
    for (let next = line.waiting[0]; next !== undefined; next = line.waiting[0]) {
      if (isLone(next)) {
        void this.#send(line, take(line, 1))
      } else if (line.underWay < underWayMax) {
        line.underWay++
        void this.#send(line, take(line, line.knowsFrames ? frameLength(line) : 1)).then(() => {
          line.underWay--
          if (line.waiting.length > 0) this.#schedule()
        })
      } else {
        this.#beImpatient(line)
        return
      }
    }
  }

  #beImpatient(line: Line): void {
    if (line.isImpatient || line.underWay >= UNDER_WAY_LIMIT) return
    line.isImpatient = true
    this.#parts.timers.after(PATIENCE_MS, () => {
      line.isImpatient = false
      this.#flush(line, Math.min(line.underWay + 1, UNDER_WAY_LIMIT))
    })
  }

  /** Never rejects. */
  async #send(line: Line, requests: readonly Waiting[]): Promise<void> {
    let giveUp = nothing
    // A body is waited for as long as one of its requests is.
    const from = new Promise<void>(resolve => {
      giveUp = resolve
    })
    const sent: Sent = { open: requests.length, giveUp }
    for (const waiting of requests) waiting.sent = sent
    const [only] = requests.length === 1 ? requests : []
    try {
      const { body, headers } = only === undefined ? this.#frame(requests) : this.#alone(only.shared)
      const maxBytes = only === undefined ? FRAME_REPLY_MAX_BYTES : (only.shared.entryMaxBytes ?? REPLY_MAX_BYTES)
      const reply = await this.#parts.sender.send(line.peer, body, headers, { timeoutMs: 0, maxBytes, from })
      if (only !== undefined) settle(only, reply)
      else if (UNAWARE.has(reply.status)) this.#sendSingly(line, requests)
      else settleFrame(requests, reply)
    } catch (error) {
      for (const waiting of requests) if (close(waiting)) waiting.reject(error)
    }
  }

  #alone(shared: Shared): SignedBody {
    const { body } = shared
    shared.headers ??= this.#sign(body)
    return { body, headers: shared.headers }
  }

  #frame(waiting: readonly Waiting[]): SignedBody {
    const last = this.#lastFrame
    if (last?.requests.length === waiting.length && waiting.every(({ shared }, i) => shared === last.requests[i]))
      return last.signed
    const requests = waiting.map(({ shared }) => shared)
    const body = encodeFrame(requests.map(request => request.body))
    const signed = { body, headers: this.#sign(body) }
    this.#lastFrame = { requests, signed }
    return signed
  }

  #sign(body: Uint8Array): PeerHeaders {
    const { crypto, identity, clock } = this.#parts
    return signPeerRequest(crypto, identity, body, clock.nowMs())
  }

  /** None of them was done, or, if the member does not tell the truth, they are done twice: that changes nothing. */
  #sendSingly(line: Line, requests: readonly Waiting[]): void {
    line.knowsFrames = false
    this.#parts.timers.after(UNAWARE_MS, () => {
      line.knowsFrames = true
    })
    const open = requests.filter(waiting => waiting.shared.open.has(waiting))
    for (const waiting of open) {
      waiting.sent = undefined
      line.waitingBytes += waiting.shared.body.length
    }
    line.waiting.unshift(...open)
  }
}

function wait(line: Line, shared: Shared): Promise<PeerReply> {
  const sizeBytes = shared.body.length
  if (line.waiting.length >= WAITING_MAX || line.waitingBytes + sizeBytes > WAITING_MAX_BYTES)
    return Promise.reject(new NodeError('peer-timeout', 'too many requests wait for a peer'))
  return new Promise((resolve, reject) => {
    const waiting: Waiting = { line, shared, resolve, reject, sent: undefined }
    shared.open.add(waiting)
    line.waiting.push(waiting)
    line.waitingBytes += sizeBytes
  })
}

function isLone({ shared: { body, entryMaxBytes } }: Waiting): boolean {
  return entryMaxBytes !== undefined || body.length > LONE_BYTES
}

/** How many of those that wait, from the first on, go into one frame. */
function frameLength({ waiting }: Line): number {
  let sizeBytes = PART_OVERHEAD_BYTES
  let count = 0
  for (; count < Math.min(waiting.length, FRAME_REQUESTS_MAX); count++) {
    const next = waiting[count]!
    sizeBytes += next.shared.body.length + PART_OVERHEAD_BYTES
    if (isLone(next) || sizeBytes > FRAME_MAX_BYTES) break
  }
  return count
}

function take(line: Line, count: number): Waiting[] {
  const taken = line.waiting.splice(0, count)
  for (const { shared } of taken) line.waitingBytes -= shared.body.length
  return taken
}

/** Its time is over. */
function expire(waiting: Waiting): void {
  close(waiting)
  waiting.reject(new NodeError('peer-timeout', 'a peer did not answer in time'))
  const { line, sent } = waiting
  if (sent !== undefined) {
    if (--sent.open === 0) sent.giveUp()
    return
  }
  line.waiting.splice(line.waiting.indexOf(waiting), 1)
  line.waitingBytes -= waiting.shared.body.length
}

/** Whether it was still waited for. */
function close(waiting: Waiting): boolean {
  const { shared } = waiting
  const wasOpen = shared.open.delete(waiting)
  if (shared.open.size === 0) shared.cancelDeadline()
  return wasOpen
}

function settle(waiting: Waiting, reply: PeerReply): void {
  if (close(waiting)) waiting.resolve(reply)
}

/** @throws NodeError `bad-peer-response` */
function settleFrame(requests: readonly Waiting[], reply: PeerReply): void {
  const { status, body } = reply
  if (status !== 200) {
    for (const waiting of requests) settle(waiting, reply)
    return
  }
  const replies = decodeFrameReply(body, requests.length)
  if (replies === undefined) throw new NodeError('bad-peer-response', 'a peer answered a frame with what is no answer to it')
  requests.forEach((waiting, i) => {
    const { status, body: part } = replies[i]!
    settle(waiting, { status, body: Buffer.from(part.buffer, part.byteOffset, part.length) })
  })
}

function nothing(): void {}
