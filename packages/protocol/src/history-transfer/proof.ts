/**
 * By what a device of the group proves to another one that it wrote a message. The signature of the account proves nothing between
 * devices: whoever has the recovery password can make it, and a removed device has that. a and A are the device key of the author, b
 * and B that of the addressee; each knows the public half of the other from its record in the group.
 *
 *     key = BLAKE2b-32(X25519(a, B) ‖ A ‖ B, personal "SessionV2HistAut")      ~ = BLAKE2b-32(all before it, key)
 *
 * Implements HT-06.
 */
import {
  blake2b,
  type Crypto,
  CryptoError,
  constantTimeEqual,
  wipe,
  type X25519KeyPair,
  type X25519PublicKey,
  x25519,
} from '@session-v2/crypto'
import { ProtocolError } from '../protocol-error.ts'

const PERSONAL = 'SessionV2HistAut'
const KEY_BYTES = 32
export const PROOF_BYTES = 32

/** The proof (32 bytes) of `body` by its author. Throws `malformed` when the key of the addressee has small order. */
export function proveAuthor(crypto: Crypto, author: X25519KeyPair, addressee: X25519PublicKey, body: Uint8Array): Uint8Array {
  const shared = agree(crypto, author, addressee)
  if (shared === undefined)
    throw new ProtocolError('malformed', 'HT-06', 'the X25519 key of the addressee cannot be used: it has small order')
  return proofOf(crypto, shared, author.publicKey, addressee, body)
}

/** Whether the device with the public key `author` made the proof (32 bytes) of `body` for the pair `addressee`. */
export function isProvenAuthor(
  crypto: Crypto,
  addressee: X25519KeyPair,
  author: X25519PublicKey,
  body: Uint8Array,
  proof: Uint8Array,
): boolean {
  const shared = agree(crypto, addressee, author)
  if (shared === undefined) return false
  return constantTimeEqual(proofOf(crypto, shared, author, addressee.publicKey, body), proof)
}

/** undefined: the public key has small order. */
function agree(crypto: Crypto, { secretKey }: X25519KeyPair, publicKey: X25519PublicKey): Uint8Array | undefined {
  try {
    return x25519(crypto, secretKey, publicKey)
  } catch (cause) {
    if (!(cause instanceof CryptoError && cause.code === 'bad-point')) throw cause
    return undefined
  }
}

/** Erases the shared secret. */
function proofOf(crypto: Crypto, shared: Uint8Array, author: Uint8Array, addressee: Uint8Array, body: Uint8Array): Uint8Array {
  const key = blake2b(crypto, KEY_BYTES, [shared, author, addressee], { personal: PERSONAL })
  wipe(shared)
  const proof = blake2b(crypto, PROOF_BYTES, [body], { key, personal: PERSONAL })
  wipe(key)
  return proof
}
