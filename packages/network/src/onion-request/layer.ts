/**
 * One layer of encryption, between a client and the node (or server) that takes it off (ON-10 to ON-12):
 *
 *     S = X25519(ephemeral secret, key of the node)
 *
 * | enc_type | also read | key | bytes |
 * |---|---|---|---|
 * | `aes-gcm` | `gcm`, nothing | HMAC-SHA-256(key "LOKI", S) | iv 12 ‖ AES-256-GCM, tag 16 |
 * | `xchacha20` | `xchacha20-poly1305` | BLAKE2b-32(S ‖ ephemeral key ‖ key of the node) | nonce 24 ‖ XChaCha20-Poly1305, tag 16 |
 *
 * `aes-cbc` and `cbc` authenticate nothing: a node that decrypted them would tell by its answers what is in a ciphertext.
 */
import {
  aes256GcmDecrypt,
  aes256GcmEncrypt,
  blake2b,
  type Crypto,
  CryptoError,
  generateX25519,
  hmacSha256,
  type Random,
  Secret,
  wipe,
  type X25519KeyPair,
  type X25519PublicInput,
  x25519,
  xchacha20Poly1305Decrypt,
  xchacha20Poly1305Encrypt,
} from '@session-v2/crypto'
import { concatBytes, encodeUtf8 } from '@session-v2/encoding'
import { NetworkError } from '../network-error.ts'

/** How the layers of a request are encrypted, as it is written. */
export type OnionEncryption = 'aes-gcm' | 'xchacha20'

/** The key of one layer: the reply to the request within comes back under it. Wipe the secret after use. */
export interface LayerKey {
  readonly encryption: OnionEncryption
  /** 32 bytes. */
  readonly secret: Secret<'onion-layer'>
}

export interface SealedLayer {
  readonly ciphertext: Uint8Array
  /** 32 bytes, the public key that goes beside the ciphertext. */
  readonly ephemeralKey: Uint8Array
  readonly key: LayerKey
}

const KEY_BYTES = 32
const TAG_BYTES = 16
const HMAC_KEY = encodeUtf8('LOKI')

const CIPHERS = {
  'aes-gcm': { nonceBytes: 12, encrypt: aes256GcmEncrypt, decrypt: aes256GcmDecrypt },
  xchacha20: { nonceBytes: 24, encrypt: xchacha20Poly1305Encrypt, decrypt: xchacha20Poly1305Decrypt },
} as const

const ENCRYPTION_OF_NAME: ReadonlyMap<unknown, OnionEncryption> = new Map<unknown, OnionEncryption>([
  [undefined, 'aes-gcm'],
  ['aes-gcm', 'aes-gcm'],
  ['gcm', 'aes-gcm'],
  ['xchacha20', 'xchacha20'],
  ['xchacha20-poly1305', 'xchacha20'],
])

/** The encryption that an `enc_type` means; undefined for `aes-cbc`, `cbc` and what is none. */
export function encryptionOfName(name: unknown): OnionEncryption | undefined {
  return ENCRYPTION_OF_NAME.get(name)
}

/**
 * `text` for the holder of a 32-byte X25519 key, under a fresh ephemeral key.
 * @throws NetworkError `malformed`, to be tried with another node, for a key of small order.
 */
export function sealLayer(
  crypto: Crypto,
  random: Random,
  encryption: OnionEncryption,
  nodeKey: X25519PublicInput,
  text: Uint8Array,
): SealedLayer {
  const { publicKey, secretKey } = generateX25519(crypto, random)
  const shared = sharedSecret(crypto, secretKey, nodeKey)
  secretKey.wipe()
  if (shared === undefined) throw new NetworkError('malformed', 'the key of a node has small order', { retry: 'other-node' })
  const key = layerKey(crypto, encryption, shared, publicKey, nodeKey)
  return { ciphertext: encryptWithLayerKey(crypto, random, key, text), ephemeralKey: publicKey, key }
}

/**
 * What `sealLayer` sealed for `own`, or undefined for everything else. An ephemeral key of small order, with which anybody could
 * have made the ciphertext, is refused after as much work as any other wrong ciphertext.
 * @param ephemeralKey 32 bytes
 */
export function openLayer(
  crypto: Crypto,
  own: X25519KeyPair,
  encryption: OnionEncryption,
  ephemeralKey: X25519PublicInput,
  ciphertext: Uint8Array,
): { readonly text: Uint8Array; readonly key: LayerKey } | undefined {
  const shared = sharedSecret(crypto, own.secretKey, ephemeralKey)
  const key = layerKey(crypto, encryption, shared ?? new Uint8Array(KEY_BYTES), ephemeralKey, own.publicKey)
  const text = decryptWithLayerKey(crypto, key, ciphertext)
  if (shared !== undefined && text !== undefined) return { text, key }
  key.secret.wipe()
  return undefined
}

/** Nonce ‖ ciphertext ‖ tag of `text`. */
export function encryptWithLayerKey(crypto: Crypto, random: Random, key: LayerKey, text: Uint8Array): Uint8Array {
  const { nonceBytes, encrypt } = CIPHERS[key.encryption]
  const nonce = random.bytes(nonceBytes)
  return concatBytes(nonce, encrypt(crypto, key.secret.expose(), nonce, text))
}

/** The text of nonce ‖ ciphertext ‖ tag; undefined when it was not made with this key. */
export function decryptWithLayerKey(crypto: Crypto, key: LayerKey, bytes: Uint8Array): Uint8Array | undefined {
  const { nonceBytes, decrypt } = CIPHERS[key.encryption]
  if (bytes.length < nonceBytes + TAG_BYTES) return undefined
  try {
    return decrypt(crypto, key.secret.expose(), bytes.subarray(0, nonceBytes), bytes.subarray(nonceBytes))
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'decrypt-failed') return undefined
    throw error
  }
}

/** undefined: the public key has small order. */
function sharedSecret(crypto: Crypto, secretKey: Secret<'x25519-secret'>, publicKey: X25519PublicInput): Uint8Array | undefined {
  try {
    return x25519(crypto, secretKey, publicKey)
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'bad-point') return undefined
    throw error
  }
}

/** Consumes `shared`. */
function layerKey(
  crypto: Crypto,
  encryption: OnionEncryption,
  shared: Uint8Array,
  ephemeralKey: Uint8Array,
  nodeKey: Uint8Array,
): LayerKey {
  const bytes =
    encryption === 'aes-gcm'
      ? hmacSha256(crypto, HMAC_KEY, [shared])
      : blake2b(crypto, KEY_BYTES, [shared, ephemeralKey, nodeKey])
  wipe(shared)
  return { encryption, secret: Secret.of(bytes, 'onion-layer') }
}
