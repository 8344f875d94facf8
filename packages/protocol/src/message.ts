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
import { hasVersionPrefix } from './message-v2/envelope.ts'
import { type OpenOutcome, openMessageV2 } from './message-v2/open.ts'
import { ProtocolError } from './protocol-error.ts'

/** As `openMessageV2`, and: `unknown-version`, a newer version than this one; `v1`, version 1, which is not supported yet. */
export type OpenMessageOutcome = OpenOutcome | { readonly outcome: 'unknown-version' } | { readonly outcome: 'v1' }

/** Opens a message of any version. Never throws for what is in `message`. */
export function openMessage(crypto: Crypto, account: Account, keyring: Keyring, message: Uint8Array): OpenMessageOutcome {
  if (message.length === 0) return { outcome: 'malformed', cause: new ProtocolError('malformed', 'the message is empty') }
  if (message[0] !== 0) return { outcome: 'v1' }
  if (!hasVersionPrefix(message)) return { outcome: 'unknown-version' }
  return openMessageV2(crypto, account, keyring, message)
}
