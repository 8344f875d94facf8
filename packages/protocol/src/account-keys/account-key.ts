/**
 * An account key: the short-lived key pair that messages to an account are sealed to. All devices of the account share it.
 *
 * Expanding a seed costs more than opening a message, so it is done once, here, and the prepared keys are kept.
 *
 * Implements AK-01, AK-02.
 */
import { type Crypto, type MlKem768PublicKey, type MlKem768SecretHandle, Secret, type X25519KeyPair } from '@session-v2/crypto'
import { copyBytes } from '@session-v2/encoding'
import { type ClauseId, ProtocolError } from '../protocol-error.ts'
import { expandKeyPair } from './key-expansion.ts'
import { INDICATOR_BYTES } from './key-indicator.ts'

/** What is stored of an account key and what a group message carries of it. */
export interface AccountKeySeed {
  /** 32 bytes. */
  readonly seed: Secret<'account-key-seed'>
  /** Seconds since the epoch. */
  readonly createdAtS: number
  /** Seconds since the epoch; absent on the current key. */
  readonly rotatedAtS?: number
}

/** An account key expanded, for opening messages. */
export interface AccountKey extends AccountKeySeed {
  readonly x25519: X25519KeyPair
  readonly mlKem768: { readonly publicKey: MlKem768PublicKey; readonly secretKey: MlKem768SecretHandle }
  /** The first two bytes of the ML-KEM public key: what a message says, masked, about the key it was sealed to. */
  readonly indicator: Uint8Array
}

/** The account key of a 32-byte seed, which is copied. Throws `bad-input` for a wrong size or times that are not whole seconds. */
export function accountKeyFromSeed(crypto: Crypto, seed: Uint8Array, createdAtS: number, rotatedAtS?: number): AccountKey {
  requireTime(createdAtS, 'AK-02')
  if (rotatedAtS !== undefined) requireTime(rotatedAtS, 'AK-02')
  const { x25519, mlKem768 } = expandKeyPair(crypto, 'SessionAccountKeys', seed)
  mlKem768.seed.wipe()
  return {
    seed: Secret.of(copyBytes(seed), 'account-key-seed'),
    createdAtS,
    ...(rotatedAtS === undefined ? {} : { rotatedAtS }),
    x25519,
    mlKem768: { publicKey: mlKem768.publicKey, secretKey: mlKem768.secretKey },
    indicator: copyBytes(mlKem768.publicKey.subarray(0, INDICATOR_BYTES)),
  }
}

/**
 * The account key of what is stored of it. Its seed is copied into a Secret of its own, so that either can be wiped without the
 * other. Throws `bad-input` as `accountKeyFromSeed` does.
 */
export function expandAccountKey(crypto: Crypto, key: AccountKeySeed): AccountKey {
  return accountKeyFromSeed(crypto, key.seed.expose(), key.createdAtS, key.rotatedAtS)
}

/** The parts of a key that have to be erased with it. */
export function secretsOf(key: AccountKey): readonly { wipe(): void }[] {
  return [key.seed, key.x25519.secretKey, key.mlKem768.secretKey]
}

/** Erases every secret of the key, which cannot be used afterwards. */
export function wipeAccountKey(key: AccountKey): void {
  for (const secret of secretsOf(key)) secret.wipe()
}

/** Throws `bad-input` unless `timeS` is a whole number of seconds since the epoch, as `clause` has it. */
export function requireTime(timeS: number, clause: ClauseId): void {
  if (!(Number.isSafeInteger(timeS) && timeS >= 0)) {
    throw new ProtocolError('bad-input', clause, `${timeS} is not a time in whole seconds since the epoch`)
  }
}
