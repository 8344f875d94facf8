/**
 * What every command gets: the global options, where to print, the signal that Ctrl-C raises, and where the program runs.
 */
import type { Output } from './output.ts'

/** The global options, parsed. */
export interface GlobalOptions {
  readonly home?: string
  readonly seed?: readonly string[]
  readonly passphraseFile?: string
  readonly timeoutMs?: number
  readonly direct?: boolean
  readonly json: boolean
}

/** What the other devices of an account are told of this one unless its person says otherwise. */
export interface Program {
  /** As 1.2.3. */
  readonly version: string
  /** Of the computer. */
  readonly hostName: string
}

export interface Context {
  readonly options: GlobalOptions
  readonly output: Output
  /** Aborted by SIGINT or SIGTERM; whatever waits must end and clean up. */
  readonly signal: AbortSignal
  readonly program: Program
}

/** Resolves when the signal is raised. Commands that serve until Ctrl-C wait on it. */
export function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
