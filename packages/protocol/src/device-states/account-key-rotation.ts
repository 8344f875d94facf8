/**
 * When the account key of the group is rotated, and by what.
 *
 * Implements DS-32.
 */
import type { Crypto, Secret } from '@session-v2/crypto'
import { currentAccountKey, settleAccountKeys } from '../account-keys/account-key-set.ts'
import { rotationDueAtS } from '../account-keys/rotation.ts'
import { deviceIdBytes } from '../device-group/device-id.ts'
import { isRegistered } from './device-row.ts'
import { changeOf, type GroupChange, type GroupState } from './group-state.ts'
import { withFreshAccountKey, withoutKeysAhead } from './held-account-keys.ts'
import { isActive, requireActive, secondsOf } from './own-record.ts'

/** When to rotate, in milliseconds; undefined while this device may not. Zero: at once. */
export function accountKeyRotationDueAtMs(crypto: Crypto, state: GroupState): number | undefined {
  if (!isActive(state)) return undefined
  const current = currentAccountKey(settleAccountKeys(state.accountKeys))
  if (current === undefined || state.rotationOwed) return 0
  const members = [...state.rows.values()].filter(isRegistered).length
  return rotationDueAtS(crypto, current, deviceIdBytes(state.self), members) * 1000
}

/** Makes a key of a fresh 32-byte seed current. Throws `not-registered` and `displaced`. */
export function rotateAccountKey(
  crypto: Crypto,
  state: GroupState,
  seed: Secret<'account-key-seed'>,
  nowMs: number,
): GroupChange {
  requireActive(state)
  return changeOf(state, withFreshKey(crypto, state, seed, nowMs), [{ type: 'account-key-changed' }], [seed])
}

/** The state with a key of a fresh 32-byte seed as the current one; a departure is dealt with. */
export function withFreshKey(crypto: Crypto, state: GroupState, seed: Secret<'account-key-seed'>, nowMs: number): GroupState {
  const { accountKeys, ...rest } = withKeysOfNow(state, nowMs)
  return { ...rest, accountKeys: withFreshAccountKey(crypto, accountKeys, seed, secondsOf(nowMs)), rotationOwed: false }
}

/** The state without what the own clock did to account keys when it was far ahead: keys made then are retired. */
export function withKeysOfNow(state: GroupState, nowMs: number): GroupState {
  const nowS = secondsOf(nowMs)
  const { keys, ahead } = withoutKeysAhead(state.accountKeys, nowS)
  if (keys === state.accountKeys) return state
  const retired = ahead.map(({ seed, createdAtS }) => ({ seed, createdAtS, rotatedAtS: nowS }))
  return { ...state, accountKeys: keys, retiredKeys: [...retired, ...state.retiredKeys] }
}
