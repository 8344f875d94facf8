/** What sodium-native does faster than WebAssembly: curves, whole messages and Argon2id. */
import type { BoxOperations, CurveOperations, HashOperations, RawKeyPair, XChaChaOperations } from '../provider.ts'
import type { SodiumNative } from './sodium-native.ts'

const TAG_BYTES = 16

/** Ed25519 and X25519 by C libsodium. */
export function nativeCurves(sodium: SodiumNative): Omit<CurveOperations, 'ed25519SecretToX25519'> {
  return {
    ed25519KeyPair(seed): RawKeyPair {
      const pair = { publicKey: new Uint8Array(32), secretKey: new Uint8Array(64) }
      sodium.crypto_sign_seed_keypair(pair.publicKey, pair.secretKey, seed)
      return pair
    },
    ed25519Sign(secretKey, message) {
      const signature = new Uint8Array(64)
      sodium.crypto_sign_detached(signature, message, secretKey)
      return signature
    },
    ed25519Verify: (publicKey, message, signature) => sodium.crypto_sign_verify_detached(signature, message, publicKey),
    ed25519PublicToX25519: publicKey => orUndefined(32, out => sodium.crypto_sign_ed25519_pk_to_curve25519(out, publicKey)),
    x25519Public(secretKey) {
      const publicKey = new Uint8Array(32)
      sodium.crypto_scalarmult_base(publicKey, secretKey)
      return publicKey
    },
    x25519: (secretKey, publicKey) => orUndefined(32, out => sodium.crypto_scalarmult(out, secretKey, publicKey)),
  }
}

/** XChaCha20-Poly1305 by C libsodium. */
export function nativeXChaCha(sodium: SodiumNative): Omit<XChaChaOperations, 'xchacha20'> {
  return {
    xchacha20Poly1305Encrypt(key, nonce, text, associated) {
      const sealed = new Uint8Array(text.length + TAG_BYTES)
      sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, text, associated ?? null, null, nonce, key)
      return sealed
    },
    xchacha20Poly1305Decrypt: (key, nonce, sealed, associated) =>
      orUndefined(sealed.length - TAG_BYTES, text =>
        sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(text, null, sealed, associated ?? null, nonce, key),
      ),
  }
}

/** crypto_box by C libsodium. */
export function nativeBox(sodium: SodiumNative): BoxOperations {
  return {
    boxEncrypt: (secretKey, publicKey, nonce, text) =>
      orUndefined(text.length + TAG_BYTES, box => sodium.crypto_box_easy(box, text, nonce, publicKey, secretKey)),
    boxDecrypt(secretKey, publicKey, nonce, sealed) {
      const text = new Uint8Array(sealed.length - TAG_BYTES)
      return sodium.crypto_box_open_easy(text, sealed, nonce, publicKey, secretKey) ? text : undefined
    },
  }
}

/** Argon2id by C libsodium. */
export function nativeArgon2id(sodium: SodiumNative): Pick<HashOperations, 'argon2id'> {
  const algorithm = sodium.crypto_pwhash_ALG_ARGON2ID13
  return {
    argon2id: (password, salt, opsLimit, memoryBytes, sizeBytes) =>
      orUndefined(sizeBytes, out => sodium.crypto_pwhash(out, password, salt, opsLimit, memoryBytes, algorithm)),
  }
}

/** Arguments were checked before, so what these functions throw for is the one failure each has. */
function orUndefined(sizeBytes: number, write: (out: Uint8Array) => void): Uint8Array | undefined {
  const out = new Uint8Array(sizeBytes)
  try {
    write(out)
  } catch {
    return undefined
  }
  return out
}
