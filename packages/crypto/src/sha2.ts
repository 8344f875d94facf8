/** SHA-256 and SHA-512 (FIPS 180-4). */
import { type Crypto, RAW } from './provider.ts'

/** The 32-byte SHA-256 digest of the inputs one after the other. */
export function sha256(crypto: Crypto, inputs: readonly Uint8Array[]): Uint8Array {
  return crypto[RAW].sha256(inputs)
}

/** The 64-byte SHA-512 digest of the inputs one after the other. */
export function sha512(crypto: Crypto, inputs: readonly Uint8Array[]): Uint8Array {
  return crypto[RAW].sha512(inputs)
}
