/** Ed25519, X25519 and scalars on libsodium's WebAssembly module. */
import type { CurveOperations, RawKeyPair, ScalarOperations } from '../provider.ts'
import type { SodiumMemory } from './sodium-memory.ts'

const ED25519_SECRET_BYTES = 64
const SIGNATURE_BYTES = 64
const NULL = 0

/** A raw function with one result of 32 bytes and one argument. */
type Unary = (out: number, argument: number) => number | undefined

/** Ed25519 and X25519 by libsodium in WebAssembly. */
export function wasmCurves(memory: SodiumMemory): CurveOperations {
  const { raw } = memory
  return {
    ed25519KeyPair: seed => ed25519KeyPair(memory, seed),
    ed25519Sign: (secretKey, message) => ed25519Sign(memory, secretKey, message),
    ed25519Verify: (publicKey, message, signature) => ed25519Verify(memory, publicKey, message, signature),
    ed25519SecretToX25519: secretKey => total(memory, secretKey, raw._crypto_sign_ed25519_sk_to_curve25519),
    ed25519PublicToX25519: publicKey => unary(memory, publicKey, raw._crypto_sign_ed25519_pk_to_curve25519),
    x25519Public: secretKey => total(memory, secretKey, raw._crypto_scalarmult_base),
    x25519: (secretKey, publicKey) => x25519(memory, secretKey, publicKey),
  }
}

/** Scalars modulo L by libsodium in WebAssembly. */
export function wasmScalars(memory: SodiumMemory): ScalarOperations {
  const { raw } = memory
  return {
    scalarReduce: wide => total(memory, wide, raw._crypto_core_ed25519_scalar_reduce),
    scalarNegate: scalar => total(memory, scalar, raw._crypto_core_ed25519_scalar_negate),
    scalarMultiplyAdd: (a, b, c) => scalarMultiplyAdd(memory, a, b, c),
    scalarTimesBase: scalar => total(memory, scalar, raw._crypto_scalarmult_ed25519_base_noclamp),
  }
}

/** The 32-byte result of a function that cannot fail on what it is given here. */
function total(memory: SodiumMemory, argument: Uint8Array, call: Unary): Uint8Array {
  return unary(memory, argument, call) as Uint8Array
}

/** The 32-byte result of a function, undefined when it fails. */
function unary(memory: SodiumMemory, argument: Uint8Array, call: Unary): Uint8Array | undefined {
  const usedBytes = 32 + argument.length
  const outAt = memory.open(usedBytes)
  const heap = memory.raw.HEAPU8
  heap.set(argument, outAt + 32)
  const failed = call(outAt, outAt + 32) === -1
  const result = failed ? undefined : heap.slice(outAt, outAt + 32)
  memory.close(outAt, usedBytes)
  return result
}

function x25519(memory: SodiumMemory, secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  const outAt = memory.open(96)
  const heap = memory.raw.HEAPU8
  heap.set(secretKey, outAt + 32)
  heap.set(publicKey, outAt + 64)
  const failed = memory.raw._crypto_scalarmult(outAt, outAt + 32, outAt + 64) !== 0
  const shared = failed ? undefined : heap.slice(outAt, outAt + 32)
  memory.close(outAt, 96)
  return shared
}

function ed25519KeyPair(memory: SodiumMemory, seed: Uint8Array): RawKeyPair {
  const publicAt = memory.open(128)
  const secretAt = publicAt + 32
  const seedAt = secretAt + ED25519_SECRET_BYTES
  const heap = memory.raw.HEAPU8
  heap.set(seed, seedAt)
  memory.raw._crypto_sign_ed25519_seed_keypair(publicAt, secretAt, seedAt)
  const pair = { publicKey: heap.slice(publicAt, secretAt), secretKey: heap.slice(secretAt, seedAt) }
  memory.close(publicAt, 128)
  return pair
}

function ed25519Sign(memory: SodiumMemory, secretKey: Uint8Array, message: Uint8Array): Uint8Array {
  const usedBytes = SIGNATURE_BYTES + ED25519_SECRET_BYTES + message.length
  const signatureAt = memory.open(usedBytes)
  const secretAt = signatureAt + SIGNATURE_BYTES
  const messageAt = secretAt + ED25519_SECRET_BYTES
  const heap = memory.raw.HEAPU8
  heap.set(secretKey, secretAt)
  heap.set(message, messageAt)
  memory.raw._crypto_sign_ed25519_detached(signatureAt, NULL, messageAt, message.length, 0, secretAt)
  const signature = heap.slice(signatureAt, secretAt)
  memory.close(signatureAt, usedBytes)
  return signature
}

function ed25519Verify(memory: SodiumMemory, publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const usedBytes = SIGNATURE_BYTES + 32 + message.length
  const signatureAt = memory.open(usedBytes)
  const publicAt = signatureAt + SIGNATURE_BYTES
  const messageAt = publicAt + 32
  const heap = memory.raw.HEAPU8
  heap.set(signature, signatureAt)
  heap.set(publicKey, publicAt)
  heap.set(message, messageAt)
  const result = memory.raw._crypto_sign_ed25519_verify_detached(signatureAt, messageAt, message.length, 0, publicAt)
  memory.close(signatureAt, usedBytes)
  return result === 0
}

function scalarMultiplyAdd(memory: SodiumMemory, a: Uint8Array, b: Uint8Array, c: Uint8Array): Uint8Array {
  const { raw } = memory
  const outAt = memory.open(128)
  const heap = raw.HEAPU8
  heap.set(a, outAt + 32)
  heap.set(b, outAt + 64)
  heap.set(c, outAt + 96)
  raw._crypto_core_ed25519_scalar_mul(outAt, outAt + 32, outAt + 64)
  raw._crypto_core_ed25519_scalar_add(outAt, outAt, outAt + 96)
  const result = heap.slice(outAt, outAt + 32)
  memory.close(outAt, 128)
  return result
}
