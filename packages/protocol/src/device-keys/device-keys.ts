/**
 * The keys of one device, to which the other devices of its group encrypt group messages. They never leave the device, and nobody can
 * derive them from the recovery password. Whoever takes the device and holds a recording of namespace 21 opens what the keys in it
 * open, so they are replaced daily and the old ones are erased; but never a key that may be the only one the group knows.
 *
 *     created ──► pushed ──► confirmed ──────────────────► 24 h old: replaced by a new one
 *                   │            │
 *                   │            └─ all older keys are released ──► 48 h later, and after a complete
 *                   │                                               fetch of namespace 21: erased
 *                   └─ lost, or its confirmation is: nothing happens. The key stays current, is pushed
 *                      again, and the older ones stay
 *
 * Implements DK-01, DK-02, DK-03, DK-04, DK-05, DK-06, DK-07, DK-08, DK-09.
 */
import type { Crypto, MlKem768PublicKey, Secret, X25519PublicKey } from '@session-v2/crypto'
import { equalBytes } from '@session-v2/encoding'
import { requireTime } from '../account-keys/account-key.ts'
import { type ExpandedKeyPair, expandKeyPair, wipeExpandedKeyPair } from '../account-keys/key-expansion.ts'
import { ProtocolError } from '../protocol-error.ts'

/** The age from which a confirmed key is replaced. */
export const DEVICE_KEY_LIFETIME_S = 24 * 3600
/** How long others may still encrypt to a key after the group is known to have a newer one. */
export const DEVICE_KEY_GRACE_S = 48 * 3600

/** What is stored of a device key. Times in seconds since the epoch. */
export interface DeviceKeySeed {
  /** 32 bytes. */
  readonly seed: Secret<'device-key-seed'>
  readonly createdAtS: number
  /** When a push that announced it was confirmed. */
  readonly confirmedAtS?: number
  /** Of previous keys: since when the group is known to have a newer one. */
  readonly releasedAtS?: number
  /** Its release was taken back once. */
  readonly renewed?: boolean
}

/** A device key with its public halves. Its secrets are expanded from the seed when they are needed. */
export interface DeviceKey extends DeviceKeySeed {
  readonly x25519: X25519PublicKey
  readonly mlKem768: MlKem768PublicKey
}

export interface DeviceKeys {
  /** The one to announce. */
  readonly current: DeviceKey
  /** The newest first. */
  readonly previous: readonly DeviceKey[]
}

/** A device key from what is stored of it; the seed is taken over. Throws `bad-input` for a wrong size or time. */
export function deviceKeyOf(crypto: Crypto, stored: DeviceKeySeed): DeviceKey {
  const { seed, createdAtS, confirmedAtS, releasedAtS, renewed = false } = stored
  for (const timeS of [createdAtS, confirmedAtS, releasedAtS]) if (timeS !== undefined) requireTime(timeS, 'DK-01')
  const pair = expandKeyPair(crypto, 'SessionDeviceKeys', seed.expose())
  wipeExpandedKeyPair(pair)
  return {
    seed,
    x25519: pair.x25519.publicKey,
    mlKem768: pair.mlKem768.publicKey,
    createdAtS,
    ...(confirmedAtS === undefined ? {} : { confirmedAtS }),
    ...(releasedAtS === undefined ? {} : { releasedAtS }),
    ...(renewed ? { renewed } : {}),
  }
}

/** The keys of a new device from a fresh seed of 32 bytes, which is taken over. Throws `bad-input` for a wrong size or time. */
export function newDeviceKeys(crypto: Crypto, seed: Secret<'device-key-seed'>, nowS: number): DeviceKeys {
  return { current: deviceKeyOf(crypto, { seed, createdAtS: nowS }), previous: [] }
}

/**
 * Makes the key of a fresh seed, which is taken over, current; what was current is the first of the previous. To be stored before the
 * new key is announced. Throws `bad-input` for a wrong size or time and for a seed that is held already.
 */
export function rotateDeviceKeys(crypto: Crypto, keys: DeviceKeys, seed: Secret<'device-key-seed'>, nowS: number): DeviceKeys {
  const held = [keys.current, ...keys.previous]
  if (held.some(key => key.seed.equals(seed))) throw new ProtocolError('bad-input', 'DK-02', 'this device key is held already')
  return { current: deviceKeyOf(crypto, { seed, createdAtS: nowS }), previous: held }
}

