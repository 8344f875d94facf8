/** A seed: where clients learn of the network's nodes, over JSON-RPC (clause NODE-50). */
import type { ServiceNode } from '@session-v2/network'
import { DEFAULT_BODY_TIMEOUT_MS, type LogConfig } from './config/node-config.ts'
import { type HttpAnswer, HttpServer } from './http/http-server.ts'
import { openLog } from './log.ts'
import { systemTimers, type Timers } from './ports.ts'
import { type NodeListParams, nodeList } from './registry/node-list.ts'
import { SOFTWARE } from './version.ts'

const SEED_BODY_MAX_BYTES = 64 * 1024
const METHODS = new Set(['get_n_service_nodes', 'get_service_nodes'])

// JSON-RPC 2.0, section 5.1
const PARSE_ERROR = { code: -32700, message: 'Parse error' }
const METHOD_NOT_FOUND = { code: -32601, message: 'Method not found' }

export interface SeedOptions {
  readonly host: string
  readonly port: number
  /** Asked at each request. */
  readonly nodes: () => readonly ServiceNode[]
  /** Default: warnings to standard error. */
  readonly log?: LogConfig
  readonly timers?: Timers
}

export interface RunningSeed {
  readonly url: string
  close(): Promise<void>
}

/** Starts a seed. Rejects with NodeError `listen-failed`. */
export async function startSeed(options: SeedOptions): Promise<RunningSeed> {
  const server = new HttpServer({
    routes: { 'POST /json_rpc': body => answer(options.nodes(), body) },
    software: SOFTWARE,
    maxBodyBytes: SEED_BODY_MAX_BYTES,
    bodyTimeoutMs: DEFAULT_BODY_TIMEOUT_MS,
    corsOrigins: 'loopback',
    log: openLog(options.log ?? { level: 'warn' }),
    timers: options.timers ?? systemTimers,
  })
  const port = await server.listen(options.host, options.port)
  return { url: `http://${options.host}:${port}`, close: () => server.close() }
}

function answer(nodes: readonly ServiceNode[], body: Buffer): HttpAnswer {
  const request = parse(body)
  if (request === undefined) return { status: 200, body: { jsonrpc: '2.0', id: null, error: PARSE_ERROR } }
  const { id = null, method, params } = request
  if (!METHODS.has(method as string)) return { status: 200, body: { jsonrpc: '2.0', id, error: METHOD_NOT_FOUND } }
  const given = typeof params === 'object' && params !== null ? (params as NodeListParams) : {}
  return { status: 200, body: { jsonrpc: '2.0', id, result: nodeList(nodes, given) } }
}

function parse(body: Buffer): { id?: unknown; method?: unknown; params?: unknown } | undefined {
  try {
    const request: unknown = JSON.parse(body.toString())
    return typeof request === 'object' && request !== null ? request : undefined
  } catch {
    return undefined
  }
}
