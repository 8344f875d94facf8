/**
 * The anonymous sealed box (libsodium crypto_box_seal): an X25519 box from a one-time key.
 *
 * | bytes | meaning |
 * |---|---|
 * | 32 | ephemeral X25519 public key E |
 * | n + 16 | XSalsa20-Poly1305 box with nonce BLAKE2b-24(E ‖ recipient) |
 */
import { CryptoError, requireSize } from './crypto-error.ts'
import { X25519_KEY_BYTES, type X25519PublicInput } from './key-types.ts'
import { type Crypto, RAW } from './provider.ts'
import type { Random } from './random.ts'
import type { Secret } from './secret.ts'
import { wipe } from './wipe.ts'

const NONCE_BYTES = 24
const TAG_BYTES = 16
const SEED_BYTES = 32

/** A message only the recipient can open: message.length + 48 bytes. Throws `bad-size` and `bad-point`. */
export function sealBox(crypto: Crypto, random: Random, recipient: X25519PublicInput, message: Uint8Array): Uint8Array {
  requireSize(recipient, X25519_KEY_BYTES, 'X25519 public key')
  return sealWith(crypto, random.bytes(X25519_KEY_BYTES), recipient, message)
}

/**
 * The same with the one-time key that follows from a 32-byte seed (libsodium crypto_box_seed_keypair: the first half of its
 * SHA-512), so that equal arguments give equal boxes. The seed must be secret, and another one for every message; it stays the
 * caller's. Throws `bad-size` and `bad-point`.
 */
export function sealBoxFromSeed(
  crypto: Crypto,
  seed: Secret<'box-seed'>,
  recipient: X25519PublicInput,
  message: Uint8Array,
): Uint8Array {
  const bytes = seed.expose()
  requireSize(bytes, SEED_BYTES, 'seed of a sealed box')
  requireSize(recipient, X25519_KEY_BYTES, 'X25519 public key')
  const hashed = crypto[RAW].sha512([bytes])
  try {
    return sealWith(crypto, hashed.subarray(0, X25519_KEY_BYTES), recipient, message)
  } finally {
    wipe(hashed)
  }
}

/** Wipes the ephemeral secret. */
function sealWith(crypto: Crypto, ephemeralSecret: Uint8Array, recipient: Uint8Array, message: Uint8Array): Uint8Array {
  const raw = crypto[RAW]
  const ephemeral = raw.x25519Public(ephemeralSecret)
  const nonce = raw.blake2b(NONCE_BYTES, [ephemeral, recipient], undefined, undefined)
  const box = raw.boxEncrypt(ephemeralSecret, recipient, nonce, message)
  wipe(ephemeralSecret)
  if (box === undefined) throw new CryptoError('bad-point', 'the X25519 public key has small order')
  const sealed = new Uint8Array(X25519_KEY_BYTES + box.length)
  sealed.set(ephemeral)
  sealed.set(box, X25519_KEY_BYTES)
  return sealed
}

/** The message of a sealed box for the key pair given. Throws `bad-size` for the keys, else `decrypt-failed`. */
export function openSealedBox(
  crypto: Crypto,
  publicKey: X25519PublicInput,
  secretKey: Secret<'x25519-secret'>,
  sealed: Uint8Array,
): Uint8Array {
  const secret = secretKey.expose()
  requireSize(publicKey, X25519_KEY_BYTES, 'X25519 public key')
  requireSize(secret, X25519_KEY_BYTES, 'X25519 secret key')
  const message = sealed.length < X25519_KEY_BYTES + TAG_BYTES ? undefined : openBox(crypto, publicKey, secret, sealed)
  if (message === undefined) throw new CryptoError('decrypt-failed', 'the sealed box cannot be opened with this key')
  return message
}

function openBox(crypto: Crypto, publicKey: Uint8Array, secret: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  const ephemeral = sealed.subarray(0, X25519_KEY_BYTES)
  const nonce = crypto[RAW].blake2b(NONCE_BYTES, [ephemeral, publicKey], undefined, undefined)
  return crypto[RAW].boxDecrypt(secret, ephemeral, nonce, sealed.subarray(X25519_KEY_BYTES))
}
