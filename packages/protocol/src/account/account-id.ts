/**
 * The account ID (Session ID): the public name of an account.
 *
 *     binary  05 ‖ X25519 public key                      33 bytes
 *     text    the same in lower-case hexadecimal          66 characters
 *
 * An account is identified by this value and by nothing else: an Ed25519 key and its negative have the same X25519 key, so two
 * different Ed25519 keys can belong to one account ID.
 *
 * Implements ACC-03, ACC-04, ACC-05.
 */
import { type X25519PublicKey, x25519PublicKey } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'

declare const brand: unique symbol

/** 66 lower-case hexadecimal characters beginning with "05". Made by `parseAccountId` and `accountIdOf`. */
export type AccountId = string & { readonly [brand]: 'AccountId' }

const ACCOUNT_ID_BYTES = 33
const TEXT_FORM = /^05[0-9a-f]{64}$/

/** The account ID that `text` spells, in either case of letters. Throws `bad-account-id`. */
export function parseAccountId(text: string): AccountId {
  const lowerCase = text.length === 2 * ACCOUNT_ID_BYTES ? text.toLowerCase() : ''
  if (!TEXT_FORM.test(lowerCase)) {
    throw new ProtocolError('bad-account-id', 'ACC-04', 'an account ID is 66 hexadecimal characters that begin with 05')
  }
  return lowerCase as AccountId
}

/** The account ID of a 32-byte X25519 public key. */
export function accountIdOf(publicKey: X25519PublicKey): AccountId {
  return `05${encodeHex(publicKey)}` as AccountId
}

/** Its 33 bytes. */
export function accountIdBytes(id: AccountId): Uint8Array {
  return decodeHex(id, ACCOUNT_ID_BYTES)
}

/** The 32-byte X25519 public key in it. Whether anyone can have that key is not checked. */
export function accountX25519(id: AccountId): X25519PublicKey {
  return x25519PublicKey(accountIdBytes(id).subarray(1))
}
