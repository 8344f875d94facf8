/** What the handlers of requests work with, and what all their answers have in common. */
import type { Crypto } from '@session-v2/crypto'
import { encodeSwarm, type RequestContext, type RequestSignature, type RpcFailure } from '@session-v2/network'
import type { NodeIdentity } from '../identity.ts'
import type { Log } from '../log.ts'
import type { Clock } from '../ports.ts'
import type { Registry } from '../registry/registry.ts'
import type { MessageStore } from '../store/store.ts'
import type { StoreEvents } from '../store/store-events.ts'
import type { Replication } from '../swarm/replication.ts'
import type { SwarmView } from '../swarm/swarm-view.ts'
import { HARDFORK } from '../version.ts'
import type { MailboxTurns } from './mailbox-turns.ts'

export interface NodeServices {
  readonly crypto: Crypto
  readonly identity: NodeIdentity
  readonly clock: Clock
  readonly store: MessageStore
  readonly swarms: SwarmView
  readonly replication: Replication
  /** Whose turn it is to change a whole mailbox, and to be answered what was changed. Without it, everybody's. */
  readonly turns?: { readonly changes: MailboxTurns; readonly answers: MailboxTurns } | undefined
  /** Where new messages and revocations are told of. Without it, nobody waits for them. */
  readonly events?: Pick<StoreEvents, 'publish'> | undefined
  /** Where the list of nodes comes from. Without it, lists belong to no block. */
  readonly registry?: Pick<Registry, 'nodes'> | undefined
  readonly log: Log
}

/** Status and body of an answer: an object is JSON or bt, a string is plain text. */
export interface RpcAnswer {
  readonly status: number
  readonly body: string | Readonly<Record<string, unknown>>
}

/** What a method answers: also bytes that go out as they are. */
export interface MethodAnswer {
  readonly status: number
  readonly body: RpcAnswer['body'] | Uint8Array
}

/**
 * Who asks for a write, and as of when it is checked and done. A peer's request is checked like a client's, executed here and passed on
 * to nobody (clauses NODE-41, NODE-43).
 */
export interface Asked {
  readonly origin: 'client' | 'peer'
  /** When the first member took it, in unix milliseconds. */
  readonly atMs: number
  readonly mode: 'asked' | 'late'
}

/** Adds the node's time and the hard fork, which every structured answer carries, to a body that was made for it. */
export function stamp(node: NodeServices, body: Record<string, unknown>): RpcAnswer['body'] {
  body.t = node.clock.nowMs()
  body.hf = HARDFORK
  return body
}

/** 421 with the account's swarm when that is not ours (clause NODE-30). `account` has 33 bytes. */
export function refuseForeign(node: NodeServices, account: Uint8Array): RpcFailure | undefined {
  const swarm = node.swarms.swarmOf(account)
  if (swarm !== undefined && swarm === node.swarms.own) return undefined
  return { status: 421, body: stamp(node, encodeSwarm(swarm?.members ?? [], swarm?.id)) }
}

interface SignedParams {
  readonly account: Uint8Array
  readonly signed?: RequestSignature | undefined
}

/** What the checks of a request have to know: who passes it on, and whether the subaccount that signed it is revoked (SUB-04, NODE-39). */
export async function contextOf(
  { store }: NodeServices,
  { account, signed }: SignedParams,
  origin: Asked['origin'] = 'client',
): Promise<RequestContext> {
  const token = signed?.subaccount?.token
  return { origin, tokenRevoked: token !== undefined && (await store.isRevoked(account, token)) }
}
