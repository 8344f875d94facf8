/**
 * The settings of one node (clauses NODE-03, NODE-110), written as TOML:
 *
 *     host = "127.0.0.1"                  address to listen on
 *     port = 22021                        0: any free port
 *     data_directory = "data"             database and, unless said otherwise, the key
 *     key_file = "data/node.key"          created with mode 600 when absent
 *     body_timeout_ms = 15000             a request that is not complete by then is dropped
 *     tls = "self-signed"                 a certificate of its own, or the table [tls]; without it plain HTTP
 *     [store]
 *     kind = "sqlite"
 *     limit_bytes = 10737418240           or, above the tables, database_limit_bytes
 *     [registry]
 *     kind = "file"
 *     file = "registry.json"              all nodes of the network, this one included; or, above the tables, registry_file
 *     [cors]
 *     origins = ["https://example.org"]   or "loopback" (the default) or "none"
 *     [tls]
 *     certificate_file = "cert.pem"
 *     key_file = "key.pem"
 *     [limits]                            see limits-config.ts
 *     [onion]                             see onion-config.ts
 *     [swarm]                             see swarm-config.ts
 *     [metrics]
 *     host = "127.0.0.1"                  metrics, health and readiness; off without this table
 *     port = 9090
 *     [log]
 *     level = "info"                      silent, error, warn, info or debug
 *     file = "node.log"                   standard error when absent
 *     addresses = false                   true: the log names addresses that exceed their limit
 *
 * Relative paths start at the folder of the configuration file.
 */
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'smol-toml'
import { NodeError } from '../node-error.ts'
import { ConfigTable } from './config-table.ts'
import { type LimitsConfig, readLimits } from './limits-config.ts'
import { type OnionConfig, readOnion } from './onion-config.ts'
import { type RegistryConfig, readRegistry } from './registry-config.ts'
import { readStore, type StoreConfig } from './store-config.ts'
import { readSwarm, type UpkeepTimes } from './swarm-config.ts'

export type CorsOrigins = 'loopback' | 'none' | readonly string[]

const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const

export interface LogConfig {
  readonly level: (typeof LOG_LEVELS)[number]
  readonly file?: string
  /** Whether the addresses of clients that exceed their limits may be written. Default false. */
  readonly addresses?: boolean
}

/** PEM files, or a certificate that the node makes at its first start. */
export type TlsConfig = { readonly certificateFile: string; readonly keyFile: string } | 'self-signed'

export interface MetricsConfig {
  readonly host: string
  readonly port: number
}

export interface NodeConfig {
  readonly host: string
  readonly port: number
  readonly dataDirectory: string
  readonly keyFile: string
  readonly bodyTimeoutMs: number
  readonly store: StoreConfig
  readonly registry: RegistryConfig
  readonly corsOrigins: CorsOrigins
  readonly tls?: TlsConfig
  readonly limits: LimitsConfig
  readonly onion: OnionConfig
  readonly swarm: UpkeepTimes
  readonly metrics?: MetricsConfig
  readonly log: LogConfig
}

/** A path of the configuration, made absolute. */
type ToPath = (relative: string) => string

const LOOPBACK = '127.0.0.1'
const MAX_PORT = 65_535
export const DEFAULT_BODY_TIMEOUT_MS = 15_000

/** Validates the text of a configuration file; `directory` is where relative paths start. Throws NodeError `bad-config`. */
export function parseNodeConfig(text: string, directory: string): NodeConfig {
  const root = new ConfigTable(parseToml(text))
  const path = (relative: string) => resolve(directory, relative)
  const dataDirectory = path(root.requireString('data_directory'))
  refuseTwice(root, 'registry_file', 'registry')
  refuseTwice(root, 'database_limit_bytes', 'store')
  const tls = readTls(root, path)
  const metrics = readMetrics(root.table('metrics'))
  const config: NodeConfig = {
    host: root.optionalString('host') ?? LOOPBACK,
    port: root.integer('port', { min: 0, max: MAX_PORT }),
    dataDirectory,
    keyFile: path(root.optionalString('key_file') ?? join(dataDirectory, 'node.key')),
    bodyTimeoutMs: root.integer('body_timeout_ms', { min: 100, max: 600_000, default: DEFAULT_BODY_TIMEOUT_MS }),
    store: readStore(root, path),
    registry: readRegistry(root, path),
    corsOrigins: readCors(root.table('cors')),
    ...(tls !== undefined && { tls }),
    limits: readLimits(root.table('limits')),
    onion: readOnion(root.table('onion')),
    swarm: readSwarm(root.table('swarm')),
    ...(metrics !== undefined && { metrics }),
    log: readLog(root.table('log'), path),
  }
  root.finish()
  return config
}

/** Reads and validates a configuration file. Throws NodeError `bad-config`. */
export async function readNodeConfig(file: string): Promise<NodeConfig> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new NodeError('bad-config', `the configuration file ${file} cannot be read`, { cause })
  }
  return parseNodeConfig(text, dirname(resolve(file)))
}

function parseToml(text: string): object {
  try {
    return parse(text)
  } catch (cause) {
    throw new NodeError('bad-config', `configuration: not valid TOML: ${(cause as Error).message.split('\n')[0]}`, { cause })
  }
}

/** A setting has one place: written at both, one of them would silently lose. */
function refuseTwice(root: ConfigTable, short: string, table: string): void {
  if (root.has(short) && root.has(table)) throw root.error(short, `is a short form of the table [${table}]: give one of them`)
}

function readCors(table: ConfigTable | undefined): CorsOrigins {
  if (table === undefined) return 'loopback'
  const origins = table.stringOrStrings('origins') ?? 'loopback'
  table.finish()
  if (origins === 'loopback' || origins === 'none') return origins
  if (typeof origins === 'string') throw table.error('origins', 'must be "loopback", "none" or a list of origins')
  return origins
}

function readTls(root: ConfigTable, path: ToPath): TlsConfig | undefined {
  const text = root.textOf('tls')
  if (text === 'self-signed') return text
  if (text !== undefined) throw root.error('tls', 'must be "self-signed" or a table')
  const table = root.table('tls')
  if (table === undefined) return undefined
  const tls = { certificateFile: path(table.requireString('certificate_file')), keyFile: path(table.requireString('key_file')) }
  table.finish()
  return tls
}

function readMetrics(table: ConfigTable | undefined): MetricsConfig | undefined {
  if (table === undefined) return undefined
  const metrics = {
    host: table.optionalString('host') ?? LOOPBACK,
    port: table.integer('port', { min: 0, max: MAX_PORT }),
  }
  table.finish()
  return metrics
}

function readLog(table: ConfigTable | undefined, path: ToPath): LogConfig {
  if (table === undefined) return { level: 'info', addresses: false }
  const file = table.optionalString('file')
  const log = {
    level: table.oneOf('level', LOG_LEVELS, 'info'),
    ...(file !== undefined && { file: path(file) }),
    addresses: table.boolean('addresses', false),
  }
  table.finish()
  return log
}
