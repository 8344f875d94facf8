/**
 * Reproducible bytes for simulations and test vectors. NOT FOR PRODUCTION: whoever knows the seed knows every key made from it,
 * and nothing refreshes it.
 */
import { requireWithin } from './crypto-error.ts'
import type { Crypto } from './provider.ts'
import { MAX_RANDOM_BYTES, type Random } from './random.ts'
import { shake256 } from './sha3.ts'

const BLOCK_BYTES = 4096

/**
 * The byte stream SHAKE256(seed ‖ 0) ‖ SHAKE256(seed ‖ 1) ‖ …, 4096 bytes each, the counter as 8 bytes little-endian. How the
 * stream is cut into requests does not matter. NOT FOR PRODUCTION.
 */
export function seededRandom(crypto: Crypto, seed: Uint8Array): Random {
  const input = new Uint8Array(seed.length + 8)
  input.set(seed)
  const counter = new DataView(input.buffer, seed.length)
  let blocks = 0n
  let block = new Uint8Array(0)
  let used = 0
  const nextBlock = () => {
    counter.setBigUint64(0, blocks++, true)
    block = shake256(crypto, [input], [BLOCK_BYTES])[0] as Uint8Array<ArrayBuffer>
    used = 0
  }
  return {
    bytes(sizeBytes) {
      requireWithin(sizeBytes, 0, MAX_RANDOM_BYTES, 'number of random bytes')
      const bytes = new Uint8Array(sizeBytes)
      for (let at = 0; at < sizeBytes; ) {
        if (used === block.length) nextBlock()
        const part = block.subarray(used, used + sizeBytes - at)
        bytes.set(part, at)
        at += part.length
        used += part.length
      }
      return bytes
    },
  }
}
