/**
 * What a provider has to offer: raw, synchronous operations on byte arrays. The public functions of this package check every
 * length before they call one and turn `undefined` into a CryptoError; an implementation relies on both.
 */

/** Several byte strings hashed as if concatenated. */
export type Inputs = readonly Uint8Array[]

export interface HashOperations {
  blake2b(sizeBytes: number, inputs: Inputs, key: Uint8Array | undefined, personal: Uint8Array | undefined): Uint8Array
  sha256(inputs: Inputs): Uint8Array
  sha512(inputs: Inputs): Uint8Array
  sha3_256(inputs: Inputs): Uint8Array
  /** Successive outputs of one stream. */
  shake256(inputs: Inputs, sizes: readonly number[]): Uint8Array[]
  hmacSha256(key: Uint8Array, inputs: Inputs): Uint8Array
  /** undefined: not enough memory. */
  argon2id(
    password: Uint8Array,
    salt: Uint8Array,
    opsLimit: number,
    memoryBytes: number,
    sizeBytes: number,
  ): Uint8Array | undefined
}

export interface RawKeyPair {
  readonly publicKey: Uint8Array
  readonly secretKey: Uint8Array
}

export interface CurveOperations {
  ed25519KeyPair(seed: Uint8Array): RawKeyPair
  ed25519Sign(secretKey: Uint8Array, message: Uint8Array): Uint8Array
  /** libsodium's strict rules: canonical S and A, no A or R of small order. */
  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
  ed25519SecretToX25519(secretKey: Uint8Array): Uint8Array
  /** undefined: not a point of the prime-order subgroup. */
  ed25519PublicToX25519(publicKey: Uint8Array): Uint8Array | undefined
  x25519Public(secretKey: Uint8Array): Uint8Array
  /** undefined: all-zero result. */
  x25519(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined
}

/** Arithmetic modulo the group order L; scalars are 32 bytes little-endian. */
export interface ScalarOperations {
  /** 64 bytes reduced modulo L. */
  scalarReduce(wide: Uint8Array): Uint8Array
  scalarNegate(scalar: Uint8Array): Uint8Array
  /** a·b + c */
  scalarMultiplyAdd(a: Uint8Array, b: Uint8Array, c: Uint8Array): Uint8Array
  /** The point scalar·B, the scalar taken as it is (not clamped). */
  scalarTimesBase(scalar: Uint8Array): Uint8Array
}

export interface XChaChaOperations {
  xchacha20Poly1305Encrypt(key: Uint8Array, nonce: Uint8Array, text: Uint8Array, associated: Uint8Array | undefined): Uint8Array
  /** undefined: the tag does not match. `sealed` has at least 16 bytes. */
  xchacha20Poly1305Decrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
    associated: Uint8Array | undefined,
  ): Uint8Array | undefined
  xchacha20(key: Uint8Array, nonce: Uint8Array, text: Uint8Array): Uint8Array
}

export interface AesGcmOperations {
  aes256GcmEncrypt(key: Uint8Array, iv: Uint8Array, text: Uint8Array): Uint8Array
  /** undefined: the tag does not match. `sealed` has at least 16 bytes. */
  aes256GcmDecrypt(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array): Uint8Array | undefined
}

export interface BoxOperations {
  /** X25519 then XSalsa20-Poly1305 (crypto_box). undefined: the public key has small order. */
  boxEncrypt(secretKey: Uint8Array, publicKey: Uint8Array, nonce: Uint8Array, text: Uint8Array): Uint8Array | undefined
  /** undefined: the tag does not match or the public key has small order. `sealed` has at least 16 bytes. */
  boxDecrypt(secretKey: Uint8Array, publicKey: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Uint8Array | undefined
}

export interface RawEncapsulation {
  readonly ciphertext: Uint8Array
  readonly sharedSecret: Uint8Array
}

/** An ML-KEM-768 public key in the form its provider works with fastest. */
export interface PreparedPublic {
  /** Deterministic in the 32 coins. */
  encapsulate(coins: Uint8Array): RawEncapsulation
  /** With coins from the system's generator: there where a native module draws them itself and is faster. */
  readonly encapsulateBySystem?: () => RawEncapsulation
}

/** An ML-KEM-768 secret key in the form its provider works with fastest. */
export interface PreparedSecret {
  decapsulate(ciphertext: Uint8Array): Uint8Array
  /** A fresh copy of the 2400 bytes of the expanded form. */
  expanded(): Uint8Array
  wipe(): void
}

export interface MlKemOperations {
  mlKem768KeyPair(seed: Uint8Array): { publicKey: Uint8Array; secretKey: PreparedSecret }
  /** The public key has passed the modulus check. */
  mlKem768Prepare(publicKey: Uint8Array): PreparedPublic
}

export interface Provider
  extends HashOperations,
    CurveOperations,
    ScalarOperations,
    XChaChaOperations,
    AesGcmOperations,
    BoxOperations,
    MlKemOperations {
  readonly name: string
}

/** Where a Crypto keeps its provider; not exported by the package, so nobody outside can skip the length checks. */
export const RAW: unique symbol = Symbol('provider')

/** A loaded set of primitives (see `loadCrypto`), the first argument of every function of this package. */
export interface Crypto {
  /** `native` or `wasm`. */
  readonly name: string
  readonly [RAW]: Provider
}
