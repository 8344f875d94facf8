/**
 * The request of a device to be taken into a group, as it lies at namespace 21 for ten minutes:
 *
 *     d  (empty)  "L"
 *        E  ephemeral X25519 public key                                   32 bytes
 *        L  XChaCha20-Poly1305 of the plaintext, without padding
 *        i  masked key indicator                                           2        e
 *
 *     plaintext   d  I  device ID                                         32
 *                    i  the record of the device (DG-04)
 *                    ~  Ed25519 signature by the account over all before it   64   e
 *
 * S is the account's X25519 key, X the account key of the group that is asked, which its messages name, e/E an ephemeral key:
 *
 *     kiss          BLAKE2b-2(E ‖ S, key = X25519(e, S), personal "SessionDvGrpKISS"); i = X[0..2] ⊕ kiss
 *     key ‖ nonce   BLAKE2b-56(X25519(e, X) ‖ E ‖ X, personal "SessionDvGrpLink")
 *
 * Implements LINK-01, LINK-02, LINK-03, LINK-04, LINK-05.
 */
import {
  blake2b,
  type Crypto,
  CryptoError,
  ed25519Sign,
  ed25519Verify,
  generateX25519,
  type Random,
  type Secret,
  wipe,
  type X25519KeyPair,
  type X25519PublicInput,
  type X25519PublicKey,
  x25519,
  xchacha20Poly1305Decrypt,
  xchacha20Poly1305Encrypt,
} from '@session-v2/crypto'
import {
  BtDictReader,
  BtDictWriter,
  type BtLimits,
  copyBytes,
  EncodingError,
  encodeUtf8,
  equalBytes,
  xorBytes,
} from '@session-v2/encoding'
import type { Account } from '../account/account.ts'
import type { AccountKey } from '../account-keys/account-key.ts'
import { DEVICE_ID_BYTES, type DeviceId, deviceIdBytes, deviceIdOf } from '../device-group/device-id.ts'
import { type DeviceRecord, decodeDeviceRecord, deviceRecordDigest, encodeDeviceRecord } from '../device-group/device-record.ts'
import { requireUsableMlKem768, requireUsableX25519 } from '../device-group/usable-keys.ts'
import { ProtocolError } from '../protocol-error.ts'

const TYPE = encodeUtf8('L')
const X25519_PUBLIC_BYTES = 32
const SIGNATURE_BYTES = 64
const TAG_BYTES = 16
const INDICATOR_BYTES = 2
const KEY_BYTES = 32
const KEY_AND_NONCE_BYTES = 56
/** A request has some 1500 bytes; this leaves room for the largest record. */
const REQUEST_LIMITS: BtLimits = { sizeBytes: 65_536, depth: 24, values: 2000 }

export interface LinkRequest {
  readonly deviceId: DeviceId
  readonly record: DeviceRecord
  /** 8 bytes, of the record as it came. */
  readonly digest: Uint8Array
  /** The signed dict, what the short authentication string is made of. */
  readonly plaintext: Uint8Array
}

/**
 * - `opened`: signed by the account.
 * - `no-key`: sealed to another account, altered on the way, or sealed to an account key that is not held.
 * - `malformed`: no link request, one whose plaintext has a wrong form, or one for keys that nothing can be sealed to.
 * - `forged`: opened, but not signed by the account.
 */
export type OpenLinkOutcome =
  | { readonly outcome: 'opened'; readonly request: LinkRequest }
  | { readonly outcome: 'no-key' }
  | { readonly outcome: 'malformed'; readonly cause: ProtocolError }
  | { readonly outcome: 'forged' }

interface LinkEnvelope {
  /** 32 bytes. */
  readonly ephemeral: Uint8Array
  readonly sealed: Uint8Array
  /** 2 bytes. */
  readonly maskedIndicator: Uint8Array
}

/**
 * The request of a device for the group whose messages name the link key `linkX25519`, and its signed plaintext, from which the
 * device shows its emoji. Throws `malformed` when the link key or a key of the record is unusable, and `bad-input` for a record that
 * has no encoding.
 */
export function sealLinkRequest(
  crypto: Crypto,
  random: Random,
  account: Account,
  linkX25519: X25519PublicKey,
  deviceId: DeviceId,
  record: DeviceRecord,
): { readonly message: Uint8Array; readonly plaintext: Uint8Array } {
  requireUsableX25519(crypto, linkX25519, 'the link key of the group')
  requireUsableKeys(crypto, record)
  const plaintext = new BtDictWriter()
    .bytes('I', deviceIdBytes(deviceId))
    .raw('i', encodeDeviceRecord(record))
    .sign('~', body => ed25519Sign(crypto, account.ed25519.secretKey, body))
    .finish()
  const ephemeral = generateX25519(crypto, random)
  const E = ephemeral.publicKey
  try {
    const mask = indicatorMask(crypto, ephemeral.secretKey, account.x25519.publicKey, E, account.x25519.publicKey)
    const message = new BtDictWriter()
      .bytes('', TYPE)
      .bytes('E', E)
      .bytes('L', encrypt(crypto, ephemeral, linkX25519, plaintext))
      .bytes('i', xorBytes(linkX25519.subarray(0, INDICATOR_BYTES), mask))
      .finish()
    return { message, plaintext }
  } finally {
    ephemeral.secretKey.wipe()
  }
}

