/**
 * What a command is made of: its words, its options and how they are read, and the function that runs it.
 */
import type { Context } from './context.ts'

/** Option values by their camel-case name, e.g. `{ nodes: 9 }`. */
export type OptionValues = Readonly<Record<string, unknown>>
/** Operands that may be left out are undefined then. */
export type Run = (context: Context, operands: readonly (string | undefined)[], options: OptionValues) => Promise<void>

export interface OptionSpec {
  /** As commander takes it, e.g. `--nodes <N>`. */
  readonly flags: string
  readonly summary: string
  readonly parse?: (text: string) => unknown
  readonly default?: string | number
  readonly required?: true
  readonly repeatable?: true
  /** The only values allowed. */
  readonly values?: readonly string[]
  /** What a shell completes after it. */
  readonly completes?: 'file' | 'folder'
}

export interface OperandSpec {
  readonly name: string
  readonly summary: string
  /** The only values allowed. */
  readonly values?: readonly string[]
  /** It may be left out; only the last one may. */
  readonly optional?: true
}

export interface CommandSpec {
  /** One or two words, e.g. `account create`. */
  readonly name: string
  readonly summary: string
  readonly details?: string
  readonly operands?: readonly OperandSpec[]
  readonly options?: readonly OptionSpec[]
  readonly example: string
  readonly load: () => Promise<Run>
}

/** All commands, and what their first words stand for where there are two. */
export interface CommandTable {
  readonly commands: readonly CommandSpec[]
  readonly groups: Readonly<Record<string, string>>
}

/** A parser for a whole number within limits; it throws the sentence that the usage error shows. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return text => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (!(number >= minimum && number <= maximum)) throw new RangeError(`must be a whole number from ${minimum} to ${maximum}`)
    return number
  }
}

/** Seconds, fractions allowed, as milliseconds. */
export function secondsAsMs(text: string): number {
  const seconds = /^\d{1,6}(\.\d+)?$/.test(text) ? Number(text) : 0
  if (seconds <= 0) throw new RangeError('must be a number of seconds above 0')
  return Math.ceil(seconds * 1000)
}

/** A seed URL: http or https, nothing else. */
export function seedUrl(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw new RangeError('must be a URL that begins with http:// or https://')
  return text
}

export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  { flags: '--home <DIR>', summary: "folder of one account's encrypted data", completes: 'folder' },
  {
    flags: '--seed <URL>',
    summary: 'where the network is found (repeatable); kept with a new account',
    parse: seedUrl,
    repeatable: true,
  },
  { flags: '--passphrase-file <F>', summary: 'file with the passphrase that unlocks the home', completes: 'file' },
  { flags: '--timeout <S>', summary: 'give up waiting for the network after S seconds', parse: secondsAsMs },
  { flags: '--direct', summary: 'ask storage nodes directly, without relays: they see the address of this computer' },
  { flags: '--json', summary: 'one JSON object a line on stdout, for programs' },
]