/**
 * Whether the current key is to be replaced: it is confirmed, and created 24 hours ago or more (or ahead: then the clock was wrong).
 * One that is not confirmed is never due, so that a device without a network does not pile up keys.
 */
export function deviceKeyRotationDue({ current }: DeviceKeys, nowS: number): boolean {
  return current.confirmedAtS !== undefined && Math.abs(nowS - current.createdAtS) >= DEVICE_KEY_LIFETIME_S
}

/**
 * Takes note that a push was confirmed whose record announced the X25519 key `announced`: that key is confirmed, and all older ones
 * are released, both only the first time. Another key than one of these changes nothing. Throws `bad-input` for a wrong time.
 */
export function confirmDeviceKeys(keys: DeviceKeys, announced: X25519PublicKey, nowS: number): DeviceKeys {
  requireTime(nowS, 'DK-01')
  const held = [keys.current, ...keys.previous]
  const confirmedAt = held.findIndex(key => equalBytes(key.x25519, announced))
  if (confirmedAt === -1) return keys
  const [current, ...previous] = held.map((key, at): DeviceKey => {
    if (at === confirmedAt) return key.confirmedAtS === undefined ? { ...key, confirmedAtS: nowS } : key
    return at > confirmedAt && key.releasedAtS === undefined ? { ...key, releasedAtS: nowS } : key
  })
  return { current: current!, previous }
}

/**
 * Takes note that another member became known, to whom no push so far was addressed: it may know an older key from others. What was
 * released counts as not released until the next push is confirmed; once for each key, or made-up members could keep it for ever.
 */
export function renewDeviceKeys(keys: DeviceKeys): DeviceKeys {
  const isRenewable = ({ releasedAtS, renewed = false }: DeviceKey) => releasedAtS !== undefined && !renewed
  if (!keys.previous.some(isRenewable)) return keys
  const renewedKey = ({ releasedAtS: _, ...key }: DeviceKey): DeviceKey => ({ ...key, renewed: true })
  return { ...keys, previous: keys.previous.map(key => (isRenewable(key) ? renewedKey(key) : key)) }
}

/**
 * Drops the previous keys released 48 hours ago or more. To be called only when a complete fetch of namespace 21 has just ended, so
 * that nothing that lies there still needs them. `wipe` are their seeds, for the caller to erase once the smaller set is stored.
 * Keys whose X25519 half is in `needed` stay. A release more than 48 hours ahead was noted by a clock that was wrong, and counts
 * from now on. Throws `bad-input` for a wrong time.
 */
export function eraseDeviceKeys(
  keys: DeviceKeys,
  nowS: number,
  needed: readonly X25519PublicKey[] = [],
): { readonly keys: DeviceKeys; readonly wipe: readonly Secret<'device-key-seed'>[] } {
  requireTime(nowS, 'DK-01')
  const isErasable = ({ releasedAtS, x25519 }: DeviceKey) =>
    releasedAtS !== undefined && releasedAtS <= nowS - DEVICE_KEY_GRACE_S && !needed.some(other => equalBytes(other, x25519))
  const isAhead = (key: DeviceKey) => key.releasedAtS !== undefined && key.releasedAtS > nowS + DEVICE_KEY_GRACE_S
  if (!keys.previous.some(key => isErasable(key) || isAhead(key))) return { keys, wipe: [] }
  const kept = keys.previous.filter(key => !isErasable(key))
  return {
    keys: { ...keys, previous: kept.map(key => (isAhead(key) ? { ...key, releasedAtS: nowS } : key)) },
    wipe: keys.previous.filter(isErasable).map(key => key.seed),
  }
}

/** The key pairs to try on a group message, the current one first. The caller wipes them with `wipeExpandedKeyPair`. */
export function expandDeviceKeys(crypto: Crypto, { current, previous }: DeviceKeys): readonly ExpandedKeyPair[] {
  return [current, ...previous].map(key => expandKeyPair(crypto, 'SessionDeviceKeys', key.seed.expose()))
}
