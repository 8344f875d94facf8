import { inspect } from 'node:util'
import { sha256 } from '@session-v2/crypto'
import { decodeHex, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  completeWord,
  decodeRecoveryPassword,
  encodeRecoveryPassword,
  ProtocolError,
  recoveryPasswordOf,
  seedFromRecoveryPassword,
  UnknownWordError,
} from '@session-v2/protocol'
import { inTime } from '@session-v2/tools/fuzz'
import { loadVectorsOfKind } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ENGLISH_WORDS } from '../src/recovery-password/words-english.ts'
import { codeThrownBy, fuzzRuns, refusalBy, wasm } from './providers.ts'

const SEED_SIZES = [16, 32]
const anySeed = fc.constantFrom(...SEED_SIZES).chain(size => fc.uint8Array({ minLength: size, maxLength: size }))
const WORDS = 'amaze buffet cake entrance symptoms tiger lamb maze nestle python dusted faxed faxed'

describe('word list', () => {
  it('is the known one, with unique prefixes of three letters (RP-01)', () => {
    const digest = sha256(wasm, [encodeUtf8(ENGLISH_WORDS.join('\n'))])
    expect(encodeHex(digest)).toBe('998df55cb16d2318130c5cf7e9d4408247c8c4674935ee6e07d53f2f00ccf19b')
    expect(new Set(ENGLISH_WORDS.map(word => word.slice(0, 3))).size).toBe(1626)
  })

  it('completes what was typed', () => {
    expect(completeWord('ab')).toEqual([
      'abbey',
      'abducts',
      'ability',
      'ablaze',
      'abnormal',
      'abort',
      'abrasive',
      'absorb',
      'abyss',
    ])
    expect(completeWord('ZOO')).toEqual(['zoom'])
    expect(completeWord('')).toEqual([])
    expect(completeWord('q1')).toEqual([])
  })
})

describe('recovery password (RP-02 to RP-04)', () => {
  it.each(loadVectorsOfKind('recovery-password', 'encode').map(v => [v.in.seed, v] as const))('of %s', (seed, vector) => {
    expect(encodeRecoveryPassword(decodeHex(seed), { checksum: vector.in.checksum })).toBe(vector.out.words)
    expect(encodeHex(decodeRecoveryPassword(vector.out.words))).toBe(seed)
  })

  it.each(loadVectorsOfKind('recovery-password', 'decode').map(v => [v.in.words, v] as const))('reads %j', (words, { out }) => {
    expect(encodeHex(decodeRecoveryPassword(words))).toBe(out.seed)
  })

  it.each(loadVectorsOfKind('recovery-password', 'reject').map(v => [v.in.words, v] as const))('refuses %j', (words, { out }) => {
    expect(codeThrownBy(() => decodeRecoveryPassword(words))).toBe(out.error)
  })

  it('comes back as the seed it was made of, with and without checksum', () => {
    fc.assert(
      fc.property(anySeed, fc.boolean(), (seed, checksum) => {
        const words = encodeRecoveryPassword(seed, { checksum })
        expect(words.split(' ')).toHaveLength((seed.length * 3) / 4 + (checksum ? 1 : 0))
        expect(decodeRecoveryPassword(words)).toEqual(seed)
      }),
    )
  })

  it('has 13 words for a seed whose upper half is zero, else 25 (RP-06)', () => {
    const short = new Uint8Array(32).fill(5, 0, 16)
    const long = new Uint8Array(32).fill(5)
    for (const [seed, count] of [
      [short, 13],
      [long, 25],
    ] as const) {
      const words = recoveryPasswordOf(seed)
      expect(words.split(' ')).toHaveLength(count)
      expect(seedFromRecoveryPassword(words)).toEqual(seed)
    }
    expect(refusalBy(() => recoveryPasswordOf(new Uint8Array(16)))).toBe('bad-input ACC-01')
    expect(refusalBy(() => encodeRecoveryPassword(new Uint8Array(15)))).toBe('bad-input RP-06')
  })
})

describe('recovery password as people type it (RP-05)', () => {
  const seed = decodeRecoveryPassword(WORDS)

  it.each([
    ['in capitals', WORDS.toUpperCase()],
    ['with other white space', ` \n${WORDS.replaceAll(' ', '\u00a0\t ')}\r\n`],
    ['with a long s', WORDS.replace('symptoms', '\u017fymptoms')],
    ['with accents behind the third letter', WORDS.replace('cake', 'cake\u0301')],
  ])('%s', (_, words) => expect(decodeRecoveryPassword(words)).toEqual(seed))

  it('composes before it compares: an accent on one of the first three letters is another letter', () => {
    for (const amaze of ['a\u0301maze', '\u00e1maze']) {
      expect(refusalBy(() => decodeRecoveryPassword(WORDS.replace('amaze', amaze)))).toBe('unknown-word RP-07')
    }
  })
})

describe('recovery password with a mistake (RP-03, RP-04, RP-07)', () => {
  it('names the word and its place without printing it', () => {
    const words = WORDS.replace('cake', 'Qake')
    const error = errorOf(words)
    expect(error).toBeInstanceOf(UnknownWordError)
    expect([(error as UnknownWordError).word, (error as UnknownWordError).position]).toEqual(['Qake', 3])
    expect(inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error)).not.toContain('Qake')
  })

  it.each([
    ['nothing', '', 'too-short RP-06'],
    ['11 words', WORDS.split(' ').slice(0, 11).join(' '), 'too-short RP-06'],
    ['14 words', `${WORDS} amaze`, 'too-short RP-06'],
    ['26 words', `${WORDS} ${WORDS}`, 'bad-input RP-07'],
    ['a text as long as a book', 'amaze '.repeat(100_000), 'bad-input RP-07'],
    ['three words above 2^32', `abbey abbey zoom ${WORDS.split(' ').slice(0, 9).join(' ')}`, 'bad-checksum RP-03'],
    ['two words swapped', WORDS.replace('amaze buffet', 'buffet amaze'), 'bad-checksum RP-04'],
  ])('%s', (_, words, refusal) => expect(refusalBy(() => decodeRecoveryPassword(words))).toBe(refusal))

  it('finds nearly every exchange of two words: one checksum word in 12 is right by chance', () => {
    const words = WORDS.split(' ')
    const isFound = (at: number) => {
      const swapped = words.toSpliced(at, 2, words[at + 1] as string, words[at] as string).join(' ')
      return errorOf(swapped) !== undefined
    }
    expect(Array.from({ length: 11 }, (_, at) => isFound(at)).filter(Boolean).length).toBeGreaterThanOrEqual(9)
  })
})

describe('fuzz recovery password', () => {
  const anyWord = fc.oneof(fc.constantFrom(...ENGLISH_WORDS), fc.string({ unit: 'binary', maxLength: 8 }))
  const anyText = fc.oneof(
    fc.array(anyWord, { maxLength: 30 }).map(words => words.join(' ')),
    fc.string({ unit: 'binary', maxLength: 3000 }),
    anySeed.map(seed => encodeRecoveryPassword(seed)),
  )

  it('gives a seed or a typed error, soon', () => {
    fc.assert(
      fc.property(anyText, text => {
        const error = inTime(text, () => errorOf(text))
        if (error !== undefined) expect(error).toBeInstanceOf(ProtocolError)
        else expect(SEED_SIZES).toContain(decodeRecoveryPassword(text).length)
      }),
      { numRuns: fuzzRuns },
    )
  })
})

function errorOf(text: string): unknown {
  try {
    decodeRecoveryPassword(text)
    return undefined
  } catch (error) {
    return error
  }
}
