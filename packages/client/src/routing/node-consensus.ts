/**
 * What several nodes say about which nodes there are. Only what all of them say alike counts, so that one that lies adds nobody; and
 * only where they hardly differ, so that it cannot leave out whom it likes.
 */
import type { ServiceNode } from '@session-v2/network'

/** The part of each list that has to be in all of them. */
const COMMON_SHARE = 0.9

/** The nodes that all lists hold alike; undefined when they differ in more than a tenth. */
export function agreedNodes(lists: readonly (readonly ServiceNode[])[]): readonly ServiceNode[] | undefined {
  const [first = new Map<string, ServiceNode>(), ...others] = lists.map(byPlace)
  const common = [...first].filter(([place]) => others.every(list => list.has(place))).map(([, node]) => node)
  const longest = Math.max(first.size, ...others.map(list => list.size))
  return common.length > 0 && common.length >= longest * COMMON_SHARE ? common : undefined
}

/** Whether two lists hold the same nodes at the same places, in whatever order. */
export function isSameList(a: readonly ServiceNode[], b: readonly ServiceNode[]): boolean {
  const [first, second] = [byPlace(a), byPlace(b)]
  return first.size === second.size && [...first.keys()].every(place => second.has(place))
}

function byPlace(nodes: readonly ServiceNode[]): ReadonlyMap<string, ServiceNode> {
  return new Map(nodes.map(node => [placeText(node), node]))
}

/** Everything about a node that decides how it is reached and for whom it keeps messages. */
function placeText({ ed25519, x25519, protocol, host, port, swarmId }: ServiceNode): string {
  return JSON.stringify([ed25519, x25519, protocol, host, port, swarmId.toString()])
}
