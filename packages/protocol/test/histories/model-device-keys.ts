/** The naive model: the keys of one device, as far as DS-35 to DS-37 touch them (DK-04, DK-06, DK-07). */
import type { ModelState } from './model-types.ts'

const GRACE_S = 48 * 3600
const REQUEST_LIFE_MS = 10 * 60 * 1000

/** DK-04: a push was confirmed whose own record has the key `announced`. All that was confirmed or released before stays so. */
export function confirmDeviceKey(state: ModelState, announced: string, nowS: number): void {
  let isOlder = false
  for (const key of state.deviceKeys) {
    if (isOlder) key.releasedAtS ??= nowS
    if (key.x25519 === announced) {
      key.confirmedAtS ??= nowS
      isOlder = true
    }
  }
}

/** DK-09: a member became known to whom no push so far was addressed: a release is taken back once. */
export function recallDeviceKeys(state: ModelState): void {
  for (const key of state.deviceKeys) {
    if (key.releasedAtS === undefined || key.renewed) continue
    delete key.releasedAtS
    key.renewed = true
  }
}

/** DS-37, DK-07: keys released 48 hours ago or more are erased. A release that is as far ahead was a wrong clock's, and counts from now. */
export function eraseDeviceKeys(state: ModelState, nowS: number): void {
  // DS-37: what an answer to a request may still be encrypted to stays.
  const needed = state.ownRequests
    .filter((request, at) => request.confirmed || at === state.ownRequests.length - 1)
    .filter(({ sentAtMs }) => state.nowMs < sentAtMs + REQUEST_LIFE_MS + GRACE_S * 1000)
    .map(({ x25519 }) => x25519)
  state.deviceKeys = state.deviceKeys.filter(
    ({ releasedAtS, x25519 }) => releasedAtS === undefined || releasedAtS > nowS - GRACE_S || needed.includes(x25519),
  )
  for (const key of state.deviceKeys) {
    if (key.releasedAtS !== undefined && key.releasedAtS > nowS + GRACE_S) key.releasedAtS = nowS
  }
}
