/** A seed: where clients and nodes learn of the network's nodes, over JSON-RPC (clauses NODE-50 to NODE-52). */
import { loadCrypto } from '@session-v2/crypto'
import { type ServiceNode, urlHost } from '@session-v2/network'
import { type CorsOrigins, DEFAULT_BODY_TIMEOUT_MS, type LogConfig } from './config/node-config.ts'
import type { HttpAnswer } from './http/http-answer.ts'
import { type HttpOptions, HttpServer } from './http/http-server.ts'
import { openLog } from './log.ts'
import { systemTimers, type Timers } from './ports.ts'
import { listHash } from './registry/list-hash.ts'
import { type NodeListParams, nodeList } from './registry/node-list.ts'
import type { NodeList, Registry } from './registry/registry.ts'
import { SOFTWARE } from './version.ts'

const SEED_BODY_MAX_BYTES = 64 * 1024
const METHODS = new Set(['get_n_service_nodes', 'get_service_nodes'])

// JSON-RPC 2.0, section 5.1
const PARSE_ERROR = { code: -32700, message: 'Parse error' }
const METHOD_NOT_FOUND = { code: -32601, message: 'Method not found' }

/** Where a seed has its list from, asked at each request: a registry, which it does not close, or any list. */
export type SeedNodes = { readonly registry: Pick<Registry, 'nodes'> } | { readonly nodes: () => readonly ServiceNode[] }

export type SeedOptions = SeedNodes & {
  readonly host: string
  readonly port: number
  /** Which web pages may read the list; default: those of loopback origins. */
  readonly corsOrigins?: CorsOrigins
  /** PEM texts; without them the seed speaks HTTP. */
  readonly tls?: NonNullable<HttpOptions['tls']>
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
  const { host, tls } = options
  const current = await currentList(options)
  const server = new HttpServer({
    routes: { 'POST /json_rpc': body => answer(current(), body) },
    software: SOFTWARE,
    maxBodyBytes: SEED_BODY_MAX_BYTES,
    bodyTimeoutMs: DEFAULT_BODY_TIMEOUT_MS,
    corsOrigins: options.corsOrigins ?? 'loopback',
    ...(tls !== undefined && { tls }),
    log: openLog(options.log ?? { level: 'warn' }),
    timers: options.timers ?? systemTimers,
  })
  const port = await server.listen(host, options.port)
  return { url: `${tls === undefined ? 'http' : 'https'}://${urlHost(host)}:${port}`, close: () => server.close() }
}

async function currentList(options: SeedNodes): Promise<() => NodeList> {
  if ('registry' in options) return () => options.registry.nodes()
  const crypto = await loadCrypto()
  let list: NodeList | undefined
  return () => {
    const nodes = options.nodes()
    if (nodes !== list?.nodes) list = { nodes, height: 0, blockHash: listHash(crypto, nodes) }
    return list
  }
}

function answer(list: NodeList, body: Buffer): HttpAnswer {
  const request = parse(body)
  if (request === undefined) return { status: 200, body: { jsonrpc: '2.0', id: null, error: PARSE_ERROR } }
  const { id = null, method, params } = request
  if (!METHODS.has(method as string)) return { status: 200, body: { jsonrpc: '2.0', id, error: METHOD_NOT_FOUND } }
  const given = typeof params === 'object' && params !== null ? (params as NodeListParams) : {}
  return { status: 200, body: { jsonrpc: '2.0', id, result: nodeList(list.nodes, given, list) } }
}

function parse(body: Buffer): { id?: unknown; method?: unknown; params?: unknown } | undefined {
  try {
    const request: unknown = JSON.parse(body.toString())
    return typeof request === 'object' && request !== null ? request : undefined
  } catch {
    return undefined
  }
}
