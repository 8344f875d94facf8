/**
 * Padding and encryption of config messages. Both follow from the content alone, so that equal configs are equal bytes.
 *
 *     padded   zeros ‖ text, so that with 40 bytes more it is a multiple of a step
 *     key      BLAKE2b-32(base ‖ size of padded (8, most significant byte first) ‖ domain)
 *     nonce    BLAKE2b-24(padded; key "libsessionutil-config-encrypted-" ‖ domain)
 *     message  XChaCha20-Poly1305(key, nonce, padded) ‖ nonce
 *
 * Implements CFG-20, CFG-21.
 */
import {
  blake2b,
  type Crypto,
  CryptoError,
  type Secret,
  wipe,
  xchacha20Poly1305Decrypt,
  xchacha20Poly1305Encrypt,
} from '@session-v2/crypto'
import { concatBytes, encodeUtf8, uint64Be } from '@session-v2/encoding'

const KEY_BYTES = 32
const NONCE_BYTES = 24
const TAG_BYTES = 16
/** What encryption adds. */
export const CONFIG_OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES
const NONCE_LABEL = 'libsessionutil-config-encrypted-'

/** Sizes of messages below which a step holds, and the step; beyond, it is the last. */
const STEPS: readonly (readonly [belowBytes: number, stepBytes: number])[] = [
  [5120, 256],
  [20_480, 1024],
  [40_960, 2048],
]
const LAST_STEP_BYTES = 5120

/** The size that a text of `sizeBytes` is padded to when `overheadBytes` come to it. */
export function configPaddedBytes(sizeBytes: number, overheadBytes: number = CONFIG_OVERHEAD_BYTES): number {
  const total = sizeBytes + overheadBytes
  const stepBytes = STEPS.find(([belowBytes]) => total < belowBytes)?.[1] ?? LAST_STEP_BYTES
  return Math.ceil(total / stepBytes) * stepBytes - overheadBytes
}

/** `text` behind zeros. */
export function padConfig(text: Uint8Array): Uint8Array {
  const padded = new Uint8Array(configPaddedBytes(text.length))
  padded.set(text, padded.length - text.length)
  return padded
}

/** The text without the zeros before it, as a view. */
export function trimLeadingZeros(padded: Uint8Array): Uint8Array {
  const plain = new Uint8Array(padded.buffer, padded.byteOffset, padded.length)
  let start = 0
  while (start < plain.length && plain[start] === 0) start++
  return padded.subarray(start)
}

/** A padded text, encrypted: 40 bytes more. `base` has 32 bytes. */
export function encryptConfig(crypto: Crypto, base: Secret, domain: string, padded: Uint8Array): Uint8Array {
  const nonce = blake2b(crypto, NONCE_BYTES, [padded], { key: encodeUtf8(NONCE_LABEL + domain) })
  const key = keyOf(crypto, base, domain, padded.length)
  try {
    return concatBytes(xchacha20Poly1305Encrypt(crypto, key, nonce, padded), nonce)
  } finally {
    wipe(key)
  }
}

/** The padded text of a message; undefined when it is not encrypted with this base for this domain. */
export function decryptConfig(crypto: Crypto, base: Secret, domain: string, message: Uint8Array): Uint8Array | undefined {
  const sizeBytes = message.length - CONFIG_OVERHEAD_BYTES
  if (sizeBytes < 0) return undefined
  const key = keyOf(crypto, base, domain, sizeBytes)
  try {
    return xchacha20Poly1305Decrypt(crypto, key, message.subarray(-NONCE_BYTES), message.subarray(0, -NONCE_BYTES))
  } catch (cause) {
    if (!(cause instanceof CryptoError && cause.code === 'decrypt-failed')) throw cause
    return undefined
  } finally {
    wipe(key)
  }
}

function keyOf(crypto: Crypto, base: Secret, domain: string, sizeBytes: number): Uint8Array {
  return blake2b(crypto, KEY_BYTES, [base.expose(), uint64Be(BigInt(sizeBytes)), encodeUtf8(domain)])
}
