/** Symmetric ciphers and the X25519 box on libsodium's WebAssembly module, each working in place. */
import type { BoxOperations, XChaChaOperations } from '../provider.ts'
import { copyAll, type SodiumMemory } from './sodium-memory.ts'

const KEY_BYTES = 32
const NONCE_BYTES = 24
const TAG_BYTES = 16
/** The box lays out: secret key ‖ public key ‖ nonce ‖ text. */
const BOX_HEADER_BYTES = 2 * KEY_BYTES + NONCE_BYTES
const NULL = 0
const NO_BYTES = new Uint8Array(0)

/** XChaCha20 and XChaCha20-Poly1305 by libsodium in WebAssembly. */
export function wasmXChaCha(memory: SodiumMemory): XChaChaOperations {
  return {
    xchacha20Poly1305Encrypt: (key, nonce, text, associated) => encrypt(memory, key, nonce, text, associated),
    xchacha20Poly1305Decrypt: (key, nonce, sealed, associated) => decrypt(memory, key, nonce, sealed, associated),
    xchacha20: (key, nonce, text) => xchacha20(memory, key, nonce, text),
  }
}

/** crypto_box by libsodium in WebAssembly. */
export function wasmBox(memory: SodiumMemory): BoxOperations {
  return {
    boxEncrypt: (secretKey, publicKey, nonce, text) => boxEncrypt(memory, secretKey, publicKey, nonce, text),
    boxDecrypt: (secretKey, publicKey, nonce, sealed) => boxDecrypt(memory, secretKey, publicKey, nonce, sealed),
  }
}

function encrypt(
  memory: SodiumMemory,
  key: Uint8Array,
  nonce: Uint8Array,
  text: Uint8Array,
  associated: Uint8Array = NO_BYTES,
): Uint8Array {
  const { raw } = memory
  const [textBytes, moreBytes] = [text.length, associated.length]
  const usedBytes = KEY_BYTES + NONCE_BYTES + textBytes + TAG_BYTES + moreBytes
  const keyAt = memory.open(usedBytes)
  const nonceAt = keyAt + KEY_BYTES
  const textAt = nonceAt + NONCE_BYTES
  const moreAt = textAt + textBytes + TAG_BYTES
  const heap = raw.HEAPU8
  copyAll(heap, keyAt, [key, nonce, text])
  heap.set(associated, moreAt)
  raw._crypto_aead_xchacha20poly1305_ietf_encrypt(textAt, NULL, textAt, textBytes, 0, moreAt, moreBytes, 0, NULL, nonceAt, keyAt)
  const sealed = heap.slice(textAt, moreAt)
  memory.close(keyAt, usedBytes)
  return sealed
}

function decrypt(
  memory: SodiumMemory,
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  associated: Uint8Array = NO_BYTES,
): Uint8Array | undefined {
  const { raw } = memory
  const [sealedBytes, moreBytes] = [sealed.length, associated.length]
  const usedBytes = KEY_BYTES + NONCE_BYTES + sealedBytes + moreBytes
  const keyAt = memory.open(usedBytes)
  const nonceAt = keyAt + KEY_BYTES
  const textAt = nonceAt + NONCE_BYTES
  const moreAt = textAt + sealedBytes
  const heap = raw.HEAPU8
  copyAll(heap, keyAt, [key, nonce, sealed])
  heap.set(associated, moreAt)
  const aeadDecrypt = raw._crypto_aead_xchacha20poly1305_ietf_decrypt
  const opened = aeadDecrypt(textAt, NULL, NULL, textAt, sealedBytes, 0, moreAt, moreBytes, 0, nonceAt, keyAt) === 0
  const text = opened ? heap.slice(textAt, moreAt - TAG_BYTES) : undefined
  memory.close(keyAt, usedBytes)
  return text
}

function xchacha20(memory: SodiumMemory, key: Uint8Array, nonce: Uint8Array, text: Uint8Array): Uint8Array {
  const usedBytes = KEY_BYTES + NONCE_BYTES + text.length
  const keyAt = memory.open(usedBytes)
  const nonceAt = keyAt + KEY_BYTES
  const textAt = nonceAt + NONCE_BYTES
  const heap = memory.raw.HEAPU8
  copyAll(heap, keyAt, [key, nonce, text])
  memory.raw._crypto_stream_xchacha20_xor(textAt, textAt, text.length, 0, nonceAt, keyAt)
  const result = heap.slice(textAt, textAt + text.length)
  memory.close(keyAt, usedBytes)
  return result
}

function boxEncrypt(
  memory: SodiumMemory,
  secretKey: Uint8Array,
  publicKey: Uint8Array,
  nonce: Uint8Array,
  text: Uint8Array,
): Uint8Array | undefined {
  const usedBytes = BOX_HEADER_BYTES + text.length + TAG_BYTES
  const secretAt = memory.open(usedBytes)
  const publicAt = secretAt + KEY_BYTES
  const nonceAt = publicAt + KEY_BYTES
  const textAt = nonceAt + NONCE_BYTES
  const heap = memory.raw.HEAPU8
  copyAll(heap, secretAt, [secretKey, publicKey, nonce, text])
  const sealed = memory.raw._crypto_box_easy(textAt, textAt, text.length, 0, nonceAt, publicAt, secretAt) === 0
  const box = sealed ? heap.slice(textAt, textAt + text.length + TAG_BYTES) : undefined
  memory.close(secretAt, usedBytes)
  return box
}

function boxDecrypt(
  memory: SodiumMemory,
  secretKey: Uint8Array,
  publicKey: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const usedBytes = BOX_HEADER_BYTES + sealed.length
  const secretAt = memory.open(usedBytes)
  const publicAt = secretAt + KEY_BYTES
  const nonceAt = publicAt + KEY_BYTES
  const textAt = nonceAt + NONCE_BYTES
  const heap = memory.raw.HEAPU8
  copyAll(heap, secretAt, [secretKey, publicKey, nonce, sealed])
  const opened = memory.raw._crypto_box_open_easy(textAt, textAt, sealed.length, 0, nonceAt, publicAt, secretAt) === 0
  const text = opened ? heap.slice(textAt, textAt + sealed.length - TAG_BYTES) : undefined
  memory.close(secretAt, usedBytes)
  return text
}
