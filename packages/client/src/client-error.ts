/** The one error of this package. Its message says what happened and, where a person can act, what to do. */

export type ClientErrorCode =
  | 'wrong-passphrase'
  | 'home-locked'
  | 'no-account'
  | 'account-exists'
  | 'store-failed'
  | 'store-damaged'
  | 'network-unavailable'
  | 'no-path'
  | 'clock-off'
  | 'bad-account-id'
  | 'bad-message'
  | 'message-too-long'
  | 'bad-name'
  | 'bad-recovery-password'
  | 'no-seed'
  | 'bad-unlock'
  | 'unsupported'
  | 'closed'

export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code: ClientErrorCode

  constructor(code: ClientErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
