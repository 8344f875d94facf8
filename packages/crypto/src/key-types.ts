/**
 * A type per kind of public value, so that the compiler refuses an Ed25519 key where an X25519 key belongs. At run time each
 * is a plain Uint8Array; secrets have their own class (`Secret`).
 */
import { requireSize } from './crypto-error.ts'

declare const brand: unique symbol
type Branded<Name extends string> = Uint8Array & { readonly [brand]: Name }
type Input<Name extends string> = Uint8Array & { readonly [brand]?: Name }

/** 32 bytes, an Edwards point (RFC 8032). */
export type Ed25519PublicKey = Branded<'Ed25519PublicKey'>
/** 64 bytes, R and S (RFC 8032). */
export type Ed25519Signature = Branded<'Ed25519Signature'>
/** 32 bytes, a Montgomery u-coordinate (RFC 7748). */
export type X25519PublicKey = Branded<'X25519PublicKey'>
/** 1184 bytes, an encapsulation key (FIPS 203). */
export type MlKem768PublicKey = Branded<'MlKem768PublicKey'>

/** What functions take for an Ed25519 public key: one of its type, or bytes without a type, but no key of another type. */
export type Ed25519PublicInput = Input<'Ed25519PublicKey'>
/** Likewise for an Ed25519 signature. */
export type Ed25519SignatureInput = Input<'Ed25519Signature'>
/** Likewise for an X25519 public key. */
export type X25519PublicInput = Input<'X25519PublicKey'>
/** Likewise for an ML-KEM-768 public key. */
export type MlKem768PublicInput = Input<'MlKem768PublicKey'>

export const ED25519_PUBLIC_BYTES = 32
export const ED25519_SIGNATURE_BYTES = 64
export const X25519_KEY_BYTES = 32
export const ML_KEM_768_PUBLIC_BYTES = 1184

/** The same bytes as an Ed25519 public key. Throws `bad-size` unless there are 32; whether it is a point is not checked. */
export function ed25519PublicKey(bytes: Uint8Array): Ed25519PublicKey {
  requireSize(bytes, ED25519_PUBLIC_BYTES, 'Ed25519 public key')
  return bytes as Ed25519PublicKey
}

/** The same bytes as an Ed25519 signature. Throws `bad-size` unless there are 64. */
export function ed25519Signature(bytes: Uint8Array): Ed25519Signature {
  requireSize(bytes, ED25519_SIGNATURE_BYTES, 'Ed25519 signature')
  return bytes as Ed25519Signature
}

/** The same bytes as an X25519 public key. Throws `bad-size` unless there are 32. */
export function x25519PublicKey(bytes: Uint8Array): X25519PublicKey {
  requireSize(bytes, X25519_KEY_BYTES, 'X25519 public key')
  return bytes as X25519PublicKey
}

/** The same bytes as an ML-KEM-768 public key. Throws `bad-size` unless there are 1184; preparing it checks the modulus. */
export function mlKem768PublicKey(bytes: Uint8Array): MlKem768PublicKey {
  requireSize(bytes, ML_KEM_768_PUBLIC_BYTES, 'ML-KEM-768 public key')
  return bytes as MlKem768PublicKey
}
