/**
 * XEd25519 in its positive form: Ed25519 signatures with an X25519 key pair. The public key is the Ed25519 key with sign bit 0
 * that maps to the X25519 key, so the secret scalar is negated when its own point has sign bit 1.
 *
 *     A = a·B; if A has sign bit 1: a = −a mod L, A = −A
 *     r = BLAKE2b-64(a ‖ message ‖ 64 random bytes, personal "xed25519signatur") mod L
 *     R = r·B;  S = r + SHA-512(R ‖ A ‖ message)·a mod L;  signature = R ‖ S
 *
 * Implements NOT-06.
 */
import { copyBytes } from '@session-v2/encoding'
import { requireSize } from './crypto-error.ts'
import { ed25519Verify } from './ed25519.ts'
import { x25519PublicToPositiveEd25519 } from './ed25519-x25519-map.ts'
import {
  ED25519_SIGNATURE_BYTES,
  type Ed25519Signature,
  type Ed25519SignatureInput,
  X25519_KEY_BYTES,
  type X25519PublicInput,
} from './key-types.ts'
import { type Crypto, RAW } from './provider.ts'
import type { Random } from './random.ts'
import type { Secret } from './secret.ts'
import { wipe } from './wipe.ts'

const PERSONAL = Uint8Array.from('xed25519signatur', character => character.charCodeAt(0))
const NONCE_RANDOM_BYTES = 64

/** The 64-byte signature of a message by an X25519 secret; another one each time. Throws `bad-size`. */
export function xed25519Sign(
  crypto: Crypto,
  random: Random,
  x25519Secret: Secret<'x25519-secret'>,
  message: Uint8Array,
): Ed25519Signature {
  const secret = x25519Secret.expose()
  requireSize(secret, X25519_KEY_BYTES, 'X25519 secret key')
  const raw = crypto[RAW]
  const { scalar, point } = positiveKeyPair(crypto, secret)
  const randomBytes = random.bytes(NONCE_RANDOM_BYTES)
  const wideNonce = raw.blake2b(64, [scalar, message, randomBytes], undefined, PERSONAL)
  const nonce = raw.scalarReduce(wideNonce)
  const commitment = raw.scalarTimesBase(nonce)
  const challenge = raw.scalarReduce(raw.sha512([commitment, point, message]))
  const signature = new Uint8Array(ED25519_SIGNATURE_BYTES)
  signature.set(commitment)
  signature.set(raw.scalarMultiplyAdd(challenge, scalar, nonce), 32)
  wipe(scalar, randomBytes, wideNonce, nonce)
  return signature as Ed25519Signature
}

/** True when the signature is valid for the X25519 public key. Throws `bad-size`, and `bad-point` as the key map does. */
export function xed25519Verify(
  crypto: Crypto,
  x25519Public: X25519PublicInput,
  message: Uint8Array,
  signature: Ed25519SignatureInput,
): boolean {
  return ed25519Verify(crypto, x25519PublicToPositiveEd25519(crypto, x25519Public), message, signature)
}

/** The clamped scalar, negated if need be, and its point with sign bit 0. Both branches cost the same. */
function positiveKeyPair(crypto: Crypto, secret: Uint8Array): { scalar: Uint8Array; point: Uint8Array } {
  const raw = crypto[RAW]
  const clamped = copyBytes(secret)
  clamped[0] = (clamped[0] as number) & 0xf8
  clamped[31] = ((clamped[31] as number) & 0x7f) | 0x40
  const negated = raw.scalarNegate(clamped)
  const point = raw.scalarTimesBase(clamped)
  const isNegative = (point[31] as number) >> 7 === 1
  point[31] = (point[31] as number) & 0x7f
  wipe(isNegative ? clamped : negated)
  return { scalar: isNegative ? negated : clamped, point }
}
