/** The functions of sodium-native that this package calls; the module ships no types. Results go to the first argument. */

export interface SodiumNative {
  readonly crypto_pwhash_ALG_ARGON2ID13: number
  /** Throws when memory is out. */
  crypto_pwhash(
    out: Uint8Array,
    password: Uint8Array,
    salt: Uint8Array,
    opsLimit: number,
    memoryBytes: number,
    algorithm: number,
  ): void
  crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void
  crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void
  crypto_sign_verify_detached(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean
  /** Throws for a point that does not convert. */
  crypto_sign_ed25519_pk_to_curve25519(out: Uint8Array, publicKey: Uint8Array): void
  crypto_scalarmult_base(out: Uint8Array, scalar: Uint8Array): void
  /** Throws for an all-zero result. */
  crypto_scalarmult(out: Uint8Array, scalar: Uint8Array, point: Uint8Array): void
  /** Throws for a public key of small order. */
  crypto_box_easy(out: Uint8Array, text: Uint8Array, nonce: Uint8Array, publicKey: Uint8Array, secretKey: Uint8Array): void
  crypto_box_open_easy(
    out: Uint8Array,
    sealed: Uint8Array,
    nonce: Uint8Array,
    publicKey: Uint8Array,
    secretKey: Uint8Array,
  ): boolean
  crypto_aead_xchacha20poly1305_ietf_encrypt(
    out: Uint8Array,
    text: Uint8Array,
    associated: Uint8Array | null,
    unused: null,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number
  /** Throws for a wrong tag. */
  crypto_aead_xchacha20poly1305_ietf_decrypt(
    out: Uint8Array,
    unused: null,
    sealed: Uint8Array,
    associated: Uint8Array | null,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number
}

/** Not a literal at the place of the import, so that a bundler for browsers does not follow it. */
const MODULE = 'sodium-native'

/** Throws when the optional module is not installed or has no build for this platform. */
export async function importSodiumNative(): Promise<SodiumNative> {
  const imported: { default: SodiumNative } = await import(MODULE)
  return imported.default
}
