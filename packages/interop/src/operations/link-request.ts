/** Link requests: what a device sends that wants to be let into a group. */
import { type Crypto, x25519PublicKey } from '@session-v2/crypto'
import { BtDictReader, encodeHex } from '@session-v2/encoding'
import {
  accountFromSeed,
  accountKeyFromSeed,
  deviceRecordDigest,
  EMOJI,
  encodeDeviceRecord,
  linkAuthenticationString,
  openLinkRequest,
  sealLinkRequest,
} from '@session-v2/protocol'
import type { Fields } from '../fields.ts'
import { InteropError } from '../interop-error.ts'
import { type Answer, type Operation, SEED_BYTES } from '../operation.ts'
import { idOf, recordAnswer, recordOf } from './device-row.ts'

const X25519_PUBLIC_BYTES = 32
const MAX_ACCOUNT_KEYS = 100
const PREFIX_BYTES = 2
/** The state of a device that asks. */
const PENDING = 1

/**
 * root_seed, link_x25519, device → message, plaintext, indices, sas, and the device and its digest as a reader sees them; opened, if
 * account_key_seeds are given
 */
export const buildLink: Operation = (context, input) => {
  const { crypto, random } = context
  const account = accountFromSeed(crypto, input.bytes('root_seed', SEED_BYTES))
  const linkX25519 = x25519PublicKey(input.bytes('link_x25519', X25519_PUBLIC_BYTES))
  const device = input.record('device')
  const record = recordOf(crypto, device)
  const { message, plaintext } = sealLinkRequest(crypto, random, account, linkX25519, idOf(device), record)
  const sas = sasOf(crypto, plaintext)
  return {
    message: encodeHex(message),
    plaintext: encodeHex(plaintext),
    E: encodeHex(new BtDictReader(message).requireBytes('E')),
    prefix: encodeHex(linkX25519.subarray(0, PREFIX_BYTES)),
    device: recordAnswer(idOf(device), PENDING, record),
    digest: encodeHex(deviceRecordDigest(crypto, encodeDeviceRecord(record))),
    indices: sas.indices,
    sas,
    ...(input.has('account_key_seeds') ? { opened: opened(crypto, input, message) } : {}),
  }
}

/** root_seed, account_key_seeds, message → device, plaintext, digest, indices, sas. Fails with bad_format, bad_signature or not_for_us. */
export const openLink: Operation = ({ crypto }, input) => opened(crypto, input, input.bytes('message'))

function opened(crypto: Crypto, input: Fields, message: Uint8Array): Answer {
  const account = accountFromSeed(crypto, input.bytes('root_seed', SEED_BYTES))
  const seeds = input.bytesList('account_key_seeds', SEED_BYTES, MAX_ACCOUNT_KEYS)
  const keys = seeds.map(seed => accountKeyFromSeed(crypto, seed, 0))
  const opened = openLinkRequest(crypto, account, keys, message)
  if (opened.outcome === 'malformed') throw new InteropError('bad_format', opened.cause.message)
  if (opened.outcome === 'forged') throw new InteropError('bad_signature', 'the account did not sign the request')
  if (opened.outcome === 'no-key') throw new InteropError('not_for_us', 'none of the account keys opens the request')
  const { deviceId, record, digest, plaintext } = opened.request
  const sas = sasOf(crypto, plaintext)
  return {
    device: recordAnswer(deviceId, PENDING, record),
    plaintext: encodeHex(plaintext),
    digest: encodeHex(digest),
    indices: sas.indices,
    sas,
  }
}

function sasOf(crypto: Crypto, plaintext: Uint8Array) {
  const { indices, salt, seed } = linkAuthenticationString(crypto, plaintext)
  return { indices, emoji: indices.map(index => EMOJI[index]!.emoji), salt: encodeHex(salt), seed: encodeHex(seed) }
}
