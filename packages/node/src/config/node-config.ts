/**
 * The settings of one node (clause NODE-03), written as TOML:
 *
 *     host = "127.0.0.1"                  address to listen on
 *     port = 22021                        0: any free port
 *     data_directory = "data"             database and, unless said otherwise, the key
 *     key_file = "data/node.key"          created with mode 600 when absent
 *     registry_file = "registry.json"     all nodes of the network, this one included
 *     database_limit_bytes = 10737418240
 *     body_timeout_ms = 15000             a request that is not complete by then is dropped
 *     [cors]
 *     origins = ["https://example.org"]   or "loopback" (the default) or "none"
 *     [tls]
 *     certificate_file = "cert.pem"
 *     key_file = "key.pem"
 *     [log]
 *     level = "info"                      silent, error, warn, info or debug
 *     file = "node.log"                   standard error when absent
 *
 * Relative paths start at the folder of the configuration file.
 */
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'smol-toml'
import { NodeError } from '../node-error.ts'
import { ConfigTable } from './config-table.ts'

export type CorsOrigins = 'loopback' | 'none' | readonly string[]

const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const

export interface LogConfig {
  readonly level: (typeof LOG_LEVELS)[number]
  readonly file?: string
}

export interface TlsConfig {
  /** PEM files. */
  readonly certificateFile: string
  readonly keyFile: string
}

export interface NodeConfig {
  readonly host: string
  readonly port: number
  readonly dataDirectory: string
  readonly keyFile: string
  readonly registryFile: string
  readonly databaseLimitBytes: number
  readonly bodyTimeoutMs: number
  readonly corsOrigins: CorsOrigins
  readonly tls?: TlsConfig
  readonly log: LogConfig
}

const MIB = 1024 * 1024
export const DEFAULT_DATABASE_LIMIT_BYTES = 10 * 1024 * MIB
export const DEFAULT_BODY_TIMEOUT_MS = 15_000

/** Validates the text of a configuration file; `directory` is where relative paths start. Throws NodeError `bad-config`. */
export function parseNodeConfig(text: string, directory: string): NodeConfig {
  const root = new ConfigTable(parseToml(text))
  const path = (relative: string) => resolve(directory, relative)
  const dataDirectory = path(root.requireString('data_directory'))
  const tls = readTls(root.table('tls'), path)
  const config: NodeConfig = {
    host: root.optionalString('host') ?? '127.0.0.1',
    port: root.integer('port', { min: 0, max: 65_535 }),
    dataDirectory,
    keyFile: path(root.optionalString('key_file') ?? join(dataDirectory, 'node.key')),
    registryFile: path(root.requireString('registry_file')),
    databaseLimitBytes: root.integer('database_limit_bytes', {
      min: MIB,
      max: Number.MAX_SAFE_INTEGER,
      default: DEFAULT_DATABASE_LIMIT_BYTES,
    }),
    bodyTimeoutMs: root.integer('body_timeout_ms', { min: 100, max: 600_000, default: DEFAULT_BODY_TIMEOUT_MS }),
    corsOrigins: readCors(root.table('cors')),
    ...(tls !== undefined && { tls }),
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

function readCors(table: ConfigTable | undefined): CorsOrigins {
  if (table === undefined) return 'loopback'
  const origins = table.stringOrStrings('origins') ?? 'loopback'
  table.finish()
  if (origins === 'loopback' || origins === 'none') return origins
  if (typeof origins === 'string') throw table.error('origins', 'must be "loopback", "none" or a list of origins')
  return origins
}

function readTls(table: ConfigTable | undefined, path: (relative: string) => string): TlsConfig | undefined {
  if (table === undefined) return undefined
  const tls = { certificateFile: path(table.requireString('certificate_file')), keyFile: path(table.requireString('key_file')) }
  table.finish()
  return tls
}

function readLog(table: ConfigTable | undefined, path: (relative: string) => string): LogConfig {
  if (table === undefined) return { level: 'info' }
  const file = table.optionalString('file')
  const log = { level: table.oneOf('level', LOG_LEVELS, 'info'), ...(file !== undefined && { file: path(file) }) }
  table.finish()
  return log
}
