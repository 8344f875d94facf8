/**
 * The slots of a group message, one for each device that shall open it. A slot carries the key of the payload (key_base),
 * encrypted for one device, of which A/a are the message's ephemeral X25519 keys, B and M the device's public keys:
 *
 *     (ct, s) = Encapsulate(M)                                                         ct: 1088 bytes in C
 *     k       = BLAKE2b-32(X25519(a, B) ‖ A ‖ B ‖ s ‖ M, personal "SessionDevKeyKey")
 *     nonce   = BLAKE2b-24(ct ‖ d, key = A, personal "SessionDevKNonce")               d: the whole sealed payload
 *     key     = XChaCha20(k, nonce) ⊕ key_base
 *     index   = BLAKE2b-2(A ‖ B ‖ M ‖ ct ‖ key, personal "SessionDevKeyIdx")           index ‖ key: 34 bytes in K
 *
 * Slots stand in a random order; what fills them up to a multiple of four is random and cannot be told from the others. The index
 * only spares a device the work of trying every slot: two bytes may agree by chance.
 *
 * Implements DG-12, DG-13, DG-17.
 */
import {
  blake2b,
  type Crypto,
  CryptoError,
  type MlKem768PublicKey,
  mlKem768Decapsulate,
  mlKem768Encapsulate,
  prepareMlKem768PublicKey,
  type Random,
  type Secret,
  wipe,
  type X25519KeyPair,
  type X25519PublicKey,
  x25519,
  xchacha20,
} from '@session-v2/crypto'
import { concatBytes, equalBytes } from '@session-v2/encoding'
import type { ExpandedKeyPair } from '../account-keys/key-expansion.ts'
import { ProtocolError } from '../protocol-error.ts'
import { shuffled } from './random-order.ts'

export const SLOT_CIPHERTEXT_BYTES = 1088
/** An index of 2 and an encrypted key of 32 bytes. */
export const SLOT_KEY_BYTES = 34
/** Slots a message has at most: far more than fit into what a storage node takes, which is enough for some 30 devices. */
export const MAX_SLOTS = 256
const INDEX_BYTES = 2
const KEY_BYTES = 32
const NONCE_BYTES = 24
const GRANULARITY = 4

/** The public keys of a device that a slot is for. */
export interface SlotRecipient {
  readonly x25519: X25519PublicKey
  readonly mlKem768: MlKem768PublicKey
}

/** A slot before the payload is sealed. Without a recipient it is only there to fill. */
export interface Slot {
  /** 1088 bytes. */
  readonly ciphertext: Uint8Array
  readonly recipient?: SlotRecipient
  /** 32 bytes, encapsulated for the recipient. */
  readonly sharedMlKem?: Uint8Array
}

/** The parts of a message that a slot depends on. */
export interface SlotFields {
  /** 32 bytes, A. */
  readonly ephemeral: Uint8Array
  /** 1088 bytes a slot. */
  readonly ciphertexts: Uint8Array
  /** 34 bytes a slot. */
  readonly wrappedKeys: Uint8Array
  /** d. */
  readonly sealed: Uint8Array
}

/** A slot whose index fits a device key. */
export interface MatchingSlot {
  readonly deviceKey: ExpandedKeyPair
  /** 1088 bytes. */
  readonly ciphertext: Uint8Array
  /** 32 bytes. */
  readonly encryptedKey: Uint8Array
}

/**
 * Slots for these recipients and those that fill, in a random order. A recipient whose ML-KEM key is not reduced gets one that only
 * fills. Throws `bad-input` for no recipient and for more than 256. Wipe them.
 */
export function encapsulateSlots(crypto: Crypto, random: Random, recipients: readonly SlotRecipient[]): Slot[] {
  if (recipients.length === 0 || recipients.length > MAX_SLOTS) {
    throw new ProtocolError('bad-input', 'DG-12', `a group message is for 1 to ${MAX_SLOTS} devices, not ${recipients.length}`)
  }
  const slots = recipients.map(recipient => encapsulate(crypto, random, recipient))
  while (slots.length % GRANULARITY !== 0) slots.push(fillingSlot(random))
  return shuffled(random, slots)
}

/** Erases the shared secrets of slots. */
export function wipeSlots(slots: readonly Slot[]): void {
  for (const { sharedMlKem } of slots) if (sharedMlKem !== undefined) wipe(sharedMlKem)
}

/** What K says of these slots: 34 bytes each, random where no key can be agreed on. `sealed` is the whole sealed payload. */
export function wrapKeyBase(
  crypto: Crypto,
  random: Random,
  ephemeral: X25519KeyPair,
  slots: readonly Slot[],
  sealed: Uint8Array,
  keyBase: Uint8Array,
): Uint8Array {
  return concatBytes(...slots.map(slot => wrapInto(crypto, ephemeral, slot, sealed, keyBase) ?? random.bytes(SLOT_KEY_BYTES)))
}

