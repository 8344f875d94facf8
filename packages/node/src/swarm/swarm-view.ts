/** Who stores what: the swarms of the network as this node sees them (clauses NODE-30, NODE-31, NODE-90). */
import { NO_SWARM, nearestSwarm, type ServiceNode, type SwarmId, swarmSpace } from '@session-v2/network'

export interface Swarm {
  readonly id: SwarmId
  readonly members: readonly ServiceNode[]
}

/** Through so many lists that follow, a node that is not listed any more may still hand over what it alone was given. */
const FORMER_LISTS = 20

export class SwarmView {
  readonly #ed25519: string
  /** Nodes that are not listed any more, and for how many lists they are still remembered. */
  readonly #former = new Map<string, number>()
  #nodes: readonly ServiceNode[] = []
  #byKey: ReadonlyMap<string, ServiceNode> = new Map()
  #swarms: ReadonlyMap<SwarmId, Swarm> = new Map()
  #ids: readonly SwarmId[] = []
  #own: Swarm | undefined
  #peers: readonly ServiceNode[] = []
  #peerKeys: ReadonlySet<string> = new Set()

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
    const before = this.#byKey
    this.#nodes = nodes
    this.#byKey = new Map(nodes.map(node => [node.ed25519, node]))
    this.#rememberFormer(before)
    this.#swarms = swarms
    this.#ids = [...swarms.keys()].sort((a, b) => (a < b ? -1 : 1))
    const own = this.#byKey.get(this.#ed25519)
    this.#own = own && swarms.get(own.swarmId)
    this.#peers = this.#own?.members.filter(node => node.ed25519 !== this.#ed25519) ?? []
    this.#peerKeys = new Set(this.#peers.map(peer => peer.ed25519))
  }

  /** All nodes, those in no swarm among them. */
  get nodes(): readonly ServiceNode[] {
    return this.#nodes
  }

  /** All swarms, by ascending id. */
  get swarms(): readonly Swarm[] {
    return this.#ids.map(id => this.#swarms.get(id)!)
  }

  /** Undefined while the node is in no swarm. */
  get own(): Swarm | undefined {
    return this.#own
  }

  /** The other members of our swarm. */
  get peers(): readonly ServiceNode[] {
    return this.#peers
  }

  /**
   * The swarms on either side of ours on the ring: with the next lower id, or the highest, and with the next higher, or the lowest.
   * With two swarms both are the other one. Undefined while there is no other, or we are in none.
   */
  get neighbours(): { readonly left: Swarm; readonly right: Swarm } | undefined {
    const ids = this.#ids
    if (this.#own === undefined || ids.length < 2) return undefined
    const at = ids.indexOf(this.#own.id)
    return { left: this.#swarms.get(ids.at(at - 1)!)!, right: this.#swarms.get(ids[(at + 1) % ids.length]!)! }
  }

  isPeer(ed25519: string): boolean {
    return this.#peerKeys.has(ed25519)
  }

  /** Whether the key is that of a node of the network, this one included, in a swarm or not. */
  isNode(ed25519: string): boolean {
    return this.#byKey.has(ed25519)
  }

  /** Whether the key is that of a node that may offer items: one of the network, or one that was until lately. */
  mayOffer(ed25519: string): boolean {
    return this.#byKey.has(ed25519) || this.#former.has(ed25519)
  }

  /** The node with a key. */
  node(ed25519: string): ServiceNode | undefined {
    return this.#byKey.get(ed25519)
  }

  /** The swarm of an account of 33 bytes; undefined while no swarm is known. */
  swarmOf(account: Uint8Array): Swarm | undefined {
    const space = swarmSpace(account)
    const id = nearestSwarm(space, this.#around(space))
    return id === undefined ? undefined : this.#swarms.get(id)
  }

  #rememberFormer(before: ReadonlyMap<string, ServiceNode>): void {
    for (const [key, lists] of this.#former) {
      if (lists === 1 || this.#byKey.has(key)) this.#former.delete(key)
      else this.#former.set(key, lists - 1)
    }
    for (const key of before.keys()) if (!this.#byKey.has(key)) this.#former.set(key, FORMER_LISTS)
  }

  /** The swarm ids on either side of a place on the ring: the nearest is one of them, however many there are. */
  #around(space: bigint): readonly SwarmId[] {
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
