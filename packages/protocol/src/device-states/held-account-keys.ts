/**
 * The account keys a device holds of its group: what of a message is taken, and what becomes of keys that a wrong clock made.
 *
 * Merging is that of the wire (AK-11). Around it stands what a device does not believe: times far ahead, by which a key would be current or
 * kept for years, a rotation before the key was made, and more keys than honest devices make.
 *
 * Implements DS-08, DS-32.
 */
import type { Crypto, Secret } from '@session-v2/crypto'
import type { AccountKeySeed } from '../account-keys/account-key.ts'
import {
  ACCOUNT_KEY_RETENTION_S,
  currentAccountKey,
  mergeAccountKeys,
  rotateAccountKeys,
  settleAccountKeys,
} from '../account-keys/account-key-set.ts'
import { accountKeyX25519 } from '../account-keys/key-expansion.ts'
import type { GroupAccountKey } from './group-state.ts'

/** How far the clocks of two devices may be apart: each two days off, and a day to spare. */
export const CLOCK_TOLERANCE_S = 5 * 24 * 3600
/** Account keys held: seven times what two rotations a day leave in 16 days. Only the current one of a message is taken beyond. */
export const MAX_HELD_ACCOUNT_KEYS = 256

export interface MergedKeys {
  readonly keys: readonly GroupAccountKey[]
  /** False when a key was left out that may be a good one, to a device whose clock is right. */
  readonly isComplete: boolean
}

/** The keys held after those of a message came in at `nowS`. */
export function mergeHeldKeys(
  crypto: Crypto,
  held: readonly GroupAccountKey[],
  incoming: readonly AccountKeySeed[],
  nowS: number,
): MergedKeys {
  const known = new Set(incoming.filter(({ seed }) => held.some(key => key.seed.equals(seed))))
  const fresh = incoming.filter(key => !known.has(key))
  const timely = fresh.filter(({ createdAtS }) => createdAtS <= nowS + CLOCK_TOLERANCE_S)
  const taken = new Set([...known, ...withinBound(timely, held.length)])
  const believed = incoming.filter(key => taken.has(key)).map(key => withBelievedRotation(key, nowS))
  const { keys, inserted } = mergeAccountKeys(held, believed, key => newKey(crypto, key))
  const settled = settleAccountKeys(keys)
  const isPast = ({ seed }: AccountKeySeed) => {
    const rotatedAtS = settled.find(key => key.seed === seed)?.rotatedAtS
    return rotatedAtS !== undefined && rotatedAtS < nowS - ACCOUNT_KEY_RETENTION_S
  }
  const past = new Set(inserted.filter(isPast).map(({ seed }) => seed))
  return { keys: keys.filter(({ seed }) => !past.has(seed)), isComplete: timely.length === fresh.length }
}

/** A key of the own group from its seed, which it takes over. */
function newKey(crypto: Crypto, { seed, createdAtS, rotatedAtS }: AccountKeySeed): GroupAccountKey {
  const x25519 = accountKeyX25519(crypto, seed.expose())
  return { seed, createdAtS, ...(rotatedAtS === undefined ? {} : { rotatedAtS }), x25519, distributed: false }
}

/** Not rotated far ahead, and not before it was made: then it would be erased at once. */
function withBelievedRotation<K extends AccountKeySeed>(key: K, nowS: number): K {
  const { rotatedAtS, ...rest } = key
  if (rotatedAtS === undefined) return key
  if (rotatedAtS > nowS + CLOCK_TOLERANCE_S) return rest as K
  return rotatedAtS < key.createdAtS ? { ...key, rotatedAtS: key.createdAtS } : key
}

/** Of new keys those that there is room for, the one that is current before others. */
function withinBound(fresh: readonly AccountKeySeed[], heldCount: number): readonly AccountKeySeed[] {
  const current = currentAccountKey(fresh)
  const first = current === undefined ? [] : [current]
  const room = Math.max(0, MAX_HELD_ACCOUNT_KEYS - heldCount - first.length)
  return [...first, ...fresh.filter(key => key !== current).slice(0, room)]
}

/**
 * Takes back what the own clock did when it was far ahead: keys made then are no longer of the group (`ahead`), and the times of rotation
 * they gave to others do not count.
 */
export function withoutKeysAhead(
  held: readonly GroupAccountKey[],
  nowS: number,
): { readonly keys: readonly GroupAccountKey[]; readonly ahead: readonly GroupAccountKey[] } {
  const limitS = nowS + CLOCK_TOLERANCE_S
  const isAhead = ({ createdAtS, rotatedAtS = 0 }: GroupAccountKey) => createdAtS > limitS || rotatedAtS > limitS
  if (!held.some(isAhead)) return { keys: held, ahead: [] }
  const ahead = held.filter(({ createdAtS }) => createdAtS > limitS)
  const rest = held.filter(key => !ahead.includes(key)).map(key => withBelievedRotation(key, nowS))
  return { keys: mergeAccountKeys([], rest, key => key as GroupAccountKey).keys, ahead }
}

/** The keys with a fresh one, of a seed that is taken over, as the current one. */
export function withFreshAccountKey(
  crypto: Crypto,
  held: readonly GroupAccountKey[],
  seed: Secret<'account-key-seed'>,
  nowS: number,
): readonly GroupAccountKey[] {
  return rotateAccountKeys(held, seed, nowS, key => newKey(crypto, key))
}
