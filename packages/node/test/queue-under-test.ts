/** A queue on its way to members, with a sender and timers that do what the test says. */
import { loadCrypto, systemRandom } from '@session-v2/crypto'
import { encodeUtf8 } from '@session-v2/encoding'
import type { ServiceNode } from '@session-v2/network'
import { identityFromSeed } from '../src/identity.ts'
import type { NodeError } from '../src/node-error.ts'
import type { Timers } from '../src/ports.ts'
import { decodeFrame, encodeFrameReply, isFrame } from '../src/swarm/forward-frame.ts'
import { ForwardQueue, UNDER_WAY_MAX } from '../src/swarm/forward-queue.ts'
import type { PeerHeaders } from '../src/swarm/peer-authentication.ts'
import type { PeerReply, ReplyLimits } from '../src/swarm/peer-sender.ts'

export const NOW_MS = 1_800_000_000_000
export const crypto = await loadCrypto()
const identity = identityFromSeed(crypto, systemRandom().bytes(32))
const DONE = Promise.resolve()

/** Timers that run when told. */
export class ToldTimers implements Timers {
  waits: { readonly delayMs: number; readonly run: () => void }[] = []
  #soon: (() => void)[] = []

  after(delayMs: number, run: () => void): () => void {
    const wait = { delayMs, run }
    this.waits.push(wait)
    return () => {
      this.waits = this.waits.filter(other => other !== wait)
    }
  }

  soon(run: () => void): void {
    this.#soon.push(run)
  }

  /** Runs what was to run soon, and what follows from it. */
  async turn(): Promise<void> {
    for (;;) {
      for (let i = 0; i < 10; i++) await Promise.resolve()
      const runs = this.#soon.splice(0)
      if (runs.length === 0) return
      for (const run of runs) run()
    }
  }

  async pass(delayMs: number): Promise<void> {
    const due = this.waits.filter(wait => wait.delayMs === delayMs)
    this.waits = this.waits.filter(wait => wait.delayMs !== delayMs)
    for (const { run } of due) run()
    await this.turn()
  }

  count(delayMs: number): number {
    return this.waits.filter(wait => wait.delayMs === delayMs).length
  }
}

export interface Call {
  readonly peer: ServiceNode
  readonly body: Uint8Array
  readonly headers: PeerHeaders
  readonly limits: ReplyLimits
  isGivenUp: boolean
  readonly answer: (status: number, body: Uint8Array) => void
  readonly fail: (error: Error) => void
}

export class QueueUnderTest {
  readonly timers = new ToldTimers()
  readonly calls: Call[] = []
  readonly #queue: ForwardQueue

  constructor() {
    const send = (to: ServiceNode, body: Uint8Array, headers: PeerHeaders, limits?: ReplyLimits) =>
      new Promise<PeerReply>((resolve, reject) => {
        const answer = (status: number, text: Uint8Array) => resolve({ status, body: Buffer.from(text) })
        const call: Call = { peer: to, body, headers, limits: limits!, isGivenUp: false, answer, fail: reject }
        this.calls.push(call)
        void limits!.from!.then(() => {
          call.isGivenUp = true
        })
      })
    const sender = { send, close: () => {} }
    this.#queue = new ForwardQueue({ crypto, identity, clock: { nowMs: () => NOW_MS }, timers: this.timers, sender })
  }

  /** What came of a request at each member: the text of the answer, with its status unless 200, or the code of the error. */
  ask(
    text: string | Uint8Array,
    peers = [peer(1)],
    parts: { executed?: Promise<unknown>; entryMaxBytes?: number } = {},
  ): Promise<string>[] {
    const body = typeof text === 'string' ? encodeUtf8(text) : text
    return this.#queue.send(peers, { body, executed: DONE, ...parts }).map(reply =>
      reply.then(
        ({ status, body: answer }) => (status === 200 ? answer.toString() : `${status} ${answer}`),
        (error: NodeError) => error.code,
      ),
    )
  }

  /** As many bodies as may be under way while others gather, one request each. */
  async fillWay(): Promise<void> {
    for (let i = 0; i < UNDER_WAY_MAX; i++) {
      void this.ask(`first ${i}`)
      await this.timers.turn()
    }
  }
}

export function peer(name: number): ServiceNode {
  const ed25519 = String(name).padStart(64, '0')
  return { ed25519, x25519: ed25519, host: '127.0.0.1', port: name, protocol: 'http', swarmId: 1n }
}

export function textsOf({ body }: Call): string[] {
  return (isFrame(body) ? decodeFrame(body)! : [body]).map(request => Buffer.from(request).toString())
}

/** Answers each request with its text and an exclamation mark. */
export function agree(call: Call): void {
  const parts = textsOf(call).map(text => ({ status: 200, body: encodeUtf8(`${text}!`) }))
  call.answer(200, isFrame(call.body) ? encodeFrameReply(parts) : parts[0]!.body)
}
