/**
 * When a device rotates the account key. The devices of a group do not talk about it: each computes its own time from the key and
 * its device ID, the earliest acts, and that earliest time is spread evenly over 11 to 13 hours after the key was created.
 *
 *     u = LE64(BLAKE2b-8(device ID, key = seed of the current key, personal "SessionAccKeyRot")) / 2^64
 *     t = created + 11 h + 2 h · (1 − u^N)        N = number of devices in the group
 *
 * Implements AK-07.
 */
import { blake2b, type Crypto } from '@session-v2/crypto'
import { readUint64Le } from '@session-v2/encoding'
import { ProtocolError, requireSize } from '../protocol-error.ts'
import { type AccountKey, requireTime } from './account-key.ts'

const PERSONAL = 'SessionAccKeyRot'
const HASH_BYTES = 8
const DEVICE_ID_BYTES = 32
const EARLIEST_S = 11 * 3600
const SPREAD_S = 2 * 3600
/** So old a key is at most when a device replaces it by the clock. */
export const ROTATION_LATEST_S = EARLIEST_S + SPREAD_S

/** How long after its creation a device replaces a key, and what that follows from. */
export interface RotationDelay {
  /** 8 bytes. */
  readonly hash: Uint8Array
  /** From 0 to 1. */
  readonly u: number
  /** Seconds with a fraction. */
  readonly delayS: number
}

/**
 * The time, in seconds since the epoch with a fraction, from which on this device (32-byte ID), one of `deviceCount`, replaces
 * `key`, the current one. Throws `bad-input` for another size of the ID, a count below 1 or a creation that is no time.
 */
export function rotationDueAtS(
  crypto: Crypto,
  key: Pick<AccountKey, 'seed' | 'createdAtS'>,
  deviceId: Uint8Array,
  deviceCount: number,
): number {
  requireTime(key.createdAtS, 'AK-02')
  return key.createdAtS + rotationDelay(crypto, key, deviceId, deviceCount).delayS
}

/** The delay alone. Throws `bad-input` for another size of the ID or a count below 1. */
export function rotationDelay(
  crypto: Crypto,
  key: Pick<AccountKey, 'seed'>,
  deviceId: Uint8Array,
  deviceCount: number,
): RotationDelay {
  requireSize(deviceId, DEVICE_ID_BYTES, 'DG-03', 'a device ID')
  if (!(Number.isSafeInteger(deviceCount) && deviceCount >= 1)) {
    throw new ProtocolError('bad-input', 'AK-07', `${deviceCount} is not a number of devices`)
  }
  const hash = blake2b(crypto, HASH_BYTES, [deviceId], { key: key.seed.expose(), personal: PERSONAL })
  const u = Number(readUint64Le(hash, 0)) / 2 ** 64
  return { hash, u, delayS: EARLIEST_S + SPREAD_S * (1 - u ** deviceCount) }
}
