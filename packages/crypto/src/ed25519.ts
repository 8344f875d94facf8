/** Ed25519 (RFC 8032): deterministic signing, strict verification. Implements NOT-05. */
import { requireSize } from './crypto-error.ts'
import {
  ED25519_PUBLIC_BYTES,
  ED25519_SIGNATURE_BYTES,
  type Ed25519PublicInput,
  type Ed25519PublicKey,
  type Ed25519Signature,
  type Ed25519SignatureInput,
} from './key-types.ts'
import { type Crypto, RAW } from './provider.ts'
import { Secret } from './secret.ts'

const SEED_BYTES = 32
export const ED25519_SECRET_BYTES = 64

export interface Ed25519KeyPair {
  readonly publicKey: Ed25519PublicKey
  /** 64 bytes: seed ‖ public key. */
  readonly secretKey: Secret<'ed25519-secret'>
}

/** The key pair of a 32-byte seed. The seed stays the caller's. Throws `bad-size`. */
export function ed25519KeyPair(crypto: Crypto, seed: Secret<'ed25519-seed'>): Ed25519KeyPair {
  const bytes = seed.expose()
  requireSize(bytes, SEED_BYTES, 'Ed25519 seed')
  const pair = crypto[RAW].ed25519KeyPair(bytes)
  return { publicKey: pair.publicKey as Ed25519PublicKey, secretKey: Secret.of(pair.secretKey, 'ed25519-secret') }
}

/** The 64-byte signature of a message. Throws `bad-size`. */
export function ed25519Sign(crypto: Crypto, secretKey: Secret<'ed25519-secret'>, message: Uint8Array): Ed25519Signature {
  const bytes = secretKey.expose()
  requireSize(bytes, ED25519_SECRET_BYTES, 'Ed25519 secret key')
  return crypto[RAW].ed25519Sign(bytes, message) as Ed25519Signature
}

/**
 * True when the signature is valid under libsodium's strict rules, which every provider shares: S, R and the public key
 * canonical and neither R nor the public key of small order. Looser verifiers accept the public key `identity` with
 * the signature (identity, 0) for any message at all. Throws `bad-size` for a key that has not 32 or a signature that has not
 * 64 bytes.
 */
export function ed25519Verify(
  crypto: Crypto,
  publicKey: Ed25519PublicInput,
  message: Uint8Array,
  signature: Ed25519SignatureInput,
): boolean {
  requireSize(publicKey, ED25519_PUBLIC_BYTES, 'Ed25519 public key')
  requireSize(signature, ED25519_SIGNATURE_BYTES, 'Ed25519 signature')
  return crypto[RAW].ed25519Verify(publicKey, message, signature)
}
