/**
 * The account keys that the devices of a group share, as a set of seeds with their times. Every group message carries the set of its
 * sender; whatever the order in which messages come in, all devices arrive at the same one.
 *
 * The functions take keys of any type that has a seed and times, so that a group can keep more about each, and never change what
 * they are given. Arrays they return are in one order, so that equal sets are equal arrays:
 *
 *     the current key, the one that is not rotated · then the last rotated first · then the last created · then the lowest seed
 *
 * Implements AK-03, AK-04, AK-05, AK-06, AK-11, AK-12, AK-13.
 */
import type { Secret } from '@session-v2/crypto'
import { ProtocolError } from '../protocol-error.ts'
import { type AccountKeySeed, requireTime } from './account-key.ts'

/** How long a key is kept after its rotation: messages live 14 days in a swarm, and a sender may use a key for 2 more. */
export const ACCOUNT_KEY_RETENTION_S = 16 * 24 * 3600

type Seed = Secret<'account-key-seed'>

/** The key that is not rotated, if there is one; of several, which no merge leaves behind, the newest. */
export function currentAccountKey<K extends AccountKeySeed>(keys: readonly K[]): K | undefined {
  return keys.filter(key => key.rotatedAtS === undefined).toSorted(newestFirst)[0]
}

/** The keys in their order. Throws `bad-input` when more than one is current or a seed is there twice. */
export function sortAccountKeys<K extends AccountKeySeed>(keys: readonly K[]): readonly K[] {
  const sorted = keys.toSorted(currentThenNewestFirst)
  if (sorted[1] !== undefined && sorted[1].rotatedAtS === undefined) {
    throw new ProtocolError('bad-input', 'AK-03', 'of account keys at most one is current')
  }
  for (const [at, key] of sorted.entries()) requireUnknown(sorted.slice(0, at), key.seed)
  return sorted
}

/**
 * Merges the keys of a message into those held.
 *
 * - An unknown key is inserted as it is, in the order given. When it is not rotated, then of all keys that are not, the one created
 *   last stays current (of two at the same time the lower seed, by unsigned bytes), and the others count as rotated when it was
 *   created.
 * - A known key takes the earlier time of rotation if both have one, else the one there is. When it was created never changes.
 *
 * `adopt` makes a held key of an incoming one and takes over its seed. `inserted` are the keys that were unknown, in the order
 * given, as they are after the merge. `wipe` are the incoming seeds that no key of the result holds, each once: the caller wipes
 * them when the result is stored. Throws `bad-input` for a time that is none.
 */
export function mergeAccountKeys<K extends AccountKeySeed>(
  held: readonly K[],
  incoming: readonly AccountKeySeed[],
  adopt: (key: AccountKeySeed) => K,
): { readonly keys: readonly K[]; readonly inserted: readonly K[]; readonly wipe: readonly Seed[] } {
  for (const key of incoming) requireTimes(key)
  let keys = held
  const insertedSeeds: Seed[] = []
  for (const key of incoming) {
    const known = keys.find(other => other.seed.equals(key.seed))
    if (known !== undefined) {
      const rotatedAtS = earlier(known.rotatedAtS, key.rotatedAtS)
      if (rotatedAtS !== known.rotatedAtS) keys = keys.map(other => (other === known ? { ...known, rotatedAtS } : other))
      continue
    }
    const adopted = adopt(key)
    insertedSeeds.push(adopted.seed)
    keys = [...keys, adopted]
    if (adopted.rotatedAtS === undefined) keys = withOneCurrent(keys)
  }
  const heldSeeds = new Set(keys.map(key => key.seed))
  return {
    keys: keys.toSorted(currentThenNewestFirst),
    inserted: insertedSeeds.map(seed => keys.find(key => key.seed === seed)!),
    wipe: [...new Set(incoming.map(key => key.seed))].filter(seed => !heldSeeds.has(seed)),
  }
}

/**
 * The keys with the times of rotation that count: a key is rotated at the latest when the next newer one was created (of two created
 * at the same time the one with the lower seed is newer). So the set does not depend on the order in which messages came in, and
 * an old message that is sent again cannot lengthen the life of a key.
 */
