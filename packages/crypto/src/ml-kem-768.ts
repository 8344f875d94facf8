/**
 * ML-KEM-768 (FIPS 203), keys prepared once and used many times: a native module keeps them in a form that skips the decoding.
 *
 * Sizes in bytes: seed 64 (d ‖ z), public key 1184, expanded secret key 2400, ciphertext 1088, shared secret 32, coins 32.
 *
 * Implements NOT-07.
 */
import { copyBytes } from '@session-v2/encoding'
import { CryptoError, requireSize } from './crypto-error.ts'
import { ML_KEM_768_PUBLIC_BYTES, type MlKem768PublicInput, type MlKem768PublicKey } from './key-types.ts'
import { type Crypto, type PreparedPublic, type PreparedSecret, RAW } from './provider.ts'
import type { Random } from './random.ts'
import { Secret } from './secret.ts'
import { wipe } from './wipe.ts'

const SEED_BYTES = 64
const COINS_BYTES = 32
const CIPHERTEXT_BYTES = 1088
/** The prime of the coefficients. */
const Q = 3329
/** 768 coefficients of 12 bits; the 32 bytes after them are a seed. */
const COEFFICIENT_BYTES = 1152

/** A public key ready for use. Made by `prepareMlKem768PublicKey`. */
export interface MlKem768PublicHandle {
  readonly publicKey: MlKem768PublicKey
  readonly [RAW]: PreparedPublic
}

/** A secret key ready for use. Made by `mlKem768KeyPair`. */
export interface MlKem768SecretHandle {
  /** The expanded form of FIPS 203, a fresh copy. Throws `bad-key` after `wipe`. */
  export(): Secret<'mlkem768-secret'>
  /** Erases the key. What a native module holds is erased when the engine collects it. */
  wipe(): void
  readonly [RAW]: PreparedSecret
}

export interface MlKem768KeyPair {
  readonly publicKey: MlKem768PublicKey
  readonly secretKey: MlKem768SecretHandle
}

export interface MlKem768Encapsulation {
  /** 1088 bytes. */
  readonly ciphertext: Uint8Array
  /** 32 bytes. */
  readonly sharedSecret: Uint8Array
}

/** The key pair of a 64-byte seed d ‖ z. The seed stays the caller's. Throws `bad-size`. */
export function mlKem768KeyPair(crypto: Crypto, seed64: Uint8Array): MlKem768KeyPair {
  requireSize(seed64, SEED_BYTES, 'ML-KEM-768 seed')
  const pair = crypto[RAW].mlKem768KeyPair(seed64)
  return { publicKey: pair.publicKey as MlKem768PublicKey, secretKey: new SecretHandle(pair.secretKey) }
}

/**
 * Prepares a public key of someone else; the bytes are copied. Throws `bad-size`, and `bad-key` when a coefficient is not below
 * 3329 (the modulus check of FIPS 203).
 */
export function prepareMlKem768PublicKey(crypto: Crypto, publicKey: MlKem768PublicInput): MlKem768PublicHandle {
  requireSize(publicKey, ML_KEM_768_PUBLIC_BYTES, 'ML-KEM-768 public key')
  if (!coefficientsAreReduced(publicKey)) throw new CryptoError('bad-key', 'the ML-KEM-768 public key is not reduced')
  const copy = copyBytes(publicKey)
  return { publicKey: copy as MlKem768PublicKey, [RAW]: crypto[RAW].mlKem768Prepare(copy) }
}

/**
 * A fresh shared secret and the ciphertext that carries it. Deterministic in the 32 bytes it draws from `random`, except that with
 * the system's generator a native module may draw them itself. (`_crypto`: the handle knows its provider.)
 */
export function mlKem768Encapsulate(_crypto: Crypto, random: Random, publicHandle: MlKem768PublicHandle): MlKem768Encapsulation {
  const key = publicHandle[RAW]
  if (random.system === true && key.encapsulateBySystem !== undefined) return key.encapsulateBySystem()
  const coins = random.bytes(COINS_BYTES)
  const encapsulation = key.encapsulate(coins)
  wipe(coins)
  return encapsulation
}

/**
 * The 32-byte shared secret of a ciphertext. An altered ciphertext gives no error but an unrelated secret (implicit rejection).
 * Throws `bad-size`, and `bad-key` for a wiped handle. (`_crypto`: the handle knows its provider.)
 */
export function mlKem768Decapsulate(_crypto: Crypto, secretHandle: MlKem768SecretHandle, ciphertext: Uint8Array): Uint8Array {
  requireSize(ciphertext, CIPHERTEXT_BYTES, 'ML-KEM-768 ciphertext')
  return secretHandle[RAW].decapsulate(ciphertext)
}

class SecretHandle implements MlKem768SecretHandle {
  #key: PreparedSecret | undefined

  constructor(key: PreparedSecret) {
    this.#key = key
  }

  get [RAW](): PreparedSecret {
    if (this.#key === undefined)
      throw new CryptoError('bad-key', 'the ML-KEM-768 secret key was wiped and cannot be used any more')
    return this.#key
  }

  export(): Secret<'mlkem768-secret'> {
    return Secret.of(this[RAW].expanded(), 'mlkem768-secret')
  }

  wipe(): void {
    this.#key?.wipe()
    this.#key = undefined
  }
}

/** Three bytes hold two coefficients, little-endian. */
function coefficientsAreReduced(publicKey: Uint8Array): boolean {
  for (let at = 0; at < COEFFICIENT_BYTES; at += 3) {
    const pair = (publicKey[at] as number) | ((publicKey[at + 1] as number) << 8) | ((publicKey[at + 2] as number) << 16)
    if ((pair & 0xfff) >= Q || pair >> 12 >= Q) return false
  }
  return true
}
