/** Messages of version 1: sealing. They are opened by the operation for messages of any version. */
import { type Crypto, ed25519KeyPair, Secret } from '@session-v2/crypto'
import { encodeHex } from '@session-v2/encoding'
import { accountFromSeed, decodeMessageV1, parseAccountId, sealMessageV1 } from '@session-v2/protocol'
import type { Fields } from '../fields.ts'
import { type Context, type Operation, SEED_BYTES } from '../operation.ts'

/** What a sealed box has besides the padded content: one-time key 32, tag 16, sender's key 32, signature 64. */
const SEALED_OVERHEAD_BYTES = 144

/** sender_seed, recipient_session_id, content, timestamp_ms, pro_seed and deterministic (both optional) → the message */
export function sealV1({ crypto, random }: Context, input: Fields): Uint8Array {
  return sealMessageV1(crypto, random, {
    ...outgoing(crypto, input),
    recipient: parseAccountId(input.text('recipient_session_id')),
    timestampMs: input.safeInt64('timestamp_ms'),
    deterministic: input.isSet('deterministic') && input.boolean('deterministic'),
  })
}

/** As `sealV1` → sealed, envelope, wire, padded_len, sender_ed25519 */
export const sealV1Kind: Operation = (context, input) => {
  const wire = sealV1(context, input)
  const { envelope, sealed } = decodeMessageV1(wire)
  const { ed25519 } = accountFromSeed(context.crypto, input.bytes('sender_seed', SEED_BYTES))
  return {
    sealed: encodeHex(sealed),
    envelope: encodeHex(envelope),
    wire: encodeHex(wire),
    padded_len: sealed.length - SEALED_OVERHEAD_BYTES,
    sender_ed25519: encodeHex(ed25519.publicKey),
  }
}

/** What a message of any version is sealed from: sender_seed, content, pro_seed (optional). */
export function outgoing(crypto: Crypto, input: Fields) {
  const sender = accountFromSeed(crypto, input.bytes('sender_seed', SEED_BYTES))
  const content = input.bytes('content')
  if (!input.isSet('pro_seed')) return { sender, content }
  const proSeed = Secret.of(input.bytes('pro_seed', SEED_BYTES), 'ed25519-seed')
  return { sender, content, proSigner: ed25519KeyPair(crypto, proSeed).secretKey }
}
