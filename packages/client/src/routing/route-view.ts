/** The way of a request, for people. */
import type { ServiceNode } from '@session-v2/network'
import type { TransportKind } from '../transport/way.ts'
import type { Route } from './swarm-requests.ts'

export interface PathNodeView {
  /** 64 hexadecimal digits. */
  readonly ed25519: string
  /** Host and port. */
  readonly address: string
}

export interface PathView {
  readonly transport: TransportKind
  /** The guard first, which alone sees this device's address; none where requests go directly. */
  readonly relays: readonly PathNodeView[]
  /** The storage node that was asked. */
  readonly destination: PathNodeView
}

/** A route with the kind of transport that it went by. */
export function pathView(transport: TransportKind, { relays, destination }: Route): PathView {
  return { transport, relays: relays.map(nodeView), destination: nodeView(destination) }
}

function nodeView({ ed25519, host, port }: ServiceNode): PathNodeView {
  return { ed25519, address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}` }
}
