/** ML-KEM-768 on libsodium's WebAssembly module. Prepared keys are plain bytes: a copy into its memory costs next to nothing. */
import type { MlKemOperations, PreparedPublic, PreparedSecret, RawEncapsulation } from '../provider.ts'
import { wipe } from '../wipe.ts'
import type { SodiumMemory } from './sodium-memory.ts'

const PUBLIC_BYTES = 1184
const SECRET_BYTES = 2400
const CIPHERTEXT_BYTES = 1088
const SHARED_BYTES = 32
const SEED_BYTES = 64
const COINS_BYTES = 32

/** ML-KEM-768 by libsodium in WebAssembly. */
export function wasmMlKem(memory: SodiumMemory): MlKemOperations {
  return {
    mlKem768KeyPair(seed) {
      const { publicKey, expanded } = keyPair(memory, seed)
      return { publicKey, secretKey: preparedSecret(memory, expanded) }
    },
    mlKem768Prepare: (publicKey): PreparedPublic => ({ encapsulate: coins => encapsulate(memory, publicKey, coins) }),
  }
}

function preparedSecret(memory: SodiumMemory, expanded: Uint8Array): PreparedSecret {
  return {
    decapsulate: ciphertext => decapsulate(memory, expanded, ciphertext),
    expanded: () => expanded.slice(),
    wipe: () => wipe(expanded),
  }
}

function keyPair(memory: SodiumMemory, seed: Uint8Array): { publicKey: Uint8Array; expanded: Uint8Array } {
  const usedBytes = PUBLIC_BYTES + SECRET_BYTES + SEED_BYTES
  const publicAt = memory.open(usedBytes)
  const secretAt = publicAt + PUBLIC_BYTES
  const seedAt = secretAt + SECRET_BYTES
  const heap = memory.raw.HEAPU8
  heap.set(seed, seedAt)
  memory.raw._crypto_kem_mlkem768_seed_keypair(publicAt, secretAt, seedAt)
  const pair = { publicKey: heap.slice(publicAt, secretAt), expanded: heap.slice(secretAt, seedAt) }
  memory.close(publicAt, usedBytes)
  return pair
}

function encapsulate(memory: SodiumMemory, publicKey: Uint8Array, coins: Uint8Array): RawEncapsulation {
  const usedBytes = CIPHERTEXT_BYTES + SHARED_BYTES + COINS_BYTES + PUBLIC_BYTES
  const ciphertextAt = memory.open(usedBytes)
  const sharedAt = ciphertextAt + CIPHERTEXT_BYTES
  const coinsAt = sharedAt + SHARED_BYTES
  const publicAt = coinsAt + COINS_BYTES
  const heap = memory.raw.HEAPU8
  heap.set(coins, coinsAt)
  heap.set(publicKey, publicAt)
  memory.raw._crypto_kem_mlkem768_enc_deterministic(ciphertextAt, sharedAt, publicAt, coinsAt)
  const encapsulation = { ciphertext: heap.slice(ciphertextAt, sharedAt), sharedSecret: heap.slice(sharedAt, coinsAt) }
  memory.close(ciphertextAt, usedBytes)
  return encapsulation
}

function decapsulate(memory: SodiumMemory, expanded: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const usedBytes = SHARED_BYTES + CIPHERTEXT_BYTES + SECRET_BYTES
  const sharedAt = memory.open(usedBytes)
  const ciphertextAt = sharedAt + SHARED_BYTES
  const secretAt = ciphertextAt + CIPHERTEXT_BYTES
  const heap = memory.raw.HEAPU8
  heap.set(ciphertext, ciphertextAt)
  heap.set(expanded, secretAt)
  memory.raw._crypto_kem_mlkem768_dec(sharedAt, ciphertextAt, secretAt)
  const shared = heap.slice(sharedAt, ciphertextAt)
  memory.close(sharedAt, usedBytes)
  return shared
}
