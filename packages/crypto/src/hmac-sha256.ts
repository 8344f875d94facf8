/** HMAC-SHA-256 (RFC 2104). */
import { type Crypto, RAW } from './provider.ts'

/** The 32-byte HMAC of the inputs one after the other. The key may have any length. */
export function hmacSha256(crypto: Crypto, key: Uint8Array, inputs: readonly Uint8Array[]): Uint8Array {
  return crypto[RAW].hmacSha256(key, inputs)
}
