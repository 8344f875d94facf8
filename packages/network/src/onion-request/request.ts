/**
 * Seals an onion request: from the inside outwards one layer for the destination and one for each relay, the guard's last. Each
 * layer shows its holder only where the next one goes (ON-02, ON-10, ON-20 to ON-22).
 *
 *     body = frame( layer(guard, frame( layer(relay 2, frame( … layer(destination, frame(request, control)) …, control)), control)),
 *                   {ephemeral_key, enc_type} )
 */
import type { Crypto, Random } from '@session-v2/crypto'
import { decodeHex } from '@session-v2/encoding'
import { NetworkError } from '../network-error.ts'
import { REQUEST_MAX_BYTES } from '../storage-rpc/limits.ts'
import { headerFields, type ServerAddress } from './control.ts'
import { type Control, encodeFrame } from './frame.ts'
import { type LayerKey, type OnionEncryption, sealLayer } from './layer.ts'
import { HOP_NO_MAX } from './limits.ts'
import type { ReplyForm } from './reply.ts'

/** A node of a path; a ServiceNode is one. */
export interface OnionNode {
  /** 64 hexadecimal digits. */
  readonly ed25519: string
  /** 64 hexadecimal digits. */
  readonly x25519: string
}

export type OnionDestination =
  | ({ readonly kind: 'node' } & OnionNode)
  | ({ readonly kind: 'server'; readonly x25519: string } & ServerAddress)

export interface SealOnionOptions {
  /** XChaCha20-Poly1305 unless said otherwise: in browsers AES is slower there, and its timing depends on keys. */
  readonly encryption?: OnionEncryption
  /** For a node; what is not given is not asked for. */
  readonly form?: Partial<ReplyForm>
}

export interface SealedOnion {
  /** Body of the POST to the guard, which is the first of the path, or the destination when there is none. */
  readonly body: Uint8Array
  /** Opens the reply. Wipe its secret then. */
  readonly replyKey: LayerKey
}

/**
 * `payload`, the bytes of a storage request or of `encodeServerRequest`, for a destination behind the relays of `path`, the guard first:
 * at most 15 of them; at least one before a server.
 * @throws NetworkError `malformed` for another number of relays, and with `other-node` for a key that is none; `too-large` when the
 * body would have more than 10 MiB
 */
export function sealOnion(
  crypto: Crypto,
  random: Random,
  path: readonly OnionNode[],
  destination: OnionDestination,
  payload: Uint8Array,
  options: SealOnionOptions = {},
): SealedOnion {
  if (path.length > HOP_NO_MAX || (destination.kind === 'server' && path.length === 0)) {
    throw new NetworkError('malformed', `a path cannot have ${path.length} relays`)
  }
  const encryption = options.encryption ?? 'xchacha20'
  const seal = (x25519: string, text: Uint8Array) => sealLayer(crypto, random, encryption, nodeKey(x25519), text)
  const innermost = destination.kind === 'node' ? encodeFrame(payload, hereFields(options.form)) : payload
  let layer = seal(destination.x25519, innermost)
  const replyKey = layer.key
  let towards: Control = destination.kind === 'node' ? { destination: destination.ed25519 } : serverFields(destination)
  for (const relay of path.toReversed()) {
    layer = seal(relay.x25519, encodeFrame(layer.ciphertext, { ...towards, ...headerFields({ ...layer, encryption }) }))
    layer.key.secret.wipe()
    towards = { destination: relay.ed25519 }
  }
  const body = encodeFrame(layer.ciphertext, headerFields({ ...layer, encryption }))
  if (body.length > REQUEST_MAX_BYTES) throw new NetworkError('too-large', 'an onion request has at most 10 MiB')
  return { body, replyKey }
}

function hereFields(form: Partial<ReplyForm> = {}): Control {
  return { headers: '', json: form.json, base64: form.base64 }
}

function serverFields({ host, port, protocol, target }: ServerAddress): Control {
  return { host, port, protocol, target, method: 'POST' }
}

function nodeKey(x25519: string): Uint8Array {
  try {
    return decodeHex(x25519, 32)
  } catch (cause) {
    throw new NetworkError('malformed', 'the key of a node is not 64 hexadecimal digits', { retry: 'other-node', cause })
  }
}
