/** AES-256-GCM in JavaScript: libsodium's WebAssembly build has no AES, and WebCrypto's is asynchronous. */
import { gcm } from '@noble/ciphers/aes.js'
import type { AesGcmOperations } from '../provider.ts'

export const javaScriptAesGcm: AesGcmOperations = {
  aes256GcmEncrypt: (key, iv, text) => gcm(key, iv).encrypt(text),
  aes256GcmDecrypt(key, iv, sealed) {
    try {
      return gcm(key, iv).decrypt(sealed)
    } catch {
      return undefined
    }
  },
}
