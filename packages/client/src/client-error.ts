/** The one error of this package. Its message says what happened and, where a person can act, what to do. */

import { NetworkError } from '@session-v2/network'

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
  | 'membership-unknown'
  | 'already-in-group'
  | 'not-in-group'
  | 'device-removed'
  | 'device-displaced'
  | 'unknown-group'
  | 'unknown-device'
  | 'unknown-request'
  | 'bad-device'
  | 'backup-damaged'
  | 'backup-truncated'
  | 'backup-too-new'
  | 'other-account'
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

const UNANSWERED: ReadonlySet<string> = new Set<ClientErrorCode>(['network-unavailable', 'no-path', 'clock-off'])

/** Whether an error says no more than that the network could not be reached now: what was to be done waits. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof NetworkError || (error instanceof ClientError && UNANSWERED.has(error.code))
}

/** A node's refusal of what should be right is, for a person, a network that does not work. */
export async function mapNetworkError<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error
    throw new ClientError(
      'network-unavailable',
      `The network refused a request: ${error.message}. Nothing is lost; try again.`,
      error,
    )
  }
}
