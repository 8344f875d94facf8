/** SHA3-256 and SHAKE256 (FIPS 202). Implements NOT-03. */
import { requireWithin } from './crypto-error.ts'
import { type Crypto, RAW } from './provider.ts'

/** A caller that wants more than this has mistaken bits for bytes. */
const SHAKE_MAX_BYTES = 1 << 20

/** The 32-byte SHA3-256 digest of the inputs one after the other. */
export function sha3_256(crypto: Crypto, inputs: readonly Uint8Array[]): Uint8Array {
  return crypto[RAW].sha3_256(inputs)
}

/**
 * Successive outputs of one SHAKE256 stream over the inputs one after the other: `sizes` [32, 24] gives its first 32 bytes and
 * the 24 bytes that follow. Throws `bad-size` for a size that is no whole number or a total above 1 MiB.
 */
export function shake256(crypto: Crypto, inputs: readonly Uint8Array[], sizes: readonly number[]): Uint8Array[] {
  let totalBytes = 0
  for (const sizeBytes of sizes) {
    requireWithin(sizeBytes, 0, SHAKE_MAX_BYTES, 'SHAKE256 output size')
    totalBytes += sizeBytes
  }
  requireWithin(totalBytes, 0, SHAKE_MAX_BYTES, 'SHAKE256 total output size')
  return crypto[RAW].shake256(inputs, sizes)
}
