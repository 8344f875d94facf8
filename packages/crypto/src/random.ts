/** The randomness port, and the only place of this package that asks the system for random bytes. */
import { requireWithin } from './crypto-error.ts'
import { wipe } from './wipe.ts'

/** A source of random bytes. Everything random in this project takes one as an argument. */
export interface Random {
  /** `sizeBytes` fresh bytes, at most 16 MiB; the caller owns them. Throws `bad-size`. */
  bytes(sizeBytes: number): Uint8Array
  /** True only for the system's own generator: a provider may then let a native module draw from it directly. */
  readonly system?: boolean
}

/** Nothing asks for more at once; a larger number is a mistake. */
export const MAX_RANDOM_BYTES = 2 ** 24
/** One system call costs about as much as the hashing of a kilobyte, so small requests are served from a pool of this size. */
const POOL_BYTES = 4096
/** What getRandomValues fills at most in one call. */
const SYSTEM_CALL_MAX_BYTES = 65536

/** The system's cryptographic generator. Pooled; bytes leave the pool zeroed behind them, so none is handed out twice. */
export function systemRandom(): Random {
  const pool = new Uint8Array(POOL_BYTES)
  let used = POOL_BYTES
  return {
    system: true,
    bytes(sizeBytes) {
      requireWithin(sizeBytes, 0, MAX_RANDOM_BYTES, 'number of random bytes')
      if (sizeBytes > POOL_BYTES) return freshBytes(sizeBytes)
      if (used + sizeBytes > POOL_BYTES) {
        globalThis.crypto.getRandomValues(pool)
        used = 0
      }
      const end = used + sizeBytes
      const bytes = pool.slice(used, end)
      wipe(pool.subarray(used, end))
      used = end
      return bytes
    },
  }
}

function freshBytes(sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes)
  for (let at = 0; at < sizeBytes; at += SYSTEM_CALL_MAX_BYTES) {
    globalThis.crypto.getRandomValues(bytes.subarray(at, at + SYSTEM_CALL_MAX_BYTES))
  }
  return bytes
}

/** A random 32-bit integer from the system: libsodium's WebAssembly build asks for one when it starts. */
export function systemUint32(): number {
  return globalThis.crypto.getRandomValues(new Uint32Array(1))[0] as number
}
