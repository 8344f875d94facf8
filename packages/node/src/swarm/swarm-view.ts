/** Who stores what: the swarms of the network as this node sees them (clauses NODE-30, NODE-31). */
import { NO_SWARM, type ServiceNode, type SwarmId, swarmOf, swarmSpace } from '@session-v2/network'

export interface Swarm {
  readonly id: SwarmId
  readonly members: readonly ServiceNode[]
}

export class SwarmView {
  readonly #ed25519: string
  #nodes: readonly ServiceNode[] = []
  #swarms: ReadonlyMap<SwarmId, Swarm> = new Map()
  #ids: readonly SwarmId[] = []
  #own: Swarm | undefined
  #peers: readonly ServiceNode[] = []

  /** `ed25519` is this node's key; it knows nobody before the first `replace`. */
  constructor(ed25519: string) {
    this.#ed25519 = ed25519
  }

  /** Takes a new list of all nodes of the network. */
  replace(nodes: readonly ServiceNode[]): void {
    const swarms = new Map<SwarmId, { id: SwarmId; members: ServiceNode[] }>()
    for (const node of nodes) {
      if (node.swarmId === NO_SWARM) continue
      const swarm = swarms.get(node.swarmId)
      if (swarm === undefined) swarms.set(node.swarmId, { id: node.swarmId, members: [node] })
      else swarm.members.push(node)
    }
    this.#nodes = nodes
    this.#swarms = swarms
    this.#ids = [...swarms.keys()].sort((a, b) => (a < b ? -1 : 1))
    const own = nodes.find(node => node.ed25519 === this.#ed25519)
    this.#own = own && swarms.get(own.swarmId)
    this.#peers = this.#own?.members.filter(node => node.ed25519 !== this.#ed25519) ?? []
  }

  get nodes(): readonly ServiceNode[] {
    return this.#nodes
  }

  /** Undefined while the node is in no swarm. */
  get own(): Swarm | undefined {
    return this.#own
  }

  /** The other members of our swarm. */
  get peers(): readonly ServiceNode[] {
    return this.#peers
  }

  isPeer(ed25519: string): boolean {
    return this.#peers.some(peer => peer.ed25519 === ed25519)
  }

  /** The swarm of an account of 33 bytes; undefined while no swarm is known. */
  swarmOf(account: Uint8Array): Swarm | undefined {
    const id = swarmOf(account, this.#neighbours(swarmSpace(account)))
    return id === undefined ? undefined : this.#swarms.get(id)
  }

  /** The swarm ids on either side of a place on the ring: the nearest is one of them, however many there are. */
  #neighbours(space: bigint): readonly SwarmId[] {
    const ids = this.#ids
    if (ids.length < 3) return ids
    let low = 0
    let high = ids.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (ids[middle]! < space) low = middle + 1
      else high = middle
    }
    return [ids.at(low - 1)!, ids[low % ids.length]!]
  }
}
