/**
 * The outside of every message of a hand-over, a signed dict:
 *
 *     d  (empty)  "A" an ask, "K" an acknowledgement, "C" a chunk
 *        E  ephemeral X25519 public key                               32 bytes
 *        M  ML-KEM-768 ciphertext                                     1088
 *        s  XChaCha20-Poly1305 of the padded plaintext
 *        ~  Ed25519 signature by the account over all before it       64   e
 *
 * Implements HT-02, HT-11.
 */
import { type Crypto, ed25519Sign, ed25519Verify } from '@session-v2/crypto'
import { BtDictReader, BtDictWriter, type BtLimits, encodeUtf8 } from '@session-v2/encoding'
import type { Account } from '../account/account.ts'
import { ProtocolError } from '../protocol-error.ts'
import { readForm } from '../wire-form.ts'

/** A message of a hand-over at most, in bytes: a storage node takes some more. */
export const HISTORY_MESSAGE_MAX_BYTES = 61_440

const X25519_PUBLIC_BYTES = 32
const CIPHERTEXT_BYTES = 1088
const SIGNATURE_BYTES = 64
const TAG_BYTES = 16
const ENVELOPE_LIMITS: BtLimits = { sizeBytes: HISTORY_MESSAGE_MAX_BYTES, depth: 8, values: 100 }

const TYPES = { ask: 'A', ack: 'K', chunk: 'C' } as const

/** What a message of a hand-over is. */
export type HistoryMessageKind = keyof typeof TYPES

const KINDS: ReadonlyMap<string, HistoryMessageKind> = new Map([
  [TYPES.ask, 'ask'],
  [TYPES.ack, 'ack'],
  [TYPES.chunk, 'chunk'],
])

/** The fields of a message. */
export interface HistoryEnvelope {
  readonly kind: HistoryMessageKind
  /** 32 bytes, E. */
  readonly ephemeral: Uint8Array
  /** 1088 bytes. */
  readonly ciphertext: Uint8Array
  readonly sealed: Uint8Array
}

/** The byte under the empty key, which also goes into the key that seals. */
export function typeByteOf(kind: HistoryMessageKind): Uint8Array {
  return encodeUtf8(TYPES[kind])
}

/** The message of its fields, which have the sizes of the table above, signed by the account. Throws `bad-input` above 61,440 bytes. */
export function encodeHistoryMessage(crypto: Crypto, account: Account, envelope: HistoryEnvelope): Uint8Array {
  const message = new BtDictWriter()
    .bytes('', typeByteOf(envelope.kind))
    .bytes('E', envelope.ephemeral)
    .bytes('M', envelope.ciphertext)
    .bytes('s', envelope.sealed)
    .sign('~', body => ed25519Sign(crypto, account.ed25519.secretKey, body))
    .finish()
  if (message.length > HISTORY_MESSAGE_MAX_BYTES)
    throw new ProtocolError('bad-input', 'HT-02', `a message of a hand-over cannot have ${message.length} bytes`)
  return message
}

/**
 * The fields of a message that the account signed, as views into it. The signature is verified before anything is made of them.
 * Throws `malformed` for another form and `forged` for a wrong signature.
 */
export function verifyHistoryMessage(crypto: Crypto, account: Account, message: Uint8Array): HistoryEnvelope {
  return readForm('HT-02', 'this is no message of a hand-over', () => {
    const reader = new BtDictReader(message, ENVELOPE_LIMITS)
    const kind = KINDS.get(String.fromCharCode(...reader.requireBytes('', { maxSize: 16 })))
    if (kind === undefined) throw new ProtocolError('malformed', 'HT-02', 'this message is of another type')
    const ephemeral = reader.requireBytes('E', { size: X25519_PUBLIC_BYTES })
    const ciphertext = reader.requireBytes('M', { size: CIPHERTEXT_BYTES })
    const sealed = reader.requireBytes('s', { minSize: TAG_BYTES + 1 })
    const body = reader.bodyBefore('~')
    const signature = reader.requireBytes('~', { size: SIGNATURE_BYTES })
    if (!ed25519Verify(crypto, account.ed25519.publicKey, body, signature))
      throw new ProtocolError('forged', 'HT-11', 'the message of a hand-over is not signed by this account')
    reader.finish({ unknown: 'allow' })
    return { kind, ephemeral, ciphertext, sealed }
  })
}