/** Opens a request with every account key held, rotated ones too. Never throws for what is in `message`. */
export function openLinkRequest(
  crypto: Crypto,
  account: Account,
  keys: readonly AccountKey[],
  message: Uint8Array,
): OpenLinkOutcome {
  try {
    const envelope = decodeEnvelope(message)
    const plaintext = decrypt(crypto, account, keys, envelope)
    return plaintext === undefined
      ? { outcome: 'no-key' }
      : { outcome: 'opened', request: verifyRequest(crypto, account, plaintext) }
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    return cause.code === 'forged' ? { outcome: 'forged' } : { outcome: 'malformed', cause }
  }
}

function decodeEnvelope(message: Uint8Array): LinkEnvelope {
  return reading('this is no link request', () => {
    const reader = new BtDictReader(message, REQUEST_LIMITS)
    if (!equalBytes(reader.requireBytes(''), TYPE)) throw new ProtocolError('malformed', 'this message is of another type')
    const ephemeral = reader.requireBytes('E', { size: X25519_PUBLIC_BYTES })
    const sealed = reader.requireBytes('L', { minSize: TAG_BYTES })
    const maskedIndicator = reader.requireBytes('i', { size: INDICATOR_BYTES })
    reader.finish({ unknown: 'allow' })
    return { ephemeral, sealed, maskedIndicator }
  })
}

function verifyRequest(crypto: Crypto, account: Account, plaintext: Uint8Array): LinkRequest {
  const { id, encodedRecord, body, signature } = reading('the link request opened but has a wrong form', () => {
    const reader = new BtDictReader(plaintext, REQUEST_LIMITS)
    const id = reader.requireBytes('I', { size: DEVICE_ID_BYTES })
    const encodedRecord = reader.requireRaw('i')
    const body = reader.bodyBefore('~')
    const signature = reader.requireBytes('~', { size: SIGNATURE_BYTES })
    reader.finish({ unknown: 'allow' })
    return { id, encodedRecord, body, signature }
  })
  const record = decodeDeviceRecord(encodedRecord)
  if (!ed25519Verify(crypto, account.ed25519.publicKey, body, signature)) {
    throw new ProtocolError('forged', 'the link request is not signed by this account')
  }
  requireUsableKeys(crypto, record)
  return { deviceId: deviceIdOf(id), record, digest: deviceRecordDigest(crypto, encodedRecord), plaintext: copyBytes(plaintext) }
}

/** Nobody shall be asked to take in a device that no message could reach. */
function requireUsableKeys(crypto: Crypto, record: DeviceRecord): void {
  requireUsableMlKem768(crypto, record.mlKem768, 'the ML-KEM-768 key of the device')
  requireUsableX25519(crypto, record.x25519, 'the X25519 key of the device')
}

function encrypt(crypto: Crypto, ephemeral: X25519KeyPair, linkX25519: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const keyAndNonce = linkKey(crypto, x25519(crypto, ephemeral.secretKey, linkX25519), ephemeral.publicKey, linkX25519)
  const sealed = xchacha20Poly1305Encrypt(crypto, ...parts(keyAndNonce), plaintext)
  wipe(keyAndNonce)
  return sealed
}

/** undefined: no key that is held opens it. */
function decrypt(
  crypto: Crypto,
  account: Account,
  keys: readonly AccountKey[],
  { ephemeral, sealed, maskedIndicator }: LinkEnvelope,
): Uint8Array | undefined {
  requireUsableX25519(crypto, ephemeral, 'the ephemeral key of the request')
  const { secretKey, publicKey: S } = account.x25519
  const indicator = xorBytes(maskedIndicator, indicatorMask(crypto, secretKey, ephemeral, ephemeral, S))
  for (const { x25519: key } of keys) {
    if (!equalBytes(key.publicKey.subarray(0, INDICATOR_BYTES), indicator)) continue
    const keyAndNonce = linkKey(crypto, x25519(crypto, key.secretKey, ephemeral), ephemeral, key.publicKey)
    try {
      return xchacha20Poly1305Decrypt(crypto, ...parts(keyAndNonce), sealed)
    } catch (cause) {
      if (!(cause instanceof CryptoError && cause.code === 'decrypt-failed')) throw cause
    } finally {
      wipe(keyAndNonce)
    }
  }
  return undefined
}

/** 2 bytes, from the secret of one side and the public key of the other. */
function indicatorMask(
  crypto: Crypto,
  secretKey: Secret<'x25519-secret'>,
  other: X25519PublicInput,
  ephemeral: Uint8Array,
  recipient: Uint8Array,
): Uint8Array {
  const shared = x25519(crypto, secretKey, other)
  const mask = blake2b(crypto, INDICATOR_BYTES, [ephemeral, recipient], { key: shared, personal: 'SessionDvGrpKISS' })
  wipe(shared)
  return mask
}

/** 56 bytes; erases the shared secret. */
function linkKey(crypto: Crypto, shared: Uint8Array, ephemeral: Uint8Array, linkX25519: Uint8Array): Uint8Array {
  const keyAndNonce = blake2b(crypto, KEY_AND_NONCE_BYTES, [shared, ephemeral, linkX25519], { personal: 'SessionDvGrpLink' })
  wipe(shared)
  return keyAndNonce
}

function parts(keyAndNonce: Uint8Array): [key: Uint8Array, nonce: Uint8Array] {
  return [keyAndNonce.subarray(0, KEY_BYTES), keyAndNonce.subarray(KEY_BYTES)]
}

function reading<T>(complaint: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    throw new ProtocolError('malformed', `${complaint}: ${cause.message}`, { cause })
  }
}
