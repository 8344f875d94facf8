/** Short authentication strings and group IDs. */
import { type Crypto, Secret } from '@session-v2/crypto'
import { encodeHex } from '@session-v2/encoding'
import {
  cryptGroupId,
  EMOJI,
  groupAuthenticationString,
  groupCreatedMinutes,
  linkAuthenticationString,
  type ShortAuthenticationString,
} from '@session-v2/protocol'
import { type Operation, SEED_BYTES } from '../operation.ts'

/** plaintext → indices, emoji, seed, salt */
export const linkSas: Operation = ({ crypto }, input) => linkSasOf(crypto, input.bytes('plaintext'))

/** group_id → indices, emoji, seed, created_minutes */
export const groupSas: Operation = ({ crypto }, input) => {
  const groupId = input.bytes('group_id')
  return { ...shown(groupAuthenticationString(crypto, groupId)), created_minutes: groupCreatedMinutes(groupId) }
}

/** in, A, root_seed → out; encrypts and decrypts */
export const groupIdCrypt: Operation = ({ crypto }, input) => {
  const rootSeed = Secret.of(input.bytes('root_seed', SEED_BYTES), 'root-seed')
  return { out: encodeHex(cryptGroupId(crypto, rootSeed, input.bytes('A'), input.bytes('in'))) }
}

/** The short authentication string of a link request, for an answer. */
export function linkSasOf(crypto: Crypto, plaintext: Uint8Array) {
  const string = linkAuthenticationString(crypto, plaintext)
  return { ...shown(string), salt: encodeHex(string.salt) }
}

function shown({ indices, seed }: ShortAuthenticationString) {
  return { indices, emoji: indices.map(index => EMOJI[index]?.emoji), seed: encodeHex(seed) }
}
