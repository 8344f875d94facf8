/** Front ends on the cluster of a test, each on a clock that moves when told. */
import { systemRandom } from '@session-v2/crypto'
import { systemTimers } from '../../src/ports.ts'
import { openRedisStore } from '../../src/store/redis/redis-store.ts'
import type { MessageStore } from '../../src/store/store.ts'
import type { ManualClock } from '../manual-clock.ts'
import type { RedisCluster } from './redis-cluster.ts'

let prefixes = 0

/** A prefix that no other test of this run has. */
export function newPrefix(): string {
  prefixes += 1
  return `t${prefixes}:`
}

export function openFrontEnd(
  cluster: RedisCluster,
  clock: ManualClock,
  keyPrefix: string,
  acknowledgeReplicas = 0,
): Promise<MessageStore> {
  const config = { kind: 'redis' as const, nodes: cluster.addresses, acknowledgeReplicas, keyPrefix }
  return openRedisStore(config, { clock, timers: systemTimers, random: systemRandom() })
}
