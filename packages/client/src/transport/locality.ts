/** Which networks are local: all of their nodes on this computer, where no address is there to be hidden. */
import { PATH_NODES_MIN, type ServiceNode } from '@session-v2/network'

/** Addresses that cannot be another computer's. No other spelling and no name besides `localhost` counts. */
const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/

/** Whether a network has nodes, all on this computer, and too few of them for a path. */
export function isLocalWithoutPaths(nodes: readonly ServiceNode[]): boolean {
  return nodes.length > 0 && nodes.length < PATH_NODES_MIN && nodes.every(isOnThisComputer)
}

/** Whether a node's address cannot be another computer's. */
export function isOnThisComputer({ host }: ServiceNode): boolean {
  return LOOPBACK.test(host)
}
