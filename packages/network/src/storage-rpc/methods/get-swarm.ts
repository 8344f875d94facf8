/** `get_swarm`: the members of an account's swarm (RPC-66). The same body comes with status 421 from a node of another swarm. */
import type { ServiceNode, SwarmId } from '../../service-node.ts'
import { decodeServiceNode, legacyKey, NO_SWARM, parseSwarmId, queuePort, snodeAddress, swarmIdHex } from '../../service-node.ts'
import { nodeTimeMs, requireArray, requireObject } from '../answer.ts'
import { SWARM_MAX_MEMBERS } from '../limits.ts'
import type { Params } from '../params.ts'
import type { RpcRequest } from '../rpc-request.ts'

export interface GetSwarmParams {
  /** 33 bytes. */
  readonly account: Uint8Array
}

/** Reads the parameters of a request. @throws NetworkError `malformed`, status 400 */
export function parseGetSwarm(params: Params): GetSwarmParams {
  return { account: params.account('66 hex digits/33 bytes') }
}

/** The request. `accountId` is 66 hexadecimal digits. */
export function buildGetSwarm(accountId: string): RpcRequest {
  return { method: 'get_swarm', params: { pubkey: accountId } }
}

export interface GetSwarmResult {
  readonly nodes: readonly ServiceNode[]
  readonly swarmId: SwarmId
  readonly nodeTimeMs: number | undefined
}

/** The body of an answer, also of a 421. Without a swarm the list is empty and the id that of no swarm. */
export function encodeSwarm(nodes: readonly ServiceNode[], swarmId: SwarmId | undefined): Record<string, unknown> {
  return {
    snodes: nodes.map(node => ({
      address: snodeAddress(node),
      ip: node.host,
      port: String(node.port),
      port_https: node.port,
      port_omq: queuePort(node),
      port_quic: queuePort(node),
      storage_protocol: node.protocol,
      pubkey_legacy: legacyKey(node),
      pubkey_ed25519: node.ed25519,
      pubkey_x25519: node.x25519,
    })),
    swarm: swarmIdHex(swarmId ?? NO_SWARM),
  }
}

/** Reads an answer, or the body of a 421. Nodes without an address are left out. @throws NetworkError `malformed` */
export function parseGetSwarmResult(answer: unknown): GetSwarmResult {
  const fields = requireObject(answer, 'the answer')
  const swarm = fields.swarm
  const swarmId = parseSwarmId(swarm)
  const nodes = requireArray(fields.snodes, 'snodes', SWARM_MAX_MEMBERS).flatMap(entry => {
    const node = decodeServiceNode({ ...requireObject(entry, 'a node'), swarm })
    return node === undefined ? [] : [node]
  })
  return { nodes, swarmId, nodeTimeMs: nodeTimeMs(fields) }
}
