/** One value for all that a list of nodes says, whatever its order: how lists are compared (clauses NODE-52, NODE-120). */
import { blake2b, type Crypto } from '@session-v2/crypto'
import { encodeHex, encodeUtf8 } from '@session-v2/encoding'
import { encodeServiceNode, type ServiceNode } from '@session-v2/network'

const HASH_BYTES = 32

/** BLAKE2b-32 of the entries as JSON, in the order of their text, one a line: 64 hexadecimal digits. */
export function listHash(crypto: Crypto, nodes: readonly ServiceNode[]): string {
  const lines = nodes.map(node => JSON.stringify(encodeServiceNode(node))).sort()
  return encodeHex(blake2b(crypto, HASH_BYTES, [encodeUtf8(lines.join('\n'))]))
}
