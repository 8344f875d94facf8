/** What a running node does about the others besides storing: tests them, notes that it is tested, and tells where its list is from. */
import type { Random } from '@session-v2/crypto'
import type { Log } from '../log.ts'
import type { NodeMetrics } from '../operations/metrics.ts'
import type { Clock, Timers } from '../ports.ts'
import type { RegistryFeedback } from '../registry/open-registry.ts'
import type { Registry } from '../registry/registry.ts'
import { httpPing } from './ping.ts'
import { Reachability } from './reachability.ts'

export interface NetworkWatchParts {
  /** Of this node. */
  readonly ed25519: string
  readonly registry: Registry
  readonly feedback: RegistryFeedback
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly metrics: NodeMetrics
  readonly log: Log
}

/** Starts at once; the caller closes it. */
export function watchNetwork({ feedback, metrics, ...parts }: NetworkWatchParts): Reachability {
  const reachability = new Reachability({
    ...parts,
    ping: httpPing(parts.timers),
    onResult: ({ node, passed }) => feedback.reached(node, passed),
  })
  metrics.gauge('unreachable_nodes', 'Nodes of the network that failed their last test', () => reachability.unreachable)
  return reachability
}
