/**
 * `active_nodes_bin`: all nodes that are in a swarm, as bytes: one record after another, no JSON (RPC-81).
 *
 * | bytes | |
 * |---|---|
 * | 32 | Ed25519 public key |
 * | 8 | swarm id, most significant byte first, as all numbers here |
 * | 4 | IPv4 address |
 * | 2 | port of HTTPS |
 * | 2 | port of the message queue and of QUIC |
 * | 3 | version of the node; 0.0.0 when it is not known |
 */
import type { Crypto } from '@session-v2/crypto'
import { concatBytes, decodeHex, encodeHex, readUint64Be, uint64Be } from '@session-v2/encoding'
import { sessionIdOf } from '../../account-signature.ts'
import { badAnswer } from '../../network-error.ts'
import { NO_SWARM, queuePort, type ServiceNode } from '../../service-node.ts'
import { NODE_LIST_MAX } from '../limits.ts'
import type { RpcRequest } from '../rpc-request.ts'

/** Size of a record. */
export const ACTIVE_NODE_BYTES = 51

const SWARM_AT = 32
const ADDRESS_AT = 40
const PORT_AT = 44
const QUEUE_PORT_AT = 46
const VERSION_AT = 48
const BYTE_MAX = 0xff
const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/

/** The request; it has no parameters. */
export function buildActiveNodesBin(): RpcRequest {
  return { method: 'active_nodes_bin', params: {} }
}

/** The answer: records of those nodes that are in a swarm and have an IPv4 address. */
export function encodeActiveNodes(nodes: readonly ServiceNode[]): Uint8Array {
  return concatBytes(...nodes.flatMap(node => encodeRecord(node) ?? []))
}

function encodeRecord(node: ServiceNode): Uint8Array | undefined {
  const address = IPV4.exec(node.host)?.slice(1).map(Number)
  if (address === undefined || address.some(part => part > BYTE_MAX) || node.swarmId === NO_SWARM) return undefined
  const version = (node.version ?? [0, 0, 0]).map(part => Math.min(part, BYTE_MAX))
  const ports = [node.port, queuePort(node)].flatMap(port => [port >>> 8, port & BYTE_MAX])
  return concatBytes(decodeHex(node.ed25519), uint64Be(node.swarmId), Uint8Array.of(...address, ...ports, ...version))
}

/**
 * The nodes of an answer. They speak HTTPS; the X25519 key of each is the form of its Ed25519 key. Those without an address or in no
 * swarm are left out. @throws NetworkError `malformed` for a length that is no number of records, or a key that is none
 */
export function decodeActiveNodes(crypto: Crypto, bytes: Uint8Array): ServiceNode[] {
  if (bytes.length % ACTIVE_NODE_BYTES !== 0) throw badAnswer(`records of ${ACTIVE_NODE_BYTES} bytes do not fill ${bytes.length}`)
  if (bytes.length > NODE_LIST_MAX * ACTIVE_NODE_BYTES) throw badAnswer(`more than ${NODE_LIST_MAX} nodes`)
  const nodes: ServiceNode[] = []
  for (let at = 0; at < bytes.length; at += ACTIVE_NODE_BYTES) {
    const node = decodeRecord(crypto, bytes.subarray(at, at + ACTIVE_NODE_BYTES))
    if (node !== undefined) nodes.push(node)
  }
  return nodes
}

function decodeRecord(crypto: Crypto, record: Uint8Array): ServiceNode | undefined {
  const host = record.subarray(ADDRESS_AT, PORT_AT).join('.')
  const port = uint16Be(record, PORT_AT)
  const swarmId = readUint64Be(record, SWARM_AT)
  if (host === '0.0.0.0' || port === 0 || swarmId === NO_SWARM) return undefined
  const key = record.subarray(0, SWARM_AT)
  const x25519 = sessionIdOf(crypto, key)?.subarray(1)
  if (x25519 === undefined) throw badAnswer('the key of a node is not one')
  const omqPort = uint16Be(record, QUEUE_PORT_AT)
  return {
    ed25519: encodeHex(key),
    x25519: encodeHex(x25519),
    host,
    port,
    protocol: 'https',
    swarmId,
    version: [record[VERSION_AT]!, record[VERSION_AT + 1]!, record[VERSION_AT + 2]!],
    ...(omqPort !== 0 && omqPort !== port && { omqPort }),
  }
}

function uint16Be(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}
