/**
 * What is inside the sealed box of a V1 message:
 *
 *     padded content   content ‖ 80 ‖ zeros, a multiple of 160 bytes
 *     A                sender's Ed25519 public key                                   32 bytes
 *     signature        Ed25519 by A over padded content ‖ A ‖ recipient's X25519 key 64 bytes
 *
 * The recipient is signed, so nobody who got a message can pass it on as if it had been written to someone else.
 *
 * Implements DM1-05, DM1-06, DM1-09, DM1-10.
 */
import { type Crypto, type Ed25519PublicKey, ed25519PublicKey, ed25519Sign, ed25519Verify, wipe } from '@session-v2/crypto'
import { concatBytes, copyBytes, padWithMarker, trimMarker } from '@session-v2/encoding'
import { type Account, accountIdFromEd25519 } from '../account/account.ts'
import type { AccountId } from '../account/account-id.ts'
import { ProtocolError } from '../protocol-error.ts'

const BLOCK_BYTES = 160
const PUBLIC_KEY_BYTES = 32
const SIGNATURE_BYTES = 64
/** What stands behind the padded content. */
export const SIGNATURE_BLOCK_BYTES = PUBLIC_KEY_BYTES + SIGNATURE_BYTES

export interface SignedContent {
  readonly sender: AccountId
  readonly senderEd25519: Ed25519PublicKey
  /** Without its padding. */
  readonly content: Uint8Array
}

/** The padded content. Throws `bad-input` when it has more than `maxBytes` bytes. */
export function padContent(content: Uint8Array, maxBytes: number): Uint8Array {
  const paddedBytes = (Math.floor((content.length + 1) / BLOCK_BYTES) + 1) * BLOCK_BYTES
  if (paddedBytes > maxBytes) {
    throw new ProtocolError('bad-input', 'DM1-02', `${content.length} bytes are too long for a V1 message`)
  }
  return padWithMarker(content, BLOCK_BYTES)
}

/** The plaintext of the sealed box. `recipient` is the 32-byte X25519 key, `padded` may be padded in any way. */
export function signContent(crypto: Crypto, sender: Account, recipient: Uint8Array, padded: Uint8Array): Uint8Array {
  const signedText = concatBytes(padded, sender.ed25519.publicKey, recipient)
  const signature = ed25519Sign(crypto, sender.ed25519.secretKey, signedText)
  wipe(signedText)
  return concatBytes(padded, sender.ed25519.publicKey, signature)
}

/**
 * What a plaintext of at least 96 bytes says, once its signature is verified for `recipient` (the 32-byte X25519 key). Throws
 * `malformed` when its sender can be no account, and `forged` for a wrong signature.
 */
export function verifyContent(crypto: Crypto, recipient: Uint8Array, plaintext: Uint8Array): SignedContent {
  const signed = plaintext.subarray(0, -SIGNATURE_BYTES)
  const padded = plaintext.subarray(0, -SIGNATURE_BLOCK_BYTES)
  const senderEd25519 = signed.subarray(padded.length)
  const sender = accountIdFromEd25519(crypto, senderEd25519)
  const signedText = concatBytes(signed, recipient)
  const isSigned = ed25519Verify(crypto, senderEd25519, signedText, plaintext.subarray(-SIGNATURE_BYTES))
  wipe(signedText)
  if (!isSigned) throw new ProtocolError('forged', 'DM1-10', 'the message is not signed by its sender for this recipient')
  return { sender, senderEd25519: ed25519PublicKey(copyBytes(senderEd25519)), content: copyBytes(trimMarker(padded)) }
}
