/**
 * What a new list of nodes means for one of them (clause NODE-129). Lists are compared by keys: a node with another address is the
 * same node.
 */
import { NO_SWARM, type ServiceNode, type SwarmId } from '@session-v2/network'

export interface SwarmChange {
  /** Our swarm before and after; undefined while we were, or are, in none. */
  readonly ours: { readonly before: SwarmId | undefined; readonly after: SwarmId | undefined }
  /** Peers that we have and did not have, as the new list says; after a move all of the new swarm that were not peers before. */
  readonly joined: readonly ServiceNode[]
  /** Peers that we had and have no more, as the old list says. */
  readonly left: readonly ServiceNode[]
  /** We are in another swarm than before. */
  readonly moved: boolean
  /** The swarm that we were in has no members any more: nobody else has its messages. */
  readonly dissolved: boolean
  /** Swarms that there were not before, and those that there are no more, ascending. Either changes where accounts fall. */
  readonly newSwarms: readonly SwarmId[]
  readonly goneSwarms: readonly SwarmId[]
}

/** The change from one list to the next for the node with the Ed25519 key `self`, 64 hexadecimal digits. */
export function swarmChange(oldList: readonly ServiceNode[], newList: readonly ServiceNode[], self: string): SwarmChange {
  const before = swarmOfNode(oldList, self)
  const after = swarmOfNode(newList, self)
  const oldPeers = peersIn(oldList, before, self)
  const newPeers = peersIn(newList, after, self)
  const oldIds = swarmsIn(oldList)
  const newIds = swarmsIn(newList)
  return {
    ours: { before, after },
    joined: without(newPeers, oldPeers),
    left: without(oldPeers, newPeers),
    moved: before !== undefined && after !== undefined && before !== after,
    dissolved: before !== undefined && !newIds.has(before),
    newSwarms: ascending([...newIds].filter(id => !oldIds.has(id))),
    goneSwarms: ascending([...oldIds].filter(id => !newIds.has(id))),
  }
}

function swarmOfNode(list: readonly ServiceNode[], ed25519: string): SwarmId | undefined {
  const id = list.find(node => node.ed25519 === ed25519)?.swarmId
  return id === NO_SWARM ? undefined : id
}

function peersIn(list: readonly ServiceNode[], swarm: SwarmId | undefined, self: string): readonly ServiceNode[] {
  return swarm === undefined ? [] : list.filter(node => node.swarmId === swarm && node.ed25519 !== self)
}

function swarmsIn(list: readonly ServiceNode[]): ReadonlySet<SwarmId> {
  return new Set(list.map(node => node.swarmId).filter(id => id !== NO_SWARM))
}

function without(nodes: readonly ServiceNode[], others: readonly ServiceNode[]): readonly ServiceNode[] {
  const keys = new Set(others.map(node => node.ed25519))
  return nodes.filter(node => !keys.has(node.ed25519))
}

function ascending(ids: SwarmId[]): SwarmId[] {
  return ids.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}
