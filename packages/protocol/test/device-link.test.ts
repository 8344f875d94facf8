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
import { providers, refusalBy, wasm } from './providers.ts'

const CHAPTER = 'device-link'
/** Index 0 to 63, as published: the code points, and the name. */
const TABLE = `
1f436 Dog, 1f431 Cat, 1f981 Lion, 1f40e Horse, 1f984 Unicorn, 1f437 Pig
1f418 Elephant, 1f430 Rabbit, 1f43c Panda, 1f413 Rooster, 1f427 Penguin, 1f422 Turtle
1f41f Fish, 1f419 Octopus, 1f98b Butterfly, 1f337 Flower, 1f333 Tree, 1f335 Cactus
1f344 Mushroom, 1f30f Globe, 1f319 Moon, 2601 fe0f Cloud, 1f525 Fire, 1f34c Banana
1f34e Apple, 1f353 Strawberry, 1f33d Corn, 1f355 Pizza, 1f382 Cake, 2764 fe0f Heart
1f600 Smiley, 1f916 Robot, 1f3a9 Hat, 1f453 Glasses, 1f527 Spanner, 1f385 Santa
1f44d Thumbs-Up, 2602 fe0f Umbrella, 231b Hourglass, 23f0 Clock, 1f381 Gift, 1f4a1 Light-Bulb
1f4d5 Book, 270f fe0f Pencil, 1f4ce Paperclip, 2702 fe0f Scissors, 1f512 Lock, 1f511 Key
1f528 Hammer, 260e fe0f Telephone, 1f3c1 Flag, 1f682 Train, 1f6b2 Bicycle, 2708 fe0f Aeroplane
1f680 Rocket, 1f3c6 Trophy, 26bd Ball, 1f3b8 Guitar, 1f3ba Trumpet, 1f514 Bell
2693 Anchor, 1f3a7 Headphones, 1f4c1 Folder, 1f4cc Pin
`
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
    expect(refusalBy(() => groupAuthenticationString(wasm, groupId))).toBe('bad-input DG-01')
    expect(refusalBy(() => groupCreatedMinutes(groupId))).toBe('bad-input DG-01')
    expect(refusalBy(() => cryptGroupId(wasm, rootSeed, new Uint8Array(32), groupId))).toBe('bad-input DG-01')
    expect(refusalBy(() => cryptGroupId(wasm, rootSeed, new Uint8Array(31), new Uint8Array(8)))).toBe('bad-input DG-02')
  })
})

describe('emoji (SAS-04)', () => {
  it('are 64, all different, seven with a variation selector', () => {
    expect(new Set(EMOJI.map(({ emoji }) => emoji)).size).toBe(64)
    expect(new Set(EMOJI.map(({ name }) => name)).size).toBe(64)
    expect(EMOJI.filter(({ emoji }) => emoji.endsWith('\ufe0f'))).toHaveLength(7)
    expect([EMOJI[0]!.name, EMOJI[21]!.name, EMOJI[63]!.name]).toEqual(['Dog', 'Cloud', 'Pin'])
  })

  it('are these, by their code points, in this order', () => {
    const codePoints = (text: string) => [...text].map(character => character.codePointAt(0)!.toString(16)).join(' ')
    expect(EMOJI.map(({ emoji, name }) => `${codePoints(emoji)} ${name}`)).toEqual(TABLE.trim().split(/\s*[,\n]\s*/))
  })
})
