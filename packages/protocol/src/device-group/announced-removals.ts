/**
 * The announcement of removals. A removed device cannot open the messages of the group any more; this field tells it, and nobody
 * else, that this is why.
 *
 *     entry = BLAKE2b-16(root seed ‖ device ID, key = A, personal "SessionDevKicked"),   A = the message's ephemeral X25519 key
 *
 * Random entries fill the field up to a multiple of four, and all are shuffled. A device that left is not announced.
 *
 * Implements DG-14.
 */
import { blake2b, type Crypto, type Random, type Secret } from '@session-v2/crypto'
import { concatBytes, equalBytes } from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'
import { type DeviceId, deviceIdBytes } from './device-id.ts'
import { MAX_LISTED_DEVICES } from './group-payload.ts'
import { shuffled } from './random-order.ts'

const PERSONAL = 'SessionDevKicked'
export const REMOVAL_ENTRY_BYTES = 16
const GRANULARITY = 4
/** What is read at most: every device a payload can list, all of them removed. */
export const MAX_REMOVALS_BYTES = MAX_LISTED_DEVICES * REMOVAL_ENTRY_BYTES

/** The 16-byte entry of a device in the message with the ephemeral key A (32 bytes). */
export function removalEntry(
  crypto: Crypto,
  rootSeed: Secret<'root-seed'>,
  ephemeral: Uint8Array,
  deviceId: DeviceId,
): Uint8Array {
  const inputs = [rootSeed.expose(), deviceIdBytes(deviceId)]
  return blake2b(crypto, REMOVAL_ENTRY_BYTES, inputs, { key: ephemeral, personal: PERSONAL })
}

/** The field that announces the removal of these devices; undefined when there are none. Throws `bad-input` for more than 4096. */
export function announceRemovals(
  crypto: Crypto,
  random: Random,
  rootSeed: Secret<'root-seed'>,
  ephemeral: Uint8Array,
  removed: readonly DeviceId[],
): Uint8Array | undefined {
  if (removed.length === 0) return undefined
  if (removed.length > MAX_LISTED_DEVICES) {
    throw new ProtocolError('bad-input', 'DG-16', `${removed.length} removals are too many`)
  }
  const entries = removed.map(id => removalEntry(crypto, rootSeed, ephemeral, id))
  while (entries.length % GRANULARITY !== 0) entries.push(random.bytes(REMOVAL_ENTRY_BYTES))
  return concatBytes(...shuffled(random, entries))
}

/** True when the field announces the removal of this device. */
export function announcesRemoval(
  crypto: Crypto,
  rootSeed: Secret<'root-seed'>,
  ephemeral: Uint8Array,
  deviceId: DeviceId,
  removals: Uint8Array | undefined,
): boolean {
  if (removals === undefined) return false
  const entry = removalEntry(crypto, rootSeed, ephemeral, deviceId)
  for (let at = 0; at < removals.length; at += REMOVAL_ENTRY_BYTES) {
    if (equalBytes(removals.subarray(at, at + REMOVAL_ENTRY_BYTES), entry)) return true
  }
  return false
}
