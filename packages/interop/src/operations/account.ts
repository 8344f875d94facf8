/** The keys and the ID of an account. */
import { x25519PublicToPositiveEd25519 } from '@session-v2/crypto'
import { encodeHex } from '@session-v2/encoding'
import { accountFromSeed } from '@session-v2/protocol'
import { type Operation, SEED_BYTES } from '../operation.ts'

/** seed → ed25519_pk, x25519_pk, session_id, xed25519_pk */
export const account: Operation = ({ crypto }, input) => {
  const { id, ed25519, x25519 } = accountFromSeed(crypto, input.bytes('seed', SEED_BYTES))
  return {
    ed25519_pk: encodeHex(ed25519.publicKey),
    ed25519_sk: encodeHex(ed25519.secretKey.expose()),
    x25519_sk: encodeHex(x25519.secretKey.expose()),
    x25519_pk: encodeHex(x25519.publicKey),
    session_id: id,
    xed25519_pk: encodeHex(x25519PublicToPositiveEd25519(crypto, x25519.publicKey)),
  }
}
