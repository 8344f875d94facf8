/**
 * What a group message says to the devices of the group:
 *
 *     d  D  dict of device IDs: the record of a member, or the time in seconds since the epoch at which a device was
 *           removed (positive) or left (negated); a reader takes a missing one for an empty one
 *        K  list of account keys: the current one, then the most recently rotated, each
 *               d  c  created   r  rotated, if it is   s  seed of 32 bytes  e                                           e
 *
 * followed by zeros up to 2300 + 6400 · N bytes, N ≥ 1. Times are in seconds since the epoch.
 *
 * Implements DG-07, DG-08, DG-09.
 */
import { type Crypto, Secret, wipe } from '@session-v2/crypto'
import {
  BtDictReader,
  BtDictWriter,
  type BtLimits,
  type BtValue,
  byteKey,
  concatBytes,
  decodeBt,
  encodeUtf8,
  INT64_MAX,
  INT64_MIN,
  keyBytes,
  trimTrailingZeros,
} from '@session-v2/encoding'
import { type AccountKeySeed, requireTime } from '../account-keys/account-key.ts'
import { sortAccountKeys } from '../account-keys/account-key-set.ts'
import { KEY_SEED_BYTES } from '../account-keys/key-expansion.ts'
import { ProtocolError, requireSize } from '../protocol-error.ts'
import { readForm } from '../wire-form.ts'
import { DEVICE_ID_BYTES, type DeviceId, deviceIdBytes, deviceIdOf } from './device-id.ts'
import { type DeviceRecord, decodeDeviceRecord, deviceRecordDigest, encodeDeviceRecord } from './device-record.ts'

/** Devices a payload lists at most, those that are gone included: they are listed for ever. */
export const MAX_LISTED_DEVICES = 4096
/** Account keys a payload carries at most; 16 days of rotations are 35. */
export const MAX_CARRIED_ACCOUNT_KEYS = 256
/** A payload within a message of 1 MiB. */
const PAYLOAD_LIMITS: BtLimits = { sizeBytes: 1024 * 1024, depth: 24, values: 100_000 }
const FIRST_BLOCK_BYTES = 2300
const BLOCK_BYTES = 6400

/** A device as a group lists it: `digest` (8 bytes) is that of the record as it came. `atS` is 1 to 2^63 − 1. */
export type GroupEntry =
  | { readonly kind: 'member'; readonly record: DeviceRecord; readonly digest: Uint8Array }
  | { readonly kind: 'left' | 'kicked'; readonly atS: bigint }

export interface GroupPayload {
  readonly devices: ReadonlyMap<DeviceId, GroupEntry>
  /** The current key first. */
  readonly accountKeys: readonly AccountKeySeed[]
}

/** How long to make a payload of `payloadBytes`: 8700 bytes, or more by multiples of 6400. */
export function paddedGroupPayloadBytes(payloadBytes: number): number {
  const blocks = Math.max(1, Math.ceil((payloadBytes - FIRST_BLOCK_BYTES) / BLOCK_BYTES))
  return FIRST_BLOCK_BYTES + blocks * BLOCK_BYTES
}

/**
 * The payload, not yet padded, with the account keys in the order of `sortAccountKeys`. It holds the seeds: wipe it. Throws
 * `bad-input` for values that have no encoding, for too many of them, for two current keys and for a seed that is there twice.
 */
export function encodeGroupPayload(payload: GroupPayload): Uint8Array {
  requireCount(payload.devices.size, MAX_LISTED_DEVICES, 'devices', 'bad-input')
  requireCount(payload.accountKeys.length, MAX_CARRIED_ACCOUNT_KEYS, 'account keys', 'bad-input')
  const devices = encodeDevices(payload.devices)
  const accountKeys = encodeAccountKeys(payload.accountKeys)
  try {
    return new BtDictWriter().raw('D', devices).raw('K', accountKeys).finish()
  } finally {
    wipe(accountKeys)
  }
}

/**
 * What a padded payload says. The seeds are copies: `wipeGroupPayload` when nothing is kept of it. Throws `malformed` for every
 * other form, a tombstone that is no time included, and beyond the limits.
 */
export function decodeGroupPayload(crypto: Crypto, padded: Uint8Array): GroupPayload {
  return readForm('DG-09', 'this is no payload of a group message', () => {
    const reader = new BtDictReader(trimTrailingZeros(padded), PAYLOAD_LIMITS)
    const devices = reader.optionalRaw('D')
    const accountKeys = reader.requireRaw('K')
    reader.finish({ unknown: 'allow' })
    return {
      devices: devices === undefined ? new Map() : decodeDevices(crypto, devices),
      accountKeys: decodeAccountKeys(accountKeys),
    }
  })
}

/** Erases the seeds of a payload. */
export function wipeGroupPayload(payload: GroupPayload): void {
  for (const { seed } of payload.accountKeys) seed.wipe()
}

function encodeDevices(devices: GroupPayload['devices']): Uint8Array {
  const writer = new BtDictWriter()
  for (const id of [...devices.keys()].sort()) {
    const entry = devices.get(id)!
    const key = byteKey(deviceIdBytes(id))
    if (entry.kind === 'member') writer.raw(key, encodeDeviceRecord(entry.record))
    else writer.integer(key, tombstone(entry))
  }
  return writer.finish()
}

