/**
 * The pictures that two people compare, each with its name: seven a line, or one a line where the terminal is narrow.
 *
 * Which width a terminal gives a picture is not sure, so the names stand on a line of their own and are what a screen reader reads.
 */
import type { EmojiView } from '@session-v2/client'
import type { Paint } from '../output.ts'

export const LINE_LENGTH = 7

const COLUMN = 11
const INDENT = '  '
/** A picture takes two columns in most terminals. */
const PICTURE_COLUMNS = 2
const NEEDED_COLUMNS = INDENT.length + LINE_LENGTH * COLUMN

export interface EmojiStyle {
  readonly paint: Paint
  /** Of the terminal; undefined where there is none. */
  readonly columns: number | undefined
}

/** Pictures in lines of seven, their names in bold below. */
export function emojiLines(emoji: readonly EmojiView[], { paint, columns = NEEDED_COLUMNS }: EmojiStyle): string {
  if (columns < NEEDED_COLUMNS)
    return emoji.map(({ emoji: picture, name }) => `${INDENT}${picture}  ${paint.bold(name)}`).join('\n')
  const rows = Array.from({ length: Math.ceil(emoji.length / LINE_LENGTH) }, (_, row) =>
    emoji.slice(row * LINE_LENGTH, (row + 1) * LINE_LENGTH),
  )
  return rows.map(row => emojiRow(row, paint)).join('\n\n')
}

function emojiRow(row: readonly EmojiView[], paint: Paint): string {
  const pictures = row.map(({ emoji }) => emoji + ' '.repeat(COLUMN - PICTURE_COLUMNS)).join('')
  const names = row.map(({ name }) => name.padEnd(COLUMN)).join('')
  return `${INDENT}${pictures.trimEnd()}\n${INDENT}${paint.bold(names.trimEnd())}`
}

/** A few pictures within a line, e.g. those of a group. */
export function emojiInline(emoji: readonly EmojiView[]): string {
  return `${emoji.map(({ emoji: picture }) => picture).join(' ')}  ${emoji.map(({ name }) => name).join(', ')}`
}
