/**
 * Sealing V2 messages.
 *
 * Implements DM2-01, DM2-02, DM2-04 and, on the sending side, DM2-05 to DM2-07.
 */
import {
  type Crypto,
  CryptoError,
  generateX25519,
  mlKem768Encapsulate,
  type Random,
  type Secret,
  wipe,
  type X25519KeyPair,
  x25519,
  xchacha20Poly1305Encrypt,
} from '@session-v2/crypto'
import { padWithZeros } from '@session-v2/encoding'
import type { Account } from '../account/account.ts'
import { type AccountId, accountIdBytes } from '../account/account-id.ts'
import { INDICATOR_BYTES, maskIndicator } from '../account-keys/key-indicator.ts'
import { type ClauseId, ProtocolError } from '../protocol-error.ts'
import { CIPHERTEXT_BYTES, encodeEnvelope, paddedPlaintextBytes } from './envelope.ts'
import { type MessageKey, noPfsMessageKey, pfsMessageKey } from './key-derivation.ts'
import type { Recipient } from './recipient.ts'
import { signContent } from './signed-content.ts'

interface Outgoing {
  readonly sender: Account
  /** Any bytes; clients expect an encoded `Content`. */
  readonly content: Uint8Array
  /** The rotating key of the sender's Pro subscription, if the message shall prove one. */
  readonly proSigner?: Secret<'ed25519-secret'>
}

/**
 * A message with forward secrecy and post-quantum encryption, sealed to the keys the recipient has published: 1536 bytes for up to
 * 279 bytes of content (208 with a Pro signature), then in steps of 256. Throws `bad-account-id` when the recipient's account ID
 * is no usable key, `malformed` when the published one is none, `bad-input` when the message would exceed 1 MiB.
 */
export function sealMessageV2(crypto: Crypto, random: Random, message: Outgoing & { readonly recipient: Recipient }): Uint8Array {
  const { recipient } = message
  const recipientX25519 = recipient.accountIdBytes.subarray(1)
  const padded = paddedContent(crypto, message, recipient.accountIdBytes)
  const ephemeral = generateX25519(crypto, random)
  try {
    const shared = sharedWithAccount(crypto, ephemeral, recipientX25519)
    const indicator = recipient.mlKem768.publicKey.subarray(0, INDICATOR_BYTES)
    const maskedIndicator = maskIndicator(crypto, 'Session-Msg-KISS', shared, ephemeral.publicKey, recipientX25519, indicator)
    wipe(shared)
    // First, so that a key that cannot be used leaves no other secret behind.
    const sharedX25519 = sharedWithPublishedKey(crypto, ephemeral, recipient)
    const { ciphertext, sharedSecret } = mlKem768Encapsulate(crypto, random, recipient.mlKem768)
    const key = pfsMessageKey(crypto, sharedSecret, sharedX25519, ephemeral.publicKey, recipient.x25519)
    const sealed = sealPadded(crypto, padded, key)
    return encodeEnvelope({ maskedIndicator, ephemeral: ephemeral.publicKey, ciphertext, sealed })
  } finally {
    ephemeral.secretKey.wipe()
    wipe(padded)
  }
}

/**
 * A message without forward secrecy, for an account that has published no keys: looks the same from outside, but whoever learns
 * the recipient's account key, even years later, can read it. Sizes as `sealMessageV2`. Throws `bad-account-id` and `bad-input`.
 */
export function sealMessageV2NoPfs(
  crypto: Crypto,
  random: Random,
  message: Outgoing & { readonly recipient: AccountId },
): Uint8Array {
  const recipient = accountIdBytes(message.recipient)
  const recipientX25519 = recipient.subarray(1)
  const padded = paddedContent(crypto, message, recipient)
  const ephemeral = generateX25519(crypto, random)
  try {
    const shared = sharedWithAccount(crypto, ephemeral, recipientX25519)
    const key = noPfsMessageKey(crypto, shared, recipientX25519, ephemeral.publicKey)
    const sealed = sealPadded(crypto, padded, key)
    const maskedIndicator = random.bytes(INDICATOR_BYTES)
    return encodeEnvelope({ maskedIndicator, ephemeral: ephemeral.publicKey, ciphertext: random.bytes(CIPHERTEXT_BYTES), sealed })
  } finally {
    ephemeral.secretKey.wipe()
    wipe(padded)
  }
}

/** Wipe it. */
function paddedContent(crypto: Crypto, message: Outgoing, recipient: Uint8Array): Uint8Array {
  const plaintext = signContent(crypto, message.sender, recipient, message.content, message.proSigner)
  try {
    return padWithZeros(plaintext, paddedPlaintextBytes(plaintext.length))
  } finally {
    wipe(plaintext)
  }
}

/** Erases the key. */
function sealPadded(crypto: Crypto, padded: Uint8Array, { key, nonce }: MessageKey): Uint8Array {
  try {
    return xchacha20Poly1305Encrypt(crypto, key, nonce, padded)
  } finally {
    wipe(key)
  }
}

function sharedWithAccount(crypto: Crypto, ephemeral: X25519KeyPair, recipient: Uint8Array): Uint8Array {
  return agree(crypto, ephemeral, recipient, 'bad-account-id', 'NOT-04', 'the account ID of the recipient is no usable key')
}

function sharedWithPublishedKey(crypto: Crypto, ephemeral: X25519KeyPair, recipient: Recipient): Uint8Array {
  return agree(
    crypto,
    ephemeral,
    recipient.x25519,
    'malformed',
    'AK-09',
    'the published X25519 key of the recipient is no usable key',
  )
}

function agree(
  crypto: Crypto,
  ephemeral: X25519KeyPair,
  publicKey: Uint8Array,
  code: 'bad-account-id' | 'malformed',
  clause: ClauseId,
  complaint: string,
): Uint8Array {
  try {
    return x25519(crypto, ephemeral.secretKey, publicKey)
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw new ProtocolError(code, clause, complaint, { cause })
  }
}
