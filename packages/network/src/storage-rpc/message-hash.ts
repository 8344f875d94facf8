/** The name of a stored message: what it is deleted by and continued from (RPC-11). */
import type { Crypto } from '@session-v2/crypto'
import { blake2b } from '@session-v2/crypto'
import { encodeBase64, encodeUtf8 } from '@session-v2/encoding'
import { type Namespace, namespaceText } from '../namespace.ts'

const MESSAGE_HASH = /^[A-Za-z0-9+/]{43}$/

/**
 * Unpadded base64, 43 characters, of BLAKE2b-256(account ‖ namespace as decimal, nothing for 0 ‖ payload). It holds neither time
 * nor key, and nothing stands between namespace and payload: the same hash can arise in two namespaces, so it is unique only
 * together with account and namespace (RPC-12).
 * @param account 33 bytes
 */
export function messageHash(crypto: Crypto, account: Uint8Array, namespace: Namespace, payload: Uint8Array): string {
  const digest = blake2b(crypto, 32, [account, encodeUtf8(namespaceText(namespace)), payload])
  return encodeBase64(digest, { padding: false })
}

/** Whether a text has the form of a message hash. */
export function isMessageHash(text: string): boolean {
  return MESSAGE_HASH.test(text)
}
