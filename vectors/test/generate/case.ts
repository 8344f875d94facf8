/** A vector of our own: one input, one reason. */
import type { VectorFile } from '../../src/load.ts'

export type Failure = 'malformed' | 'forged' | 'no-key' | 'not-for-us' | 'unknown-version'

export interface Case extends VectorFile {
  readonly reason: string
  readonly clause: string
  readonly in: Readonly<Record<string, unknown>>
  readonly out: Readonly<Record<string, unknown>>
}

/** A chapter's cases from rows of name, failure, clause, reason and input. */
export type Row = readonly [name: string, failure: Failure, clause: string, reason: string, message: Uint8Array]
