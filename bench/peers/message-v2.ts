/**
 * A V2 message over any table of primitives: written apart from the protocol package and kept naive, so that it is both a speed
 * peer and an independent reader (the bench opens ours with it, and its own with ours, before it times anything).
 */
import { concatBytes, encodeBt, encodeUtf8, trimTrailingZeros } from '@session-v2/encoding'
import type { PeerPrimitives } from './primitives.ts'

export interface PeerSender {
  readonly seed: Uint8Array
  readonly secretKey: Uint8Array
  readonly publicKey: Uint8Array
}

export interface PeerRecipient {
  /** 33 bytes: 0x05 and the account's X25519 key. */
  readonly accountId: Uint8Array
  readonly x25519: Uint8Array
  readonly mlKem: Uint8Array
}

export interface PeerReader extends PeerRecipient {
  readonly rootX25519Secret: Uint8Array
  readonly x25519Secret: Uint8Array
  readonly mlKemSecret: Uint8Array
}

const HEADER_BYTES = 2 + 2 + 32 + 1088
const TAG_BYTES = 16
const WING_LABEL = encodeUtf8('\\.//^\\')
const LABEL = encodeUtf8('SessionV2MessageSS')

function deriveKey(p: PeerPrimitives, ssM: Uint8Array, ssX: Uint8Array, e: Uint8Array, x: Uint8Array): [Uint8Array, Uint8Array] {
  const shared = p.sha3(concatBytes(ssM, ssX, e, x, WING_LABEL))
  const stream = p.shake(concatBytes(LABEL, shared), 56)
  return [stream.subarray(0, 32), stream.subarray(32)]
}

function signInner(p: PeerPrimitives, sender: PeerSender, accountId: Uint8Array, content: Uint8Array): Uint8Array {
  const fields = new Map([
    ['S', sender.publicKey],
    ['c', content],
  ])
  const body = encodeBt(fields).slice(0, -1)
  const digest = p.blake2b(64, body, 'SessionV2Message', accountId)
  const signature = p.sign(sender.seed, sender.secretKey, digest)
  return concatBytes(body, encodeUtf8('1:~64:'), signature, encodeUtf8('e'))
}

export function peerSeal(p: PeerPrimitives, sender: PeerSender, recipient: PeerRecipient, content: Uint8Array): Uint8Array {
  const secret = p.randomBytes(32)
  const ephemeral = p.x25519Public(secret)
  const root = recipient.accountId.subarray(1)
  const kiss = p.blake2b(2, concatBytes(ephemeral, root), 'Session-Msg-KISS', p.x25519(secret, root))
  const indicator = Uint8Array.of(recipient.mlKem[0]! ^ kiss[0]!, recipient.mlKem[1]! ^ kiss[1]!)
  const { ciphertext, sharedSecret } = p.encapsulate(recipient.mlKem)
  const [key, nonce] = deriveKey(p, sharedSecret, p.x25519(secret, recipient.x25519), ephemeral, recipient.x25519)
  const inner = signInner(p, sender, recipient.accountId, content)
  const overhead = HEADER_BYTES + TAG_BYTES
  const total = Math.ceil(Math.max(1536, overhead + inner.length) / 256) * 256
  const padded = new Uint8Array(total - overhead)
  padded.set(inner)
  return concatBytes(Uint8Array.of(0, 2), indicator, ephemeral, ciphertext, p.aeadEncrypt(key, nonce, padded))
}

/** Opens with one known key and returns the padded-off inner dict, signature checked. */
export function peerOpen(p: PeerPrimitives, reader: PeerReader, message: Uint8Array): Uint8Array {
  const ephemeral = message.subarray(4, 36)
  const root = reader.accountId.subarray(1)
  const kiss = p.blake2b(2, concatBytes(ephemeral, root), 'Session-Msg-KISS', p.x25519(reader.rootX25519Secret, ephemeral))
  if ((message[2]! ^ kiss[0]!) !== reader.mlKem[0] || (message[3]! ^ kiss[1]!) !== reader.mlKem[1]) throw new Error('another key')
  const ssM = p.decapsulate(reader.mlKemSecret, message.subarray(36, HEADER_BYTES))
  const [key, nonce] = deriveKey(p, ssM, p.x25519(reader.x25519Secret, ephemeral), ephemeral, reader.x25519)
  const inner = trimTrailingZeros(p.aeadDecrypt(key, nonce, message.subarray(HEADER_BYTES)))
  const bodyEnd = inner.length - 1 - 64 - 6
  const digest = p.blake2b(64, inner.subarray(0, bodyEnd), 'SessionV2Message', reader.accountId)
  const sender = inner.subarray(7, 39)
  if (!p.verify(sender, digest, inner.subarray(bodyEnd + 6, bodyEnd + 70))) throw new Error('bad signature')
  return inner.subarray(0, bodyEnd)
}
