/**
 * HTTP around whatever answers requests: routes, limits, CORS, and the promise that no request brings the process down
 * (clauses NODE-60 to NODE-66, NODE-104, NODE-105, NODE-107 to NODE-109).
 *
 * | request | answer |
 * |---|---|
 * | a known method and path | what its route says |
 * | OPTIONS of a known path from an allowed origin | 204, preflight |
 * | a body over the limit | 413 `Request body too large`, connection closed |
 * | a body that does not end, or comes too slowly | 408, connection closed |
 * | more than the server takes on | 503 `Server busy, try again later`, connection kept |
 * | anything else | 404 `<method> <path> Not Found` |
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { LIMITS_WITHOUT_RATES, type LimitsConfig } from '../config/limits-config.ts'
import type { CorsOrigins } from '../config/node-config.ts'
import { describeException, type Log } from '../log.ts'
import { NodeError } from '../node-error.ts'
import { addressKey, TrustedProxies } from '../operations/client-address.ts'
import { leaveBehind } from '../operations/heap.ts'
import type { NodeMetrics } from '../operations/metrics.ts'
import type { TlsTexts } from '../operations/tls.ts'
import { type Clock, monotonicClock, type Timers } from '../ports.ts'
import { type Body, type BodyLimits, hasLongBody, isStreamed, type Reading, readBody } from './body.ts'
import { type Connection, ConnectionTable } from './connection-table.ts'
import { allowsOrigin, corsHeaders, PREFLIGHT_HEADERS } from './cors.ts'
import {
  type Admit,
  BUSY,
  type Content,
  contentOf,
  FAILED,
  type HttpAnswer,
  type Route,
  TOO_LARGE,
  TOO_SLOW,
  type Upgrade,
} from './http-answer.ts'
import { LoadGate } from './load-gate.ts'
import { SlowBodies } from './slow-bodies.ts'
import { Turns } from './turns.ts'
import { WaitingAnswers } from './waiting-answers.ts'

export interface HttpOptions {
  /** Keys are `POST /path` or `GET /path`. */
  readonly routes: Readonly<Record<string, Route>>
  /** Paths on which a connection may change to another protocol. */
  readonly upgrades?: Readonly<Record<string, Upgrade>>
  /** Value of the `Server` header field. */
  readonly software: string
  readonly maxBodyBytes: number
  readonly bodyTimeoutMs: number
  readonly corsOrigins: CorsOrigins
  readonly tls?: TlsTexts
  /** Default: those of the configuration, without rates. */
  readonly limits?: LimitsConfig
  readonly admit?: Admit
  readonly metrics?: NodeMetrics
  readonly log: Log
  readonly timers: Timers
  /** One that only moves on; the default is the system's. */
  readonly clock?: Clock
}

interface WrittenAnswer {
  readonly answer: HttpAnswer
  readonly content: Content
}

const KEEP_ALIVE_MS = 60_000
/** How long running requests get to finish when the server closes. */
const CLOSE_GRACE_MS = 5_000
/** How long a client that floods waits for each refusal. */
const LATE_MS = 1_000
/** How long nothing is read of an address that does not wait for them. */
const SHUN_MS = 5_000
/** Requests that such a client may send before it has its refusal; they are not answered. */
const AHEAD_MAX = 8
const SLOW_CHECKS_PER_TIMEOUT = 4
/** A body above this size is worth collecting when it is not needed any more. */
const LARGE_BYTES = 256 * 1024
const NOT_FOUND = 404
/** What clients and nodes have spoken since 2018; the suites are those that both sides compute fast. */
const TLS_SETTINGS = {
  minVersion: 'TLSv1.2',
  ciphers:
    'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305',
  ecdhCurve: 'X25519:P-256',
} as const

