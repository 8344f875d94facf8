/**
 * The envelope of a V2 message, with and without forward secrecy alike:
 *
 *     offset  bytes
 *          0      2   00 02
 *          2      2   key indicator, masked
 *          4     32   E, ephemeral X25519 public key
 *         36   1088   ML-KEM-768 ciphertext
 *       1124  396 + 256·n + 16   XChaCha20-Poly1305 of the padded signed content
 *
 * Without forward secrecy the indicator and the ciphertext are random bytes, so that nobody without the recipient's key can tell
 * the two apart. The whole is at least 1536 bytes and, as written, a multiple of 256.
 *
 * Implements DM2-01, DM2-02, DM2-03.
 */
import { concatBytes } from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'

const VERSION_PREFIX = Uint8Array.of(0x00, 0x02)
const INDICATOR_AT = 2
const EPHEMERAL_AT = 4
const CIPHERTEXT_AT = 36
const SEALED_AT = 1124
const TAG_BYTES = 16
const OVERHEAD_BYTES = SEALED_AT + TAG_BYTES
const MIN_MESSAGE_BYTES = 1536
const PADDING_BYTES = 256
/** Far above what a storage node takes; a message beyond it is neither sealed nor read. */
const MAX_MESSAGE_BYTES = 1024 * 1024

export const CIPHERTEXT_BYTES = SEALED_AT - CIPHERTEXT_AT

export interface Envelope {
  /** 2 bytes. */
  readonly maskedIndicator: Uint8Array
  /** 32 bytes, E. */
  readonly ephemeral: Uint8Array
  /** 1088 bytes. */
  readonly ciphertext: Uint8Array
  readonly sealed: Uint8Array
}

/** True when the message begins with 00 02. */
export function hasVersionPrefix(message: Uint8Array): boolean {
  return message[0] === VERSION_PREFIX[0] && message[1] === VERSION_PREFIX[1]
}

/** The message of its fields, which have the sizes of the table above. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  return concatBytes(VERSION_PREFIX, envelope.maskedIndicator, envelope.ephemeral, envelope.ciphertext, envelope.sealed)
}

/** The fields as views into the message. Throws `malformed` for another prefix or a size outside 1536 bytes to 1 MiB. */
export function decodeEnvelope(message: Uint8Array): Envelope {
  if (!hasVersionPrefix(message)) throw new ProtocolError('malformed', 'DM2-03', 'a V2 message begins with 00 02')
  if (message.length < MIN_MESSAGE_BYTES || message.length > MAX_MESSAGE_BYTES) {
    throw new ProtocolError('malformed', 'DM2-03', `a V2 message cannot have ${message.length} bytes`)
  }
  return {
    maskedIndicator: message.subarray(INDICATOR_AT, EPHEMERAL_AT),
    ephemeral: message.subarray(EPHEMERAL_AT, CIPHERTEXT_AT),
    ciphertext: message.subarray(CIPHERTEXT_AT, SEALED_AT),
    sealed: message.subarray(SEALED_AT),
  }
}

/**
 * How long to make a plaintext of `plaintextBytes` so that the whole message becomes the next allowed size. Throws `bad-input` when
 * that would be more than 1 MiB.
 */
export function paddedPlaintextBytes(plaintextBytes: number): number {
  const blocks = Math.ceil((OVERHEAD_BYTES + plaintextBytes) / PADDING_BYTES)
  if (blocks * PADDING_BYTES > MAX_MESSAGE_BYTES) {
    throw new ProtocolError('bad-input', 'DM2-03', `a plaintext of ${plaintextBytes} bytes is too long for a message`)
  }
  return Math.max(MIN_MESSAGE_BYTES, blocks * PADDING_BYTES) - OVERHEAD_BYTES
}