/** The slots whose index fits one of these device keys, lazily: computing an index costs little, using a slot costs more. */
export function* matchingSlots(
  crypto: Crypto,
  deviceKeys: readonly ExpandedKeyPair[],
  { ephemeral, ciphertexts, wrappedKeys }: SlotFields,
): Generator<MatchingSlot> {
  const slotCount = wrappedKeys.length / SLOT_KEY_BYTES
  for (let slot = 0; slot < slotCount; slot++) {
    const ciphertext = ciphertexts.subarray(slot * SLOT_CIPHERTEXT_BYTES, (slot + 1) * SLOT_CIPHERTEXT_BYTES)
    const wrapped = wrappedKeys.subarray(slot * SLOT_KEY_BYTES, (slot + 1) * SLOT_KEY_BYTES)
    const [index, encryptedKey] = [wrapped.subarray(0, INDEX_BYTES), wrapped.subarray(INDEX_BYTES)]
    for (const deviceKey of deviceKeys) {
      const recipient = { x25519: deviceKey.x25519.publicKey, mlKem768: deviceKey.mlKem768.publicKey }
      const own = slotIndex(crypto, ephemeral, recipient, ciphertext, encryptedKey)
      if (equalBytes(own, index)) yield { deviceKey, ciphertext, encryptedKey }
    }
  }
}

/** The 32-byte key that a slot carries, or 32 unrelated bytes when the slot is for another. A must not have small order. */
export function unwrapKeyBase(
  crypto: Crypto,
  { deviceKey, ciphertext, encryptedKey }: MatchingSlot,
  { ephemeral, sealed }: Pick<SlotFields, 'ephemeral' | 'sealed'>,
): Uint8Array {
  const sharedX25519 = x25519(crypto, deviceKey.x25519.secretKey, ephemeral)
  const sharedMlKem = mlKem768Decapsulate(crypto, deviceKey.mlKem768.secretKey, ciphertext)
  const recipient = { x25519: deviceKey.x25519.publicKey, mlKem768: deviceKey.mlKem768.publicKey }
  const key = slotKey(crypto, sharedX25519, ephemeral, recipient, sharedMlKem)
  return cryptKeyBase(crypto, key, ephemeral, ciphertext, sealed, encryptedKey)
}

function encapsulate(crypto: Crypto, random: Random, recipient: SlotRecipient): Slot {
  try {
    const { ciphertext, sharedSecret } = mlKem768Encapsulate(crypto, random, prepareMlKem768PublicKey(crypto, recipient.mlKem768))
    return { ciphertext, recipient, sharedMlKem: sharedSecret }
  } catch (cause) {
    if (!(cause instanceof CryptoError && cause.code === 'bad-key')) throw cause
    return fillingSlot(random)
  }
}

function fillingSlot(random: Random): Slot {
  return { ciphertext: random.bytes(SLOT_CIPHERTEXT_BYTES) }
}

/** undefined: nobody can open this slot. */
function wrapInto(
  crypto: Crypto,
  { publicKey: ephemeral, secretKey }: X25519KeyPair,
  { ciphertext, recipient, sharedMlKem }: Slot,
  sealed: Uint8Array,
  keyBase: Uint8Array,
): Uint8Array | undefined {
  if (recipient === undefined || sharedMlKem === undefined) return undefined
  const sharedX25519 = agree(crypto, secretKey, recipient.x25519)
  if (sharedX25519 === undefined) return undefined
  const key = slotKey(crypto, sharedX25519, ephemeral, recipient, sharedMlKem)
  const encryptedKey = cryptKeyBase(crypto, key, ephemeral, ciphertext, sealed, keyBase)
  return concatBytes(slotIndex(crypto, ephemeral, recipient, ciphertext, encryptedKey), encryptedKey)
}

/** undefined: the public key has small order. */
function agree(crypto: Crypto, secretKey: Secret<'x25519-secret'>, publicKey: Uint8Array): Uint8Array | undefined {
  try {
    return x25519(crypto, secretKey, publicKey)
  } catch (cause) {
    if (!(cause instanceof CryptoError && cause.code === 'bad-point')) throw cause
    return undefined
  }
}

/** Erases both shared secrets. */
function slotKey(
  crypto: Crypto,
  sharedX25519: Uint8Array,
  ephemeral: Uint8Array,
  { x25519: B, mlKem768: M }: SlotRecipient,
  sharedMlKem: Uint8Array,
): Uint8Array {
  const key = blake2b(crypto, KEY_BYTES, [sharedX25519, ephemeral, B, sharedMlKem, M], { personal: 'SessionDevKeyKey' })
  wipe(sharedX25519, sharedMlKem)
  return key
}

/** Encrypts key_base, or decrypts it; erases the key of the slot. */
function cryptKeyBase(
  crypto: Crypto,
  key: Uint8Array,
  ephemeral: Uint8Array,
  ciphertext: Uint8Array,
  sealed: Uint8Array,
  keyBase: Uint8Array,
): Uint8Array {
  const nonce = blake2b(crypto, NONCE_BYTES, [ciphertext, sealed], { key: ephemeral, personal: 'SessionDevKNonce' })
  const crypted = xchacha20(crypto, key, nonce, keyBase)
  wipe(key)
  return crypted
}

function slotIndex(
  crypto: Crypto,
  ephemeral: Uint8Array,
  { x25519: B, mlKem768: M }: SlotRecipient,
  ciphertext: Uint8Array,
  encryptedKey: Uint8Array,
): Uint8Array {
  return blake2b(crypto, INDEX_BYTES, [ephemeral, B, M, ciphertext, encryptedKey], { personal: 'SessionDevKeyIdx' })
}
