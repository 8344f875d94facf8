/**
 * The request of a device to be taken into a group, as it lies at namespace 21 for ten minutes:
 *
 *     d  (empty)  "L"
 *        E  ephemeral X25519 public key                                   32 bytes
 *        L  XChaCha20-Poly1305 of the plaintext, without padding
 *        i  masked key indicator                                           2        e
 *
 *     plaintext   d  I  device ID                                         32
 *                    L  X, optional                                       32
 *                    i  the record of the device (DG-04)
 *                    ~  Ed25519 signature by the account over all before it   64   e
 *
 * S is the account's X25519 key, X the account key of the group that is asked, which its messages name, e/E an ephemeral key:
 *
 *     i   X[0..2], masked for S
 *     L   encrypted with the key that X and e, or x and E, agree on
 *
 * Implements LINK-01 to LINK-05, LINK-07.
 */
import {
  type Crypto,
  CryptoError,
  ed25519Sign,
  ed25519Verify,
  generateX25519,
  type Random,
  wipe,
  type X25519KeyPair,
  type X25519PublicKey,
  x25519,
  xchacha20Poly1305Decrypt,
  xchacha20Poly1305Encrypt,
} from '@session-v2/crypto'
import { BtDictReader, BtDictWriter, type BtLimits, copyBytes, encodeUtf8, equalBytes } from '@session-v2/encoding'
import type { Account } from '../account/account.ts'
import type { AccountKey } from '../account-keys/account-key.ts'
import { INDICATOR_BYTES, maskIndicator } from '../account-keys/key-indicator.ts'
import { requireUsableMlKem768, requireUsableX25519 } from '../account-keys/usable-keys.ts'
import { DEVICE_ID_BYTES, type DeviceId, deviceIdBytes, deviceIdOf } from '../device-group/device-id.ts'
import { type DeviceRecord, decodeDeviceRecord, deviceRecordDigest, encodeDeviceRecord } from '../device-group/device-record.ts'
import { ProtocolError } from '../protocol-error.ts'
import { readForm } from '../wire-form.ts'
import { linkRequestKey } from './key-derivation.ts'

const TYPE = encodeUtf8('L')
const X25519_PUBLIC_BYTES = 32
const SIGNATURE_BYTES = 64
const TAG_BYTES = 16
/** A request has some 1500 bytes; this leaves room for the largest record. */
const REQUEST_LIMITS: BtLimits = { sizeBytes: 131_072, depth: 24, values: 2000 }

export interface LinkRequest {
  readonly deviceId: DeviceId
  readonly record: DeviceRecord
  /** 8 bytes, of the record as it came. */
  readonly digest: Uint8Array
  /** The signed dict, what the short authentication string is made of. */
  readonly plaintext: Uint8Array
}

/**
 * - `opened`: signed by the account, and sealed to the account key whose X25519 public key is `openedWith`.
 * - `no-key`: sealed to another account, altered on the way, or sealed to an account key that is not held.
 * - `malformed`: no link request, one whose plaintext has a wrong form, or one for keys that nothing can be sealed to.
 * - `forged`: opened, but not signed by the account, or made for another group and passed on.
 */
export type OpenLinkOutcome =
  | { readonly outcome: 'opened'; readonly request: LinkRequest; readonly openedWith: X25519PublicKey }
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
 * has no encoding. With `bindsLinkKey` the plaintext says which link key was asked, so that nobody can pass the request on (LINK-07).
 */
export function sealLinkRequest(
  crypto: Crypto,
  random: Random,
  account: Account,
  linkX25519: X25519PublicKey,
  deviceId: DeviceId,
  record: DeviceRecord,
  { bindsLinkKey = false }: { readonly bindsLinkKey?: boolean } = {},
): { readonly message: Uint8Array; readonly plaintext: Uint8Array } {
  requireUsableX25519(crypto, linkX25519, 'DG-16', 'the link key of the group')
  requireUsableKeys(crypto, record)
  const named = new BtDictWriter().bytes('I', deviceIdBytes(deviceId))
  const plaintext = (bindsLinkKey ? named.bytes('L', linkX25519) : named)
    .raw('i', encodeDeviceRecord(record))
    .sign('~', body => ed25519Sign(crypto, account.ed25519.secretKey, body))
    .finish()
  const ephemeral = generateX25519(crypto, random)
  const E = ephemeral.publicKey
  try {
    const shared = x25519(crypto, ephemeral.secretKey, account.x25519.publicKey)
    const message = new BtDictWriter()
      .bytes('', TYPE)
      .bytes('E', E)
      .bytes('L', encrypt(crypto, ephemeral, linkX25519, plaintext))
      .bytes('i', cryptIndicator(crypto, account, shared, E, linkX25519.subarray(0, INDICATOR_BYTES)))
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
    const decrypted = decrypt(crypto, account, keys, envelope)
    if (decrypted === undefined) return { outcome: 'no-key' }
    const { plaintext, openedWith } = decrypted
    return { outcome: 'opened', request: verifyRequest(crypto, account, plaintext, openedWith), openedWith }
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    return cause.code === 'forged' ? { outcome: 'forged' } : { outcome: 'malformed', cause }
  }
}