export class HttpServer {
  readonly #server: Server
  readonly #options: HttpOptions
  readonly #routes: ReadonlyMap<string, Route>
  readonly #paths: ReadonlySet<string>
  readonly #clock: Clock
  readonly #proxies: TrustedProxies
  readonly #gate: LoadGate
  readonly #answers: WaitingAnswers
  readonly #slowBodies: SlowBodies
  readonly #bodyLimits: BodyLimits
  readonly #turns: Turns
  readonly connections: ConnectionTable

  constructor(options: HttpOptions) {
    const { limits = LIMITS_WITHOUT_RATES, clock = monotonicClock } = options
    this.#options = options
    this.#clock = clock
    this.#routes = new Map(Object.entries(options.routes))
    this.#paths = new Set([...this.#routes.keys()].map(route => route.slice(route.indexOf(' ') + 1)))
    this.#proxies = new TrustedProxies(limits.trustedProxies)
    this.#gate = new LoadGate(limits)
    this.#answers = new WaitingAnswers(this.#gate, clock)
    this.#bodyLimits = { maxBytes: options.maxBodyBytes, gate: this.#gate }
    this.#turns = new Turns(clock, options.timers)
    this.#slowBodies = new SlowBodies(limits.bytesPerSecond, clock, options.timers)
    this.connections = new ConnectionTable(limits, this.#proxies)
    this.#server = createHttpServer(options, limits, this.#receive)
    this.#server.on('connection', (socket: Socket) => {
      if (!this.connections.add(socket)) this.#stopReading(socket)
    })
    if (options.upgrades !== undefined) this.#server.on('upgrade', this.#upgrade)
  }

  /** Resolves to the port. Rejects with NodeError `listen-failed`. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', cause => reject(listenFailed(host, port, cause)))
      this.#server.listen(port, host, () => {
        // A connection that the system cannot accept, for want of memory: without a listener it would end the process.
        this.#server.on('error', cause => this.#options.log.error(describeException(cause), 'a connection was not accepted'))
        resolve((this.#server.address() as AddressInfo).port)
      })
    })
  }

  /** Stops listening, lets running requests finish, then resolves. */
  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise(resolve => this.#server.once('close', resolve))
    this.#server.close()
    // The server itself does not know those that changed to another protocol any more.
    const cancel = this.#options.timers.after(CLOSE_GRACE_MS, () => this.connections.destroyAll())
    await closed
    cancel()
  }

  readonly #receive = (request: IncomingMessage, response: ServerResponse): void => {
    this.#answer(request, response).catch((error: unknown) => {
      this.#options.log.error(describeException(error), 'an answer could not be sent')
      response.destroy()
    })
  }

  readonly #upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // Until the route listens itself, an error of the connection would end the process.
    socket.on('error', () => {})
    const upgrade = this.#options.upgrades?.[pathOf(request)]
    const address = this.#addressOf(request, this.connections.of(request.socket))
    const refusal = upgrade === undefined ? NOT_FOUND : this.#options.admit?.request(request, pathOf(request), address)?.status
    if (upgrade === undefined || refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    upgrade(request, socket, head, address)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedMs = this.#clock.nowMs()
    const path = pathOf(request)
    const { admit } = this.#options
    const connection = this.connections.of(request.socket)
    // What a client had sent ahead on a connection that was closed meanwhile.
    if (request.socket.destroyed || (connection !== undefined && this.connections.isShunned(connection))) return
    const address = this.#addressOf(request, connection)
    const refusal = admit?.request(request, path, address) ?? (this.#answers.makeRoom(address) ? undefined : this.#busy())
    if (refusal !== undefined) {
      this.#sendRefusal(request, response, refusal, startedMs, connection)
      return
    }
    const route = this.#routes.get(`${request.method} ${path}`)
    if (route === undefined) {
      this.#answerUnrouted(request, response, path)
      return
    }
    const pay = () => admit === undefined || admit.bodyPart(path, address)
    const reading: Reading = { startedMs, share: { bytes: 0 }, pay, giveUp: ignored }
    this.#slowBodies.add(reading)
    const body = await readBody(request, this.#bodyLimits, reading)
    this.#slowBodies.delete(reading)
    try {
      if (body.outcome === 'unpaid' && admit !== undefined) {
        this.#sendRefusal(request, response, admit.refusal(request, address), startedMs, connection)
        return
      }
      if (body.outcome === 'read') {
        const { answer, content } = await this.#run(route, body.bytes, request, address, connection)
        this.#send(request, response, answer, startedMs, content)
      } else {
        const refusal = this.#refuse(body)
        if (refusal !== undefined) this.#send(request, response, refusal, startedMs)
      }
    } finally {
      const { bytes } = reading.share
      this.#gate.release(reading.share)
      if (bytes > LARGE_BYTES) this.#options.timers.soon(() => leaveBehind(bytes))
    }
  }

  /** Behind a refusal a connection is kept, but not for a long body that nobody will read. */
  #sendRefusal(
    request: IncomingMessage,
    response: ServerResponse,
    refusal: HttpAnswer,
    startedMs: number,
    connection: Connection | undefined,
  ): void {
    const answer = hasLongBody(request) ? { ...refusal, headers: { ...refusal.headers, connection: 'close' } } : refusal
    if (refusal.isLate !== true || connection === undefined) {
      this.#send(request, response, answer, startedMs)
      return
    }
    // What is sent ahead costs as much as what is asked, and so does a body in pieces.
    if (isStreamed(request) || (connection.isHeld && ++connection.ahead > AHEAD_MAX)) {
      const { address } = connection
      if (this.connections.shun(connection)) this.#options.timers.after(SHUN_MS, () => this.connections.unshun(address))
      return
    }
    if (connection.isHeld) return
    connection.isHeld = true
    this.#stopReading(request.socket)
    const cancel = this.#options.timers.after(LATE_MS, () => {
      connection.isHeld = false
      request.socket.resume()
      const isAlone = connection.ahead === 0
      this.#send(request, response, isAlone ? answer : { ...answer, headers: { connection: 'close' } }, startedMs)
    })
    response.once('close', cancel)
  }

  /** Reading has been asked for, for the same turn of the event loop, by whoever made the connection or the request: it is stopped behind that. */
  #stopReading(socket: Socket): void {
    this.#options.timers.soon(() => socket.pause())
  }

  /** The answer to a body that was not read to its end; undefined when the other side has given up. */
  #refuse({ outcome }: Body): HttpAnswer | undefined {
    if (outcome === 'too-large') return TOO_LARGE
    if (outcome === 'no-room') return this.#busy()
    if (outcome !== 'too-slow') return undefined
    this.#options.metrics?.refused('slow')
    return TOO_SLOW
  }

  async #run(
    route: Route,
    body: Buffer,
    request: IncomingMessage,
    address: string,
    connection: Connection | undefined,
  ): Promise<WrittenAnswer> {
    this.#options.metrics?.received(body.length)
    // Those that wait for their turn count too: one of them goes where another address has none.
    if (!this.#gate.enter() && !(this.#turns.giveWay(address) && this.#gate.enterInstead())) return written(this.#busy())
    if (connection !== undefined) connection.running++
    try {
      // Writing the answer is part of the work: of a page it is most of it.
      const work = async () => written(await route(body, request, address))
      return (await this.#turns.run(address, work)) ?? written(this.#busy())
    } catch (error) {
      this.#options.log.error(describeException(error), 'a request failed')
      return written(FAILED)
    } finally {
      this.#gate.leave()
      if (connection !== undefined) {
        connection.running--
        this.connections.used(connection)
      }
    }
  }

  #busy(): HttpAnswer {
    this.#options.metrics?.refused('busy')
    return BUSY
  }

  #addressOf(request: IncomingMessage, connection: Connection | undefined): string {
    const { remoteAddress } = request.socket
    if (this.#proxies.isEmpty) return connection?.address ?? addressKey(remoteAddress)
    return addressKey(this.#proxies.clientOf(remoteAddress, request.headers['x-forwarded-for']))
  }

  #answerUnrouted(request: IncomingMessage, response: ServerResponse, path: string): void {
    const { method = '', headers } = request
    const { origin } = headers
    // What nobody will read must not keep the connection: a body on an unknown path is not waited for.
    const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
    if (
      method === 'OPTIONS' &&
      this.#paths.has(path) &&
      origin !== undefined &&
      allowsOrigin(this.#options.corsOrigins, origin)
    ) {
      response.writeHead(204, { server: this.#options.software, ...corsHeaders(origin), ...PREFLIGHT_HEADERS }).end()
      return
    }
    const body = `${method.toLowerCase()} ${path} Not Found`
    const answer = { status: NOT_FOUND, body, ...(hasBody && { headers: { connection: 'close' } }) }
    this.#send(request, response, answer, this.#clock.nowMs())
  }

  #send(
    request: IncomingMessage,
    response: ServerResponse,
    answer: HttpAnswer,
    startedMs: number,
    content = contentOf(answer),
  ): void {
    const address = this.#addressOf(request, this.connections.of(request.socket))
    // Others may have filled the room since this one was asked for.
    const isTaken = this.#answers.hasRoom(content.sizeBytes, address)
    this.#write(request, response, isTaken ? answer : this.#busy(), isTaken ? content : contentOf(BUSY), address)
    const { metrics } = this.#options
    if (metrics === undefined) return
    metrics.sent(content.sizeBytes)
    metrics.answered(answer.method ?? '', isTaken ? answer.status : BUSY.status, (this.#clock.nowMs() - startedMs) / 1000)
  }

  #write(
    request: IncomingMessage,
    response: ServerResponse,
    { status, headers: more }: HttpAnswer,
    { type, body, sizeBytes }: Content,
    address: string,
  ): void {
    const headers: Record<string, string | number> = {
      'content-type': type,
      'content-length': sizeBytes,
      server: this.#options.software,
      ...more,
    }
    if (!this.#server.listening) headers.connection = 'close'
    const { origin } = request.headers
    if (origin !== undefined && allowsOrigin(this.#options.corsOrigins, origin)) Object.assign(headers, corsHeaders(origin))
    response.writeHead(status, headers)
    response.end(body)
    this.#answers.add(response, address, sizeBytes)
  }
}

function createHttpServer(
  options: HttpOptions,
  limits: LimitsConfig,
  receive: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const { bodyTimeoutMs, tls } = options
  const settings = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: bodyTimeoutMs,
    headersTimeout: Math.min(limits.headTimeoutMs, bodyTimeoutMs),
    connectionsCheckingInterval: Math.ceil(bodyTimeoutMs / SLOW_CHECKS_PER_TIMEOUT),
    noDelay: true,
  }
  if (tls === undefined) return createServer(settings, receive)
  const handshakeTimeout = settings.headersTimeout
  return createTlsServer({ ...settings, ...TLS_SETTINGS, handshakeTimeout, cert: tls.certificate, key: tls.key }, receive)
}

function listenFailed(host: string, port: number, cause: Error): NodeError {
  const { code } = cause as NodeJS.ErrnoException
  return new NodeError('listen-failed', `cannot listen on ${host}:${port}: ${adviceFor(code)}`, { cause })
}

function adviceFor(code: string | undefined): string {
  if (code === 'EADDRINUSE') return 'another program uses this port; stop it, or set another port'
  if (code === 'EACCES') return 'ports below 1024 need a right that this user lacks; set another port'
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return 'this machine does not have the address; set host to one of its own'
  return code ?? 'the system refused'
}

function written(answer: HttpAnswer): WrittenAnswer {
  return { answer, content: contentOf(answer) }
}

function ignored(): void {}

function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}
