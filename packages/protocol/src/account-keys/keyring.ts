/**
 * The keyring: the account keys an account holds, as a value. Functions return a new keyring and never change the one they get.
 *
 *     keys[0]    the current key, the only one not rotated
 *     keys[1…]   rotated keys, the most recently rotated first, kept 16 days to open what is still on its way
 *
 * Implements AK-03, AK-04, AK-05, AK-06.
 */
import type { Crypto } from '@session-v2/crypto'
import { encodeHex, equalBytes } from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'
import { type AccountKey, accountKeyFromSeed, requireTime, secretsOf } from './account-key.ts'

/** How long a key is kept after its rotation: messages live 14 days in a swarm, and a sender may use a key for 2 more. */
export const ACCOUNT_KEY_RETENTION_S = 16 * 24 * 3600

export interface Keyring {
  readonly keys: readonly AccountKey[]
}

export const emptyKeyring: Keyring = { keys: [] }

/**
 * The keyring of keys that were held before, in any order. Throws `bad-input` unless it is empty or exactly one key is current, and
 * when a seed occurs twice.
 */
export function keyringOf(keys: readonly AccountKey[]): Keyring {
  const sorted = keys.toSorted(currentThenNewestFirst)
  const currentCount = sorted.filter(key => key.rotatedAtS === undefined).length
  if (sorted.length > 0 && currentCount !== 1) {
    throw new ProtocolError('bad-input', `a keyring has one current key, not ${currentCount}`)
  }
  const seeds = new Set(sorted.map(key => encodeHex(key.x25519.publicKey)))
  if (seeds.size !== sorted.length) throw new ProtocolError('bad-input', 'a keyring holds no key twice')
  return { keys: sorted }
}

/** The key that others should seal to; undefined in an empty keyring. */
export function currentKey(keyring: Keyring): AccountKey | undefined {
  return keyring.keys[0]
}

/** The keys whose indicator is these 2 bytes, in the order of the keyring: the order in which to try them. */
export function keysByIndicator(keyring: Keyring, indicator: Uint8Array): readonly AccountKey[] {
  return keyring.keys.filter(key => equalBytes(key.indicator, indicator))
}

/**
 * Makes a new key of a fresh 32-byte seed (copied) current. It counts as created now, but always after every key held, so that
 * all devices agree on which is newest even when a clock went back; the key that was current counts as rotated at that same time.
 * Throws `bad-input` for a wrong size or time.
 */
export function rotateKeyring(
  crypto: Crypto,
  keyring: Keyring,
  seed: Uint8Array,
  nowS: number,
): { keyring: Keyring; current: AccountKey } {
  requireTime(nowS)
  const createdAtS = keyring.keys.reduce((latest, key) => Math.max(latest, key.createdAtS + 1), nowS)
  const current = accountKeyFromSeed(crypto, seed, createdAtS)
  const rotated = keyring.keys.map(key => (key.rotatedAtS === undefined ? { ...key, rotatedAtS: createdAtS } : key))
  return { keyring: keyringOf([current, ...rotated]), current }
}

/**
 * Drops the keys that were rotated more than 16 days ago and hands back their secrets, for the caller to erase once the smaller
 * keyring is stored.
 */
export function pruneKeyring(keyring: Keyring, nowS: number): { keyring: Keyring; wipe: readonly { wipe(): void }[] } {
  const isExpired = (key: AccountKey) => key.rotatedAtS !== undefined && key.rotatedAtS < nowS - ACCOUNT_KEY_RETENTION_S
  const expired = keyring.keys.filter(isExpired)
  return { keyring: { keys: keyring.keys.filter(key => !isExpired(key)) }, wipe: expired.flatMap(secretsOf) }
}

function currentThenNewestFirst(a: AccountKey, b: AccountKey): number {
  const aRotatedAtS = a.rotatedAtS ?? Number.POSITIVE_INFINITY
  const bRotatedAtS = b.rotatedAtS ?? Number.POSITIVE_INFINITY
  if (aRotatedAtS !== bRotatedAtS) return bRotatedAtS - aRotatedAtS
  return b.createdAtS - a.createdAtS
}
