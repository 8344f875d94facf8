/** The naive model: the keys of one device, as far as DS-35 to DS-37 touch them (DK-04, DK-06, DK-07). */
import type { ModelState } from './model-types.ts'

const GRACE_S = 48 * 3600

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

/** DK-09: a member became known to whom no push so far was addressed. */
export function recallDeviceKeys(state: ModelState): void {
  for (const key of state.deviceKeys) delete key.releasedAtS
}

/** DK-06: a message was read with a key that was released before: its release counts from then. */
export function noteDeviceKeyUse(state: ModelState, x25519: string, atS: number): void {
  for (const key of state.deviceKeys) {
    if (key.x25519 === x25519 && key.releasedAtS !== undefined && key.releasedAtS < atS) key.releasedAtS = atS
  }
}

/** DS-37, DK-07: keys released 48 hours ago or more are erased. A release that is as far ahead was a wrong clock's, and counts from now. */
export function eraseDeviceKeys(state: ModelState, nowS: number): void {
  state.deviceKeys = state.deviceKeys.filter(({ releasedAtS }) => releasedAtS === undefined || releasedAtS > nowS - GRACE_S)
  for (const key of state.deviceKeys) {
    if (key.releasedAtS !== undefined && key.releasedAtS > nowS + GRACE_S) key.releasedAtS = nowS
  }
}
