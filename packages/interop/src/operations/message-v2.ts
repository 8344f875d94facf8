/** Messages: sealing, of version 2, and opening, of any. */
import type { Crypto } from '@session-v2/crypto'
import { encodeHex } from '@session-v2/encoding'
import {
  accountFromSeed,
  accountKeyFromSeed,
  type Keyring,
  keyringOf,
  messageVersion,
  type OpenMessageOutcome,
  openMessage,
  parseAccountId,
  prepareRecipient,
  sealMessageV2,
  sealMessageV2NoPfs,
} from '@session-v2/protocol'
import type { Fields } from '../fields.ts'
import { InteropError, type InteropErrorCode } from '../interop-error.ts'
import { type Context, MAX_ACCOUNT_KEYS, type Operation, SEED_BYTES } from '../operation.ts'
import { outgoing, sealV1 } from './message-v1.ts'

const SEALERS = new Map([
  ['v2-pfs', sealPfs],
  ['v2-nopfs', sealNoPfs],
  ['v1', sealV1],
])

/** version, sender_seed, recipient_session_id, account_key_seed (v2-pfs), content, timestamp_ms (v1), pro_seed (optional) → message */
export const seal: Operation = (context, input) => {
  const sealer = SEALERS.get(input.text('version'))
  if (sealer === undefined) throw new InteropError('bad-input', `version is not one of ${[...SEALERS.keys()].join(', ')}`)
  return { message: encodeHex(sealer(context, input)) }
}

/** As `seal` with v2-pfs → ciphertext, size */
export const sealPfsKind: Operation = (context, input) => ciphertextAndSize(sealPfs(context, input))

/** As `seal` with v2-nopfs → ciphertext, size */
export const sealNoPfsKind: Operation = (context, input) => ciphertextAndSize(sealNoPfs(context, input))

/**
 * recipient_seed, account_key_seeds (current first), message or ciphertext → version, pfs, sender_session_id, sender_ed25519,
 * content, pro_signature (if there). Fails with bad_format, unknown_version, no_pfs_key or, for version 1, decrypt_failed.
 */
export const open: Operation = ({ crypto }, input) => {
  const account = accountFromSeed(crypto, input.bytes('recipient_seed', SEED_BYTES))
  const keyring = keyringOfSeeds(crypto, input.bytesList('account_key_seeds', SEED_BYTES, MAX_ACCOUNT_KEYS))
  const message = input.bytes(input.isSet('message') ? 'message' : 'ciphertext')
  const opened = openMessage(crypto, account, keyring, message)
  if (opened.outcome !== 'opened') {
    // Other implementations do not say what is wrong with a message of version 1.
    if (messageVersion(message) === 'v1') throw new InteropError('decrypt_failed', textOf(opened))
    throw new InteropError(REFUSALS[opened.outcome][0], textOf(opened))
  }
  return {
    version: opened.version,
    pfs: opened.pfs,
    sender_session_id: opened.sender,
    sender_ed25519: encodeHex(opened.senderEd25519),
    content: encodeHex(opened.content),
    ...(opened.proSignature === undefined ? {} : { pro_signature: encodeHex(opened.proSignature) }),
  }
}

function sealPfs({ crypto, random }: Context, input: Fields): Uint8Array {
  const { x25519, mlKem768 } = accountKeyFromSeed(crypto, input.bytes('account_key_seed', SEED_BYTES), 0)
  const keys = { x25519: x25519.publicKey, mlKem768: mlKem768.publicKey }
  const recipient = prepareRecipient(crypto, parseAccountId(input.text('recipient_session_id')), keys)
  return sealMessageV2(crypto, random, { ...outgoing(crypto, input), recipient })
}

function sealNoPfs({ crypto, random }: Context, input: Fields): Uint8Array {
  const recipient = parseAccountId(input.text('recipient_session_id'))
  return sealMessageV2NoPfs(crypto, random, { ...outgoing(crypto, input), recipient })
}

/** Times do not matter here, only the order they stand for. */
function keyringOfSeeds(crypto: Crypto, seeds: readonly Uint8Array[]): Keyring {
  const distinct = [...new Map(seeds.map(seed => [encodeHex(seed), seed])).values()]
  const keys = distinct.map((seed, at) => {
    const createdAtS = distinct.length - at
    return accountKeyFromSeed(crypto, seed, createdAtS, at === 0 ? undefined : createdAtS)
  })
  return keyringOf(keys)
}

const REFUSALS: Readonly<Record<Exclude<OpenMessageOutcome['outcome'], 'opened'>, [InteropErrorCode, string]>> = {
  malformed: ['bad_format', 'the message is malformed'],
  // Whatever is wrong once a key has fitted is a question of form to other implementations, a bad signature too.
  forged: ['bad_format', 'the signature of the message is wrong'],
  'unknown-version': ['unknown_version', 'the message has a version of the future'],
  'no-key': ['no_pfs_key', 'none of the keys opens the message'],
}

function textOf(closed: Exclude<OpenMessageOutcome, { outcome: 'opened' }>): string {
  return closed.outcome === 'malformed' ? closed.cause.message : REFUSALS[closed.outcome][1]
}

function ciphertextAndSize(message: Uint8Array) {
  return { ciphertext: encodeHex(message), size: message.length }
}
