/** The naive model: account keys (AK-03 to AK-06, AK-11 to AK-13) and what DS-08, DS-23, DS-32 and DS-33 say of them. */
import type { ModelAccountKey, ModelKey, ModelState } from './model-types.ts'

const RETENTION_S = 16 * 24 * 3600
const MAX_AHEAD_S = 48 * 3600

/** The keys held after those of a message came in (DS-08). */
export function mergeAccountKeys(
  held: readonly ModelAccountKey[],
  incoming: readonly ModelKey[],
  nowS: number,
): ModelAccountKey[] {
  const keys = held.map(key => ({ ...key }))
  const inserted = new Set<string>()
  for (const key of incoming) {
    const known = keys.find(({ seed }) => seed === key.seed)
    if (known !== undefined) {
      // AK-11: a known seed takes the earlier rotation if both have one, else the one there is.
      if (key.rotatedAtS !== undefined) known.rotatedAtS = Math.min(known.rotatedAtS ?? key.rotatedAtS, key.rotatedAtS)
      continue
    }
    // DS-08: created more than 48 hours in the future.
    if (key.createdAtS > nowS + MAX_AHEAD_S) continue
    // AK-11: an unknown seed is inserted as given; DS-08: it is new to the device, hence not yet passed on.
    keys.push({ ...key, distributed: false })
    inserted.add(key.seed)
    if (key.rotatedAtS === undefined) keepOneCurrent(keys)
  }
  // DS-08: rotated more than 16 days ago by the times that hold after merging.
  return keys.filter(key => !inserted.has(key.seed) || !isPastRetention(key, keys, nowS))
}

/** AK-11: of all unrotated keys the newest stays current, every other counts as rotated when that one was created. */
function keepOneCurrent(keys: ModelAccountKey[]): void {
  let winner: ModelAccountKey | undefined
  for (const key of keys) {
    if (key.rotatedAtS === undefined && (winner === undefined || isNewer(key, winner))) winner = key
  }
  for (const key of keys) {
    if (key.rotatedAtS === undefined && key !== winner) key.rotatedAtS = winner!.createdAtS
  }
}

/** AK-12: the one created later is newer; of two created at the same time the one with the lower seed. */
function isNewer(a: ModelKey, b: ModelKey): boolean {
  if (a.createdAtS !== b.createdAtS) return a.createdAtS > b.createdAtS
  return a.seed < b.seed
}

/** AK-12: a key counts as rotated at the latest when the next newer one was created. */
function settledRotation(key: ModelKey, keys: readonly ModelKey[]): number | undefined {
  let next: ModelKey | undefined
  for (const other of keys) {
    if (isNewer(other, key) && (next === undefined || isNewer(next, other))) next = other
  }
  if (next === undefined) return key.rotatedAtS
  return Math.min(key.rotatedAtS ?? next.createdAtS, next.createdAtS)
}

/** AK-06 with the times of AK-12. */
function isPastRetention(key: ModelKey, keys: readonly ModelKey[], nowS: number): boolean {
  const rotatedAtS = settledRotation(key, keys)
  return rotatedAtS !== undefined && rotatedAtS < nowS - RETENTION_S
}

/** AK-04: adds a fresh key, which is current. */
export function addAccountKey(keys: ModelAccountKey[], seed: string, nowS: number): void {
  let createdAtS = nowS
  for (const key of keys) createdAtS = Math.max(createdAtS, key.createdAtS + 1)
  for (const key of keys) key.rotatedAtS ??= createdAtS
  keys.push({ seed, createdAtS, distributed: false })
}

/** DS-32 */
export function rotateAccountKeys(state: ModelState, seed: string, nowS: number): void {
  addAccountKey(state.accountKeys, seed, nowS)
  // DS-09: the departures that were read are dealt with.
  state.rotationOwed = false
}

/** DS-33: what a group message lists. */
export function listedAccountKeys(keys: readonly ModelKey[], nowS: number): ModelKey[] {
  const listed = keys
    .filter(key => !isPastRetention(key, keys, nowS))
    .map(({ seed, createdAtS, ...key }): ModelKey => {
      const rotatedAtS = settledRotation({ seed, createdAtS, ...key }, keys)
      return { seed, createdAtS, ...(rotatedAtS === undefined ? {} : { rotatedAtS }) }
    })
  return inOrder(listed)
}

/** DS-23: the keys of a group that the device is no longer in count as rotated now, if not before (AK-12). */
export function retireAccountKeys(state: ModelState, nowS: number): void {
  const keys = state.accountKeys
  for (const key of keys) {
    const rotatedAtS = Math.min(settledRotation(key, keys) ?? nowS, nowS)
    state.retiredKeys.push({ seed: key.seed, createdAtS: key.createdAtS, rotatedAtS })
  }
  state.accountKeys = []
}

/** DS-37 (AK-06, DS-23). */
export function eraseAccountKeys(state: ModelState, nowS: number): void {
  const all = state.accountKeys
  state.accountKeys = all.filter(key => !isPastRetention(key, all, nowS))
  state.retiredKeys = state.retiredKeys.filter(({ rotatedAtS }) => rotatedAtS! >= nowS - RETENTION_S)
}

/** AK-13: the current one, then the last rotated first; of these the last created first, then the lowest seed. */
export function inOrder<K extends ModelKey>(keys: readonly K[]): K[] {
  return keys.toSorted((a, b) => {
    const aRotatedAtS = a.rotatedAtS ?? Number.MAX_VALUE
    const bRotatedAtS = b.rotatedAtS ?? Number.MAX_VALUE
    if (aRotatedAtS !== bRotatedAtS) return bRotatedAtS - aRotatedAtS
    return isNewer(a, b) ? -1 : 1
  })
}
