/**
 * Opening V1 messages. Everything they are sealed to is the account itself, so what does not open now will never open.
 *
 * Implements DM1-04, DM1-11, DM1-12.
 */
import { type Crypto, CryptoError, openSealedBox, wipe } from '@session-v2/crypto'
import type { Account } from '../account/account.ts'
import type { Content } from '../content/content.ts'
import { ProtocolError } from '../protocol-error.ts'
import { decodeEnvelope, type Envelope, unwrapEnvelope } from './envelope.ts'
import { BOX_BYTES } from './seal.ts'
import { SIGNATURE_BLOCK_BYTES, type SignedContent, verifyContent } from './signed-content.ts'

const MIN_SEALED_BYTES = BOX_BYTES + SIGNATURE_BLOCK_BYTES

/**
 * - `opened`: `sender` is proven. `timestampMs` (milliseconds since the epoch) and `proSignature` (64 bytes, not verified) are from
 *   the envelope, which is not signed: see `agreesWithEnvelope`.
 * - `no-key`: the sealed box is not for this account, or was altered on the way. No key that comes later will help.
 * - `malformed`: no V1 message, or one whose sender can be no account.
 * - `forged`: opened, but the sender did not sign it for this recipient.
 */
export type OpenV1Outcome =
  | (SignedContent & {
      readonly outcome: 'opened'
      readonly version: 'v1'
      readonly pfs: false
      readonly timestampMs: number
      readonly proSignature?: Uint8Array
    })
  | { readonly outcome: 'no-key'; readonly indicator?: undefined }
  | { readonly outcome: 'malformed'; readonly cause: ProtocolError }
  | { readonly outcome: 'forged' }

/** A V1 message as whoever passes it on sees it. */
export interface OutsideV1 extends Envelope {
  /** The bytes of the envelope. */
  readonly envelope: Uint8Array
}

/** What a V1 message shows to everyone: its envelope and, in it, the sealed box of at least 144 bytes. Throws `malformed`. */
export function decodeMessageV1(message: Uint8Array): OutsideV1 {
  const envelope = unwrapEnvelope(message)
  const decoded = decodeEnvelope(envelope)
  if (decoded.sealed.length < MIN_SEALED_BYTES) {
    throw new ProtocolError('malformed', 'DM1-04', `the sealed box of a V1 message cannot have ${decoded.sealed.length} bytes`)
  }
  return { envelope, ...decoded }
}

/** Opens a message to `account`. Never throws for what is in `message`. */
export function openMessageV1(crypto: Crypto, account: Account, message: Uint8Array): OpenV1Outcome {
  try {
    const { sealed, timestampMs, proSignature } = decodeMessageV1(message)
    const plaintext = openBox(crypto, account, sealed)
    if (plaintext === undefined) return { outcome: 'no-key' }
    const signed = verified(crypto, account, plaintext)
    const pro = proSignature === undefined ? {} : { proSignature }
    return { outcome: 'opened', version: 'v1', pfs: false, ...signed, timestampMs, ...pro }
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    return cause.code === 'forged' ? { outcome: 'forged' } : { outcome: 'malformed', cause }
  }
}

/**
 * False when a content says another time than its V1 envelope (milliseconds): then somebody wrote a new envelope around a sealed
 * box. A content that says no time agrees with every envelope.
 */
export function agreesWithEnvelope({ sigTimestamp }: Pick<Content, 'sigTimestamp'>, timestampMs: number): boolean {
  return sigTimestamp === undefined || sigTimestamp === BigInt(timestampMs)
}

/** undefined: not for us. */
function openBox(crypto: Crypto, { x25519 }: Account, sealed: Uint8Array): Uint8Array | undefined {
  try {
    return openSealedBox(crypto, x25519.publicKey, x25519.secretKey, sealed)
  } catch (cause) {
    if (!(cause instanceof CryptoError && cause.code === 'decrypt-failed')) throw cause
    return undefined
  }
}

function verified(crypto: Crypto, { x25519 }: Account, plaintext: Uint8Array): SignedContent {
  try {
    return verifyContent(crypto, x25519.publicKey, plaintext)
  } finally {
    wipe(plaintext)
  }
}
