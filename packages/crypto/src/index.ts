/** The primitives of Session Protocol V2 over one provider interface. The only package that imports cryptographic libraries. */
export { aes256GcmDecrypt, aes256GcmEncrypt } from './aes-256-gcm.ts'
export { type Argon2idCost, argon2id } from './argon2id.ts'
export { type Blake2bOptions, blake2b } from './blake2b.ts'
export { constantTimeCompare, constantTimeEqual } from './constant-time-equal.ts'
export { CryptoError, type CryptoErrorCode } from './crypto-error.ts'
export { type Ed25519KeyPair, ed25519KeyPair, ed25519Sign, ed25519Verify } from './ed25519.ts'
export { ed25519PublicToX25519, ed25519SecretToX25519, x25519PublicToPositiveEd25519 } from './ed25519-x25519-map.ts'
export { hmacSha256 } from './hmac-sha256.ts'
export {
  type Ed25519PublicInput,
  type Ed25519PublicKey,
  type Ed25519Signature,
  type Ed25519SignatureInput,
  ed25519PublicKey,
  ed25519Signature,
  type MlKem768PublicInput,
  type MlKem768PublicKey,
  mlKem768PublicKey,
  type X25519PublicInput,
  type X25519PublicKey,
  x25519PublicKey,
} from './key-types.ts'
export { loadCrypto } from './load-crypto.ts'
export {
  type MlKem768Encapsulation,
  type MlKem768KeyPair,
  type MlKem768PublicHandle,
  type MlKem768SecretHandle,
  mlKem768Decapsulate,
  mlKem768Encapsulate,
  mlKem768KeyPair,
  prepareMlKem768PublicKey,
} from './ml-kem-768.ts'
export type { Crypto } from './provider.ts'
export { type Random, systemRandom } from './random.ts'
export { openSealedBox, sealBox, sealBoxFromSeed } from './sealed-box.ts'
export { Secret } from './secret.ts'
export { seededRandom } from './seeded-random.ts'
export { sha256, sha512 } from './sha2.ts'
export { sha3_256, shake256 } from './sha3.ts'
export { wipe } from './wipe.ts'
export { generateX25519, type X25519KeyPair, x25519, x25519KeyPair } from './x25519.ts'
export { xchacha20, xchacha20Poly1305Decrypt, xchacha20Poly1305Encrypt } from './xchacha20-poly1305.ts'
export { xed25519Sign, xed25519Verify } from './xed25519.ts'
