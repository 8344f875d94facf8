/** X25519 (RFC 7748). Implements NOT-04. */
import { CryptoError, requireSize } from './crypto-error.ts'
import { X25519_KEY_BYTES, type X25519PublicInput, type X25519PublicKey } from './key-types.ts'
import { type Crypto, RAW } from './provider.ts'
import type { Random } from './random.ts'
import { Secret } from './secret.ts'

export interface X25519KeyPair {
  readonly publicKey: X25519PublicKey
  /** 32 bytes; clamped when it is used, so any 32 bytes will do. */
  readonly secretKey: Secret<'x25519-secret'>
}

/** The key pair of a 32-byte secret; the very same Secret comes back beside its public key. Throws `bad-size`. */
export function x25519KeyPair(crypto: Crypto, secret: Secret<'x25519-secret'>): X25519KeyPair {
  const bytes = secret.expose()
  requireSize(bytes, X25519_KEY_BYTES, 'X25519 secret key')
  return { publicKey: crypto[RAW].x25519Public(bytes) as X25519PublicKey, secretKey: secret }
}

/** A fresh key pair. Wipe the secret of an ephemeral one after use. */
export function generateX25519(crypto: Crypto, random: Random): X25519KeyPair {
  return x25519KeyPair(crypto, Secret.of(random.bytes(X25519_KEY_BYTES), 'x25519-secret'))
}

/**
 * The 32-byte shared secret, raw: hash it before use. Throws `bad-size`, and `bad-point` when the public key has small order so
 * that the result would be zero for every secret.
 */
export function x25519(crypto: Crypto, secretKey: Secret<'x25519-secret'>, publicKey: X25519PublicInput): Uint8Array {
  const bytes = secretKey.expose()
  requireSize(bytes, X25519_KEY_BYTES, 'X25519 secret key')
  requireSize(publicKey, X25519_KEY_BYTES, 'X25519 public key')
  const shared = crypto[RAW].x25519(bytes, publicKey)
  if (shared === undefined) throw new CryptoError('bad-point', 'the X25519 public key has small order')
  return shared
}
