/**
 * A key pair of two halves from one 32-byte seed, in the manner of X-Wing: only the seed is ever stored or sent.
 *
 *     SHAKE256(domain ‖ seed) → 32 bytes X25519 secret ‖ 64 bytes ML-KEM-768 key generation seed (d ‖ z)
 *
 * The domain separates the keys that an account publishes from those of a single device.
 *
 * Implements AK-01.
 */
import {
  type Crypto,
  type MlKem768PublicKey,
  type MlKem768SecretHandle,
  mlKem768KeyPair,
  Secret,
  shake256,
  type X25519KeyPair,
  type X25519PublicKey,
  x25519KeyPair,
} from '@session-v2/crypto'
import { encodeUtf8 } from '@session-v2/encoding'
import { requireSize } from '../protocol-error.ts'

export type KeyDomain = 'SessionAccountKeys' | 'SessionDeviceKeys'

export const KEY_SEED_BYTES = 32
const X25519_SECRET_BYTES = 32
const ML_KEM_SEED_BYTES = 64

export interface ExpandedKeyPair {
  readonly x25519: X25519KeyPair
  readonly mlKem768: {
    /** 64 bytes, d ‖ z. */
    readonly seed: Secret<'mlkem768-seed'>
    readonly publicKey: MlKem768PublicKey
    readonly secretKey: MlKem768SecretHandle
  }
}

/** The key pair of a 32-byte seed, which stays the caller's. Throws `bad-input` for another size. */
export function expandKeyPair(crypto: Crypto, domain: KeyDomain, seed: Uint8Array): ExpandedKeyPair {
  requireSize(seed, KEY_SEED_BYTES, 'AK-01', 'the seed of a key pair')
  const [x25519Secret, mlKemSeed] = shake256(crypto, [encodeUtf8(domain), seed], [X25519_SECRET_BYTES, ML_KEM_SEED_BYTES])
  return {
    x25519: x25519KeyPair(crypto, Secret.of(x25519Secret!, 'x25519-secret')),
    mlKem768: { seed: Secret.of(mlKemSeed!, 'mlkem768-seed'), ...mlKem768KeyPair(crypto, mlKemSeed!) },
  }
}

/** Erases every secret of the pair, which cannot be used afterwards. */
export function wipeExpandedKeyPair({ x25519, mlKem768 }: ExpandedKeyPair): void {
  for (const secret of [x25519.secretKey, mlKem768.seed, mlKem768.secretKey]) secret.wipe()
}

/** Only the X25519 public key of an account key of a 32-byte seed: what link requests are sealed to. Throws `bad-input` for another size. */
export function accountKeyX25519(crypto: Crypto, seed: Uint8Array): X25519PublicKey {
  requireSize(seed, KEY_SEED_BYTES, 'AK-01', 'the seed of a key pair')
  const [secret] = shake256(crypto, [encodeUtf8('SessionAccountKeys' satisfies KeyDomain), seed], [X25519_SECRET_BYTES])
  const { publicKey, secretKey } = x25519KeyPair(crypto, Secret.of(secret!, 'x25519-secret'))
  secretKey.wipe()
  return publicKey
}
