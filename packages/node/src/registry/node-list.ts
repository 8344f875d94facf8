/**
 * The answer to `get_service_nodes` and `get_n_service_nodes` (clause NODE-50): the network's nodes, each with the fields that
 * were asked for. There is no chain here, so heights are 0.
 */
import { encodeServiceNode, NO_SWARM, type ServiceNode } from '@session-v2/network'
import { HARDFORK } from '../version.ts'

/** `fields` is a dictionary of names to true, or a list of names; what is not understood is ignored. */
export interface NodeListParams {
  readonly fields?: unknown
  readonly limit?: unknown
  readonly active_only?: unknown
}

/** The result object; without `limit` all nodes, with `active_only` those that are in a swarm. */
export function nodeList(nodes: readonly ServiceNode[], params: NodeListParams): object {
  const wanted = wantedFields(params.fields)
  const { limit } = params
  const listed = params.active_only === true ? nodes.filter(node => node.swarmId !== NO_SWARM) : nodes
  const count = typeof limit === 'number' && limit > 0 ? limit : listed.length
  return {
    height: 0,
    target_height: 0,
    block_hash: '0'.repeat(64),
    hardfork: HARDFORK[0],
    snode_revision: HARDFORK[1],
    status: 'OK',
    service_node_states: listed.slice(0, count).map(node => pick(encodeServiceNode(node), wanted)),
  }
}

function wantedFields(fields: unknown): ReadonlySet<string> | undefined {
  if (typeof fields !== 'object' || fields === null) return undefined
  const names = Array.isArray(fields)
    ? fields
    : Object.entries(fields).flatMap(([name, wanted]) => (wanted === true ? [name] : []))
  return names.length === 0 || names.includes('all') ? undefined : new Set(names)
}

/** The protocol always goes along: without it a client would take a node for one that speaks HTTPS. */
function pick(state: Readonly<Record<string, unknown>>, wanted: ReadonlySet<string> | undefined): object {
  if (wanted === undefined) return state
  return Object.fromEntries(Object.entries(state).filter(([name]) => wanted.has(name) || name === 'storage_protocol'))
}
