/**
 * The key indicator: two bytes of a public key by which whoever holds several keys knows which to try. S is the recipient's account
 * X25519 key, E/e an ephemeral one; only the account, and whoever made e, takes the mask off:
 *
 *     masked = indicator ⊕ BLAKE2b-2(E ‖ S, key = X25519(e, S), personal = domain)
 *
 * Implements DM2-04, LINK-02.
 */
import { blake2b, type Crypto } from '@session-v2/crypto'
import { xorBytes } from '@session-v2/encoding'

export const INDICATOR_BYTES = 2

/** Of messages, and of link requests. */
export type IndicatorDomain = 'Session-Msg-KISS' | 'SessionDvGrpKISS'

/** Masks a key indicator (2 bytes), or takes the mask off again. `shared` is X25519(e, S) and stays the caller's. */
export function maskIndicator(
  crypto: Crypto,
  domain: IndicatorDomain,
  shared: Uint8Array,
  ephemeral: Uint8Array,
  recipient: Uint8Array,
  indicator: Uint8Array,
): Uint8Array {
  return xorBytes(indicator, blake2b(crypto, INDICATOR_BYTES, [ephemeral, recipient], { key: shared, personal: domain }))
}
