/**
 * The primitives of Protocol V2 by other libraries, behind one small table, so that the same message code can be timed over each.
 * `noble` is pure JavaScript; `wrappers` is libsodium-wrappers-sumo as it ships (it has no personalised BLAKE2b over a message, so
 * that one hash comes from noble).
 */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { blake2b } from '@noble/hashes/blake2.js'
import { sha3_256, shake256 } from '@noble/hashes/sha3.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import sodium from 'libsodium-wrappers-sumo'

export interface PeerPrimitives {
  readonly name: string
  randomBytes(sizeBytes: number): Uint8Array
  blake2b(sizeBytes: number, input: Uint8Array, personal: string, key: Uint8Array): Uint8Array
  sha3(input: Uint8Array): Uint8Array
  shake(input: Uint8Array, sizeBytes: number): Uint8Array
  x25519Public(secret: Uint8Array): Uint8Array
  x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array
  sign(seed: Uint8Array, secretKey: Uint8Array, message: Uint8Array): Uint8Array
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
  encapsulate(publicKey: Uint8Array): { ciphertext: Uint8Array; sharedSecret: Uint8Array }
  decapsulate(secretKey: Uint8Array, ciphertext: Uint8Array): Uint8Array
  aeadEncrypt(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): Uint8Array
  aeadDecrypt(key: Uint8Array, nonce: Uint8Array, ciphertext: Uint8Array): Uint8Array
}

const encoder = new TextEncoder()

function personalised(sizeBytes: number, input: Uint8Array, personal: string, key: Uint8Array): Uint8Array {
  return blake2b(input, { dkLen: sizeBytes, key, personalization: encoder.encode(personal) })
}

export const noble: PeerPrimitives = {
  name: 'noble',
  randomBytes: sizeBytes => globalThis.crypto.getRandomValues(new Uint8Array(sizeBytes)),
  blake2b: personalised,
  sha3: input => sha3_256(input),
  shake: (input, sizeBytes) => shake256(input, { dkLen: sizeBytes }),
  x25519Public: secret => x25519.getPublicKey(secret),
  x25519: (secret, publicKey) => x25519.getSharedSecret(secret, publicKey),
  sign: (seed, _secretKey, message) => ed25519.sign(message, seed),
  verify: (publicKey, message, signature) => ed25519.verify(signature, message, publicKey, { zip215: false }),
  encapsulate: publicKey => {
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey)
    return { ciphertext: cipherText, sharedSecret }
  },
  decapsulate: (secretKey, ciphertext) => ml_kem768.decapsulate(ciphertext, secretKey),
  aeadEncrypt: (key, nonce, plaintext) => xchacha20poly1305(key, nonce).encrypt(plaintext),
  aeadDecrypt: (key, nonce, ciphertext) => xchacha20poly1305(key, nonce).decrypt(ciphertext),
}

/** libsodium-wrappers-sumo, ready to use. */
export async function loadWrappers(): Promise<PeerPrimitives> {
  await sodium.ready
  return {
    name: 'libsodium-wrappers-sumo',
    randomBytes: sizeBytes => sodium.randombytes_buf(sizeBytes),
    blake2b: personalised,
    sha3: input => sha3_256(input),
    shake: (input, sizeBytes) => shake256(input, { dkLen: sizeBytes }),
    x25519Public: secret => sodium.crypto_scalarmult_base(secret),
    x25519: (secret, publicKey) => sodium.crypto_scalarmult(secret, publicKey),
    sign: (_seed, secretKey, message) => sodium.crypto_sign_detached(message, secretKey),
    verify: (publicKey, message, signature) => sodium.crypto_sign_verify_detached(signature, message, publicKey),
    encapsulate: publicKey => {
      const { ciphertext, sharedSecret } = sodium.crypto_kem_mlkem768_enc(publicKey)
      return { ciphertext, sharedSecret }
    },
    decapsulate: (secretKey, ciphertext) => sodium.crypto_kem_mlkem768_dec(ciphertext, secretKey),
    aeadEncrypt: (key, nonce, plaintext) => sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, null, null, nonce, key),
    aeadDecrypt: (key, nonce, ciphertext) =>
      sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(null, ciphertext, null, nonce, key),
  }
}
