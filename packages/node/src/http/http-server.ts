/**
 * HTTP around whatever answers requests: routes, limits, CORS, and the promise that no request brings the process down
 * (clauses NODE-60 to NODE-66).
 *
 * | request | answer |
 * |---|---|
 * | a known method and path | what its route says |
 * | OPTIONS of a known path from an allowed origin | 204, preflight |
 * | a body over the limit | 413 `Request body too large`, connection closed |
 * | a body that does not end | 408, connection closed |
 * | anything else | 404 `<method> <path> Not Found` |
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { CorsOrigins } from '../config/node-config.ts'
import { describeException, type Log } from '../log.ts'
import { NodeError } from '../node-error.ts'
import type { Timers } from '../ports.ts'
import { readBody } from './body.ts'
import { allowsOrigin, corsHeaders, PREFLIGHT_HEADERS } from './cors.ts'

export interface HttpAnswer {
  readonly status: number
  /** An object goes out as JSON, a string as plain text. */
  readonly body: object | string
  readonly headers?: Readonly<Record<string, string>>
}

/** Answers one request; may throw, which the other side sees as 500 without a reason. */
export type Route = (body: Buffer, request: IncomingMessage) => HttpAnswer | Promise<HttpAnswer>

export interface HttpOptions {
  /** Keys are `POST /path` or `GET /path`. */
  readonly routes: Readonly<Record<string, Route>>
  /** Value of the `Server` header field. */
  readonly software: string
  readonly maxBodyBytes: number
  readonly bodyTimeoutMs: number
  readonly corsOrigins: CorsOrigins
  /** PEM texts. */
  readonly tls?: { readonly certificate: string; readonly key: string }
  readonly log: Log
  readonly timers: Timers
}

const KEEP_ALIVE_MS = 60_000
/** How long running requests get to finish when the server closes. */
const CLOSE_GRACE_MS = 5_000
const SLOW_CHECKS_PER_TIMEOUT = 4

const NOT_FOUND = 404
const FAILED: HttpAnswer = { status: 500, body: 'request failed' }
const TOO_LARGE: HttpAnswer = { status: 413, body: 'Request body too large', headers: { connection: 'close' } }

export class HttpServer {
  readonly #server: Server
  readonly #options: HttpOptions
  readonly #routes: ReadonlyMap<string, Route>
  readonly #paths: ReadonlySet<string>

  constructor(options: HttpOptions) {
    this.#options = options
    this.#routes = new Map(Object.entries(options.routes))
    this.#paths = new Set([...this.#routes.keys()].map(route => route.slice(route.indexOf(' ') + 1)))
    const settings = {
      keepAliveTimeout: KEEP_ALIVE_MS,
      requestTimeout: options.bodyTimeoutMs,
      headersTimeout: options.bodyTimeoutMs,
      connectionsCheckingInterval: Math.ceil(options.bodyTimeoutMs / SLOW_CHECKS_PER_TIMEOUT),
      noDelay: true,
    }
    const { tls } = options
    this.#server =
      tls === undefined
        ? createServer(settings, this.#receive)
        : createTlsServer({ ...settings, cert: tls.certificate, key: tls.key }, this.#receive)
  }

  /** Resolves to the port. Rejects with NodeError `listen-failed`. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', cause => reject(new NodeError('listen-failed', `cannot listen on ${host}:${port}`, { cause })))
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
    const cancel = this.#options.timers.after(CLOSE_GRACE_MS, () => this.#server.closeAllConnections())
    await closed
    cancel()
  }

  readonly #receive = (request: IncomingMessage, response: ServerResponse): void => {
    this.#answer(request, response).catch((error: unknown) => {
      this.#options.log.error(describeException(error), 'an answer could not be sent')
      response.destroy()
    })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request
    const query = url.indexOf('?')
    const path = query === -1 ? url : url.slice(0, query)
    const route = this.#routes.get(`${method} ${path}`)
    if (route === undefined) {
      this.#answerUnrouted(request, response, path)
      return
    }
    const body = await readBody(request, this.#options.maxBodyBytes)
    if (body.outcome === 'aborted') return
    const answer = body.outcome === 'read' ? await this.#ask(route, body.bytes, request) : TOO_LARGE
    this.#send(request, response, answer)
  }

  async #ask(route: Route, body: Buffer, request: IncomingMessage): Promise<HttpAnswer> {
    try {
      return await route(body, request)
    } catch (error) {
      this.#options.log.error(describeException(error), 'a request failed')
      return FAILED
    }
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
    this.#send(request, response, { status: NOT_FOUND, body, ...(hasBody && { headers: { connection: 'close' } }) })
  }

  #send(request: IncomingMessage, response: ServerResponse, answer: HttpAnswer): void {
    const text = typeof answer.body === 'string'
    // A string goes out in one write together with the head, bytes would follow in a second.
    const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)
    const headers: Record<string, string | number> = {
      'content-type': text ? 'text/plain' : 'application/json',
      'content-length': Buffer.byteLength(body),
      server: this.#options.software,
      ...answer.headers,
    }
    if (!this.#server.listening) headers.connection = 'close'
    const { origin } = request.headers
    if (origin !== undefined && allowsOrigin(this.#options.corsOrigins, origin)) Object.assign(headers, corsHeaders(origin))
    response.writeHead(answer.status, headers)
    response.end(body)
  }
}
