/** Nodes with keys, and randomness that is known, for the tests of onion requests. */
import { type Crypto, type Random, Secret, type X25519KeyPair, x25519KeyPair } from '@session-v2/crypto'
import { encodeHex } from '@session-v2/encoding'
import type { ServiceNode } from '@session-v2/network'

export interface KeyedNode extends ServiceNode {
  readonly keys: X25519KeyPair
}

/** The node of a number, 0 to 65535, at an address of its own. */
export function keyedNode(crypto: Crypto, number: number, host = '127.0.0.1'): KeyedNode {
  const seed = new Uint8Array(32).fill(1)
  seed.set([number >> 8, number & 255])
  const keys = x25519KeyPair(crypto, Secret.of(seed, 'x25519-secret'))
  return { ...listedNode(number, host), x25519: encodeHex(keys.publicKey), keys }
}

/** A node as a list has it, with keys that are only names. */
export function listedNode(number: number, host = '127.0.0.1'): ServiceNode {
  const ed25519 = number.toString(16).padStart(64, '0')
  return { ed25519, x25519: ed25519, host, port: 1000 + number, protocol: 'http', swarmId: 1n }
}

/** Gives these bytes one after the other; fails beyond them. */
export function recordedRandom(bytes: Uint8Array): Random {
  let at = 0
  return {
    bytes(sizeBytes) {
      if (at + sizeBytes > bytes.length) throw new Error('more randomness was drawn than was recorded')
      at += sizeBytes
      return bytes.slice(at - sizeBytes, at)
    },
  }
}
