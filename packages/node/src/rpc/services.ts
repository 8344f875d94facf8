/** What the handlers of requests work with, and what all their answers have in common. */
import type { Crypto } from '@session-v2/crypto'
import { encodeSwarm, type RpcFailure } from '@session-v2/network'
import type { NodeIdentity } from '../identity.ts'
import type { Log } from '../log.ts'
import type { Clock } from '../ports.ts'
import type { MessageStore } from '../store/store.ts'
import type { Replication } from '../swarm/replication.ts'
import type { SwarmView } from '../swarm/swarm-view.ts'
import { HARDFORK } from '../version.ts'

export interface NodeServices {
  readonly crypto: Crypto
  readonly identity: NodeIdentity
  readonly clock: Clock
  readonly store: MessageStore
  readonly swarms: SwarmView
  readonly replication: Replication
  readonly log: Log
}

/** Status and body of an answer: an object is JSON, a string is plain text. */
export interface RpcAnswer {
  readonly status: number
  readonly body: string | Readonly<Record<string, unknown>>
}

/** Who asks. A peer's request is checked like a client's, executed here and passed on to nobody (clause NODE-41). */
export type Origin = 'client' | 'peer'

/** Adds the node's time and the hard fork, which every structured answer carries. */
export function stamp(node: NodeServices, body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return { ...body, t: node.clock.nowMs(), hf: HARDFORK }
}

/** 421 with the account's swarm when that is not ours (clause NODE-30). `account` has 33 bytes. */
export function refuseForeign(node: NodeServices, account: Uint8Array): RpcFailure | undefined {
  const swarm = node.swarms.swarmOf(account)
  if (swarm !== undefined && swarm === node.swarms.own) return undefined
  return { status: 421, body: stamp(node, encodeSwarm(swarm?.members ?? [], swarm?.id)) }
}
