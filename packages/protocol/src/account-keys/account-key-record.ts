/**
 * The account pubkey message: the current account key as an account publishes it at namespace −21, for anyone to read.
 *
 *     d  C  continuity key, Ed25519, optional                                   32 bytes
 *        M  ML-KEM-768 public key                                             1184
 *        X  X25519 public key                                                   32
 *        c  list of links by the account keys before, optional                  66 each, at most 40
 *        t  integer: when the account key was created, optional                    minutes since the epoch
 *        ~  XEd25519 signature by the account's X25519 key over all before it   64   e      1302 in all without C, c, t
 *
 * A reader skips keys it does not know, before and after the signature, and does not look at what follows `~`. C, c and t are known
 * here only: others skip them, and what has not their form is skipped by this reader too.
 *
 * Implements AK-08, AK-09, AK-10, AK-14, AK-15.
 */
import {
  type Crypto,
  CryptoError,
  ed25519PublicKey,
  type MlKem768PublicKey,
  mlKem768PublicKey,
  type Random,
  type X25519PublicKey,
  x25519PublicKey,
  xed25519Sign,
  xed25519Verify,
} from '@session-v2/crypto'
import { BtDictReader, BtDictWriter, type BtLimits, type BtValue, copyBytes, decodeBt, encodeBt } from '@session-v2/encoding'
import type { Account } from '../account/account.ts'
import { type AccountId, accountX25519 } from '../account/account-id.ts'
import { ProtocolError } from '../protocol-error.ts'
import { readForm } from '../wire-form.ts'
import type { AccountKey, AccountKeySeed } from './account-key.ts'
import { newestFirst } from './account-key-set.ts'
import { buildLink, type Continuity, continuityPublicKey, LINK_BYTES, MAX_LINKS } from './continuity.ts'
import { requireUsableMlKem768, requireUsableX25519 } from './usable-keys.ts'

const ML_KEM_PUBLIC_BYTES = 1184
const X25519_PUBLIC_BYTES = 32
const SIGNATURE_BYTES = 64
const CONTINUITY_KEY_BYTES = 32
const MINUTE_S = 60
/** A record has 1302 bytes, up to 4118 with continuity; this leaves room for fields of the future. */
const RECORD_LIMITS: BtLimits = { sizeBytes: 65_536, depth: 8, values: 1000 }

/** The public half of an account key, as its owner published it. */
export interface PublishedKeys {
  readonly mlKem768: MlKem768PublicKey
  readonly x25519: X25519PublicKey
  /** When the account key was created, in minutes since the epoch, if the record says so. */
  readonly createdMinutes?: number
  /** By what those who remember earlier keys recognise these, if the record offers it. */
  readonly continuity?: Continuity
}

/** What a record can say besides the keys. */
export interface RecordExtras {
  /** The rotated keys that are still held: each vouches for the new one. The new one itself may be among them and is left out. */
  readonly continuity: readonly AccountKeySeed[]
}

/**
 * The record for `key`, signed by the account: 1302 bytes. With extras 1353, and 5 and 69 for each link when there are any: at most
 * 40, by the keys created last. The signature is another one each time.
 */
export function buildAccountKeyRecord(
  crypto: Crypto,
  random: Random,
  account: Account,
  key: Pick<AccountKey, 'seed' | 'createdAtS' | 'x25519' | 'mlKem768'>,
  extras?: RecordExtras,
): Uint8Array {
  const mlKem768 = key.mlKem768.publicKey
  const x25519 = key.x25519.publicKey
  const dict = new BtDictWriter()
  const sign = (body: Uint8Array) => xed25519Sign(crypto, random, account.x25519.secretKey, body)
  if (extras === undefined) return dict.bytes('M', mlKem768).bytes('X', x25519).sign('~', sign).finish()
  const publicKey = continuityPublicKey(crypto, account.id, key)
  const createdMinutes = Math.floor(key.createdAtS / MINUTE_S)
  const older = extras.continuity.filter(other => !other.seed.equals(key.seed)).sort(newestFirst)
  const succession = { publicKey, mlKem768, x25519, createdMinutes }
  const links = older.slice(0, MAX_LINKS).map(other => buildLink(crypto, account.id, other, succession))
  dict.bytes('C', publicKey).bytes('M', mlKem768).bytes('X', x25519)
  if (links.length > 0) dict.raw('c', encodeBt(links))
  return dict.integer('t', createdMinutes).sign('~', sign).finish()
}

/**
 * The keys in a record of `accountId`. Throws `malformed` when it is not a record or its keys cannot be used, and `forged` when
 * the signature is not that account's. Whether the links in it are good is for `judgePublishedKeys` to say.
 */
export function verifyAccountKeyRecord(crypto: Crypto, accountId: AccountId, record: Uint8Array): PublishedKeys {
  const { mlKem768, x25519, body, signature, extras } = decodeRecord(record)
  if (!isSignedBy(crypto, accountId, body, signature)) {
    throw new ProtocolError('forged', 'AK-09', 'the published keys are not signed by this account')
  }
  // Keys that nothing can be sealed to would make readers fail later and elsewhere.
  requireUsableMlKem768(crypto, mlKem768, 'AK-09', 'the published ML-KEM-768 key')
  requireUsableX25519(crypto, x25519, 'AK-09', 'the published X25519 key')
  return { mlKem768: mlKem768PublicKey(copyBytes(mlKem768)), x25519: x25519PublicKey(copyBytes(x25519)), ...extras }
}

function decodeRecord(record: Uint8Array) {
  return readForm('AK-08', 'this is no record of published keys', () => {
    const reader = new BtDictReader(record, RECORD_LIMITS)
    const continuityKey = reader.optionalRaw('C')
    const mlKem768 = reader.requireBytes('M', { size: ML_KEM_PUBLIC_BYTES })
    const x25519 = reader.requireBytes('X', { size: X25519_PUBLIC_BYTES })
    const links = reader.optionalRaw('c')
    const created = reader.optionalRaw('t')
    const body = reader.bodyBefore('~')
    const signature = reader.requireBytes('~', { size: SIGNATURE_BYTES })
    return { mlKem768, x25519, body, signature, extras: extrasOf(continuityKey, links, created) }
  })
}

/** The extras that have their form; any other value under their keys is somebody else's and is left alone. */
function extrasOf(
  rawKey: Uint8Array | undefined,
  rawLinks: Uint8Array | undefined,
  rawCreated: Uint8Array | undefined,
): Pick<PublishedKeys, 'createdMinutes' | 'continuity'> {
  const created = rawCreated && decodeBt(rawCreated, RECORD_LIMITS)
  if (typeof created !== 'bigint' || created < 0n || created > Number.MAX_SAFE_INTEGER) return {}
  const createdMinutes = Number(created)
  const publicKey = rawKey && decodeBt(rawKey, RECORD_LIMITS)
  if (!isBytesOf(publicKey, CONTINUITY_KEY_BYTES)) return { createdMinutes }
  const links = rawLinks && decodeBt(rawLinks, RECORD_LIMITS)
  return { createdMinutes, continuity: { publicKey: ed25519PublicKey(publicKey), links: isLinks(links) ? links : [] } }
}

function isBytesOf(value: BtValue | undefined, sizeBytes: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === sizeBytes
}

function isLinks(value: BtValue | undefined): value is readonly Uint8Array[] {
  return Array.isArray(value) && value.length <= MAX_LINKS && value.every(link => isBytesOf(link, LINK_BYTES))
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
