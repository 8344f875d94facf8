/** XChaCha20-Poly1305 (IETF, 24-byte nonce, tag of 16 bytes at the end) and the bare XChaCha20 stream. Implements NOT-08. */
import { CryptoError, requireSize } from './crypto-error.ts'
import { type Crypto, RAW } from './provider.ts'

const KEY_BYTES = 32
const NONCE_BYTES = 24
const TAG_BYTES = 16

/** text encrypted and authenticated together with `associated`: text.length + 16 bytes. Throws `bad-size`. */
export function xchacha20Poly1305Encrypt(
  crypto: Crypto,
  key32: Uint8Array,
  nonce24: Uint8Array,
  text: Uint8Array,
  associated?: Uint8Array,
): Uint8Array {
  requireKeyAndNonce(key32, nonce24)
  return crypto[RAW].xchacha20Poly1305Encrypt(key32, nonce24, text, associated)
}

/** The text of `sealed`. Throws `bad-size` for a wrong key or nonce, and `decrypt-failed`, also for less than 16 bytes. */
export function xchacha20Poly1305Decrypt(
  crypto: Crypto,
  key32: Uint8Array,
  nonce24: Uint8Array,
  sealed: Uint8Array,
  associated?: Uint8Array,
): Uint8Array {
  requireKeyAndNonce(key32, nonce24)
  const text = sealed.length < TAG_BYTES ? undefined : crypto[RAW].xchacha20Poly1305Decrypt(key32, nonce24, sealed, associated)
  if (text === undefined) throw new CryptoError('decrypt-failed', 'XChaCha20-Poly1305 decryption failed')
  return text
}

/** `bytes` xor the XChaCha20 stream from block 0: encrypts and decrypts, authenticates nothing. Throws `bad-size`. */
export function xchacha20(crypto: Crypto, key32: Uint8Array, nonce24: Uint8Array, bytes: Uint8Array): Uint8Array {
  requireKeyAndNonce(key32, nonce24)
  return crypto[RAW].xchacha20(key32, nonce24, bytes)
}

function requireKeyAndNonce(key: Uint8Array, nonce: Uint8Array): void {
  requireSize(key, KEY_BYTES, 'XChaCha20 key')
  requireSize(nonce, NONCE_BYTES, 'XChaCha20 nonce')
}
