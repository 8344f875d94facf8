/** AES-256-GCM (SP 800-38D) with a 12-byte iv and the 16-byte tag at the end; onion layers of today's clients use it. */
import { CryptoError, requireSize } from './crypto-error.ts'
import { type Crypto, RAW } from './provider.ts'

const KEY_BYTES = 32
const IV_BYTES = 12
const TAG_BYTES = 16

/** text encrypted and authenticated: text.length + 16 bytes. Never use an iv twice under one key. Throws `bad-size`. */
export function aes256GcmEncrypt(crypto: Crypto, key32: Uint8Array, iv12: Uint8Array, text: Uint8Array): Uint8Array {
  requireKeyAndIv(key32, iv12)
  return crypto[RAW].aes256GcmEncrypt(key32, iv12, text)
}

/** The text of `sealed`. Throws `bad-size` for a wrong key or iv, and `decrypt-failed`, also for less than 16 bytes. */
export function aes256GcmDecrypt(crypto: Crypto, key32: Uint8Array, iv12: Uint8Array, sealed: Uint8Array): Uint8Array {
  requireKeyAndIv(key32, iv12)
  const text = sealed.length < TAG_BYTES ? undefined : crypto[RAW].aes256GcmDecrypt(key32, iv12, sealed)
  if (text === undefined) throw new CryptoError('decrypt-failed', 'AES-256-GCM decryption failed')
  return text
}

function requireKeyAndIv(key: Uint8Array, iv: Uint8Array): void {
  requireSize(key, KEY_BYTES, 'AES-256-GCM key')
  requireSize(iv, IV_BYTES, 'AES-256-GCM iv')
}
