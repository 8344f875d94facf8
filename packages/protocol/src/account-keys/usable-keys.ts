/**
 * Public keys that came from outside and that something is going to be sealed to.
 *
 * Implements AK-09, DG-16, LINK-05.
 */
import {
  type Crypto,
  CryptoError,
  type MlKem768PublicInput,
  prepareMlKem768PublicKey,
  Secret,
  type X25519PublicInput,
  x25519,
} from '@session-v2/crypto'
import { type ClauseId, ProtocolError } from '../protocol-error.ts'

const X25519_SECRET_BYTES = 32

/** Throws `malformed` when the X25519 key has small order: agreeing with it gives zero for every secret. */
export function requireUsableX25519(crypto: Crypto, publicKey: X25519PublicInput, clause: ClauseId, noun: string): void {
  requireUsable(clause, noun, () => x25519(crypto, Secret.of(new Uint8Array(X25519_SECRET_BYTES), 'x25519-secret'), publicKey))
}

/** Throws `malformed` when the ML-KEM-768 key is not reduced. */
export function requireUsableMlKem768(crypto: Crypto, publicKey: MlKem768PublicInput, clause: ClauseId, noun: string): void {
  requireUsable(clause, noun, () => prepareMlKem768PublicKey(crypto, publicKey))
}

function requireUsable(clause: ClauseId, noun: string, use: () => unknown): void {
  try {
    use()
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw new ProtocolError('malformed', clause, `${noun} cannot be used: ${cause.message}`, { cause })
  }
}
