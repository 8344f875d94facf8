/**
 * The one error of this package. Its codes are coarse on purpose: an error that told more about why a decryption failed
 * would be an oracle.
 */

/**
 * - `bad-size`: an argument has another length than the primitive takes, or a cost is out of range.
 * - `bad-key`: a key that no honest key generation produces, or one that was wiped or prepared by another provider.
 * - `bad-point`: a public value of low order, off the curve or not canonically encoded.
 * - `decrypt-failed`: wrong key or altered bytes; which of them is not told.
 * - `unavailable`: the machine lacks the memory or the module the operation needs.
 */
export type CryptoErrorCode = 'bad-size' | 'bad-key' | 'bad-point' | 'decrypt-failed' | 'unavailable'

/** Thrown by every function of this package. Carries no key material and no plaintext. */
export class CryptoError extends Error {
  override readonly name = 'CryptoError'
  readonly code: CryptoErrorCode

  constructor(code: CryptoErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Throws `bad-size` unless `value` is a whole number from `least` to `most`. */
export function requireWithin(value: number, least: number, most: number, noun: string): void {
  if (!(Number.isInteger(value) && value >= least && value <= most)) {
    throw new CryptoError('bad-size', `${noun} is ${value}, outside ${least} to ${most}`)
  }
}

/** Throws `bad-size` unless `bytes` has exactly `sizeBytes` bytes. The C functions below do not check lengths: this does. */
export function requireSize(bytes: Uint8Array, sizeBytes: number, noun: string): void {
  if (bytes.length !== sizeBytes) {
    throw new CryptoError('bad-size', `${noun} has ${bytes.length} bytes instead of ${sizeBytes}`)
  }
}
