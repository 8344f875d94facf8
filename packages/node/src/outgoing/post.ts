/**
 * POST requests to other computers: over connections that are kept, or over one for this request alone. Redirects are not followed; who asks
 * bounds what comes back, and how long it may take.
 * undici, because it takes half the processor time of node:http (bench `onion`).
 */
/// <reference path="./undici-parts.d.ts" />
import type { Dispatcher } from 'undici'
import Agent from 'undici/lib/dispatcher/agent.js'
import Client from 'undici/lib/dispatcher/client.js'

export interface PostTarget {
  readonly protocol: 'http' | 'https'
  readonly host: string
  readonly port: number
  readonly path: string
  /** Fields beside `Host`, which is made of `host` and `port` unless it is here, and the length. */
  readonly headers: Readonly<Record<string, string>>
}

export interface PostAnswer {
  readonly status: number
  readonly body: Buffer
}

/** What of TLS differs between nodes and web servers. */
export interface TlsOptions {
  readonly rejectUnauthorized: boolean
  readonly servername?: string
  readonly ca?: string
}

/**
 * Why there is no answer:
 * - `unreachable`: no connection
 * - `closed`: a connection that ended before an answer began; a kept one may have been closed just then
 * - `broken`: what came is no HTTP, or ended within
 */
export class PostError extends Error {
  readonly kind: 'unreachable' | 'closed' | 'broken'

  constructor(kind: PostError['kind'], cause: unknown) {
    super(`a request got no answer: ${kind}`, { cause })
    this.kind = kind
  }
}

/** A request on its way. */
export interface Post {
  /** Rejects with PostError, with what `taking` threw, or with the reason of `stop`. */
  readonly answer: Promise<PostAnswer>
  stop(reason: Error): void
}

const CLOSED_CODES: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE'])
/** Of errors that undici gives no code of their own. */
const CLOSED_MESSAGE = 'other side closed'
const BROKEN_CODES: ReadonlySet<unknown> = new Set([undefined, 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_OVERFLOW'])
/** The first status that is an answer; those below announce one. */
const STATUS_MIN = 200
/** Nodes keep a connection for a minute. */
const IDLE_MS = 50_000
const NO_LIMIT = 0

/** Kept connections, up to so many to each other computer. */
export function keptConnections(perHost: number, tls: TlsOptions): Dispatcher {
  return new Agent({ connections: perHost, connect: { ...tls }, ...settings(IDLE_MS) })
}

/** One POST over kept connections. `taking` is told of each piece of the answer before it is kept; what it throws ends the request. */
export function post(connections: Dispatcher, target: PostTarget, body: Uint8Array, taking: (pieceBytes: number) => void): Post {
  const running = new RunningPost(taking)
  const { path, headers } = target
  connections.dispatch({ origin: originOf(target), path, method: 'POST', headers, body }, running)
  return running
}

/** The same over a connection of its own, to a host that may be another than its name in `tls`. */
export function postAlone(target: PostTarget, tls: TlsOptions, body: Uint8Array, taking: (pieceBytes: number) => void): Post {
  const client = new Client(originOf(target), { connect: { ...tls }, ...settings(1) })
  const running = post(client, target, body, taking)
  const end = (): void => void client.destroy()
  running.answer.then(end, end)
  return running
}

class RunningPost implements Post, Dispatcher.DispatchHandler {
  readonly answer: Promise<PostAnswer>
  readonly #taking: (pieceBytes: number) => void
  #resolve!: (answer: PostAnswer) => void
  #reject!: (error: unknown) => void
  #controller: Dispatcher.DispatchController | undefined
  #reason: Error | undefined
  #began = false
  #status = 0
  readonly #pieces: Buffer[] = []

  constructor(taking: (pieceBytes: number) => void) {
    this.#taking = taking
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** A request that waits for its connection is given up as soon as it has one. */
  stop(reason: Error): void {
    this.#reason ??= reason
    this.#reject(this.#reason)
    this.#controller?.abort(this.#reason)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#reason !== undefined) controller.abort(this.#reason)
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number): void {
    this.#began = true
    if (status >= STATUS_MIN) this.#status = status
  }

  onResponseData(_: Dispatcher.DispatchController, piece: Buffer): void {
    try {
      this.#taking(piece.length)
      this.#pieces.push(piece)
    } catch (error) {
      this.stop(error as Error)
    }
  }

  onResponseEnd(): void {
    const [only] = this.#pieces
    const body = this.#pieces.length === 1 && only !== undefined ? only : Buffer.concat(this.#pieces)
    this.#resolve({ status: this.#status, body })
  }

  onResponseError(_: unknown, error: Error): void {
    this.#reject(this.#reason ?? new PostError(kindOf(error, this.#began), error))
  }
}

function kindOf({ code, message }: NodeJS.ErrnoException, began: boolean): PostError['kind'] {
  if (began) return 'broken'
  if (CLOSED_CODES.has(code) || message === CLOSED_MESSAGE) return 'closed'
  return BROKEN_CODES.has(code) ? 'broken' : 'unreachable'
}

function settings(idleMs: number) {
  return {
    pipelining: 1,
    keepAliveTimeout: idleMs,
    keepAliveMaxTimeout: IDLE_MS,
    headersTimeout: NO_LIMIT,
    bodyTimeout: NO_LIMIT,
  }
}

function originOf({ protocol, host, port }: PostTarget): string {
  return `${protocol}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
