/**
 * The recovery password: a seed as words that a person can write down. (Other clients call it mnemonic seed.)
 *
 * With n = 1626 words, each 4 bytes, little-endian V, become three words:
 *
 *     a = V mod n,  b = (⌊V / n⌋ + a) mod n,  c = (⌊V / n²⌋ + b) mod n
 *
 * and one of those words is repeated at the end as a checksum: the one at CRC-32(their prefixes, joined) mod (how many there are).
 * 16 bytes are 12 + 1 words, 32 bytes 24 + 1. The checksum word may be left out.
 *
 * Implements RP-02, RP-03, RP-04, RP-06, RP-07.
 */
import { concatBytes, encodeUtf8, readUint32Le, uint32Le } from '@session-v2/encoding'
import { ROOT_SEED_BYTES } from '../account/account.ts'
import { ProtocolError, requireSize } from '../protocol-error.ts'
import { crc32 } from './crc32.ts'
import { indexOfWord, prefixOf, WORD_COUNT, wordAt } from './word-list.ts'

const GROUP_BYTES = 4
const GROUP_WORDS = 3
const MAX_GROUP_VALUE = 0xffffffff
const SHORT_SEED_BYTES = 16
const SHORT_WORDS = 12
const LONG_WORDS = 24
const MAX_WORDS = LONG_WORDS + 1
/** 25 of the longest words with generous spacing; longer text is no recovery password and is not even split. */
const MAX_TEXT_CHARACTERS = 2000

/**
 * A word that is not in the list. Neither its message nor its printed form shows the word, which may be nearly a right one.
 */
export class UnknownWordError extends ProtocolError {
  readonly #word: string
  /** Counted from 1. */
  readonly position: number

  constructor(word: string, position: number) {
    super('unknown-word', 'RP-07', `word ${position} of the recovery password is not in the word list: check its spelling`)
    this.#word = word
    this.position = position
  }

  /** As it was typed. */
  get word(): string {
    return this.#word
  }
}

/** The words of a seed of 16 or 32 bytes, with a checksum word unless told otherwise. Throws `bad-input` for another size. */
export function encodeRecoveryPassword(seed: Uint8Array, options?: { checksum?: boolean }): string {
  if (seed.length !== SHORT_SEED_BYTES && seed.length !== ROOT_SEED_BYTES) {
    throw new ProtocolError('bad-input', 'RP-06', `a recovery password is made of 16 or 32 bytes, not ${seed.length}`)
  }
  const indices: number[] = []
  for (let at = 0; at < seed.length; at += GROUP_BYTES) indices.push(...groupIndices(readUint32Le(seed, at)))
  if (options?.checksum !== false) indices.push(checksumIndex(indices))
  return indices.map(wordAt).join(' ')
}

/**
 * The 16 or 32 bytes of 12, 13, 24 or 25 words, separated by any white space. Throws `unknown-word` (an `UnknownWordError`) for the
 * first word that is not in the list; `too-short` when words are missing; `bad-checksum` when the checksum word is not the right
 * one or three words cannot stand together, that is when a word is wrong or misplaced; `bad-input` for more than 25 words.
 */
export function decodeRecoveryPassword(text: string): Uint8Array {
  const indices = wordIndices(text)
  const groupWords = indices.length - (indices.length % GROUP_WORDS)
  const isWhole = (groupWords === SHORT_WORDS || groupWords === LONG_WORDS) && indices.length <= groupWords + 1
  if (!isWhole) {
    throw new ProtocolError(
      'too-short',
      'RP-06',
      `the recovery password has 13 or 25 words, not ${indices.length}: words are missing`,
    )
  }
  const dataIndices = indices.slice(0, groupWords)
  const checksum = indices[groupWords]
  if (checksum !== undefined && checksum !== checksumIndex(dataIndices)) {
    throw new ProtocolError(
      'bad-checksum',
      'RP-04',
      'the words do not fit their checksum word: one of them is wrong or misplaced',
    )
  }
  const groups: Uint8Array[] = []
  for (let at = 0; at < groupWords; at += GROUP_WORDS) groups.push(uint32Le(groupValue(dataIndices, at)))
  return concatBytes(...groups)
}

/** The 32-byte root seed of a recovery password: 16 bytes are followed by 16 zero bytes. Throws as `decodeRecoveryPassword`. */
export function seedFromRecoveryPassword(text: string): Uint8Array {
  const decoded = decodeRecoveryPassword(text)
  const seed = new Uint8Array(ROOT_SEED_BYTES)
  seed.set(decoded)
  return seed
}

/** The recovery password of a 32-byte root seed: 13 words when its upper half is zero, else 25. Throws `bad-input`. */
export function recoveryPasswordOf(seed: Uint8Array): string {
  requireSize(seed, ROOT_SEED_BYTES, 'ACC-01', 'the root seed')
  const isShort = seed.subarray(SHORT_SEED_BYTES).every(byte => byte === 0)
  return encodeRecoveryPassword(isShort ? seed.subarray(0, SHORT_SEED_BYTES) : seed)
}

function wordIndices(text: string): number[] {
  const words = text.length > MAX_TEXT_CHARACTERS ? undefined : text.split(/\s+/u).filter(word => word !== '')
  if (words === undefined || words.length > MAX_WORDS) {
    throw new ProtocolError('bad-input', 'RP-07', 'a recovery password has 13 or 25 words: this text is too long')
  }
  return words.map((word, at) => {
    const index = indexOfWord(word)
    if (index === undefined) throw new UnknownWordError(word, at + 1)
    return index
  })
}

function groupIndices(value: number): [number, number, number] {
  const a = value % WORD_COUNT
  const b = (Math.floor(value / WORD_COUNT) + a) % WORD_COUNT
  const c = (Math.floor(value / (WORD_COUNT * WORD_COUNT)) + b) % WORD_COUNT
  return [a, b, c]
}

function groupValue(indices: readonly number[], at: number): number {
  const [a, b, c] = indices.slice(at, at + GROUP_WORDS) as [number, number, number]
  const low = (WORD_COUNT + b - a) % WORD_COUNT
  const high = (WORD_COUNT + c - b) % WORD_COUNT
  const value = a + WORD_COUNT * low + WORD_COUNT * WORD_COUNT * high
  if (value > MAX_GROUP_VALUE) {
    throw new ProtocolError(
      'bad-checksum',
      'RP-03',
      `words ${at + 1} to ${at + GROUP_WORDS} cannot stand together: one of them is wrong`,
    )
  }
  return value
}

function checksumIndex(indices: readonly number[]): number {
  const prefixes = indices.map(index => prefixOf(wordAt(index))).join('')
  return indices[crc32(encodeUtf8(prefixes)) % indices.length] as number
}
