/**
 * The ID of a device group: when it was founded, and four random bytes. A group message carries it encrypted, so that only the
 * account sees which messages belong together.
 *
 *     ID          minutes since the epoch (4 bytes, little-endian) ‖ 4 random bytes
 *     encrypted   XChaCha20(key = BLAKE2b-32(root seed, personal "SessionDvGrpID_K"),
 *                           nonce = BLAKE2b-24(A, personal "SessionDvGrpID_N")) ⊕ ID,   A = the message's ephemeral X25519 key
 *
 * Implements DG-01, DG-02.
 */
import { blake2b, type Crypto, type Secret, wipe, xchacha20 } from '@session-v2/crypto'
import { readUint32Le } from '@session-v2/encoding'
import { requireSize } from '../protocol-error.ts'

export const GROUP_ID_BYTES = 8
const EPHEMERAL_BYTES = 32

/** Encrypts a group ID (8 bytes) for the message with the ephemeral key A (32 bytes), or decrypts it. Throws `bad-input`. */
export function cryptGroupId(
  crypto: Crypto,
  rootSeed: Secret<'root-seed'>,
  ephemeral: Uint8Array,
  groupId: Uint8Array,
): Uint8Array {
  requireSize(ephemeral, EPHEMERAL_BYTES, 'DG-02', 'the ephemeral key')
  requireSize(groupId, GROUP_ID_BYTES, 'DG-01', 'a group ID')
  const key = blake2b(crypto, 32, [rootSeed.expose()], { personal: 'SessionDvGrpID_K' })
  const nonce = blake2b(crypto, 24, [ephemeral], { personal: 'SessionDvGrpID_N' })
  const crypted = xchacha20(crypto, key, nonce, groupId)
  wipe(key)
  return crypted
}

/** When the group was founded, in minutes since the epoch. Throws `bad-input` for an ID that has not 8 bytes. */
export function groupCreatedMinutes(groupId: Uint8Array): number {
  requireSize(groupId, GROUP_ID_BYTES, 'DG-01', 'a group ID')
  return readUint32Le(groupId, 0)
}
