/** A recipient made ready for many messages: decoding and checking their keys costs as much as sealing to them. */
import {
  type Crypto,
  CryptoError,
  type MlKem768PublicHandle,
  prepareMlKem768PublicKey,
  type X25519PublicKey,
} from '@session-v2/crypto'
import { type AccountId, accountIdBytes } from '../account/account-id.ts'
import type { PublishedKeys } from '../account-keys/account-key-record.ts'
import { ProtocolError } from '../protocol-error.ts'

/** Made by `prepareRecipient`. Holds nothing secret; keep it for as long as the published keys are the ones to use. */
export interface Recipient {
  readonly accountId: AccountId
  /** 33 bytes. */
  readonly accountIdBytes: Uint8Array
  /** Of the published account key. */
  readonly x25519: X25519PublicKey
  readonly mlKem768: MlKem768PublicHandle
}

/** The recipient with their published keys. Throws `malformed` when the ML-KEM key is not reduced. */
export function prepareRecipient(crypto: Crypto, accountId: AccountId, keys: PublishedKeys): Recipient {
  try {
    return {
      accountId,
      accountIdBytes: accountIdBytes(accountId),
      x25519: keys.x25519,
      mlKem768: prepareMlKem768PublicKey(crypto, keys.mlKem768),
    }
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw new ProtocolError('malformed', 'AK-09', `the published keys cannot be used: ${cause.message}`, { cause })
  }
}