function decodeEnvelope(message: Uint8Array): LinkEnvelope {
  return readForm('LINK-05', 'this is no link request', () => {
    const reader = new BtDictReader(message, REQUEST_LIMITS)
    if (!equalBytes(reader.requireBytes(''), TYPE)) {
      throw new ProtocolError('malformed', 'LINK-05', 'this message is of another type')
    }
    const ephemeral = reader.requireBytes('E', { size: X25519_PUBLIC_BYTES })
    const sealed = reader.requireBytes('L', { minSize: TAG_BYTES })
    const maskedIndicator = reader.requireBytes('i', { size: INDICATOR_BYTES })
    reader.finish({ unknown: 'allow' })
    return { ephemeral, sealed, maskedIndicator }
  })
}

function verifyRequest(crypto: Crypto, account: Account, plaintext: Uint8Array, openedWith: X25519PublicKey): LinkRequest {
  const { id, asked, encodedRecord, body, signature } = readForm(
    'LINK-05',
    'the link request opened but has a wrong form',
    () => {
      const reader = new BtDictReader(plaintext, REQUEST_LIMITS)
      const id = reader.requireBytes('I', { size: DEVICE_ID_BYTES })
      const asked = reader.optionalBytes('L', { size: X25519_PUBLIC_BYTES })
      const encodedRecord = reader.requireRaw('i')
      const body = reader.bodyBefore('~')
      const signature = reader.requireBytes('~', { size: SIGNATURE_BYTES })
      reader.finish({ unknown: 'allow' })
      return { id, asked, encodedRecord, body, signature }
    },
  )
  const record = decodeDeviceRecord(encodedRecord)
  if (!ed25519Verify(crypto, account.ed25519.publicKey, body, signature)) {
    throw new ProtocolError('forged', 'LINK-05', 'the link request is not signed by this account')
  }
  if (asked !== undefined && !equalBytes(asked, openedWith)) {
    throw new ProtocolError('forged', 'LINK-07', 'the link request was made for another group, and passed on')
  }
  requireUsableKeys(crypto, record)
  return { deviceId: deviceIdOf(id), record, digest: deviceRecordDigest(crypto, encodedRecord), plaintext: copyBytes(plaintext) }
}

/** Nobody shall be asked to take in a device that no message could reach. */
function requireUsableKeys(crypto: Crypto, record: DeviceRecord): void {
  requireUsableMlKem768(crypto, record.mlKem768, 'LINK-05', 'the ML-KEM-768 key of the device')
  requireUsableX25519(crypto, record.x25519, 'LINK-05', 'the X25519 key of the device')
}

function encrypt(crypto: Crypto, ephemeral: X25519KeyPair, linkX25519: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const shared = x25519(crypto, ephemeral.secretKey, linkX25519)
  const { key, nonce } = linkRequestKey(crypto, shared, ephemeral.publicKey, linkX25519)
  const sealed = xchacha20Poly1305Encrypt(crypto, key, nonce, plaintext)
  wipe(key, nonce)
  return sealed
}

/** undefined: no key that is held opens it. */
function decrypt(
  crypto: Crypto,
  account: Account,
  keys: readonly AccountKey[],
  { ephemeral, sealed, maskedIndicator }: LinkEnvelope,
): { readonly plaintext: Uint8Array; readonly openedWith: X25519PublicKey } | undefined {
  requireUsableX25519(crypto, ephemeral, 'LINK-05', 'the ephemeral key of the request')
  const shared = x25519(crypto, account.x25519.secretKey, ephemeral)
  const indicator = cryptIndicator(crypto, account, shared, ephemeral, maskedIndicator)
  for (const { x25519: pair } of keys) {
    if (!equalBytes(pair.publicKey.subarray(0, INDICATOR_BYTES), indicator)) continue
    const { key, nonce } = linkRequestKey(crypto, x25519(crypto, pair.secretKey, ephemeral), ephemeral, pair.publicKey)
    try {
      return { plaintext: xchacha20Poly1305Decrypt(crypto, key, nonce, sealed), openedWith: pair.publicKey }
    } catch (cause) {
      if (!(cause instanceof CryptoError && cause.code === 'decrypt-failed')) throw cause
    } finally {
      wipe(key, nonce)
    }
  }
  return undefined
}

/** Masks the indicator, or takes the mask off again; erases the shared secret. */
function cryptIndicator(
  crypto: Crypto,
  { x25519: { publicKey } }: Account,
  shared: Uint8Array,
  ephemeral: Uint8Array,
  indicator: Uint8Array,
): Uint8Array {
  const crypted = maskIndicator(crypto, 'SessionDvGrpKISS', shared, ephemeral, publicKey, indicator)
  wipe(shared)
  return crypted
}
