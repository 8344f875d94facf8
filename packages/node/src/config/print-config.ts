/** The configuration as it takes effect, written as TOML again: it reads as the same configuration (clause NODE-110). */
import { stringify } from 'smol-toml'
import type { LimitsConfig } from './limits-config.ts'
import type { NodeConfig } from './node-config.ts'
import { printOnion } from './onion-config.ts'
import { printRegistry } from './registry-config.ts'
import { printStore } from './store-config.ts'
import { printSwarm } from './swarm-config.ts'

/** Names files of keys, holds none. */
export function printNodeConfig(config: NodeConfig): string {
  const { store, registry, tls, metrics, log } = config
  return stringify({
    host: config.host,
    port: config.port,
    data_directory: config.dataDirectory,
    key_file: config.keyFile,
    body_timeout_ms: config.bodyTimeoutMs,
    ...(tls === 'self-signed' && { tls }),
    store: printStore(store),
    registry: printRegistry(registry),
    cors: { origins: config.corsOrigins },
    ...(typeof tls === 'object' && { tls: { certificate_file: tls.certificateFile, key_file: tls.keyFile } }),
    limits: printLimits(config.limits),
    onion: printOnion(config.onion),
    swarm: printSwarm(config.swarm),
    ...(metrics !== undefined && { metrics: { host: metrics.host, port: metrics.port } }),
    log: { level: log.level, ...(log.file !== undefined && { file: log.file }), addresses: log.addresses === true },
  })
}

function printLimits(limits: LimitsConfig): object {
  return {
    address_burst: limits.address.burst,
    address_per_second: limits.address.perSecond,
    relay_burst: limits.relay.burst,
    relay_per_second: limits.relay.perSecond,
    account_burst: limits.account.burst,
    account_per_second: limits.account.perSecond,
    tracked: limits.tracked,
    connections: limits.connections,
    connections_per_address: limits.connectionsPerAddress,
    running_requests: limits.runningRequests,
    body_bytes: limits.bodyBytes,
    answer_bytes: limits.answerBytes,
    head_timeout_ms: limits.headTimeoutMs,
    bytes_per_second: limits.bytesPerSecond,
    trusted_proxies: limits.trustedProxies,
  }
}
