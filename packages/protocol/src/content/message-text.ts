/** How long a text may be, in Unicode code points: neither bytes nor the UTF-16 units of `length`. Implements CON-09. */
import { ProtocolError } from '../protocol-error.ts'

/** What is written at most, in code points. */
export const TEXT_MAX_CODE_POINTS = 2000
/** What is read at most: clients of today write that much with a subscription. */
export const TEXT_READ_MAX_CODE_POINTS = 10_000

/** The code points of a text. Half of a surrogate pair counts as one. */
export function codePointsIn(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}

/** Throws `bad-input` for a text that is too long to be sent, or holds half of a surrogate pair. */
export function requireText(text: string): void {
  const codePoints = codePointsIn(text)
  if (codePoints > TEXT_MAX_CODE_POINTS)
    throw new ProtocolError(
      'bad-input',
      'CON-09',
      `a text of ${codePoints} code points, at most ${TEXT_MAX_CODE_POINTS} are sent`,
    )
  if (!text.isWellFormed()) throw new ProtocolError('bad-input', 'CON-09', 'a text holds half of a surrogate pair')
}

/** A text that came. Throws `malformed` for one that is longer than any client writes. */
export function readText(text: string): string {
  if (text.length > TEXT_READ_MAX_CODE_POINTS && codePointsIn(text) > TEXT_READ_MAX_CODE_POINTS)
    throw new ProtocolError('malformed', 'CON-09', `a text of more than ${TEXT_READ_MAX_CODE_POINTS} code points`)
  return text
}
