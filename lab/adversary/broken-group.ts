/**
 * Link requests and group messages under a broken X25519, from the specification: what an adversary would write. A link request needs
 * nothing else (LINK-03); a slot of a group message needs an ML-KEM-768 secret too (DG-13).
 */
import { blake2b, type Crypto, CryptoError, xchacha20, xchacha20Poly1305Decrypt } from '@session-v2/crypto'
import { BtDictReader, type BtLimits } from '@session-v2/encoding'
import { type DeviceRecord, decodeDeviceRecord, linkRequestKey } from '@session-v2/protocol'
import type { BrokenX25519 } from './broken-x25519.ts'

const LIMITS: BtLimits = { sizeBytes: 1024 * 1024, depth: 24, values: 10_000 }
const CIPHERTEXT_BYTES = 1088
const SLOT_BYTES = 34
const INDEX_BYTES = 2

/** What a group message says in clear. */
export interface GroupEnvelope {
  readonly ephemeral: Uint8Array
  readonly ciphertexts: Uint8Array
  readonly slots: Uint8Array
  readonly linkKey: Uint8Array
  readonly sealed: Uint8Array
}

export function groupEnvelopeOf(message: Uint8Array): GroupEnvelope {
  const reader = new BtDictReader(message, LIMITS)
  const ephemeral = reader.requireBytes('A')
  const ciphertexts = reader.requireBytes('C')
  const slots = reader.requireBytes('K')
  const linkKey = reader.requireBytes('X')
  return { ephemeral, ciphertexts, slots, linkKey, sealed: reader.requireBytes('d') }
}

/** The record in a link request that was sealed to one of these link keys; undefined when the break does not reach. */
export function linkedRecord(
  crypto: Crypto,
  broken: BrokenX25519,
  request: Uint8Array,
  linkKeys: readonly Uint8Array[],
): DeviceRecord | undefined {
  const reader = new BtDictReader(request, LIMITS)
  const ephemeral = reader.requireBytes('E')
  const sealed = reader.requireBytes('L')
  for (const linkKey of linkKeys) {
    const shared = broken.shared(ephemeral, linkKey)
    if (shared === undefined) return undefined
    const { key, nonce } = linkRequestKey(crypto, shared, ephemeral, linkKey)
    const plaintext = decrypted(crypto, key, nonce, sealed)
    if (plaintext !== undefined) return decodeDeviceRecord(new BtDictReader(plaintext, LIMITS).requireRaw('i'))
  }
  return undefined
}

/**
 * Whether a group message opens for a device of which only the public keys are known.
 * @param mlKemSecrets the shared secrets to try, made of a slot's ciphertext
 */
export function opensGroup(
  crypto: Crypto,
  broken: BrokenX25519,
  group: GroupEnvelope,
  { x25519, mlKem768 }: Pick<DeviceRecord, 'x25519' | 'mlKem768'>,
  mlKemSecrets: (ciphertext: Uint8Array) => readonly Uint8Array[],
): boolean {
  const { ephemeral: A, ciphertexts, slots, sealed } = group
  const shared = broken.shared(A, x25519)
  if (shared === undefined) return false
  const payloadNonce = blake2b(crypto, 24, [ciphertexts], { key: A, personal: 'SessionDevDNonce' })
  const places = Array.from({ length: slots.length / SLOT_BYTES }, (_, i) => i)
  return places.some(i => {
    const ciphertext = ciphertexts.subarray(i * CIPHERTEXT_BYTES, (i + 1) * CIPHERTEXT_BYTES)
    const wrapped = slots.subarray(i * SLOT_BYTES + INDEX_BYTES, (i + 1) * SLOT_BYTES)
    const nonce = blake2b(crypto, 24, [ciphertext, sealed], { key: A, personal: 'SessionDevKNonce' })
    return mlKemSecrets(ciphertext).some(secret => {
      const key = blake2b(crypto, 32, [shared, A, x25519, secret, mlKem768], { personal: 'SessionDevKeyKey' })
      return decrypted(crypto, xchacha20(crypto, key, nonce, wrapped), payloadNonce, sealed) !== undefined
    })
  })
}

function decrypted(crypto: Crypto, key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  try {
    return xchacha20Poly1305Decrypt(crypto, key, nonce, sealed)
  } catch (cause) {
    if (cause instanceof CryptoError && cause.code === 'decrypt-failed') return undefined
    throw cause
  }
}
