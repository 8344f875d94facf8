/** Hashes on libsodium's WebAssembly module. */
import type { HashOperations, Inputs } from '../provider.ts'
import { copyAll, type SodiumMemory, totalBytes } from './sodium-memory.ts'

const HMAC_STATE_BYTES = 208
const HMAC_BYTES = 32
const NULL = 0
const NO_BYTES = new Uint8Array(0)

type PlainHash = (out: number, input: number, low: number, high: 0) => number

/** The hash functions by libsodium in WebAssembly. */
export function wasmHashes(memory: SodiumMemory): HashOperations {
  const { raw } = memory
  return {
    blake2b: (sizeBytes, inputs, key, personal) => blake2b(memory, sizeBytes, inputs, key ?? NO_BYTES, personal),
    sha256: inputs => plainHash(memory, 32, inputs, raw._crypto_hash_sha256),
    sha512: inputs => plainHash(memory, 64, inputs, raw._crypto_hash_sha512),
    sha3_256: inputs => plainHash(memory, 32, inputs, raw._crypto_hash_sha3256),
    shake256: (inputs, sizes) => shake256(memory, inputs, sizes),
    hmacSha256: (key, inputs) => hmacSha256(memory, key, inputs),
    argon2id: (password, salt, opsLimit, memoryBytes, sizeBytes) =>
      argon2id(memory, password, salt, opsLimit, memoryBytes, sizeBytes),
  }
}

function blake2b(
  memory: SodiumMemory,
  sizeBytes: number,
  inputs: Inputs,
  key: Uint8Array,
  personal: Uint8Array = NO_BYTES,
): Uint8Array {
  const { raw } = memory
  const inputBytes = totalBytes(inputs)
  const usedBytes = sizeBytes + key.length + personal.length + inputBytes
  const outAt = memory.open(usedBytes)
  const keyAt = outAt + sizeBytes
  const personalAt = keyAt + key.length
  const inputAt = personalAt + personal.length
  const heap = raw.HEAPU8
  heap.set(key, keyAt)
  heap.set(personal, personalAt)
  copyAll(heap, inputAt, inputs)
  const personalOrNull = personal.length === 0 ? NULL : personalAt
  raw._crypto_generichash_blake2b_salt_personal(outAt, sizeBytes, inputAt, inputBytes, 0, keyAt, key.length, NULL, personalOrNull)
  const digest = heap.slice(outAt, keyAt)
  memory.close(outAt, usedBytes)
  return digest
}

function plainHash(memory: SodiumMemory, sizeBytes: number, inputs: Inputs, hash: PlainHash): Uint8Array {
  const inputBytes = totalBytes(inputs)
  const outAt = memory.open(sizeBytes + inputBytes)
  const inputAt = outAt + sizeBytes
  const heap = memory.raw.HEAPU8
  copyAll(heap, inputAt, inputs)
  hash(outAt, inputAt, inputBytes, 0)
  const digest = heap.slice(outAt, inputAt)
  memory.close(outAt, sizeBytes + inputBytes)
  return digest
}

function shake256(memory: SodiumMemory, inputs: Inputs, sizes: readonly number[]): Uint8Array[] {
  const inputBytes = totalBytes(inputs)
  let streamBytes = 0
  for (const sizeBytes of sizes) streamBytes += sizeBytes
  const streamAt = memory.open(streamBytes + inputBytes)
  const inputAt = streamAt + streamBytes
  const heap = memory.raw.HEAPU8
  copyAll(heap, inputAt, inputs)
  memory.raw._crypto_xof_shake256(streamAt, streamBytes, inputAt, inputBytes, 0)
  const outputs: Uint8Array[] = []
  let at = streamAt
  for (const sizeBytes of sizes) {
    outputs.push(heap.slice(at, at + sizeBytes))
    at += sizeBytes
  }
  memory.close(streamAt, streamBytes + inputBytes)
  return outputs
}

function hmacSha256(memory: SodiumMemory, key: Uint8Array, inputs: Inputs): Uint8Array {
  const { raw } = memory
  const inputBytes = totalBytes(inputs)
  const usedBytes = HMAC_STATE_BYTES + HMAC_BYTES + key.length + inputBytes
  const stateAt = memory.open(usedBytes)
  const outAt = stateAt + HMAC_STATE_BYTES
  const keyAt = outAt + HMAC_BYTES
  const inputAt = keyAt + key.length
  const heap = raw.HEAPU8
  heap.set(key, keyAt)
  copyAll(heap, inputAt, inputs)
  raw._crypto_auth_hmacsha256_init(stateAt, keyAt, key.length)
  raw._crypto_auth_hmacsha256_update(stateAt, inputAt, inputBytes, 0)
  raw._crypto_auth_hmacsha256_final(stateAt, outAt)
  const code = heap.slice(outAt, keyAt)
  memory.close(stateAt, usedBytes)
  return code
}

function argon2id(
  memory: SodiumMemory,
  password: Uint8Array,
  salt: Uint8Array,
  opsLimit: number,
  memoryBytes: number,
  sizeBytes: number,
): Uint8Array | undefined {
  const { raw } = memory
  const usedBytes = sizeBytes + salt.length + password.length
  const outAt = memory.open(usedBytes)
  const saltAt = outAt + sizeBytes
  const passwordAt = saltAt + salt.length
  raw.HEAPU8.set(salt, saltAt)
  raw.HEAPU8.set(password, passwordAt)
  const algorithm = raw._crypto_pwhash_alg_argon2id13()
  const [passwordBytes, outBytes] = [password.length, sizeBytes]
  const result = raw._crypto_pwhash(outAt, outBytes, 0, passwordAt, passwordBytes, 0, saltAt, opsLimit, 0, memoryBytes, algorithm)
  const key = result === 0 ? raw.HEAPU8.slice(outAt, saltAt) : undefined
  memory.close(outAt, usedBytes)
  return key
}