export function settleAccountKeys<K extends AccountKeySeed>(keys: readonly K[]): readonly K[] {
  const settled = keys.toSorted(newestFirst).map((key, at, newest) => {
    const rotatedAtS = earlier(key.rotatedAtS, newest[at - 1]?.createdAtS)
    return rotatedAtS === key.rotatedAtS ? key : { ...key, rotatedAtS }
  })
  return settled.sort(currentThenNewestFirst) as readonly K[]
}

/**
 * Makes a fresh seed, which `adopt` takes over, current. It counts as created now, but always after every key held, so that all
 * devices agree on which is newest even when a clock went back; whatever was current counts as rotated at that same time. Throws
 * `bad-input` for a time that is none and a seed that is held already.
 */
export function rotateAccountKeys<K extends AccountKeySeed>(
  held: readonly K[],
  seed: Seed,
  nowS: number,
  adopt: (key: AccountKeySeed) => K,
): readonly K[] {
  requireTime(nowS, 'AK-02')
  requireUnknown(held, seed)
  const createdAtS = held.reduce((latest, key) => Math.max(latest, key.createdAtS + 1), nowS)
  requireTime(createdAtS, 'AK-02')
  const rotated = held.map(key => (key.rotatedAtS === undefined ? { ...key, rotatedAtS: createdAtS } : key))
  return [adopt({ seed, createdAtS }), ...rotated].sort(currentThenNewestFirst)
}

/**
 * Drops the keys whose settled rotation lies more than 16 days back. `wipe` are their seeds, for the caller to erase once the smaller
 * set is stored. What stays is as it was: settling is for the decision only. Throws `bad-input` for a time that is none.
 */
export function pruneAccountKeys<K extends AccountKeySeed>(
  held: readonly K[],
  nowS: number,
): { readonly keys: readonly K[]; readonly wipe: readonly Seed[] } {
  requireTime(nowS, 'AK-02')
  const expired = new Set(
    settleAccountKeys(held)
      .filter(key => isExpired(key, nowS))
      .map(key => key.seed),
  )
  return {
    keys: held.filter(key => !expired.has(key.seed)).toSorted(currentThenNewestFirst),
    wipe: [...expired],
  }
}

function isExpired({ rotatedAtS }: AccountKeySeed, nowS: number): boolean {
  return rotatedAtS !== undefined && rotatedAtS < nowS - ACCOUNT_KEY_RETENTION_S
}

/** Of all keys that are not rotated the newest stays so. */
function withOneCurrent<K extends AccountKeySeed>(keys: readonly K[]): readonly K[] {
  const winner = currentAccountKey(keys)!
  const isSuperseded = (key: K) => key.rotatedAtS === undefined && key !== winner
  return keys.map(key => (isSuperseded(key) ? { ...key, rotatedAtS: winner.createdAtS } : key))
}

function earlier<T extends number | undefined>(aS: T, bS: number | undefined): T | number {
  if (aS === undefined || bS === undefined) return (aS ?? bS) as T | number
  return Math.min(aS, bS)
}

function currentThenNewestFirst(a: AccountKeySeed, b: AccountKeySeed): number {
  const aRotatedAtS = a.rotatedAtS ?? Number.POSITIVE_INFINITY
  const bRotatedAtS = b.rotatedAtS ?? Number.POSITIVE_INFINITY
  return aRotatedAtS === bRotatedAtS ? newestFirst(a, b) : bRotatedAtS - aRotatedAtS
}

/** The order of keys by age: the one created last first, and of two created at the same time the one with the lower seed. */
export function newestFirst(a: AccountKeySeed, b: AccountKeySeed): number {
  return b.createdAtS - a.createdAtS || a.seed.compare(b.seed)
}

function requireUnknown(keys: readonly AccountKeySeed[], seed: Seed): void {
  if (keys.some(key => key.seed.equals(seed))) throw new ProtocolError('bad-input', 'AK-03', 'this account key is held already')
}

function requireTimes({ createdAtS, rotatedAtS }: AccountKeySeed): void {
  requireTime(createdAtS, 'AK-02')
  if (rotatedAtS !== undefined) requireTime(rotatedAtS, 'AK-02')
}
