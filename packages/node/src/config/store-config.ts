/**
 * Where a node keeps messages, as `[store]` says it (clauses NODE-28, NODE-140).
 *
 *     kind = "sqlite"                     the default: a file in the data directory
 *     limit_bytes = 10737418240
 *
 *     kind = "redis"                      a cluster that several front ends of one node share
 *     nodes = ["10.0.0.1:6379"]           some of its nodes; the others are learned from them
 *     username = "node"
 *     password_file = "redis.password"    its first line
 *     acknowledge_replicas = 1            that have to have a write before it is acknowledged
 *     key_prefix = "node:"
 *     tls = true                          certificates are verified, against ca_file where one is named
 *     ca_file = "ca.pem"
 */
import type { ConfigTable } from './config-table.ts'

export interface SqliteStoreConfig {
  readonly kind: 'sqlite'
  /** Bounds the database file. */
  readonly limitBytes: number
}

export interface RedisStoreConfig {
  readonly kind: 'redis'
  /** `host:port` of some of its nodes. */
  readonly nodes: readonly string[]
  readonly tls?: { readonly caFile?: string }
  readonly username?: string
  readonly passwordFile?: string
  /** 0: none. */
  readonly acknowledgeReplicas: number
  /** Begins every key; without braces. */
  readonly keyPrefix: string
}

export type StoreConfig = SqliteStoreConfig | RedisStoreConfig

const MIB = 1024 * 1024
export const DEFAULT_DATABASE_LIMIT_BYTES = 10 * 1024 * MIB
const REPLICAS_MAX = 10

/** Reads the table, or the short form `database_limit_bytes` where there is none. `path` makes a path absolute. */
export function readStore(root: ConfigTable, path: (relative: string) => string): StoreConfig {
  const bounds = { min: MIB, max: Number.MAX_SAFE_INTEGER, default: DEFAULT_DATABASE_LIMIT_BYTES }
  const table = root.table('store')
  if (table === undefined) return { kind: 'sqlite', limitBytes: root.integer('database_limit_bytes', bounds) }
  const kind = table.oneOf('kind', ['sqlite', 'redis'], 'sqlite')
  const store = kind === 'redis' ? readRedis(table, path) : { kind, limitBytes: table.integer('limit_bytes', bounds) }
  table.finish()
  return store
}

function readRedis(table: ConfigTable, path: (relative: string) => string): RedisStoreConfig {
  const nodes = table.strings('nodes')
  if (nodes.length === 0) throw table.error('nodes', 'names no node of the cluster')
  const username = table.optionalString('username')
  const passwordFile = table.optionalString('password_file')
  const caFile = table.optionalString('ca_file')
  const isTls = table.boolean('tls', false)
  if (caFile !== undefined && !isTls) throw table.error('ca_file', 'is for tls = true')
  return {
    kind: 'redis',
    nodes,
    ...(isTls && { tls: caFile === undefined ? {} : { caFile: path(caFile) } }),
    ...(username !== undefined && { username }),
    ...(passwordFile !== undefined && { passwordFile: path(passwordFile) }),
    acknowledgeReplicas: table.integer('acknowledge_replicas', { min: 0, max: REPLICAS_MAX, default: 1 }),
    keyPrefix: table.optionalString('key_prefix') ?? 'session-v2:',
  }
}

/** The table as values that TOML can write. */
export function printStore(store: StoreConfig): Readonly<Record<string, unknown>> {
  if (store.kind === 'sqlite') return { kind: store.kind, limit_bytes: store.limitBytes }
  const { tls, username, passwordFile } = store
  return {
    kind: store.kind,
    nodes: store.nodes,
    ...(username !== undefined && { username }),
    ...(passwordFile !== undefined && { password_file: passwordFile }),
    acknowledge_replicas: store.acknowledgeReplicas,
    key_prefix: store.keyPrefix,
    tls: tls !== undefined,
    ...(tls?.caFile !== undefined && { ca_file: tls.caFile }),
  }
}
