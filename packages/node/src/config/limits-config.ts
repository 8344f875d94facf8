/**
 * The table `[limits]`: what clients may use of the node (clauses NODE-100 to NODE-107). Of every number 0 means: no limit.
 *
 * | key | default | bounds |
 * |---|---|---|
 * | `address_burst`, `address_per_second` | 600, 300 | requests of one client address |
 * | `relay_burst`, `relay_per_second` | 6000, 3000 | onion requests that one address hands in |
 * | `account_burst`, `account_per_second` | 600, 300 | requests for one account, signed and unsigned ones apart |
 * | `tracked` | 10000 | addresses, and accounts, that are remembered at once; at least 1 |
 * | `connections`, `connections_per_address` | 4096, 512 | open connections |
 * | `running_requests` | 2000 | requests that are complete and not answered yet |
 * | `body_bytes` | 67108864 | bodies in memory: of short ones, and as much again of long ones |
 * | `answer_bytes` | 67108864 | answers that their clients have not taken yet |
 * | `head_timeout_ms` | 10000 | until the head of a request is complete; at least 100 |
 * | `bytes_per_second` | 1024 | the slowest body after its first five seconds |
 * | `trusted_proxies` | [] | addresses and networks whose `X-Forwarded-For` is believed |
 */
import { isIP } from 'node:net'
import type { ConfigTable } from './config-table.ts'

/** A bucket of `burst` tokens that gets `perSecond` more each second. A burst of 0 is no limit. */
export interface Rate {
  readonly burst: number
  readonly perSecond: number
}

export interface LimitsConfig {
  readonly address: Rate
  readonly relay: Rate
  readonly account: Rate
  readonly tracked: number
  readonly connections: number
  readonly connectionsPerAddress: number
  readonly runningRequests: number
  readonly bodyBytes: number
  readonly answerBytes: number
  readonly headTimeoutMs: number
  readonly bytesPerSecond: number
  readonly trustedProxies: readonly string[]
}

const MIB = 1024 * 1024
const MILLION = 1_000_000
const MAX_BYTES = 1024 ** 4
const NETWORK = /^(.+)\/([0-9]{1,3})$/

export const DEFAULT_LIMITS: LimitsConfig = {
  address: { burst: 600, perSecond: 300 },
  relay: { burst: 6000, perSecond: 3000 },
  account: { burst: 600, perSecond: 300 },
  tracked: 10_000,
  connections: 4096,
  connectionsPerAddress: 512,
  runningRequests: 2000,
  bodyBytes: 64 * MIB,
  answerBytes: 64 * MIB,
  headTimeoutMs: 10_000,
  bytesPerSecond: 1024,
  trustedProxies: [],
}

const NO_RATE: Rate = { burst: 0, perSecond: 0 }

/** The same without rates: for a network on one computer, where every client has the same address. */
export const LIMITS_WITHOUT_RATES: LimitsConfig = {
  ...DEFAULT_LIMITS,
  address: NO_RATE,
  relay: NO_RATE,
  account: NO_RATE,
  connectionsPerAddress: 0,
}

/** Reads the table. Throws NodeError `bad-config`. */
export function readLimits(table: ConfigTable | undefined): LimitsConfig {
  if (table === undefined) return DEFAULT_LIMITS
  const count = (key: string, fallback: number, max = MILLION, min = 0) => table.integer(key, { min, max, default: fallback })
  const rate = (name: string, fallback: Rate): Rate => ({
    burst: count(`${name}_burst`, fallback.burst),
    perSecond: count(`${name}_per_second`, fallback.perSecond),
  })
  const limits = {
    address: rate('address', DEFAULT_LIMITS.address),
    relay: rate('relay', DEFAULT_LIMITS.relay),
    account: rate('account', DEFAULT_LIMITS.account),
    tracked: count('tracked', DEFAULT_LIMITS.tracked, MILLION, 1),
    connections: count('connections', DEFAULT_LIMITS.connections),
    connectionsPerAddress: count('connections_per_address', DEFAULT_LIMITS.connectionsPerAddress),
    runningRequests: count('running_requests', DEFAULT_LIMITS.runningRequests),
    bodyBytes: bytes(table, 'body_bytes', DEFAULT_LIMITS.bodyBytes),
    answerBytes: bytes(table, 'answer_bytes', DEFAULT_LIMITS.answerBytes),
    headTimeoutMs: count('head_timeout_ms', DEFAULT_LIMITS.headTimeoutMs, 600_000, 100),
    bytesPerSecond: count('bytes_per_second', DEFAULT_LIMITS.bytesPerSecond),
    trustedProxies: readProxies(table),
  }
  requireRefill(table, 'address', limits.address)
  requireRefill(table, 'relay', limits.relay)
  requireRefill(table, 'account', limits.account)
  table.finish()
  return limits
}

/** 0, or room for one request of the largest size: less would refuse what the protocol allows for ever. */
function bytes(table: ConfigTable, key: string, fallback: number): number {
  const value = table.integer(key, { min: 0, max: MAX_BYTES, default: fallback })
  if (value === 0 || value >= 16 * MIB) return value
  throw table.error(key, `must be 0 or an integer from ${16 * MIB} to ${MAX_BYTES}`)
}

function requireRefill(table: ConfigTable, name: string, { burst, perSecond }: Rate): void {
  if (burst > 0 && perSecond === 0) throw table.error(`${name}_per_second`, `must be above 0, or ${name}_burst 0`)
}

function readProxies(table: ConfigTable): readonly string[] {
  const proxies = table.strings('trusted_proxies')
  for (const proxy of proxies) {
    const [, address = proxy, prefix = '0'] = NETWORK.exec(proxy) ?? []
    const version = isIP(address)
    if (version === 0 || Number(prefix) > (version === 4 ? 32 : 128))
      throw table.error('trusted_proxies', `must hold addresses or networks such as "10.0.0.0/8"; "${proxy}" is neither`)
  }
  return proxies
}
