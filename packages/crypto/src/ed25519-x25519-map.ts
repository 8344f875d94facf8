/**
 * The birational map between Ed25519 and X25519 keys (RFC 7748 section 4.1): u = (1 + y) / (1 − y), y = (u − 1) / (u + 1).
 *
 * A public key and its negative share one u, so the way back from X25519 does not know the sign: by convention it takes the
 * positive one, sign bit 0.
 *
 * The way to X25519 costs as much as an agreement and is asked of the same few keys again and again (a contact's with every
 * message), so the results of the last keys are remembered: public values, a function of public values.
 */
import { copyBytes } from '@session-v2/encoding'
import { CryptoError, requireSize } from './crypto-error.ts'
import { ED25519_SECRET_BYTES } from './ed25519.ts'
import {
  ED25519_PUBLIC_BYTES,
  type Ed25519PublicInput,
  type Ed25519PublicKey,
  X25519_KEY_BYTES,
  type X25519PublicInput,
  type X25519PublicKey,
} from './key-types.ts'
import { type Crypto, RAW } from './provider.ts'
import { Secret } from './secret.ts'

/** The prime of the field, 2^255 − 19. */
const P = 2n ** 255n - 19n

/** The X25519 secret of an Ed25519 secret key: the clamped first half of SHA-512(seed), 32 bytes. Throws `bad-size`. */
export function ed25519SecretToX25519(crypto: Crypto, secretKey: Secret<'ed25519-secret'>): Secret<'x25519-secret'> {
  const bytes = secretKey.expose()
  requireSize(bytes, ED25519_SECRET_BYTES, 'Ed25519 secret key')
  return Secret.of(crypto[RAW].ed25519SecretToX25519(bytes), 'x25519-secret')
}

/**
 * The X25519 public key of an Ed25519 public key. Throws `bad-size`, and `bad-point` when the key is not canonical, not on the
 * curve, of small order or outside the prime-order subgroup.
 */
export function ed25519PublicToX25519(crypto: Crypto, publicKey: Ed25519PublicInput): X25519PublicKey {
  requireSize(publicKey, ED25519_PUBLIC_BYTES, 'Ed25519 public key')
  const remembered = rememberedOf(crypto)
  const name = String.fromCharCode(...publicKey)
  const known = remembered.get(name)
  if (known !== undefined) return copyBytes(known) as X25519PublicKey
  const converted = crypto[RAW].ed25519PublicToX25519(publicKey)
  if (converted === undefined) throw new CryptoError('bad-point', 'the Ed25519 public key is not a valid point')
  if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value!)
  remembered.set(name, copyBytes(converted))
  return converted as X25519PublicKey
}

/** How many conversions a provider remembers; about 150 KB. The oldest goes first. */
const MAX_REMEMBERED = 1024

const conversions = new WeakMap<Crypto, Map<string, Uint8Array>>()

function rememberedOf(crypto: Crypto): Map<string, Uint8Array> {
  let remembered = conversions.get(crypto)
  if (remembered === undefined) {
    remembered = new Map()
    conversions.set(crypto, remembered)
  }
  return remembered
}

/**
 * The Ed25519 public key with sign bit 0 that maps to an X25519 public key. Throws `bad-size`, and `bad-point` when u is not
 * canonical (u ≥ p) or is −1, which no point maps to. A u of the twist gives a y that is on no point: such a key verifies
 * nothing. The arithmetic is not constant-time; the key is public. (`_crypto` is there so that all functions look alike.)
 */
export function x25519PublicToPositiveEd25519(_crypto: Crypto, publicKey: X25519PublicInput): Ed25519PublicKey {
  requireSize(publicKey, X25519_KEY_BYTES, 'X25519 public key')
  const u = readInteger(publicKey)
  if (u >= P - 1n) throw new CryptoError('bad-point', 'the X25519 public key has no Ed25519 counterpart')
  return writeInteger(((u - 1n + P) * invert(u + 1n)) % P) as Ed25519PublicKey
}

/** The inverse of a non-zero field element by the extended Euclidean algorithm. */
function invert(value: bigint): bigint {
  let [remainder, next] = [P, value]
  let [factor, nextFactor] = [0n, 1n]
  while (next !== 0n) {
    const quotient = remainder / next
    ;[remainder, next] = [next, remainder - quotient * next]
    ;[factor, nextFactor] = [nextFactor, factor - quotient * nextFactor]
  }
  return factor < 0n ? factor + P : factor
}

/** 32 bytes little-endian. */
function readInteger(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let value = 0n
  for (let at = 24; at >= 0; at -= 8) value = (value << 64n) | view.getBigUint64(at, true)
  return value
}

function writeInteger(value: bigint): Uint8Array {
  const bytes = new Uint8Array(ED25519_PUBLIC_BYTES)
  const view = new DataView(bytes.buffer)
  for (let at = 0; at < bytes.length; at += 8) view.setBigUint64(at, BigInt.asUintN(64, value >> BigInt(8 * at)), true)
  return bytes
}
