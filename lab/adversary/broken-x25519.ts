/**
 * A broken X25519: the adversary is handed the ephemeral secret key of every message, so it computes every secret that X25519 was to
 * protect. The key derivations are written here once more, from the specification: what an adversary would write.
 */
import {
  blake2b,
  type Crypto,
  CryptoError,
  type Random,
  Secret,
  sha3_256,
  shake256,
  systemRandom,
  x25519,
  x25519KeyPair,
  x25519PublicKey,
  xchacha20Poly1305Decrypt,
} from '@session-v2/crypto'
import { encodeHex, encodeUtf8 } from '@session-v2/encoding'

const SECRET_BYTES = 32
const INDICATOR_BYTES = 2
const EPHEMERAL_AT = 4
const CIPHERTEXT_AT = 36
const SEALED_AT = 1124
const KEY_BYTES = 32
const NONCE_BYTES = 24

/** The system's generator, every draw of which is noted. */
export function recordedRandom(draws: Uint8Array[]): Random {
  const system = systemRandom()
  return {
    bytes: sizeBytes => {
      const bytes = system.bytes(sizeBytes)
      if (sizeBytes === SECRET_BYTES) draws.push(bytes.slice())
      return bytes
    },
  }
}

/** Finds the secret key behind an X25519 public key. */
export class BrokenX25519 {
  readonly #crypto: Crypto
  readonly #secrets = new Map<string, Uint8Array>()

  /** @param draws everything that a sender has drawn: what it made ephemeral keys of is among it */
  constructor(crypto: Crypto, draws: readonly Uint8Array[]) {
    this.#crypto = crypto
    for (const draw of draws) {
      const { publicKey } = x25519KeyPair(crypto, secretOf(draw))
      this.#secrets.set(encodeHex(publicKey), draw)
    }
  }

  /** The 32 bytes that the holders of these two public keys share; undefined when the break does not reach. */
  shared(ephemeral: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
    const secret = this.#secrets.get(encodeHex(ephemeral))
    return secret && x25519(this.#crypto, secretOf(secret), x25519PublicKey(publicKey))
  }
}

/** What a V2 message says in clear. */
export interface V2Envelope {
  readonly indicator: Uint8Array
  readonly ephemeral: Uint8Array
  readonly ciphertext: Uint8Array
  readonly sealed: Uint8Array
}

export function envelopeOf(message: Uint8Array): V2Envelope {
  return {
    indicator: message.subarray(2, EPHEMERAL_AT),
    ephemeral: message.subarray(EPHEMERAL_AT, CIPHERTEXT_AT),
    ciphertext: message.subarray(CIPHERTEXT_AT, SEALED_AT),
    sealed: message.subarray(SEALED_AT),
  }
}

/** A message with forward secrecy, by both shared secrets (DM2-05); undefined when one of them is wrong. */
export function openWithBoth(
  crypto: Crypto,
  { ephemeral, sealed }: V2Envelope,
  published: Uint8Array,
  secrets: { readonly x25519: Uint8Array; readonly mlKem768: Uint8Array },
): Uint8Array | undefined {
  const label = encodeUtf8('\\.//^\\')
  const ss = sha3_256(crypto, [secrets.mlKem768, secrets.x25519, ephemeral, published, label])
  return openWith(crypto, 'SessionV2MessageSS', ss, sealed)
}

/** A message without forward secrecy, by the secret that the account's key shares (DM2-06). */
export function openWithAccount(
  crypto: Crypto,
  { ephemeral, sealed }: V2Envelope,
  account: Uint8Array,
  shared: Uint8Array,
): Uint8Array | undefined {
  const ss = sha3_256(crypto, [shared, account, ephemeral, encodeUtf8('SessionV2NonPFS')])
  return openWith(crypto, 'SessionV2NonPFSSS', ss, sealed)
}

/** What a message says about its key: the first two bytes of the recipient's ML-KEM key (DM2-04). */
export function unmaskedIndicator(crypto: Crypto, { indicator, ephemeral }: V2Envelope, account: Uint8Array, shared: Uint8Array) {
  const mask = indicatorMask(crypto, ephemeral, account, shared)
  return encodeHex(indicator.map((byte, i) => byte ^ mask[i]!))
}

export function indicatorMask(crypto: Crypto, ephemeral: Uint8Array, account: Uint8Array, shared: Uint8Array): Uint8Array {
  return blake2b(crypto, INDICATOR_BYTES, [ephemeral, account], { key: shared, personal: 'Session-Msg-KISS' })
}

function openWith(crypto: Crypto, label: string, ss: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  const [key, nonce] = shake256(crypto, [encodeUtf8(label), ss], [KEY_BYTES, NONCE_BYTES])
  try {
    return xchacha20Poly1305Decrypt(crypto, key!, nonce!, sealed)
  } catch (cause) {
    if (cause instanceof CryptoError && cause.code === 'decrypt-failed') return undefined
    throw cause
  }
}

function secretOf(bytes: Uint8Array) {
  return Secret.of(bytes.slice(), 'x25519-secret')
}
