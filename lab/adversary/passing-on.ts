/** Passing a link request on: the plaintext that was sealed to one link key, sealed to another, as LINK-01 to LINK-03 have it. */
import {
  blake2b,
  type Crypto,
  generateX25519,
  type Random,
  type X25519PublicKey,
  x25519,
  xchacha20Poly1305Encrypt,
} from '@session-v2/crypto'
import { BtDictWriter, encodeUtf8, xorBytes } from '@session-v2/encoding'
import { type Account, linkRequestKey } from '@session-v2/protocol'

const INDICATOR_BYTES = 2

/** The message at namespace 21. @param plaintext signed, as it was opened */
export function passedOn(
  crypto: Crypto,
  random: Random,
  account: Account,
  linkX25519: X25519PublicKey,
  plaintext: Uint8Array,
): Uint8Array {
  const ephemeral = generateX25519(crypto, random)
  const { publicKey: E, secretKey } = ephemeral
  const S = account.x25519.publicKey
  const mask = blake2b(crypto, INDICATOR_BYTES, [E, S], { key: x25519(crypto, secretKey, S), personal: 'SessionDvGrpKISS' })
  const { key, nonce } = linkRequestKey(crypto, x25519(crypto, secretKey, linkX25519), E, linkX25519)
  return new BtDictWriter()
    .bytes('', encodeUtf8('L'))
    .bytes('E', E)
    .bytes('L', xchacha20Poly1305Encrypt(crypto, key, nonce, plaintext))
    .bytes('i', xorBytes(linkX25519.subarray(0, INDICATOR_BYTES), mask))
    .finish()
}
