/** JSON forms of binary fields. */
import { encodeHex } from '@session-v2/encoding'
import type { RequestSignature } from '@session-v2/network'

/** Padded base64, by Node's own encoder: an answer may hold megabytes. */
export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** A client's signature as it came, for peers to check again. */
export function signatureFields({ signature, ed25519 }: RequestSignature): Record<string, string> {
  return { signature: base64(signature), ...(ed25519 && { pubkey_ed25519: encodeHex(ed25519) }) }
}
