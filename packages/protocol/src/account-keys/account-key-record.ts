/**
 * The account pubkey message: the current account key as an account publishes it at namespace −21, for anyone to read.
 *
 *     d  M  ML-KEM-768 public key                                             1184 bytes
 *        X  X25519 public key                                                   32
 *        ~  XEd25519 signature by the account's X25519 key over all before it   64   e      1302 in all
 *
 * A reader skips keys it does not know, before and after the signature, and does not look at what follows `~`.
 *
 * Implements AK-08, AK-09, AK-10.
 */
import {
  type Crypto,
  CryptoError,
  type MlKem768PublicKey,
  mlKem768PublicKey,
  prepareMlKem768PublicKey,
  type Random,
  Secret,
  type X25519PublicKey,
  x25519,
  x25519PublicKey,
  xed25519Sign,
  xed25519Verify,
} from '@session-v2/crypto'
import { BtDictReader, BtDictWriter, type BtLimits, copyBytes, EncodingError } from '@session-v2/encoding'
import type { Account } from '../account/account.ts'
import { type AccountId, accountX25519 } from '../account/account-id.ts'
import { ProtocolError } from '../protocol-error.ts'
import type { AccountKey } from './account-key.ts'

const ML_KEM_PUBLIC_BYTES = 1184
const X25519_PUBLIC_BYTES = 32
const SIGNATURE_BYTES = 64
/** A record has 1302 bytes; this leaves room for fields of the future. */
const RECORD_LIMITS: BtLimits = { sizeBytes: 65_536, depth: 8, values: 1000 }

/** The public half of an account key, as its owner published it. */
export interface PublishedKeys {
  readonly mlKem768: MlKem768PublicKey
  readonly x25519: X25519PublicKey
}

/** The record of 1302 bytes for `key`, signed by the account. The signature is another one each time. */
export function buildAccountKeyRecord(
  crypto: Crypto,
  random: Random,
  account: Account,
  key: Pick<AccountKey, 'x25519' | 'mlKem768'>,
): Uint8Array {
  return new BtDictWriter()
    .bytes('M', key.mlKem768.publicKey)
    .bytes('X', key.x25519.publicKey)
    .sign('~', body => xed25519Sign(crypto, random, account.x25519.secretKey, body))
    .finish()
}

/**
 * The keys in a record of `accountId`. Throws `malformed` when it is not a record or its keys cannot be used, and `forged` when
 * the signature is not that account's.
 */
export function verifyAccountKeyRecord(crypto: Crypto, accountId: AccountId, record: Uint8Array): PublishedKeys {
  const { mlKem768, x25519, body, signature } = decodeRecord(record)
  if (!isSignedBy(crypto, accountId, body, signature)) {
    throw new ProtocolError('forged', 'the published keys are not signed by this account')
  }
  requireUsableKeys(crypto, mlKem768, x25519)
  return { mlKem768: mlKem768PublicKey(copyBytes(mlKem768)), x25519: x25519PublicKey(copyBytes(x25519)) }
}

function decodeRecord(record: Uint8Array) {
  try {
    const reader = new BtDictReader(record, RECORD_LIMITS)
    const mlKem768 = reader.requireBytes('M', { size: ML_KEM_PUBLIC_BYTES })
    const x25519 = reader.requireBytes('X', { size: X25519_PUBLIC_BYTES })
    const body = reader.bodyBefore('~')
    return { mlKem768, x25519, body, signature: reader.requireBytes('~', { size: SIGNATURE_BYTES }) }
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    throw new ProtocolError('malformed', `this is no record of published keys: ${cause.message}`, { cause })
  }
}

function isSignedBy(crypto: Crypto, accountId: AccountId, body: Uint8Array, signature: Uint8Array): boolean {
  try {
    return xed25519Verify(crypto, accountX25519(accountId), body, signature)
  } catch (error) {
    // An account ID that is no point of the curve: nobody can sign for it.
    if (error instanceof CryptoError) return false
    throw error
  }
}

/** A signed record with keys that nothing can be sealed to would make its readers fail later and elsewhere. */
function requireUsableKeys(crypto: Crypto, mlKem768: Uint8Array, x25519Public: Uint8Array): void {
  const anySecret = Secret.of(new Uint8Array(X25519_PUBLIC_BYTES), 'x25519-secret')
  try {
    prepareMlKem768PublicKey(crypto, mlKem768)
    x25519(crypto, anySecret, x25519Public)
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw new ProtocolError('malformed', `the published keys cannot be used: ${cause.message}`, { cause })
  }
}
