/**
 * The answer to `get_service_nodes` and `get_n_service_nodes` (clauses NODE-50 to NODE-52): the network's nodes, each with the fields
 * that were asked for, and the block that the list belongs to. Where there is no chain, heights are 0.
 */
import { encodeServiceNode, NO_SWARM, type ServiceNode } from '@session-v2/network'
import { HARDFORK } from '../version.ts'
import type { NodeList } from './registry.ts'

/** `fields` is a dictionary of names to true, or a list of names; what is not understood is ignored. */
export interface NodeListParams {
  readonly fields?: unknown
  readonly limit?: unknown
  readonly active_only?: unknown
  readonly poll_block_hash?: unknown
}

/** What a list belongs to when nobody knows: no question is answered with `unchanged`. */
const NO_BLOCK: Omit<NodeList, 'nodes'> = { height: 0, blockHash: '' }
const NO_BLOCK_HASH = '0'.repeat(64)

/**
 * The result object; without `limit` all nodes, with `active_only` those that are in a swarm. Without nodes, and `unchanged` instead,
 * when `poll_block_hash` is the hash of `block`.
 */
export function nodeList(nodes: readonly ServiceNode[], params: NodeListParams, block = NO_BLOCK): object {
  const head = {
    height: block.height,
    target_height: block.height,
    block_hash: block.blockHash || NO_BLOCK_HASH,
    hardfork: HARDFORK[0],
    snode_revision: HARDFORK[1],
    status: 'OK',
  }
  if (block.blockHash !== '' && params.poll_block_hash === block.blockHash) return { ...head, unchanged: true }
  const wanted = wantedFields(params.fields)
  const { limit } = params
  const listed = params.active_only === true ? nodes.filter(node => node.swarmId !== NO_SWARM) : nodes
  const count = typeof limit === 'number' && limit > 0 ? limit : listed.length
  return { ...head, service_node_states: listed.slice(0, count).map(node => pick(encodeServiceNode(node), wanted)) }
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
