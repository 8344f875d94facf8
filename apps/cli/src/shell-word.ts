/**
 * Commands that are printed to be typed: quoted for a shell, on the same home as the command that prints them.
 */
import type { GlobalOptions } from './context.ts'

/** A word for a shell: quoted when it must be. */
export function shellWord(word: string): string {
  return /^[\w./:@+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** What to type for a command, e.g. `session-v2 --home ./b link request`, with the options that say which account is meant. */
export function typed({ home, passphraseFile }: GlobalOptions, ...words: readonly string[]): string {
  const account = [
    ...(home === undefined ? [] : ['--home', shellWord(home)]),
    ...(passphraseFile === undefined ? [] : ['--passphrase-file', shellWord(passphraseFile)]),
  ]
  return ['session-v2', ...account, ...words].join(' ')
}
