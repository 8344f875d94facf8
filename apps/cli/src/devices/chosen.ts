/**
 * IDs as people give them: whole, or shortened to a beginning that fits one thing only.
 */
import { ClientError, type ClientErrorCode } from '@session-v2/client'
import { CliError } from '../failure.ts'

/** A shorter beginning fits by chance. */
const SHORTEST = 4
const SHOWN = 8

export interface Choice<T> {
  readonly among: readonly T[]
  /** In lower-case hexadecimal. */
  readonly idOf: (each: T) => string
  /** What it is, e.g. `device`. */
  readonly noun: string
  readonly unknown: ClientErrorCode
}

/**
 * The one whose ID begins with the text, in either case of letters.
 * @throws CliError `usage` for fewer than 4 characters, `ambiguous-id`; ClientError of the code `unknown`
 */
export function chosen<T>(text: string, { among, idOf, noun, unknown }: Choice<T>): T {
  const start = text.toLowerCase().replace(/…$/, '')
  if (start.length < SHORTEST) throw new CliError('usage', `Give at least ${SHORTEST} characters of the ID of the ${noun}.`)
  const fitting = among.filter(each => idOf(each).startsWith(start))
  const [only, another] = fitting
  if (only === undefined) throw new ClientError(unknown, `There is no ${noun} whose ID begins with ${JSON.stringify(text)}.`)
  if (another !== undefined) {
    const beginnings = fitting.map(each => idOf(each).slice(0, Math.max(SHOWN, start.length + 2)))
    throw new CliError('ambiguous-id', `Several IDs begin so: ${beginnings.join(', ')}. Give more characters.`)
  }
  return only
}

/** An ID short enough for a line; it can be typed as it is. */
export function shortened(id: string): string {
  return id.slice(0, SHOWN)
}
