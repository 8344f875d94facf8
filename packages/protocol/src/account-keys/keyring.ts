/**
 * The keyring: the account keys of a device, expanded and found by their indicator, as a value. Functions return a new keyring and
 * never change the one they get.
 *
 *     keys[0]    the current key, the only one not rotated; a keyring may have none
 *     keys[1…]   rotated keys, the most recently rotated first, kept 16 days to open what is still on its way
 *
 * Implements AK-03, AK-04, AK-05, AK-06.
 */
import { type Crypto, Secret } from '@session-v2/crypto'
import { copyBytes } from '@session-v2/encoding'
import { requireSize } from '../protocol-error.ts'
import { type AccountKey, type AccountKeySeed, expandAccountKey, secretsOf } from './account-key.ts'
import { currentAccountKey, pruneAccountKeys, rotateAccountKeys, sortAccountKeys } from './account-key-set.ts'
import { INDICATOR_BYTES } from './key-indicator.ts'

export interface Keyring {
  readonly keys: readonly AccountKey[]
  /** The keys by the number that is their indicator, in the order of the keyring. */
  readonly byIndicator: ReadonlyMap<number, readonly AccountKey[]>
}

export const emptyKeyring: Keyring = { keys: [], byIndicator: new Map() }

/**
 * The keyring of keys that were held before, in any order. Throws `bad-input` when more than one key is current, and when a seed
 * occurs twice.
 */
export function keyringOf(keys: readonly AccountKey[]): Keyring {
  const sorted = sortAccountKeys(keys)
  const byIndicator = new Map<number, readonly AccountKey[]>()
  for (const key of sorted) {
    const number = indicatorNumber(key.indicator)
    byIndicator.set(number, [...(byIndicator.get(number) ?? []), key])
  }
  return { keys: sorted, byIndicator }
}

/**
 * The keyring of seeds, in any order. What `known` has expanded is taken over with the times given here, the rest is expanded, which
 * is most of the cost. Throws `bad-input` as `keyringOf` does and for seeds or times that are none.
 *
 * Who wipes what: the seeds given stay the caller's, for keys that are expanded here hold copies. Keys of `known` that are in the
 * result share their secrets with it, so a keyring that is replaced is not wiped as a whole: of its keys, wipe with `wipeAccountKey`
 * those whose `seed` is the `seed` of none in the result.
 */
export function keyringOfSeeds(crypto: Crypto, seeds: readonly AccountKeySeed[], known: Keyring = emptyKeyring): Keyring {
  sortAccountKeys(seeds)
  const keys = seeds.map(given => {
    const { seed, createdAtS, rotatedAtS } = given
    const expanded = known.keys.find(key => key.seed.equals(seed))
    if (expanded === undefined) return expandAccountKey(crypto, given)
    const { rotatedAtS: _replaced, ...rest } = expanded
    return { ...rest, createdAtS, ...(rotatedAtS === undefined ? {} : { rotatedAtS }) }
  })
  return keyringOf(keys)
}

/** The key that others should seal to; undefined when every key is rotated, or there is none. */
export function currentKey(keyring: Keyring): AccountKey | undefined {
  return currentAccountKey(keyring.keys)
}

/** The keys whose indicator is these 2 bytes, in the order of the keyring: the order in which to try them. */
export function keysByIndicator(keyring: Keyring, indicator: Uint8Array): readonly AccountKey[] {
  return keyring.byIndicator.get(indicatorNumber(indicator)) ?? []
}

/**
 * Makes a new key of a fresh 32-byte seed (copied) current, created and the others rotated at the time that `rotateAccountKeys` says.
 * Throws `bad-input` for a wrong size or time and for a seed that is held already.
 */
export function rotateKeyring(
  crypto: Crypto,
  keyring: Keyring,
  seed: Uint8Array,
  nowS: number,
): { keyring: Keyring; current: AccountKey } {
  const fresh = Secret.of(copyBytes(seed), 'account-key-seed')
  try {
    const rotated = keyringOf(rotateAccountKeys(keyring.keys, fresh, nowS, key => expandAccountKey(crypto, key)))
    return { keyring: rotated, current: rotated.keys[0]! }
  } finally {
    fresh.wipe()
  }
}

/**
 * Drops the keys that were rotated more than 16 days ago and hands back their secrets, for the caller to erase once the smaller
 * keyring is stored. Throws `bad-input` for a time that is none.
 */
export function pruneKeyring(keyring: Keyring, nowS: number): { keyring: Keyring; wipe: readonly { wipe(): void }[] } {
  const { keys } = pruneAccountKeys(keyring.keys, nowS)
  if (keys.length === keyring.keys.length) return { keyring, wipe: [] }
  const kept = new Set(keys)
  return { keyring: keyringOf(keys), wipe: keyring.keys.filter(key => !kept.has(key)).flatMap(secretsOf) }
}

function indicatorNumber(indicator: Uint8Array): number {
  requireSize(indicator, INDICATOR_BYTES, 'AK-02', 'an indicator')
  return (indicator[0]! << 8) | indicator[1]!
}
