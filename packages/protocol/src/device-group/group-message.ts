/**
 * The outside of a group message, a signed dict:
 *
 *     d  (empty)  "G"
 *        @  group ID, encrypted; missing in messages of older writers        8 bytes
 *        A  ephemeral X25519 public key                                      32
 *        C  ML-KEM-768 ciphertexts, one a slot                               1088 · P
 *        K  what wraps the key of the payload, one a slot                    34 · P
 *        X  X25519 public key of the group's current account key; missing    32
 *           in messages of older writers
 *        d  XChaCha20-Poly1305 of the padded payload                         8700 + 6400 · n + 16
 *        k  announcement of removals; missing when nothing was removed       16 · Q
 *        ~  Ed25519 signature by the account over all before it              64                       e
 *
 * P and Q are multiples of four as written, so that the numbers of devices and of removals show in steps only. A reader takes any.
 *
 * Implements DG-10, DG-11, DG-16.
 */
import { type Crypto, type Ed25519KeyPair, ed25519Sign, ed25519Verify } from '@session-v2/crypto'
import { BtDictReader, BtDictWriter, type BtLimits, encodeUtf8, equalBytes } from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'
import { readForm } from '../wire-form.ts'
import { MAX_REMOVALS_BYTES, REMOVAL_ENTRY_BYTES } from './announced-removals.ts'
import { GROUP_ID_BYTES } from './group-id.ts'
import { MAX_SLOTS, SLOT_CIPHERTEXT_BYTES, SLOT_KEY_BYTES } from './key-slots.ts'

const TYPE = encodeUtf8('G')
const X25519_PUBLIC_BYTES = 32
const SIGNATURE_BYTES = 64
const TAG_BYTES = 16
/** Far above what a storage node takes; a message beyond it is neither sealed nor read. */
const MESSAGE_LIMITS: BtLimits = { sizeBytes: 1024 * 1024, depth: 8, values: 1000 }

declare const verified: unique symbol

/** The fields between type and signature. */
export interface GroupEnvelope {
  /** 8 bytes, encrypted. */
  readonly groupId?: Uint8Array
  /** 32 bytes, A. */
  readonly ephemeral: Uint8Array
  /** 1088 bytes a slot. */
  readonly ciphertexts: Uint8Array
  /** 34 bytes a slot. */
  readonly wrappedKeys: Uint8Array
  /** 32 bytes. */
  readonly linkX25519?: Uint8Array
  readonly sealed: Uint8Array
  /** 16 bytes an entry. */
  readonly removals?: Uint8Array
}

/** Signed by the account, and of the sizes that the table allows. All are views into the message. Made by `verifyGroupMessage`. */
export type VerifiedGroupEnvelope = GroupEnvelope & { readonly [verified]: true }

/** The message of its fields, which have the sizes of the table above, signed. Throws `bad-input` when it exceeds 1 MiB. */
export function encodeGroupMessage(crypto: Crypto, signer: Ed25519KeyPair, envelope: GroupEnvelope): Uint8Array {
  const writer = new BtDictWriter().bytes('', TYPE)
  if (envelope.groupId !== undefined) writer.bytes('@', envelope.groupId)
  writer.bytes('A', envelope.ephemeral).bytes('C', envelope.ciphertexts).bytes('K', envelope.wrappedKeys)
  if (envelope.linkX25519 !== undefined) writer.bytes('X', envelope.linkX25519)
  writer.bytes('d', envelope.sealed)
  if (envelope.removals !== undefined) writer.bytes('k', envelope.removals)
  const message = writer.sign('~', body => ed25519Sign(crypto, signer.secretKey, body)).finish()
  if (message.length > MESSAGE_LIMITS.sizeBytes) {
    throw new ProtocolError('bad-input', 'DG-10', `a group message of ${message.length} bytes is too large`)
  }
  return message
}

/**
 * The fields of a message that `signer` (32-byte Ed25519 public key) signed. The signature is verified before anything is made of
 * the fields or of what follows it. Throws `malformed` for another form and `forged` for a wrong signature.
 */
export function verifyGroupMessage(crypto: Crypto, signer: Uint8Array, message: Uint8Array): VerifiedGroupEnvelope {
  return readForm('DG-10', 'this is no group message', () => {
    const reader = new BtDictReader(message, MESSAGE_LIMITS)
    const envelope = readFields(reader)
    const body = reader.bodyBefore('~')
    const signature = reader.requireBytes('~', { size: SIGNATURE_BYTES })
    if (!ed25519Verify(crypto, signer, body, signature)) {
      throw new ProtocolError('forged', 'DG-11', 'the group message is not signed by this account')
    }
    reader.finish({ unknown: 'allow' })
    requireSizes(envelope)
    return envelope as VerifiedGroupEnvelope
  })
}

function readFields(reader: BtDictReader): GroupEnvelope {
  if (!equalBytes(reader.requireBytes(''), TYPE)) throw new ProtocolError('malformed', 'DG-10', 'this message is of another type')
  const groupId = reader.optionalBytes('@', { size: GROUP_ID_BYTES })
  const ephemeral = reader.requireBytes('A', { size: X25519_PUBLIC_BYTES })
  const ciphertexts = reader.requireBytes('C')
  const wrappedKeys = reader.requireBytes('K')
  const linkX25519 = reader.optionalBytes('X', { size: X25519_PUBLIC_BYTES })
  const sealed = reader.requireBytes('d')
  const removals = reader.optionalBytes('k')
  return {
    ...(groupId === undefined ? {} : { groupId }),
    ...{ ephemeral, ciphertexts, wrappedKeys, sealed },
    ...(linkX25519 === undefined ? {} : { linkX25519 }),
    ...(removals === undefined ? {} : { removals }),
  }
}

function requireSizes({ ciphertexts, wrappedKeys, sealed, removals }: GroupEnvelope): void {
  const slotCount = ciphertexts.length / SLOT_CIPHERTEXT_BYTES
  const isSlots = Number.isInteger(slotCount) && wrappedKeys.length === slotCount * SLOT_KEY_BYTES && slotCount <= MAX_SLOTS
  const removalsBytes = removals?.length ?? 0
  const isRemovals = removalsBytes % REMOVAL_ENTRY_BYTES === 0 && removalsBytes <= MAX_REMOVALS_BYTES
  if (!isSlots || !isRemovals || sealed.length <= TAG_BYTES) {
    throw new ProtocolError('malformed', 'DG-16', 'a field of the group message has a size that it cannot have')
  }
}
