/**
 * The key of a link request: X is the account key of the group that is asked, E and e an ephemeral one.
 *
 *     key ‖ nonce   BLAKE2b-56(X25519(e, X) ‖ E ‖ X, personal "SessionDvGrpLink")
 *
 * Implements LINK-03.
 */
import { blake2b, type Crypto, wipe } from '@session-v2/crypto'

const KEY_BYTES = 32
const NONCE_BYTES = 24

export interface LinkRequestKey {
  /** 32 bytes. */
  readonly key: Uint8Array
  /** 24 bytes. */
  readonly nonce: Uint8Array
}

/** From `shared`, X25519(e, X), which is wiped: nothing else may be made of it. Wipe the key. */
export function linkRequestKey(
  crypto: Crypto,
  shared: Uint8Array,
  ephemeral: Uint8Array,
  linkX25519: Uint8Array,
): LinkRequestKey {
  const inputs = [shared, ephemeral, linkX25519]
  const keyAndNonce = blake2b(crypto, KEY_BYTES + NONCE_BYTES, inputs, { personal: 'SessionDvGrpLink' })
  wipe(shared)
  return { key: keyAndNonce.subarray(0, KEY_BYTES), nonce: keyAndNonce.subarray(KEY_BYTES) }
}
