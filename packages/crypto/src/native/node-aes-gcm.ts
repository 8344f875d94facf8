/** AES-256-GCM of node:crypto, which uses the processor's AES instructions. */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { AesGcmOperations } from '../provider.ts'
import { plainBytes } from './plain-bytes.ts'

const ALGORITHM = 'aes-256-gcm'
const TAG_BYTES = 16

export const nodeAesGcm: AesGcmOperations = {
  aes256GcmEncrypt(key, iv, text) {
    const cipher = createCipheriv(ALGORITHM, key, iv)
    const sealed = new Uint8Array(text.length + TAG_BYTES)
    sealed.set(cipher.update(text))
    cipher.final()
    sealed.set(cipher.getAuthTag(), text.length)
    return sealed
  },
  aes256GcmDecrypt(key, iv, sealed) {
    const textBytes = sealed.length - TAG_BYTES
    const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES })
    decipher.setAuthTag(sealed.subarray(textBytes))
    const text = plainBytes(decipher.update(sealed.subarray(0, textBytes)))
    try {
      decipher.final()
    } catch {
      text.fill(0)
      return undefined
    }
    return text
  },
}
