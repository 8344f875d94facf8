/**
 * Reads a list of nodes as files, seeds and the daemon have it (NS-20; clauses NODE-121, NODE-122, NODE-128). What is not exactly a
 * list is refused as a whole.
 *
 * | field | |
 * |---|---|
 * | `service_node_states` | list of entries; those without an address are left out, those in no swarm are not |
 * | `height` | of the block; absent or 0: there is no chain |
 * | `block_hash` | 64 hexadecimal digits, counts beside a height; may be absent |
 * | `unchanged` | true: the list of `poll_block_hash` is still that of the network; nothing else is read |
 */
import { decodeServiceNode, encodeServiceNode, NO_SWARM, NODE_LIST_MAX, type ServiceNode, swarmIdHex } from '@session-v2/network'
import type { LearnedList, NodeList } from './registry.ts'

/** The text of a list: room for 10,000 entries of 1,600 characters. */
export const LIST_MAX_BYTES = 16 * 1024 * 1024

/** What to ask for, as the parameter `fields`: what `decodeList` and `decodeServiceNode` read, and no more. */
export const LIST_FIELDS: Readonly<Record<string, true>> = {
  height: true,
  block_hash: true,
  service_node_pubkey: true,
  pubkey_ed25519: true,
  pubkey_x25519: true,
  public_ip: true,
  storage_port: true,
  storage_lmq_port: true,
  storage_server_version: true,
  storage_protocol: true,
  swarm: true,
  swarm_id: true,
}

const BLOCK_HASH = /^[0-9a-f]{64}$/
const DECIMAL = /^[0-9]{1,20}$/
/** The key with an integer. A quote that is not escaped opens it: behind one that closes a string, JSON has no such word. */
const SWARM_ID = /(?<!\\)("swarm_id"\s*:\s*)(0|[1-9][0-9]{0,19})(?=\s*[,}])/g

/**
 * The value of a JSON text in which every number under the key `swarm_id` is a text of its digits: as a number it would lose bits.
 * @throws SyntaxError
 */
export function parseWithSwarmIds(text: string): unknown {
  return JSON.parse(text.replace(SWARM_ID, '$1"$2"'))
}

/**
 * The list of an object that `parseWithSwarmIds` read; undefined when it says `unchanged`.
 * @param include which entries are read at all; by default every one
 * @throws Error that says what is wrong: no list, a malformed entry, more than 10,000 of them, one key twice
 */
export function decodeList(value: unknown, include: (entry: Entry) => boolean = () => true): LearnedList | undefined {
  if (!isObject(value)) throw new Error('the node list is not in an object')
  if (value.unchanged === true) return undefined
  const { service_node_states: states, height = 0, block_hash: blockHash } = value
  if (!Array.isArray(states)) throw new Error('the node list is not a list')
  if (states.length > NODE_LIST_MAX) throw new Error(`the node list has more than ${NODE_LIST_MAX} entries`)
  if (!Number.isSafeInteger(height) || (height as number) < 0) throw new Error('the height of the node list is not one')
  const nodes = new Map<string, ServiceNode>()
  for (const entry of states) {
    if (isObject(entry) && !include(entry)) continue
    const node = decodeServiceNode(isObject(entry) ? withSwarm(entry) : entry)
    if (node === undefined) continue
    if (nodes.has(node.ed25519)) throw new Error('the node list has one key twice')
    nodes.set(node.ed25519, node)
  }
  const block = height === 0 ? {} : { height: height as number, ...blockHashOf(blockHash) }
  return { nodes: [...nodes.values()], ...block }
}

export type Entry = Readonly<Record<string, unknown>>

/** A list as text that `decodeList` reads back. */
export function encodeList({ nodes, height, blockHash }: NodeList): string {
  const states = nodes.map(node => encodeServiceNode(node))
  return JSON.stringify({ height, block_hash: blockHash, service_node_states: states })
}

/** Where the entry has no `swarm`, the digits of `swarm_id` say the same. */
function withSwarm(entry: Entry): Entry {
  const { swarm, swarm_id: digits } = entry
  if ((swarm !== undefined && swarm !== null) || typeof digits !== 'string' || !DECIMAL.test(digits)) return entry
  const id = BigInt(digits)
  return id <= NO_SWARM ? { ...entry, swarm: swarmIdHex(id) } : entry
}

function blockHashOf(value: unknown): { blockHash?: string } {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'string' || !BLOCK_HASH.test(value)) throw new Error('the block hash of the node list is not one')
  return { blockHash: value }
}

function isObject(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
