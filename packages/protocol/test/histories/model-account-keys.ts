/** The naive model: account keys (AK-03 to AK-06, AK-11 to AK-13) and what DS-08, DS-23, DS-32 and DS-33 say of them. */
import type { ModelAccountKey, ModelKey, ModelState } from './model-types.ts'

const RETENTION_S = 16 * 24 * 3600
const MAX_AHEAD_S = 5 * 24 * 3600
const MAX_HELD = 256

/** The keys held after those of a message came in (DS-08), and whether one was left out as too far ahead. */
export function mergeAccountKeys(
  held: readonly ModelAccountKey[],
  incoming: readonly ModelKey[],
  nowS: number,
): { keys: ModelAccountKey[]; isComplete: boolean } {
  const keys = held.map(key => ({ ...key }))
  const inserted = new Set<string>()
  let isComplete = true
  let newest: ModelKey | undefined
  let room = MAX_HELD - held.length
  for (const key of incoming) {
    const isNew = !held.some(({ seed }) => seed === key.seed)
    if (isNew && key.createdAtS > nowS + MAX_AHEAD_S) isComplete = false
    else if (isNew && key.rotatedAtS === undefined && (newest === undefined || isNewer(key, newest))) newest = key
  }
  if (newest !== undefined) room--
  for (const key of incoming) {
    const rotatedAtS = believedRotation(key, nowS)
    const known = keys.find(({ seed }) => seed === key.seed)
    if (known !== undefined) {
      // AK-11: a known seed takes the earlier rotation if both have one, else the one there is.
      if (rotatedAtS !== undefined) known.rotatedAtS = Math.min(known.rotatedAtS ?? rotatedAtS, rotatedAtS)
      continue
    }
    // DS-08: created more than 5 days ahead; beyond 256 keys.
    if (key.createdAtS > nowS + MAX_AHEAD_S || (key !== newest && room-- <= 0)) continue
    // AK-11: an unknown seed is inserted as given; DS-08: it is new to the device, hence not yet passed on.
    keys.push({
      seed: key.seed,
      createdAtS: key.createdAtS,
      ...(rotatedAtS === undefined ? {} : { rotatedAtS }),
      distributed: false,
    })
    inserted.add(key.seed)
    if (rotatedAtS === undefined) keepOneCurrent(keys)
  }
  // DS-08: rotated more than 16 days ago by the times that hold after merging.
  return { keys: keys.filter(key => !inserted.has(key.seed) || !isPastRetention(key, keys, nowS)), isComplete }
}

/** DS-08: a rotation far ahead counts as none, one before the key was created as that time. */
function believedRotation({ createdAtS, rotatedAtS }: ModelKey, nowS: number): number | undefined {
  if (rotatedAtS === undefined || rotatedAtS > nowS + MAX_AHEAD_S) return undefined
  return Math.max(rotatedAtS, createdAtS)
}

/** DS-32: keys created far ahead are retired, and rotations far ahead forgotten. */
export function dropKeysAhead(state: ModelState, nowS: number): void {
  const isAhead = (timeS: number | undefined) => timeS !== undefined && timeS > nowS + MAX_AHEAD_S
  if (!state.accountKeys.some(({ createdAtS, rotatedAtS }) => isAhead(createdAtS) || isAhead(rotatedAtS))) return
  for (const { seed, createdAtS } of state.accountKeys.filter(key => isAhead(key.createdAtS))) {
    state.retiredKeys.push({ seed, createdAtS, rotatedAtS: nowS })
  }
  state.accountKeys = state.accountKeys.filter(key => !isAhead(key.createdAtS))
  for (const key of state.accountKeys) if (isAhead(key.rotatedAtS)) delete key.rotatedAtS
  keepOneCurrent(state.accountKeys)
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
  dropKeysAhead(state, nowS)
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
  dropKeysAhead(state, nowS)
  const all = state.accountKeys
  state.accountKeys = all.filter(key => !isPastRetention(key, all, nowS))
  state.retiredKeys = state.retiredKeys.map(key => (key.rotatedAtS! > nowS + MAX_AHEAD_S ? { ...key, rotatedAtS: nowS } : key))
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
