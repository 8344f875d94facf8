/**
 * Sealing to one key pair of two halves, B (X25519) and M (ML-KEM-768): that of the account, or that of one device. T is the byte of
 * the type, e and E an ephemeral key that the sender makes for one message and erases.
 *
 *     (ct, s) = Encapsulate(M)
 *     key ‖ nonce = BLAKE2b-56(T ‖ X25519(e, B) ‖ E ‖ B ‖ s ‖ ct ‖ M, personal "SessionV2History")
 *
 * Whoever breaks one of the two agreements still lacks the other. The plaintext is a dict, with zeros up to a multiple of a step, so
 * that its size shows in steps only.
 *
 * Implements HT-03, HT-04, HT-11.
 */
import {
  blake2b,
  type Crypto,
  CryptoError,
  generateX25519,
  type MlKem768PublicKey,
  type MlKem768SecretHandle,
  mlKem768Decapsulate,
  mlKem768Encapsulate,
  prepareMlKem768PublicKey,
  type Random,
  wipe,
  type X25519KeyPair,
  type X25519PublicKey,
  x25519,
  xchacha20Poly1305Decrypt,
  xchacha20Poly1305Encrypt,
} from '@session-v2/crypto'
import { padWithZeros, trimTrailingZeros } from '@session-v2/encoding'
import type { Account } from '../account/account.ts'
import { requireUsableMlKem768, requireUsableX25519 } from '../account-keys/usable-keys.ts'
import {
  encodeHistoryMessage,
  type HistoryEnvelope,
  type HistoryMessageKind,
  typeByteOf,
  verifyHistoryMessage,
} from './envelope.ts'

const PERSONAL = 'SessionV2History'
const KEY_BYTES = 32
const NONCE_BYTES = 24

/** Steps of the sizes of plaintexts, in bytes: asks and acknowledgements are one step, a chunk 14 at most. */
const STEP_BYTES: Readonly<Record<HistoryMessageKind, number>> = { ask: 512, ack: 512, chunk: 4096 }

/** The public halves of what a message is sealed to. */
export interface HistoryRecipient {
  readonly x25519: X25519PublicKey
  readonly mlKem768: MlKem768PublicKey
}

/** A key pair that may open a message: an account key or an expanded device key. */
export interface HistoryKeyPair {
  readonly x25519: X25519KeyPair
  readonly mlKem768: { readonly publicKey: MlKem768PublicKey; readonly secretKey: MlKem768SecretHandle }
}

/** What a message held, and the pair that opened it. Wipe `padded`; `plaintext` is a view into it. */
export interface OpenedEnvelope<Pair> {
  readonly plaintext: Uint8Array
  readonly padded: Uint8Array
  readonly pair: Pair
}

/**
 * Seals a plaintext that ends in a non-zero byte, and signs what comes out. The plaintext stays the caller's.
 * Throws `malformed` when a key of the recipient cannot be used, `bad-input` when the message would exceed 61,440 bytes.
 */
export function sealHistoryMessage(
  crypto: Crypto,
  random: Random,
  account: Account,
  recipient: HistoryRecipient,
  kind: HistoryMessageKind,
  plaintext: Uint8Array,
): Uint8Array {
  requireUsableX25519(crypto, recipient.x25519, 'HT-03', 'the X25519 key of the recipient')
  requireUsableMlKem768(crypto, recipient.mlKem768, 'HT-03', 'the ML-KEM-768 key of the recipient')
  const step = STEP_BYTES[kind]
  const padded = padWithZeros(plaintext, Math.ceil(plaintext.length / step) * step)
  const ephemeral = generateX25519(crypto, random)
  try {
    const { ciphertext, sharedSecret } = mlKem768Encapsulate(crypto, random, prepareMlKem768PublicKey(crypto, recipient.mlKem768))
    const fields = { kind, ephemeral: ephemeral.publicKey, ciphertext }
    const shared = x25519(crypto, ephemeral.secretKey, recipient.x25519)
    const { key, nonce } = messageKey(crypto, fields, recipient, shared, sharedSecret)
    const sealed = xchacha20Poly1305Encrypt(crypto, key, nonce, padded)
    wipe(key)
    return encodeHistoryMessage(crypto, account, { ...fields, sealed })
  } finally {
    ephemeral.secretKey.wipe()
    wipe(padded)
  }
}

/**
 * Verifies a message and opens it with the first of the pairs that fits; `opened` is undefined when none does.
 * Throws `malformed` and `forged`.
 */
export function openEnvelope<Pair extends HistoryKeyPair>(
  crypto: Crypto,
  account: Account,
  message: Uint8Array,
  pairsFor: (kind: HistoryMessageKind) => readonly Pair[],
): { readonly kind: HistoryMessageKind; readonly opened: OpenedEnvelope<Pair> | undefined } {
  const envelope = verifyHistoryMessage(crypto, account, message)
  requireUsableX25519(crypto, envelope.ephemeral, 'HT-11', 'the ephemeral key of the message')
  for (const pair of pairsFor(envelope.kind)) {
    const padded = decrypt(crypto, envelope, pair)
    if (padded !== undefined) return { kind: envelope.kind, opened: { plaintext: trimTrailingZeros(padded), padded, pair } }
  }
  return { kind: envelope.kind, opened: undefined }
}

/** undefined: sealed to another key. */
function decrypt(crypto: Crypto, envelope: HistoryEnvelope, { x25519: own, mlKem768 }: HistoryKeyPair): Uint8Array | undefined {
  const sharedMlKem = mlKem768Decapsulate(crypto, mlKem768.secretKey, envelope.ciphertext)
  const shared = x25519(crypto, own.secretKey, envelope.ephemeral)
  const recipient = { x25519: own.publicKey, mlKem768: mlKem768.publicKey }
  const { key, nonce } = messageKey(crypto, envelope, recipient, shared, sharedMlKem)
  try {
    return xchacha20Poly1305Decrypt(crypto, key, nonce, envelope.sealed)
  } catch (cause) {
    if (!(cause instanceof CryptoError && cause.code === 'decrypt-failed')) throw cause
    return undefined
  } finally {
    wipe(key)
  }
}

/** Erases both shared secrets. */
function messageKey(
  crypto: Crypto,
  { kind, ephemeral, ciphertext }: Omit<HistoryEnvelope, 'sealed'>,
  { x25519: B, mlKem768: M }: HistoryRecipient,
  shared: Uint8Array,
  sharedMlKem: Uint8Array,
): { readonly key: Uint8Array; readonly nonce: Uint8Array } {
  const inputs = [typeByteOf(kind), shared, ephemeral, B, sharedMlKem, ciphertext, M]
  const keyAndNonce = blake2b(crypto, KEY_BYTES + NONCE_BYTES, inputs, { personal: PERSONAL })
  wipe(shared, sharedMlKem)
  return { key: keyAndNonce.subarray(0, KEY_BYTES), nonce: keyAndNonce.subarray(KEY_BYTES) }
}
