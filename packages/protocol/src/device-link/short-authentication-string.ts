/**
 * Short authentication strings: emoji that two people compare to know that two devices saw the same thing.
 *
 *     link request   M = its signed plaintext; salt = BLAKE2b-16(M, personal "SessionLinkEmoji");
 *                    seed = Argon2id(M, salt, 2 passes, 16 MiB, 16 bytes)        7 emoji are shown, 21 on demand
 *     group          seed = BLAKE2b-16(group ID, personal "SessionDvGrp_SAS")    4 emoji are shown
 *
 * The seed is a little-endian number of 128 bits; each 6 bits of it, the least significant first, are an index into `EMOJI`.
 * Argon2id makes it slow to search for another request that shows the same emoji.
 *
 * Implements SAS-01, SAS-02, SAS-03.
 */
import { argon2id, blake2b, type Crypto } from '@session-v2/crypto'
import { GROUP_ID_BYTES } from '../device-group/group-id.ts'
import { requireSize } from '../protocol-error.ts'

const SEED_BYTES = 16
const INDEX_BITS = 6
const INDEX_COUNT = 21
const LINK_COST = { opsLimit: 2, memoryBytes: 16 * 1024 * 1024, sizeBytes: SEED_BYTES }

export interface ShortAuthenticationString {
  /** 21 indices into `EMOJI`. Compare these, not the emoji: some can be written in two ways. */
  readonly indices: readonly number[]
  /** 16 bytes, what the indices were made of. */
  readonly seed: Uint8Array
}

/** Of a link request, from its signed plaintext. Takes some 20 to 50 milliseconds and 16 MiB. Throws what `argon2id` throws. */
export function linkAuthenticationString(
  crypto: Crypto,
  plaintext: Uint8Array,
): ShortAuthenticationString & { salt: Uint8Array } {
  const salt = blake2b(crypto, SEED_BYTES, [plaintext], { personal: 'SessionLinkEmoji' })
  const seed = argon2id(crypto, plaintext, salt, LINK_COST)
  return { indices: indicesOf(seed), seed, salt }
}

/** Of a group, from its 8-byte ID. Throws `bad-input` for another size. */
export function groupAuthenticationString(crypto: Crypto, groupId: Uint8Array): ShortAuthenticationString {
  requireSize(groupId, GROUP_ID_BYTES, 'DG-01', 'a group ID')
  const seed = blake2b(crypto, SEED_BYTES, [groupId], { personal: 'SessionDvGrp_SAS' })
  return { indices: indicesOf(seed), seed }
}

function indicesOf(seed: Uint8Array): number[] {
  const number = seed.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
  return Array.from({ length: INDEX_COUNT }, (_, at) => Number((number >> BigInt(at * INDEX_BITS)) & 63n))
}
