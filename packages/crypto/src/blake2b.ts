/** BLAKE2b (RFC 7693) with a key and a personalisation. Implements NOT-02. */
import { CryptoError, requireWithin } from './crypto-error.ts'
import { type Crypto, RAW } from './provider.ts'

const MAX_DIGEST_BYTES = 64
const MAX_KEY_BYTES = 64
const PERSONAL_BYTES = 16

export interface Blake2bOptions {
  /** 0 to 64 bytes. */
  readonly key?: Uint8Array
  /** Exactly 16 ASCII characters, which separates one use of the hash from all others. */
  readonly personal?: string
}

/**
 * The BLAKE2b digest of the inputs one after the other. `sizeBytes` (1 to 64) is part of the hash: a short digest is not the
 * beginning of a longer one. Throws `bad-size`.
 */
export function blake2b(crypto: Crypto, sizeBytes: number, inputs: readonly Uint8Array[], options?: Blake2bOptions): Uint8Array {
  requireWithin(sizeBytes, 1, MAX_DIGEST_BYTES, 'BLAKE2b digest size')
  const key = options?.key
  if (key !== undefined) requireWithin(key.length, 0, MAX_KEY_BYTES, 'BLAKE2b key size')
  const personal = options?.personal
  return crypto[RAW].blake2b(sizeBytes, inputs, key, personal === undefined ? undefined : personalBytes(personal))
}

function personalBytes(personal: string): Uint8Array {
  const bytes = new Uint8Array(PERSONAL_BYTES)
  let isAscii = personal.length === PERSONAL_BYTES
  for (let i = 0; i < PERSONAL_BYTES; i++) {
    const code = personal.charCodeAt(i)
    isAscii &&= code < 0x80
    bytes[i] = code
  }
  if (!isAscii) throw new CryptoError('bad-size', `a BLAKE2b personalisation has exactly ${PERSONAL_BYTES} ASCII characters`)
  return bytes
}
