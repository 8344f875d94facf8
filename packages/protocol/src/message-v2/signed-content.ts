/**
 * The plaintext of a V2 message, padded with zeros:
 *
 *     d  S   sender's Ed25519 public key                                     32 bytes
 *        c   content
 *        ~   Ed25519 signature by S over BLAKE2b-64(all before it,
 *            key = recipient's account ID (33 bytes), personal "SessionV2Message")   64
 *        ~P  optional: Ed25519 signature by the sender's Pro key over all before it, ~ included   64   e
 *
 * The recipient is in the hash, so nobody who got a message can pass it on as if it had been written to someone else. `~P` is not
 * verified here: the key it needs is inside the content.
 *
 * Implements DM2-07, DM2-08, DM2-09.
 */
import {
  blake2b,
  type Crypto,
  type Ed25519PublicKey,
  ed25519PublicKey,
  ed25519Sign,
  ed25519Verify,
  type Secret,
} from '@session-v2/crypto'
import { BtDictReader, BtDictWriter, copyBytes, trimTrailingZeros } from '@session-v2/encoding'
import { type Account, accountIdFromEd25519 } from '../account/account.ts'
import type { AccountId } from '../account/account-id.ts'
import { ProtocolError } from '../protocol-error.ts'
import { readForm } from '../wire-form.ts'

const PERSONAL = 'SessionV2Message'
const HASH_BYTES = 64
const PUBLIC_KEY_BYTES = 32
const SIGNATURE_BYTES = 64

export interface SignedContent {
  readonly sender: AccountId
  readonly senderEd25519: Ed25519PublicKey
  readonly content: Uint8Array
  /** 64 bytes, not verified. */
  readonly proSignature?: Uint8Array
}

/** The plaintext, not yet padded. `recipient` is the 33 bytes of the account ID. */
export function signContent(
  crypto: Crypto,
  sender: Account,
  recipient: Uint8Array,
  content: Uint8Array,
  proSigner?: Secret<'ed25519-secret'>,
): Uint8Array {
  const writer = new BtDictWriter()
    .bytes('S', sender.ed25519.publicKey)
    .bytes('c', content)
    .sign('~', body => ed25519Sign(crypto, sender.ed25519.secretKey, signedHash(crypto, recipient, body)))
  if (proSigner !== undefined) writer.sign('~P', body => ed25519Sign(crypto, proSigner, body))
  return writer.finish()
}

/**
 * What a padded plaintext says, once its signature is verified for `recipient` (33 bytes). Throws `malformed` when the plaintext
 * has another form or its sender can be no account, and `forged` for a wrong signature.
 */
export function verifyContent(crypto: Crypto, recipient: Uint8Array, padded: Uint8Array): SignedContent {
  const { senderEd25519, content, body, signature, proSignature } = decodePlaintext(padded)
  const sender = accountIdFromEd25519(crypto, senderEd25519)
  if (!ed25519Verify(crypto, senderEd25519, signedHash(crypto, recipient, body), signature)) {
    throw new ProtocolError('forged', 'DM2-08', 'the message is not signed by its sender for this recipient')
  }
  return {
    sender,
    senderEd25519: ed25519PublicKey(copyBytes(senderEd25519)),
    content: copyBytes(content),
    ...(proSignature === undefined ? {} : { proSignature: copyBytes(proSignature) }),
  }
}

function decodePlaintext(padded: Uint8Array) {
  return readForm('DM2-09', 'the message opened but has a wrong form', () => {
    const reader = new BtDictReader(trimTrailingZeros(padded))
    const senderEd25519 = reader.requireBytes('S', { size: PUBLIC_KEY_BYTES })
    const content = reader.requireBytes('c')
    const body = reader.bodyBefore('~')
    const signature = reader.requireBytes('~', { size: SIGNATURE_BYTES })
    const proSignature = reader.optionalBytes('~P', { size: SIGNATURE_BYTES })
    reader.finish({ unknown: 'allow' })
    return { senderEd25519, content, body, signature, proSignature }
  })
}

function signedHash(crypto: Crypto, recipient: Uint8Array, body: Uint8Array): Uint8Array {
  return blake2b(crypto, HASH_BYTES, [body], { key: recipient, personal: PERSONAL })
}
