/**
 * The raw functions of libsodium-sumo that this package calls; the module ships no types.
 *
 * Pointers are byte offsets into HEAPU8. A 64-bit length is two 32-bit arguments, low half first. Results: 0 is success.
 * HEAPU8 is another object after the memory has grown.
 */
declare module 'libsodium-sumo' {
  type Pointer = number
  type Size = number
  type SizeLow = number
  type SizeHigh = 0

  export interface RawSodium {
    readonly HEAPU8: Uint8Array
    _malloc(size: Size): Pointer
    _free(at: Pointer): void
    _sodium_init(): number

    _crypto_generichash_blake2b_salt_personal(
      out: Pointer,
      outSize: Size,
      input: Pointer,
      low: SizeLow,
      high: SizeHigh,
      key: Pointer,
      keySize: Size,
      salt: Pointer,
      personal: Pointer,
    ): number
    _crypto_hash_sha256(out: Pointer, input: Pointer, low: SizeLow, high: SizeHigh): number
    _crypto_hash_sha512(out: Pointer, input: Pointer, low: SizeLow, high: SizeHigh): number
    _crypto_hash_sha3256(out: Pointer, input: Pointer, low: SizeLow, high: SizeHigh): number
    _crypto_xof_shake256(out: Pointer, outSize: Size, input: Pointer, low: SizeLow, high: SizeHigh): number
    _crypto_auth_hmacsha256_statebytes(): Size
    _crypto_auth_hmacsha256_init(state: Pointer, key: Pointer, keySize: Size): number
    _crypto_auth_hmacsha256_update(state: Pointer, input: Pointer, low: SizeLow, high: SizeHigh): number
    _crypto_auth_hmacsha256_final(state: Pointer, out: Pointer): number
    _crypto_pwhash_alg_argon2id13(): number
    _crypto_pwhash(
      out: Pointer,
      outLow: SizeLow,
      outHigh: SizeHigh,
      password: Pointer,
      passwordLow: SizeLow,
      passwordHigh: SizeHigh,
      salt: Pointer,
      opsLow: SizeLow,
      opsHigh: SizeHigh,
      memorySize: Size,
      algorithm: number,
    ): number

    _crypto_sign_ed25519_seed_keypair(publicKey: Pointer, secretKey: Pointer, seed: Pointer): number
    _crypto_sign_ed25519_detached(
      signature: Pointer,
      signatureSize: Pointer,
      message: Pointer,
      low: SizeLow,
      high: SizeHigh,
      secretKey: Pointer,
    ): number
    _crypto_sign_ed25519_verify_detached(
      signature: Pointer,
      message: Pointer,
      low: SizeLow,
      high: SizeHigh,
      publicKey: Pointer,
    ): number
    _crypto_sign_ed25519_pk_to_curve25519(out: Pointer, publicKey: Pointer): number
    _crypto_sign_ed25519_sk_to_curve25519(out: Pointer, secretKey: Pointer): number
    _crypto_scalarmult_base(out: Pointer, scalar: Pointer): number
    _crypto_scalarmult(out: Pointer, scalar: Pointer, point: Pointer): number
    _crypto_scalarmult_ed25519_base_noclamp(out: Pointer, scalar: Pointer): number
    _crypto_core_ed25519_scalar_reduce(out: Pointer, wide: Pointer): undefined
    _crypto_core_ed25519_scalar_negate(out: Pointer, scalar: Pointer): undefined
    _crypto_core_ed25519_scalar_mul(out: Pointer, a: Pointer, b: Pointer): undefined
    _crypto_core_ed25519_scalar_add(out: Pointer, a: Pointer, b: Pointer): undefined

    _crypto_aead_xchacha20poly1305_ietf_encrypt(
      out: Pointer,
      outSize: Pointer,
      text: Pointer,
      low: SizeLow,
      high: SizeHigh,
      associated: Pointer,
      associatedLow: SizeLow,
      associatedHigh: SizeHigh,
      unused: Pointer,
      nonce: Pointer,
      key: Pointer,
    ): number
    _crypto_aead_xchacha20poly1305_ietf_decrypt(
      out: Pointer,
      outSize: Pointer,
      unused: Pointer,
      sealed: Pointer,
      low: SizeLow,
      high: SizeHigh,
      associated: Pointer,
      associatedLow: SizeLow,
      associatedHigh: SizeHigh,
      nonce: Pointer,
      key: Pointer,
    ): number
    _crypto_stream_xchacha20_xor(out: Pointer, text: Pointer, low: SizeLow, high: SizeHigh, nonce: Pointer, key: Pointer): number
    _crypto_box_easy(
      out: Pointer,
      text: Pointer,
      low: SizeLow,
      high: SizeHigh,
      nonce: Pointer,
      publicKey: Pointer,
      secretKey: Pointer,
    ): number
    _crypto_box_open_easy(
      out: Pointer,
      sealed: Pointer,
      low: SizeLow,
      high: SizeHigh,
      nonce: Pointer,
      publicKey: Pointer,
      secretKey: Pointer,
    ): number

    _crypto_kem_mlkem768_seed_keypair(publicKey: Pointer, secretKey: Pointer, seed: Pointer): number
    _crypto_kem_mlkem768_enc_deterministic(ciphertext: Pointer, shared: Pointer, publicKey: Pointer, coins: Pointer): number
    _crypto_kem_mlkem768_dec(shared: Pointer, ciphertext: Pointer, secretKey: Pointer): number
  }

  const startSodium: (options: { getRandomValue: () => number }) => Promise<RawSodium>

  // biome-ignore lint/style/noDefaultExport: it is what the module has
  export { startSodium as default }
}
