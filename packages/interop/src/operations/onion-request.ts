/** Onion requests to a node, sealed and peeled. */
import { type Crypto, Secret, x25519KeyPair } from '@session-v2/crypto'
import { encodeHex } from '@session-v2/encoding'
import { encryptionOfName, type LayerKey, type Peeled, peelOnion, sealOnion } from '@session-v2/network'
import { InteropError } from '../interop-error.ts'
import type { Answer, Operation } from '../operation.ts'

const KEY_BYTES = 32
const MAX_HOPS = 16

/** hops (ed25519, x25519; the guard first, the last one is the destination), enc_type (optional), payload → blob, reply_key */
export const sealOnionRequest: Operation = ({ crypto, random }, input) => {
  const hops = input.records('hops', MAX_HOPS).map(hop => ({
    ed25519: encodeHex(hop.bytes('ed25519', KEY_BYTES)),
    x25519: encodeHex(hop.bytes('x25519', KEY_BYTES)),
  }))
  const destination = hops.pop()
  if (destination === undefined) throw new InteropError('bad-input', 'hops has no destination')
  const encryption = encryptionOfName(input.isSet('enc_type') ? input.text('enc_type') : undefined)
  if (encryption === undefined) throw new InteropError('bad-input', 'enc_type is neither aes-gcm nor xchacha20')
  const sealed = sealOnion(crypto, random, hops, { kind: 'node', ...destination }, input.bytes('payload'), { encryption })
  return { blob: encodeHex(sealed.body), reply_key: revealed(sealed.replyKey) }
}

/**
 * x25519_secret, blob → kind, next, payload, and what the kind has besides:
 *
 *     here     next null, payload the request; reply_key, json, base64
 *     relay    next the Ed25519 key, payload the blob for it; hop_no
 *     server   next null, payload the body for it; host, port, protocol, target
 *
 * Fails with decrypt_failed for a wrong ciphertext, with bad_format for everything else that a node refuses.
 */
export const peelOnionRequest: Operation = ({ crypto }, input) =>
  answerOf(peelOnion(crypto, keysOf(crypto, input.bytes('x25519_secret', KEY_BYTES)), input.bytes('blob')))

function keysOf(crypto: Crypto, secret: Uint8Array) {
  return x25519KeyPair(crypto, Secret.of(secret, 'x25519-secret'))
}

function answerOf(peeled: Peeled): Answer {
  switch (peeled.kind) {
    case 'here': {
      const { kind, request, replyKey, json, base64 } = peeled
      return { kind, next: null, payload: encodeHex(request), reply_key: revealed(replyKey), json, base64 }
    }
    case 'relay':
      return { kind: peeled.kind, next: peeled.destination, payload: encodeHex(peeled.body), hop_no: peeled.hopNo }
    case 'server': {
      const { body, ...address } = peeled
      return { ...address, next: null, payload: encodeHex(body) }
    }
    default:
      throw new InteropError(peeled.reason === 'ciphertext' ? 'decrypt_failed' : 'bad_format', peeled.text)
  }
}

function revealed(key: LayerKey): string {
  return encodeHex(key.secret.expose())
}
