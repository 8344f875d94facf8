/** What a recipient can do with a message that they have opened: seal the very plaintext again, to themselves or to somebody else. */
import {
  type Crypto,
  generateX25519,
  mlKem768Decapsulate,
  mlKem768Encapsulate,
  sha3_256,
  shake256,
  x25519,
  x25519PublicKey,
  xchacha20Poly1305Encrypt,
} from '@session-v2/crypto'
import { concatBytes, encodeUtf8 } from '@session-v2/encoding'
import { type AccountId, type AccountKey, accountX25519, prepareRecipient } from '@session-v2/protocol'
import { envelopeOf, indicatorMask, openWithBoth } from './broken-x25519.ts'
import type { Scene } from './scene.ts'

const KEY_BYTES = 32
const NONCE_BYTES = 24

/** The padded plaintext of a message, signature and all; undefined when the key is another one. */
export function plaintextOf(crypto: Crypto, key: AccountKey, message: Uint8Array): Uint8Array | undefined {
  const envelope = envelopeOf(message)
  const secrets = {
    x25519: x25519(crypto, key.x25519.secretKey, x25519PublicKey(envelope.ephemeral)),
    mlKem768: mlKem768Decapsulate(crypto, key.mlKem768.secretKey, envelope.ciphertext),
  }
  return openWithBoth(crypto, envelope, key.x25519.publicKey, secrets)
}

/** A new message with an old plaintext, sealed to the published keys of an account (DM2-04, DM2-05). */
export function reWrap(
  { crypto, random }: Scene,
  to: AccountId,
  key: Pick<AccountKey, 'x25519' | 'mlKem768'>,
  plaintext: Uint8Array,
) {
  const published = { x25519: key.x25519.publicKey, mlKem768: key.mlKem768.publicKey }
  const recipient = prepareRecipient(crypto, to, published)
  const { publicKey: E, secretKey } = generateX25519(crypto, random)
  const account = x25519PublicKey(accountX25519(to))
  const mask = indicatorMask(crypto, E, account, x25519(crypto, secretKey, account))
  const { ciphertext, sharedSecret } = mlKem768Encapsulate(crypto, random, recipient.mlKem768)
  const shared = x25519(crypto, secretKey, published.x25519)
  const ss = sha3_256(crypto, [sharedSecret, shared, E, published.x25519, encodeUtf8('\\.//^\\')])
  const [messageKey, nonce] = shake256(crypto, [encodeUtf8('SessionV2MessageSS'), ss], [KEY_BYTES, NONCE_BYTES])
  const sealed = xchacha20Poly1305Encrypt(crypto, messageKey!, nonce!, plaintext)
  const indicator = mask.map((byte, i) => byte ^ published.mlKem768[i]!)
  return concatBytes(Uint8Array.of(0, 2), indicator, E, ciphertext, sealed)
}
