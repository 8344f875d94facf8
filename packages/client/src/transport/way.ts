/**
 * The way requests go, by choice: through relays, directly, or as a program brings along. Nothing goes directly that was not chosen to,
 * except in networks of this computer alone that are too small for a path, and then it is told.
 */
import type { Crypto, Random } from '@session-v2/crypto'
import { PATH_NODES_MIN, type ServiceNode } from '@session-v2/network'
import type { ClientEvent } from '../events/event-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { Http, Transport } from '../ports/transport.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import type { SealedStore } from '../store/sealed/sealed-store.ts'
import { directTransport } from './direct.ts'
import { isLocalWithoutPaths } from './locality.ts'
import { OnionTransport } from './onion.ts'
import { Paths } from './paths.ts'

/** A function is given the onion transport and returns what is used, for example one that watches it. */
export type TransportChoice = 'onion' | 'direct' | Transport | ((onion: Transport) => Transport)

/**
 * | | requests |
 * |---|---|
 * | `onion` | go through relays |
 * | `direct` | go directly: by choice, or in a local network |
 * | `own` | are the program's own affair |
 * | `none` | do not go: the network is not known yet, or too small |
 */
export type TransportKind = 'onion' | 'direct' | 'own' | 'none'

export interface WayParts {
  readonly crypto: Crypto
  readonly random: Random
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly store: SealedStore
  readonly http: Http
}

export interface Way {
  readonly transport: Transport
  kind(): TransportKind
  /** The list of nodes that counts from now on. */
  learn(nodes: readonly ServiceNode[]): void
  /** What is to be told about a new list. */
  notices(nodes: readonly ServiceNode[]): readonly ClientEvent[]
}

/** The way of a choice; guards and paths are taken up where they were left. @throws ClientError `store-damaged` */
export async function openWay(choice: TransportChoice, parts: WayParts): Promise<Way> {
  if (choice === 'direct') return plainWay(directTransport(parts.http), 'direct')
  if (typeof choice === 'object') return plainWay(choice, 'own')
  const paths = await Paths.open(parts.random, parts.clock, parts.store)
  const onion = new OnionTransport({ ...parts, paths })
  return {
    transport: typeof choice === 'function' ? choice(onion) : onion,
    kind: () => {
      if (isLocalWithoutPaths(paths.nodes)) return 'direct'
      return paths.nodes.length >= PATH_NODES_MIN ? 'onion' : 'none'
    },
    learn: nodes => paths.learn(nodes),
    notices: nodes => (isLocalWithoutPaths(nodes) ? [{ type: 'requests_direct', nodes: nodes.length }] : []),
  }
}

function plainWay(transport: Transport, kind: TransportKind): Way {
  return { transport, kind: () => kind, learn: () => {}, notices: () => [] }
}
