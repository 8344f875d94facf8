/**
 * An account: everything that follows from its root seed.
 *
 *     root seed   32 bytes; an account of 13 words has 16 random bytes and 16 zero bytes, one of 25 words 32 random bytes
 *     Ed25519     the key pair of the root seed
 *     X25519      secret = clamp(SHA-512(seed)[0..32]); public = the Montgomery form of the Ed25519 public key
 *     account ID  05 ‖ X25519 public
 *
 * Implements ACC-01, ACC-02, ACC-06.
 */
import {
  type Crypto,
  CryptoError,
  type Ed25519KeyPair,
  ed25519KeyPair,
  ed25519PublicToX25519,
  ed25519SecretToX25519,
  type Random,
  Secret,
  wipe,
  type X25519KeyPair,
  x25519KeyPair,
} from '@session-v2/crypto'
import { copyBytes } from '@session-v2/encoding'
import { ProtocolError, requireSize } from '../protocol-error.ts'
import { type AccountId, accountIdOf } from './account-id.ts'

export const ROOT_SEED_BYTES = 32
/** The random part of the seed of a 13-word account; the rest is zero. */
const SHORT_SEED_BYTES = 16

/** How many words the recovery password of a new account has: 13 carry 128 bits, 25 carry 256. */
export type SeedWords = 13 | 25

export interface Account {
  readonly id: AccountId
  readonly seed: Secret<'root-seed'>
  readonly ed25519: Ed25519KeyPair
  readonly x25519: X25519KeyPair
}

/** A fresh 32-byte root seed. */
export function generateSeed(random: Random, words: SeedWords): Uint8Array {
  if (words === 25) return random.bytes(ROOT_SEED_BYTES)
  const seed = new Uint8Array(ROOT_SEED_BYTES)
  const randomPart = random.bytes(SHORT_SEED_BYTES)
  seed.set(randomPart)
  wipe(randomPart)
  return seed
}

/** The account of a 32-byte root seed, which is copied. Throws `bad-input` for another size. */
export function accountFromSeed(crypto: Crypto, seed: Uint8Array): Account {
  requireSize(seed, ROOT_SEED_BYTES, 'ACC-01', 'the root seed')
  const ed25519Seed = Secret.of(copyBytes(seed), 'ed25519-seed')
  const ed25519 = ed25519KeyPair(crypto, ed25519Seed)
  ed25519Seed.wipe()
  const x25519 = x25519KeyPair(crypto, ed25519SecretToX25519(crypto, ed25519.secretKey))
  return { id: accountIdOf(x25519.publicKey), seed: Secret.of(copyBytes(seed), 'root-seed'), ed25519, x25519 }
}

/**
 * The account ID that an Ed25519 public key (32 bytes) belongs to. Throws `malformed` for a key that is not canonical, not on the
 * curve, of small order or outside the prime-order group: no account has such a key.
 */
export function accountIdFromEd25519(crypto: Crypto, publicKey: Uint8Array): AccountId {
  try {
    return accountIdOf(ed25519PublicToX25519(crypto, publicKey))
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw new ProtocolError('malformed', 'ACC-06', 'the Ed25519 public key belongs to no account', { cause })
  }
}

/** Erases every secret of the account, which cannot be used afterwards. */
export function wipeAccount(account: Account): void {
  account.seed.wipe()
  account.ed25519.secretKey.wipe()
  account.x25519.secretKey.wipe()
}
