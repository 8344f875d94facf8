/** The one error class of this package. */

/**
 * - `malformed`: bytes that do not have the form of what they claim to be.
 * - `forged`: well-formed, but a signature does not verify. Which one, and why, is not told.
 * - `bad-account-id`: not an account ID, or one that no key pair can have.
 * - `too-short`, `unknown-word`, `bad-checksum`: what can be wrong with a recovery password.
 * - `bad-input`: an argument no caller should have passed (a size, a count, an order).
 * - `membership-unknown`: what the device is to its groups is not known before a complete fetch.
 * - `already-registered`, `not-registered`, `removed`, `displaced`: the device is, or is not, in a group, and cannot do this now.
 * - `unknown-group`, `unknown-device`, `unknown-request`: nothing by that name can be asked for, removed or answered.
 */
export type ProtocolErrorCode =
  | 'malformed'
  | 'forged'
  | 'bad-account-id'
  | 'too-short'
  | 'unknown-word'
  | 'bad-checksum'
  | 'bad-input'
  | 'membership-unknown'
  | 'already-registered'
  | 'not-registered'
  | 'removed'
  | 'displaced'
  | 'unknown-group'
  | 'unknown-device'
  | 'unknown-request'

/** The name of a clause of docs/spec: `DG-04`. */
export type ClauseId = `${string}-${number}`

/** Thrown by every function of this package. The message is for a person and holds no secret. */
export class ProtocolError extends Error {
  override readonly name: string = 'ProtocolError'
  readonly code: ProtocolErrorCode
  /** The clause that the input does not keep, or that does not allow what was asked. */
  readonly clause: ClauseId

  constructor(code: ProtocolErrorCode, clause: ClauseId, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.clause = clause
  }
}

/** Throws `bad-input` unless `bytes` has exactly `sizeBytes` bytes, as `clause` has it. */
export function requireSize(bytes: Uint8Array, sizeBytes: number, clause: ClauseId, noun: string): void {
  if (bytes.length !== sizeBytes) {
    throw new ProtocolError('bad-input', clause, `${noun} has ${bytes.length} bytes instead of ${sizeBytes}`)
  }
}
