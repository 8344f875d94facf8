/**
 * Sealing V1 messages, for accounts whose devices do not all read version 2. There is no forward secrecy: whoever learns the
 * recipient's account key, even years later, can read them.
 *
 * Implements DM1-03, DM1-05, DM1-07, DM1-08.
 */
import {
  blake2b,
  type Crypto,
  CryptoError,
  ed25519KeyPair,
  ed25519Sign,
  type Random,
  Secret,
  sealBox,
  sealBoxFromSeed,
  wipe,
} from '@session-v2/crypto'
import { encodeUtf8 } from '@session-v2/encoding'
import type { Account } from '../account/account.ts'
import { type AccountId, accountX25519 } from '../account/account-id.ts'
import { ProtocolError } from '../protocol-error.ts'
import { encodeEnvelope, MAX_MESSAGE_BYTES, OUTSIDE_MAX_BYTES, wrapEnvelope } from './envelope.ts'
import { padContent, SIGNATURE_BLOCK_BYTES, signContent } from './signed-content.ts'

/** The one-time key and the tag that a sealed box adds. */
export const BOX_BYTES = 48
const MAX_PADDED_BYTES = MAX_MESSAGE_BYTES - OUTSIDE_MAX_BYTES - BOX_BYTES - SIGNATURE_BLOCK_BYTES
const SEED_BYTES = 32
/** The key of the hash that makes a one-time key. */
const EPHEMERAL_LABEL = encodeUtf8('SessionBoxEphemeralHashKey')

interface Outgoing {
  readonly sender: Account
  readonly recipient: AccountId
  /** Any bytes; clients expect an encoded `Content`, whose `sigTimestamp` is `timestampMs`. */
  readonly content: Uint8Array
  /** Milliseconds since the epoch. */
  readonly timestampMs: number
  /** The rotating key of the sender's Pro subscription, if the message shall prove one. */
  readonly proSigner?: Secret<'ed25519-secret'>
  /** Seal with `sealDeterministically`: equal arguments give equal boxes, which tells an observer that the texts are equal. */
  readonly deterministic?: boolean
}

/**
 * A V1 message: 398 bytes for up to 158 bytes of content, then in steps of 160 and the few bytes that longer lengths take. Throws
 * `bad-account-id` when the recipient's account ID is no usable key, `bad-input` for a time that is none and when the message
 * could exceed 1 MiB.
 */
export function sealMessageV1(crypto: Crypto, random: Random, message: Outgoing): Uint8Array {
  const { sender, recipient, timestampMs, proSigner, deterministic = false } = message
  const padded = padContent(message.content, MAX_PADDED_BYTES)
  let sealed: Uint8Array
  try {
    sealed = deterministic
      ? sealDeterministically(crypto, sender, recipient, padded)
      : sealPadded(crypto, sender, recipient, padded, (key, plaintext) => sealBox(crypto, random, key, plaintext))
  } finally {
    wipe(padded)
  }
  const proSignature = proSigner === undefined ? decoySignature(crypto, random, sealed) : ed25519Sign(crypto, proSigner, sealed)
  return wrapEnvelope(encodeEnvelope({ timestampMs, sourceDevice: 1, sealed, proSignature }))
}

/**
 * The sealed box of a padded content with a one-time key that follows from sender, recipient and content: 144 bytes more than
 * `padded`. It opens like any other. Throws `bad-account-id`.
 */
export function sealDeterministically(crypto: Crypto, sender: Account, recipient: AccountId, padded: Uint8Array): Uint8Array {
  const inputs = [sender.seed.expose(), accountX25519(recipient), padded]
  const seed = Secret.of(blake2b(crypto, SEED_BYTES, inputs, { key: EPHEMERAL_LABEL }), 'box-seed')
  try {
    return sealPadded(crypto, sender, recipient, padded, (key, plaintext) => sealBoxFromSeed(crypto, seed, key, plaintext))
  } finally {
    seed.wipe()
  }
}

function sealPadded(
  crypto: Crypto,
  sender: Account,
  recipient: AccountId,
  padded: Uint8Array,
  seal: (key: Uint8Array, plaintext: Uint8Array) => Uint8Array,
): Uint8Array {
  const key = accountX25519(recipient)
  const plaintext = signContent(crypto, sender, key, padded)
  try {
    return seal(key, plaintext)
  } catch (cause) {
    if (!(cause instanceof CryptoError && cause.code === 'bad-point')) throw cause
    throw new ProtocolError('bad-account-id', 'NOT-04', 'the account ID of the recipient is no usable key', { cause })
  } finally {
    wipe(plaintext)
  }
}

/** By a key that nobody keeps, so that from outside a message does not tell whether its sender subscribes to Pro. */
function decoySignature(crypto: Crypto, random: Random, sealed: Uint8Array): Uint8Array {
  const seed = Secret.of(random.bytes(SEED_BYTES), 'ed25519-seed')
  const { secretKey } = ed25519KeyPair(crypto, seed)
  const signature = ed25519Sign(crypto, secretKey, sealed)
  seed.wipe()
  secretKey.wipe()
  return signature
}
