/**
 * A message as it lies at namespace 0, of any version. The first bytes tell which:
 *
 *     00 02   version 2
 *     00 xx   a version of the future
 *     other   version 1, a protobuf message
 *
 * Implements DM2-12.
 */
import type { Crypto } from '@session-v2/crypto'
import type { Account } from './account/account.ts'
import type { Keyring } from './account-keys/keyring.ts'
import { type OpenV1Outcome, openMessageV1 } from './message-v1/open.ts'
import { hasVersionPrefix } from './message-v2/envelope.ts'
import { type OpenOutcome, openMessageV2 } from './message-v2/open.ts'
import { ProtocolError } from './protocol-error.ts'

/**
 * As `openMessageV2` and `openMessageV1`, and: `unknown-version`, a newer version than these. `no-key` has an `indicator` when the
 * message is of version 2: then a key may come that opens it.
 */
export type OpenMessageOutcome = OpenOutcome | OpenV1Outcome | { readonly outcome: 'unknown-version' }

/** The version that the first bytes of a message claim. `unknown`: one of the future. undefined: there are no bytes. */
export function messageVersion(message: Uint8Array): 'v1' | 'v2' | 'unknown' | undefined {
  if (message.length === 0) return undefined
  if (message[0] !== 0) return 'v1'
  return hasVersionPrefix(message) ? 'v2' : 'unknown'
}

/** Opens a message of any version. Never throws for what is in `message`. */
export function openMessage(crypto: Crypto, account: Account, keyring: Keyring, message: Uint8Array): OpenMessageOutcome {
  switch (messageVersion(message)) {
    case 'v1':
      return openMessageV1(crypto, account, message)
    case 'v2':
      return openMessageV2(crypto, account, keyring, message)
    case 'unknown':
      return { outcome: 'unknown-version' }
    default:
      return { outcome: 'malformed', cause: new ProtocolError('malformed', 'DM2-12', 'the message is empty') }
  }
}
