/**
 * The signature of an account's owner: Ed25519, by the account's own key (RPC-30 to RPC-32). A Session id (prefix 05) holds the X25519
 * form of that key, so the Ed25519 key comes with the request and must convert to it; the key of every other account is Ed25519.
 */
import type { Crypto } from '@session-v2/crypto'
import { CryptoError, ed25519PublicKey, ed25519PublicToX25519, ed25519Signature, ed25519Verify } from '@session-v2/crypto'
import { equalBytes } from '@session-v2/encoding'

/** First byte of a Session id, whose key is X25519. */
export const SESSION_ID_PREFIX = 0x05

/** What the owner signed with. */
export interface OwnerSignature {
  /** 64 bytes. */
  readonly signature: Uint8Array
  /** 32 bytes; only for Session ids. */
  readonly ed25519: Uint8Array | undefined
}

/** Whether the owner of `account` (33 bytes) signed `text`. A wrong key and a wrong signature are one answer. */
export function verifyAccountSignature(
  crypto: Crypto,
  account: Uint8Array,
  { signature, ed25519 }: OwnerSignature,
  text: Uint8Array,
): boolean {
  const key = account.subarray(1)
  if (ed25519 !== undefined && !convertsTo(crypto, ed25519, key)) return false
  return ed25519Verify(crypto, ed25519PublicKey(ed25519 ?? key), text, ed25519Signature(signature))
}

/** The Session id, 33 bytes, of an Ed25519 key of 32; undefined for a key of small order, which nobody holds. */
export function sessionIdOf(crypto: Crypto, ed25519: Uint8Array): Uint8Array | undefined {
  try {
    return Uint8Array.of(SESSION_ID_PREFIX, ...ed25519PublicToX25519(crypto, ed25519PublicKey(ed25519)))
  } catch (error) {
    if (error instanceof CryptoError) return undefined
    throw error
  }
}

function convertsTo(crypto: Crypto, ed25519: Uint8Array, x25519: Uint8Array): boolean {
  const id = sessionIdOf(crypto, ed25519)
  return id !== undefined && equalBytes(id.subarray(1), x25519)
}
