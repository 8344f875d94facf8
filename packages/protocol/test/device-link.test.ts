import { Secret } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import {
  cryptGroupId,
  EMOJI,
  groupAuthenticationString,
  groupCreatedMinutes,
  linkAuthenticationString,
} from '@session-v2/protocol'
import { loadVectorsOfKind } from '@session-v2/vectors'
import { describe, expect, it } from 'vitest'
import { codeThrownBy, providers, wasm } from './providers.ts'

const CHAPTER = 'device-link'
const emojiOf = (indices: readonly number[]) => indices.map(index => EMOJI[index]!.emoji)

describe.each(providers)('short authentication string, SAS-01 to SAS-03 (%s)', (_, crypto) => {
  it.each(loadVectorsOfKind(CHAPTER, 'link_sas').map(v => [v.in.plaintext.length / 2, v] as const))(
    'of a request of %i bytes',
    (_size, vector) => {
      const { indices, seed, salt } = linkAuthenticationString(crypto, decodeHex(vector.in.plaintext))
      expect({ indices, emoji: emojiOf(indices), salt: encodeHex(salt), seed: encodeHex(seed) }).toEqual(vector.out)
    },
  )

  it.each(loadVectorsOfKind(CHAPTER, 'group_sas').map(v => [v.in.group_id, v] as const))(
    'of the group %s (DG-01)',
    (groupId, vector) => {
      const { indices, seed } = groupAuthenticationString(crypto, decodeHex(groupId))
      const createdMinutes = groupCreatedMinutes(decodeHex(groupId))
      const made = { indices, emoji: emojiOf(indices), seed: encodeHex(seed), created_minutes: createdMinutes }
      expect(made).toEqual(vector.out)
    },
  )

  it.each(loadVectorsOfKind(CHAPTER, 'group_id_crypt').map(v => [v.in.in, v] as const))(
    'group ID %s, encrypted (DG-02)',
    (groupId, vector) => {
      const rootSeed = Secret.of(decodeHex(vector.in.root_seed), 'root-seed')
      const encrypted = cryptGroupId(crypto, rootSeed, decodeHex(vector.in.A), decodeHex(groupId))
      expect(encodeHex(encrypted)).toBe(vector.out.out)
      expect(encodeHex(cryptGroupId(crypto, rootSeed, decodeHex(vector.in.A), encrypted))).toBe(groupId)
    },
  )
})

describe('group ID of another size', () => {
  it.each([0, 7, 9])('%i bytes', size => {
    const groupId = new Uint8Array(size)
    const rootSeed = Secret.of(new Uint8Array(32), 'root-seed')
    expect(codeThrownBy(() => groupAuthenticationString(wasm, groupId))).toBe('bad-input')
    expect(codeThrownBy(() => groupCreatedMinutes(groupId))).toBe('bad-input')
    expect(codeThrownBy(() => cryptGroupId(wasm, rootSeed, new Uint8Array(32), groupId))).toBe('bad-input')
    expect(codeThrownBy(() => cryptGroupId(wasm, rootSeed, new Uint8Array(31), new Uint8Array(8)))).toBe('bad-input')
  })
})

describe('emoji (SAS-04)', () => {
  it('are 64, all different, seven with a variation selector', () => {
    expect(new Set(EMOJI.map(({ emoji }) => emoji)).size).toBe(64)
    expect(new Set(EMOJI.map(({ name }) => name)).size).toBe(64)
    expect(EMOJI.filter(({ emoji }) => emoji.endsWith('\ufe0f'))).toHaveLength(7)
    expect([EMOJI[0]!.name, EMOJI[21]!.name, EMOJI[63]!.name]).toEqual(['Dog', 'Cloud', 'Pin'])
  })
})