function tombstone({ kind, atS }: { readonly kind: 'left' | 'kicked'; readonly atS: bigint }): bigint {
  if (atS <= 0n || atS > INT64_MAX) {
    throw new ProtocolError('bad-input', 'DG-08', `${atS} is no time at which a device can be gone`)
  }
  return kind === 'kicked' ? atS : -atS
}

function decodeDevices(crypto: Crypto, encoded: Uint8Array): ReadonlyMap<DeviceId, GroupEntry> {
  const reader = new BtDictReader(encoded, PAYLOAD_LIMITS)
  reader.finish({ unknown: 'allow' })
  requireCount(reader.unknown.length, MAX_LISTED_DEVICES, 'devices', 'malformed')
  const devices = new Map<DeviceId, GroupEntry>()
  for (const [key, value] of reader.unknown) {
    if (key.length !== DEVICE_ID_BYTES) throw new ProtocolError('malformed', 'DG-09', 'a device ID in a payload has not 32 bytes')
    devices.set(deviceIdOf(keyBytes(key)), decodeEntry(crypto, value))
  }
  return devices
}

function decodeEntry(crypto: Crypto, value: Uint8Array): GroupEntry {
  if (value[0] === DICT) return { kind: 'member', record: decodeDeviceRecord(value), digest: deviceRecordDigest(crypto, value) }
  const time = decodeBt(value, PAYLOAD_LIMITS)
  if (typeof time !== 'bigint' || time === 0n || time === INT64_MIN) {
    throw new ProtocolError('malformed', 'DG-09', 'a device in a payload is neither a record nor a time')
  }
  return time > 0n ? { kind: 'kicked', atS: time } : { kind: 'left', atS: -time }
}

function encodeAccountKeys(accountKeys: readonly AccountKeySeed[]): Uint8Array {
  for (const key of accountKeys) requireEncodable(key)
  const parts = sortAccountKeys(accountKeys).map(encodeAccountKey)
  const encoded = concatBytes(encodeUtf8('l'), ...parts, encodeUtf8('e'))
  wipe(...parts)
  return encoded
}

/** Asked before anything is written, so that no half-written list of seeds is left behind. */
function requireEncodable({ seed, createdAtS, rotatedAtS }: AccountKeySeed): void {
  requireSize(seed.expose(), KEY_SEED_BYTES, 'DG-07', 'the seed of an account key')
  requireTime(createdAtS, 'DG-09')
  if (rotatedAtS !== undefined) requireTime(rotatedAtS, 'DG-09')
}

function encodeAccountKey({ seed, createdAtS, rotatedAtS }: AccountKeySeed): Uint8Array {
  const writer = new BtDictWriter().integer('c', createdAtS)
  if (rotatedAtS !== undefined) writer.integer('r', rotatedAtS)
  return writer.bytes('s', seed.expose()).finish()
}

/** The byte strings of the decoded list are copies: the seeds keep theirs, the others are erased, and all when it is refused. */
function decodeAccountKeys(encoded: Uint8Array): AccountKeySeed[] {
  const list = decodeBt(encoded, PAYLOAD_LIMITS)
  try {
    if (!Array.isArray(list)) throw new ProtocolError('malformed', 'DG-09', 'the account keys of a payload are no list')
    requireCount(list.length, MAX_CARRIED_ACCOUNT_KEYS, 'account keys', 'malformed')
    return list.map(accountKeyOf)
  } catch (cause) {
    wipeValue(list)
    throw cause
  }
}

function accountKeyOf(value: BtValue): AccountKeySeed {
  if (!(value instanceof Map)) throw new ProtocolError('malformed', 'DG-09', 'an account key of a payload is no dict')
  const seed: BtValue | undefined = value.get('s')
  if (!(seed instanceof Uint8Array && seed.length === KEY_SEED_BYTES)) {
    throw new ProtocolError('malformed', 'DG-09', 'an account key of a payload has no seed of 32 bytes')
  }
  const createdAtS = secondsOf(value.get('c'))
  const rotatedAtS = value.has('r') ? secondsOf(value.get('r')) : undefined
  for (const item of value.values()) if (item !== seed) wipeValue(item)
  return { seed: Secret.of(seed, 'account-key-seed'), createdAtS, ...(rotatedAtS === undefined ? {} : { rotatedAtS }) }
}

function secondsOf(value: BtValue | undefined): number {
  if (!(typeof value === 'bigint' && value >= 0n && value <= Number.MAX_SAFE_INTEGER)) {
    throw new ProtocolError('malformed', 'DG-09', 'an account key of a payload has no usable time')
  }
  return Number(value)
}

function wipeValue(value: BtValue): void {
  if (value instanceof Uint8Array) wipe(value)
  else if (value instanceof Map) for (const item of value.values()) wipeValue(item)
  else if (Array.isArray(value)) for (const item of value) wipeValue(item)
}

function requireCount(count: number, most: number, noun: string, code: 'bad-input' | 'malformed'): void {
  if (count > most) throw new ProtocolError(code, 'DG-09', `a payload has ${most} ${noun} at most, not ${count}`)
}

/** How the encoding of a dict begins. */
const DICT = 0x64
