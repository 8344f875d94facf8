/**
 * The keys of a V2 message. S and s are the recipient's account X25519 key, X and M their published account key, E and e the
 * sender's ephemeral one. Mind the order of the inputs: it differs between the two derivations.
 *
 *     PFS    ss = SHA3-256(ssM ‖ X25519(e, X) ‖ E ‖ X ‖ \.//^\)      key ‖ nonce = SHAKE256("SessionV2MessageSS" ‖ ss)
 *     none   ss = SHA3-256(X25519(e, S) ‖ S ‖ E ‖ "SessionV2NonPFS")  key ‖ nonce = SHAKE256("SessionV2NonPFSSS" ‖ ss)
 *
 * The shared secrets that go in are wiped here: nothing else may be made of them.
 *
 * Implements DM2-05, DM2-06.
 */
import { type Crypto, sha3_256, shake256, wipe } from '@session-v2/crypto'
import { encodeUtf8 } from '@session-v2/encoding'

const KEY_BYTES = 32
const NONCE_BYTES = 24
/** The label of X-Wing. */
const XWING_LABEL = encodeUtf8('\\.//^\\')
const PFS_LABEL = encodeUtf8('SessionV2MessageSS')
const NO_PFS_SECRET_LABEL = encodeUtf8('SessionV2NonPFS')
const NO_PFS_LABEL = encodeUtf8('SessionV2NonPFSSS')

export interface MessageKey {
  /** 32 bytes. */
  readonly key: Uint8Array
  /** 24 bytes. */
  readonly nonce: Uint8Array
}

/** With forward secrecy: from the secrets shared through M and through X. */
export function pfsMessageKey(
  crypto: Crypto,
  sharedMlKem: Uint8Array,
  sharedX25519: Uint8Array,
  ephemeral: Uint8Array,
  accountX25519: Uint8Array,
): MessageKey {
  const secret = sha3_256(crypto, [sharedMlKem, sharedX25519, ephemeral, accountX25519, XWING_LABEL])
  wipe(sharedMlKem, sharedX25519)
  return messageKey(crypto, PFS_LABEL, secret)
}

/** Without forward secrecy: from X25519(e, S) alone. */
export function noPfsMessageKey(crypto: Crypto, shared: Uint8Array, recipient: Uint8Array, ephemeral: Uint8Array): MessageKey {
  const secret = sha3_256(crypto, [shared, recipient, ephemeral, NO_PFS_SECRET_LABEL])
  wipe(shared)
  return messageKey(crypto, NO_PFS_LABEL, secret)
}

function messageKey(crypto: Crypto, label: Uint8Array, secret: Uint8Array): MessageKey {
  const [key, nonce] = shake256(crypto, [label, secret], [KEY_BYTES, NONCE_BYTES])
  wipe(secret)
  return { key: key!, nonce: nonce! }
}
