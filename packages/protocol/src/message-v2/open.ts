/**
 * Opening V2 messages.
 *
 * The masked indicator tells which account keys to try. A key that does not decrypt is simply not the one; once something does
 * decrypt, the message is what it is and no other key is tried. When no account key fits, the message may be one without forward
 * secrecy, sealed to the account ID itself.
 *
 * Implements DM2-10, DM2-11, NOT-12.
 */
import { type Crypto, CryptoError, mlKem768Decapsulate, wipe, x25519, xchacha20Poly1305Decrypt } from '@session-v2/crypto'
import type { Account } from '../account/account.ts'
import { accountIdBytes } from '../account/account-id.ts'
import type { AccountKey } from '../account-keys/account-key.ts'
import { maskIndicator } from '../account-keys/key-indicator.ts'
import { type Keyring, keysByIndicator } from '../account-keys/keyring.ts'
import { ProtocolError } from '../protocol-error.ts'
import { decodeEnvelope, type Envelope } from './envelope.ts'
import { type MessageKey, noPfsMessageKey, pfsMessageKey } from './key-derivation.ts'
import { type SignedContent, verifyContent } from './signed-content.ts'

/**
 * - `opened`: `sender` is proven; `pfs` says whether the message had forward secrecy and `keyCreatedAtS` which account key it used.
 * - `no-key`: not for this account, altered on the way, or sealed to a key this device does not hold (yet). `indicator` (2 bytes)
 *   is what the message says about the key.
 * - `malformed`: no V2 message, or one whose plaintext has a wrong form.
 * - `forged`: opened, but the sender did not sign it for this recipient.
 */
export type OpenOutcome =
  | (SignedContent & {
      readonly outcome: 'opened'
      readonly version: 'v2'
      readonly pfs: boolean
      readonly keyCreatedAtS?: number
    })
  | { readonly outcome: 'no-key'; readonly indicator: Uint8Array }
  | { readonly outcome: 'malformed'; readonly cause: ProtocolError }
  | { readonly outcome: 'forged' }

/** Opens a message to `account` with the account keys held. Never throws for what is in `message`. */
export function openMessageV2(crypto: Crypto, account: Account, keyring: Keyring, message: Uint8Array): OpenOutcome {
  try {
    return open(crypto, account, keyring, decodeEnvelope(message))
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    return cause.code === 'forged' ? { outcome: 'forged' } : { outcome: 'malformed', cause }
  }
}

function open(crypto: Crypto, account: Account, keyring: Keyring, envelope: Envelope): OpenOutcome {
  const { ephemeral, maskedIndicator } = envelope
  const own = account.x25519.publicKey
  const shared = sharedWithEphemeral(crypto, account, ephemeral)
  const indicator = maskIndicator(crypto, 'Session-Msg-KISS', shared, ephemeral, own, maskedIndicator)
  for (const accountKey of keysByIndicator(keyring, indicator)) {
    const padded = decrypt(crypto, pfsKey(crypto, accountKey, envelope), envelope)
    if (padded === undefined) continue
    wipe(shared)
    const signed = verifyAndWipe(crypto, account, padded)
    return { outcome: 'opened', version: 'v2', pfs: true, keyCreatedAtS: accountKey.createdAtS, ...signed }
  }
  const padded = decrypt(crypto, noPfsMessageKey(crypto, shared, own, ephemeral), envelope)
  if (padded === undefined) return { outcome: 'no-key', indicator }
  return { outcome: 'opened', version: 'v2', pfs: false, ...verifyAndWipe(crypto, account, padded) }
}

function verifyAndWipe(crypto: Crypto, account: Account, padded: Uint8Array): SignedContent {
  try {
    return verifyContent(crypto, accountIdBytes(account.id), padded)
  } finally {
    wipe(padded)
  }
}

function sharedWithEphemeral(crypto: Crypto, account: Account, ephemeral: Uint8Array): Uint8Array {
  try {
    return x25519(crypto, account.x25519.secretKey, ephemeral)
  } catch (cause) {
    if (!(cause instanceof CryptoError && cause.code === 'bad-point')) throw cause
    throw new ProtocolError('malformed', 'DM2-10', 'the ephemeral key of the message has small order', { cause })
  }
}

function pfsKey(crypto: Crypto, accountKey: AccountKey, { ephemeral, ciphertext }: Envelope): MessageKey {
  const sharedMlKem = mlKem768Decapsulate(crypto, accountKey.mlKem768.secretKey, ciphertext)
  const sharedX25519 = x25519(crypto, accountKey.x25519.secretKey, ephemeral)
  return pfsMessageKey(crypto, sharedMlKem, sharedX25519, ephemeral, accountKey.x25519.publicKey)
}

/** undefined: not this key. */
function decrypt(crypto: Crypto, { key, nonce }: MessageKey, { sealed }: Envelope): Uint8Array | undefined {
  try {
    return xchacha20Poly1305Decrypt(crypto, key, nonce, sealed)
  } catch (cause) {
    if (!(cause instanceof CryptoError && cause.code === 'decrypt-failed')) throw cause
    return undefined
  } finally {
    wipe(key)
  }
}
