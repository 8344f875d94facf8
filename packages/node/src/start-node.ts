/** The node of a configuration: what `session-v2 node run` and `main.ts` start. */
import { join } from 'node:path'
import { loadCrypto, systemRandom } from '@session-v2/crypto'
import type { NodeConfig } from './config/node-config.ts'
import { DEFAULT_DATABASE_LIMIT_BYTES, type StoreConfig } from './config/store-config.ts'
import { loadIdentity } from './identity.ts'
import { type Log, openLog } from './log.ts'
import { composeNode, type NodeParts, type RunningNode } from './node.ts'
import { prepareDataDirectory } from './operations/data-directory.ts'
import { loadTls } from './operations/tls.ts'
import { systemClock, systemTimers } from './ports.ts'
import { openRegistry } from './registry/open-registry.ts'
import { openRedisEvents } from './store/redis/redis-events.ts'
import { openRedisStore } from './store/redis/redis-store.ts'

/** A file, or a cluster that other processes of the same node use too. */
function storeParts(store: StoreConfig, log: Log): Partial<Pick<NodeParts, 'databaseLimitBytes' | 'openStore' | 'openEvents'>> {
  if (store.kind === 'sqlite') return { databaseLimitBytes: store.limitBytes }
  const ports = { clock: systemClock, timers: systemTimers, random: systemRandom(), log }
  return { openStore: () => openRedisStore(store, ports), openEvents: opened => openRedisEvents(store, opened, ports) }
}

/** Starts the node of a configuration; resolves once it serves. Rejects with NodeError. */
export async function startNode(config: NodeConfig): Promise<RunningNode> {
  const { dataDirectory, host, tls: tlsConfig, metrics } = config
  await prepareDataDirectory(dataDirectory)
  const log = openLog(config.log)
  const crypto = await loadCrypto()
  const tls = tlsConfig && (await loadTls(tlsConfig, { dataDirectory, host, clock: systemClock }))
  const identity = await loadIdentity(crypto, systemRandom(), config.keyFile)
  const registry = await openRegistry(config.registry, dataDirectory, { crypto, log, timers: systemTimers })
  try {
    const node = await composeNode({
      host,
      port: config.port,
      databaseFile: join(dataDirectory, 'messages.db'),
      databaseLimitBytes: DEFAULT_DATABASE_LIMIT_BYTES,
      ...storeParts(config.store, log),
      bodyTimeoutMs: config.bodyTimeoutMs,
      corsOrigins: config.corsOrigins,
      ...(tls && { tls }),
      limits: config.limits,
      onion: config.onion,
      ...(metrics && { metricsListener: metrics }),
      logAddresses: config.log.addresses === true,
      upkeep: config.swarm,
      registry: { config: config.registry, list: registry },
      crypto,
      identity,
      clock: systemClock,
      timers: systemTimers,
      log,
    })
    try {
      const running = node.join(registry.nodes().nodes)
      await running.started
      const unfollow = registry.changes(list => running.replaceNodes(list.nodes))
      const close = async (): Promise<void> => {
        unfollow()
        await running.close()
        await registry.close()
      }
      return { ...running, close }
    } catch (error) {
      await node.close()
      throw error
    }
  } catch (error) {
    await registry.close()
    throw error
  }
}
