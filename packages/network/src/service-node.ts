/**
 * Storage nodes as the network lists them. Swarm ids are unsigned 64-bit integers: as JSON numbers they would lose bits, so the
 * hexadecimal field `swarm` is what counts (NS-20 to NS-24).
 */
import { badAnswer } from './network-error.ts'

/** A swarm id, 0 … 2⁶⁴−2. */
export type SwarmId = bigint

/** The id that means "in no swarm". */
export const NO_SWARM: SwarmId = 0xffff_ffff_ffff_ffffn

export interface ServiceNode {
  /** Ed25519 public key, 64 hexadecimal digits: the identity of the node. */
  readonly ed25519: string
  /** X25519 public key, 64 hexadecimal digits. */
  readonly x25519: string
  readonly host: string
  readonly port: number
  readonly protocol: 'http' | 'https'
  readonly swarmId: SwarmId
  /** Port of the message queue and of QUIC, where it is not `port`. */
  readonly omqPort?: number
  /** Ed25519 key under which the chain lists the node, where it is not `ed25519`: 64 hexadecimal digits. */
  readonly legacy?: string
  readonly version?: NodeVersion
}

export type NodeVersion = readonly [major: number, minor: number, patch: number]

const KEY = /^[0-9a-f]{64}$/
const SWARM = /^[0-9a-f]{1,16}$/
/** What a host may be made of; keeps a hostile list from putting a path or credentials into a URL. */
const HOST = /^[0-9A-Za-z.:-]{1,253}$/
const NO_ADDRESS = '0.0.0.0'
const MAX_PORT = 65535
const VERSION_PARTS = 3
const BASE32Z = 'ybndrfg8ejkmcpqxot1uwisza345h769'

/** A host as it stands in a URL: an IPv6 address in brackets. */
export function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** The base URL of a node, without a path. */
export function serviceNodeUrl(node: ServiceNode): string {
  return `${node.protocol}://${urlHost(node.host)}:${node.port}`
}

/** A swarm id as lower-case hexadecimal without leading zeros. */
export function swarmIdHex(id: SwarmId): string {
  return id.toString(16)
}

/** The swarm id of its hexadecimal form. @throws NetworkError `malformed`. */
export function parseSwarmId(text: unknown): SwarmId {
  if (typeof text !== 'string' || !SWARM.test(text)) throw badAnswer('a swarm id is not hexadecimal')
  return BigInt(`0x${text}`)
}

/** Port of a node's message queue and of QUIC. */
export function queuePort(node: ServiceNode): number {
  return node.omqPort ?? node.port
}

/** The key under which the chain lists a node, 64 hexadecimal digits. */
export function legacyKey(node: Pick<ServiceNode, 'ed25519' | 'legacy'>): string {
  return node.legacy ?? node.ed25519
}

/** `<52 characters>.snode`: the key of `legacyKey` in z-base-32, most significant bit first, its last digit filled with zeros. */
export function snodeAddress(node: ServiceNode): string {
  const digits = 52
  const bits = BigInt(`0x${legacyKey(node)}`) << 4n // 256 bits, and 4 to fill 52 digits of 5
  const text = Array.from({ length: digits }, (_, at) => BASE32Z[Number((bits >> BigInt(5 * (digits - 1 - at))) & 31n)])
  return `${text.join('')}.snode`
}

/** One entry of `service_node_states`, as nodes and seeds send it. */
export function encodeServiceNode(node: ServiceNode, height = 0): Record<string, unknown> {
  return {
    service_node_pubkey: legacyKey(node),
    pubkey_ed25519: node.ed25519,
    pubkey_x25519: node.x25519,
    public_ip: node.host,
    storage_port: node.port,
    storage_lmq_port: queuePort(node),
    storage_protocol: node.protocol,
    swarm: swarmIdHex(node.swarmId),
    swarm_id: node.swarmId <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(node.swarmId) : undefined,
    funded: true,
    active: node.swarmId !== NO_SWARM,
    requested_unlock_height: 0,
    height,
    ...(node.version && { storage_server_version: node.version }),
  }
}

/**
 * One entry of a node list. Entries without an address are undefined: they cannot be reached and are no error.
 * `storage_protocol` is a field of our networks; without it a node speaks HTTPS.
 * @throws NetworkError `malformed` for keys, ports or swarm ids that are none.
 */
export function decodeServiceNode(entry: unknown): ServiceNode | undefined {
  if (typeof entry !== 'object' || entry === null) throw badAnswer('an entry of the node list is not an object')
  const fields = entry as Readonly<Record<string, unknown>>
  const host = fields.public_ip ?? fields.ip
  const port = portOf(fields.storage_port ?? fields.port_https ?? fields.port)
  if (host === NO_ADDRESS || host === '' || port === 0) return undefined
  if (typeof host !== 'string' || !HOST.test(host)) throw badAnswer('the address of a node is not one')
  if (!isPort(port)) throw badAnswer('the port of a node is not one')
  const protocol = fields.storage_protocol === 'http' ? 'http' : 'https'
  return {
    ed25519: key(fields.pubkey_ed25519),
    x25519: key(fields.pubkey_x25519),
    host,
    port,
    protocol,
    swarmId: parseSwarmId(fields.swarm),
    ...decodeExtras(fields, port),
  }
}

/** What a node can do without: a value that is none is left out. */
function decodeExtras(fields: Readonly<Record<string, unknown>>, port: number): Partial<ServiceNode> {
  const omqPort = fields.storage_lmq_port ?? fields.port_omq
  const legacy = fields.service_node_pubkey ?? fields.pubkey_legacy
  const version = fields.storage_server_version
  return {
    ...(isPort(omqPort) && omqPort !== port && { omqPort }),
    ...(typeof legacy === 'string' && KEY.test(legacy) && legacy !== fields.pubkey_ed25519 && { legacy }),
    ...(isVersion(version) && { version: [version[0], version[1], version[2]] as const }),
  }
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_PORT
}

function isVersion(value: unknown): value is NodeVersion {
  return Array.isArray(value) && value.length === VERSION_PARTS && value.every(part => Number.isInteger(part) && part >= 0)
}

/** The reachable nodes of a list that are in a swarm. A malformed entry throws: a seed that lies once is not to be trusted. */
export function decodeServiceNodes(states: unknown): ServiceNode[] {
  if (!Array.isArray(states)) throw badAnswer('the node list is not a list')
  const nodes: ServiceNode[] = []
  for (const entry of states) {
    const node = decodeServiceNode(entry)
    if (node !== undefined && node.swarmId !== NO_SWARM) nodes.push(node)
  }
  return nodes
}

function portOf(value: unknown): number {
  return typeof value === 'number' || (typeof value === 'string' && /^[0-9]{1,5}$/.test(value)) ? Number(value) : Number.NaN
}

function key(value: unknown): string {
  if (typeof value !== 'string' || !KEY.test(value)) throw badAnswer('a key of a node is not 64 hexadecimal digits')
  return value
}
