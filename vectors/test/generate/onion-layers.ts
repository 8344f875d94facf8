/** Onion layers made with an independent implementation of the primitives, from secrets and nonces that are given. */
import { gcm } from '@noble/ciphers/aes.js'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { x25519 } from '@noble/curves/ed25519.js'
import { blake2b } from '@noble/hashes/blake2.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, encodeHex, encodeUtf8, uint32Le } from '@session-v2/encoding'

export type EncType = 'aes-gcm' | 'xchacha20'

export interface Layer {
  readonly ciphertext: Uint8Array
  /** 32 bytes. */
  readonly ephemeral: Uint8Array
  /** 32 bytes. */
  readonly key: Uint8Array
}

/** A node of the vectors: its secret is one byte, repeated. */
export interface NodeKeys {
  readonly ed25519: string
  readonly secret: Uint8Array
  readonly x25519: Uint8Array
}

/** The node of a number. Its Ed25519 key is a name here, and never used as a key. */
export function nodeOf(byte: number): NodeKeys {
  const secret = new Uint8Array(32).fill(byte)
  return { ed25519: encodeHex(new Uint8Array(32).fill(0xe0 + byte)), secret, x25519: x25519.getPublicKey(secret) }
}

/** A frame whose control is JSON, or any text. */
export function frame(payload: Uint8Array, control: object | string): Uint8Array {
  const text = typeof control === 'string' ? control : JSON.stringify(control)
  return concatBytes(uint32Le(payload.length), payload, encodeUtf8(text))
}

/** The ephemeral secret and the nonce of the layer of a number. */
export function drawn(encType: EncType, layer: number): { secret: Uint8Array; nonce: Uint8Array } {
  return {
    secret: new Uint8Array(32).fill(0x40 + layer),
    nonce: new Uint8Array(encType === 'aes-gcm' ? 12 : 24).fill(0x60 + layer),
  }
}

/** `text` in a layer for a node. */
export function layerFor(encType: EncType, node: NodeKeys, text: Uint8Array, layer = 0): Layer {
  const { secret, nonce } = drawn(encType, layer)
  const ephemeral = x25519.getPublicKey(secret)
  const key = keyOf(encType, x25519.getSharedSecret(secret, node.x25519), ephemeral, node.x25519)
  return { ciphertext: encrypt(encType, key, nonce, text), ephemeral, key }
}

/** The key of a layer from its shared secret. */
export function keyOf(encType: EncType, shared: Uint8Array, ephemeral: Uint8Array, nodeKey: Uint8Array): Uint8Array {
  if (encType === 'aes-gcm') return hmac(sha256, encodeUtf8('LOKI'), shared)
  return blake2b(concatBytes(shared, ephemeral, nodeKey), { dkLen: 32 })
}

/** Nonce ‖ ciphertext ‖ tag. */
export function encrypt(encType: EncType, key: Uint8Array, nonce: Uint8Array, text: Uint8Array): Uint8Array {
  const cipher = encType === 'aes-gcm' ? gcm(key, nonce) : xchacha20poly1305(key, nonce)
  return concatBytes(nonce, cipher.encrypt(text))
}
