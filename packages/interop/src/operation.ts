/** What an operation is: a function from the fields of a request to the fields of its answer. */
import type { Crypto, Random } from '@session-v2/crypto'
import type { Fields } from './fields.ts'

export interface Context {
  readonly crypto: Crypto
  readonly random: Random
}

export type Answer = Readonly<Record<string, unknown>>

export type Operation = (context: Context, input: Fields) => Answer

/** Of every seed, and of the ID of a device. */
export const SEED_BYTES = 32
/** An account holds about 33 keys, one each 12 hours for 16 days; a group message carries 256 at most. */
export const MAX_ACCOUNT_KEYS = 300
