/**
 * The table `[onion]`: what a node does for onion requests that are not for itself (clauses ON-73 to ON-76).
 *
 * | key | default | |
 * |---|---|---|
 * | `servers` | "public" | web servers that requests may go on to: "none", "public", or a list of hosts |
 * | `allow_private` | false | also those at loopback and private addresses |
 * | `relay_timeout_ms` | 30000 | until the next node has answered |
 * | `server_timeout_ms` | 25000 | until a web server has answered |
 * | `relays` | 1024 | requests under way to other nodes; to web servers a quarter of it |
 */
import type { ConfigTable } from './config-table.ts'

/** Which web servers may be asked; hosts of a list as they stand in requests. */
export type OnionServers = 'none' | 'public' | readonly string[]

export interface OnionConfig {
  readonly servers: OnionServers
  readonly allowPrivate: boolean
  readonly relayTimeoutMs: number
  readonly serverTimeoutMs: number
  readonly relays: number
}

export const DEFAULT_ONION: OnionConfig = {
  servers: 'public',
  allowPrivate: false,
  relayTimeoutMs: 30_000,
  serverTimeoutMs: 25_000,
  relays: 1024,
}

const TIMEOUT = { min: 100, max: 600_000 }
const RELAYS = { min: 4, max: 100_000 }

/** Reads the table. Throws NodeError `bad-config`. */
export function readOnion(table: ConfigTable | undefined): OnionConfig {
  if (table === undefined) return DEFAULT_ONION
  const onion = {
    servers: readServers(table),
    allowPrivate: table.boolean('allow_private', DEFAULT_ONION.allowPrivate),
    relayTimeoutMs: table.integer('relay_timeout_ms', { ...TIMEOUT, default: DEFAULT_ONION.relayTimeoutMs }),
    serverTimeoutMs: table.integer('server_timeout_ms', { ...TIMEOUT, default: DEFAULT_ONION.serverTimeoutMs }),
    relays: table.integer('relays', { ...RELAYS, default: DEFAULT_ONION.relays }),
  }
  table.finish()
  return onion
}

/** The table as `readOnion` reads it. */
export function printOnion(onion: OnionConfig): object {
  return {
    servers: onion.servers,
    allow_private: onion.allowPrivate,
    relay_timeout_ms: onion.relayTimeoutMs,
    server_timeout_ms: onion.serverTimeoutMs,
    relays: onion.relays,
  }
}

function readServers(table: ConfigTable): OnionServers {
  const servers = table.stringOrStrings('servers') ?? DEFAULT_ONION.servers
  if (servers === 'none' || servers === 'public' || typeof servers !== 'string') return servers
  throw table.error('servers', 'must be "none", "public" or a list of hosts')
}
