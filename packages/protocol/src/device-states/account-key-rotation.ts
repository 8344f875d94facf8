/**
 * When the account key of the group is rotated, and by what.
 *
 * Implements DS-32.
 */
import type { Crypto, Secret } from '@session-v2/crypto'
import { currentAccountKey, rotateAccountKeys, settleAccountKeys } from '../account-keys/account-key-set.ts'
import { rotationDueAtS } from '../account-keys/rotation.ts'
import { deviceIdBytes } from '../device-group/device-id.ts'
import { isRegistered } from './device-row.ts'
import { changeOf, type GroupChange, type GroupState } from './group-state.ts'
import { ownRow, requireActive, secondsOf } from './own-record.ts'

/** When to rotate, in milliseconds; undefined while this device may not. Zero: at once. */
export function accountKeyRotationDueAtMs(crypto: Crypto, state: GroupState): number | undefined {
  if (!isRegistered(ownRow(state)) || state.displacedAtMs !== undefined) return undefined
  const current = currentAccountKey(settleAccountKeys(state.accountKeys))
  if (current === undefined || state.rotationOwed) return 0
  const members = [...state.rows.values()].filter(isRegistered).length
  return rotationDueAtS(crypto, current, deviceIdBytes(state.self), members) * 1000
}

/** Makes a key of a fresh 32-byte seed current. Throws `not-registered` and `displaced`. */
export function rotateAccountKey(state: GroupState, seed: Secret<'account-key-seed'>, nowMs: number): GroupChange {
  requireActive(state)
  return changeOf(state, withFreshKey(state, seed, nowMs), [{ type: 'account-key-changed' }], [seed])
}

/** The state with a key of a fresh 32-byte seed as the current one; a departure is dealt with. */
export function withFreshKey(state: GroupState, seed: Secret<'account-key-seed'>, nowMs: number): GroupState {
  const adopt = (key: Omit<GroupState['accountKeys'][number], 'distributed'>) => ({ ...key, distributed: false })
  return { ...state, accountKeys: rotateAccountKeys(state.accountKeys, seed, secondsOf(nowMs), adopt), rotationOwed: false }
}
