/**
 * Finding words in the list as people type them: only the first three code points count, after Unicode composition (NFC) and
 * case folding, so "Amaze", "AMA" and "amazing" are the same word.
 *
 * Implements RP-01, RP-05.
 */
import { ENGLISH_WORDS } from './words-english.ts'

export const WORD_COUNT = ENGLISH_WORDS.length
const PREFIX_CODE_POINTS = 3

const indexByPrefix: ReadonlyMap<string, number> = new Map(ENGLISH_WORDS.map((word, index) => [prefixOf(word), index]))

/** The index of the word that was meant; undefined when the list has none. */
export function indexOfWord(typed: string): number | undefined {
  return indexByPrefix.get(prefixOf(typed))
}

/** The word of an index below `WORD_COUNT`. */
export function wordAt(index: number): string {
  return ENGLISH_WORDS[index] as string
}

/** The part of a word that identifies it: its first three code points, composed and folded. */
export function prefixOf(word: string): string {
  return [...foldCase(word)].slice(0, PREFIX_CODE_POINTS).join('')
}

/** The words that begin with what was typed so far, in alphabetical order; none for nothing. */
export function completeWord(prefix: string): string[] {
  const folded = foldCase(prefix)
  return folded === '' ? [] : ENGLISH_WORDS.filter(word => word.startsWith(folded))
}

/** Going through upper case folds what lower case alone keeps apart: ſ and s, the ligature ﬁ and fi. */
function foldCase(text: string): string {
  return text.normalize('NFC').toUpperCase().toLowerCase()
}
