/** Argon2id (RFC 9106) version 1.3 with one lane: turns a passphrase into a key, slowly. */
import { CryptoError, requireSize, requireWithin } from './crypto-error.ts'
import { type Crypto, RAW } from './provider.ts'

const SALT_BYTES = 16
const MIN_OUTPUT_BYTES = 16
const MAX_OUTPUT_BYTES = 1024
const MAX_OPERATIONS = 2 ** 31 - 1
const MIN_MEMORY_BYTES = 8192
/** WebAssembly memory ends at 4 GiB; both providers shall have the same limits. */
const MAX_MEMORY_BYTES = 2 ** 30

export interface Argon2idCost {
  /** Passes over the memory, at least 1. */
  readonly opsLimit: number
  /** 8 KiB to 1 GiB. */
  readonly memoryBytes: number
  /** Length of the result, 16 to 1024. */
  readonly sizeBytes: number
}

/**
 * The key of a password (any length) and a 16-byte salt. Blocks for as long as the cost asks. Throws `bad-size` for values out of
 * range and `unavailable` when the machine has not the memory.
 */
export function argon2id(crypto: Crypto, password: Uint8Array, salt16: Uint8Array, cost: Argon2idCost): Uint8Array {
  requireSize(salt16, SALT_BYTES, 'Argon2id salt')
  requireWithin(cost.opsLimit, 1, MAX_OPERATIONS, 'Argon2id operations limit')
  requireWithin(cost.memoryBytes, MIN_MEMORY_BYTES, MAX_MEMORY_BYTES, 'Argon2id memory')
  requireWithin(cost.sizeBytes, MIN_OUTPUT_BYTES, MAX_OUTPUT_BYTES, 'Argon2id result')
  const key = crypto[RAW].argon2id(password, salt16, cost.opsLimit, cost.memoryBytes, cost.sizeBytes)
  if (key === undefined) throw new CryptoError('unavailable', `Argon2id could not get ${cost.memoryBytes} bytes of memory`)
  return key
}
