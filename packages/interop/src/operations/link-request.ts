/** Link requests: what a device sends that wants to be let into a group. */
import { type Crypto, x25519, x25519PublicKey } from '@session-v2/crypto'
import { BtDictReader, encodeHex, equalBytes, xorBytes } from '@session-v2/encoding'
import {
  type AccountKey,
  accountFromSeed,
  accountKeyFromSeed,
  deviceRecordDigest,
  encodeDeviceRecord,
  linkRequestKey,
  openLinkRequest,
  sealLinkRequest,
} from '@session-v2/protocol'
import type { Fields } from '../fields.ts'
import { InteropError } from '../interop-error.ts'
import { type Answer, MAX_ACCOUNT_KEYS, type Operation, SEED_BYTES } from '../operation.ts'
import { linkSasOf } from './device-link.ts'
import { idOf, recordAnswer, recordOf } from './device-row.ts'

const X25519_PUBLIC_BYTES = 32
const PREFIX_BYTES = 2
/** The state of a device that asks. */
const PENDING = 1

/**
 * root_seed, link_x25519, device → message, plaintext, indices, sas, and the device and its digest as a reader sees them; E, prefix,
 * kiss and ki, of which the indicator is made; opened, if account_key_seeds are given
 */
export const buildLink: Operation = (context, input) => {
  const { crypto, random } = context
  const account = accountFromSeed(crypto, input.bytes('root_seed', SEED_BYTES))
  const linkX25519 = x25519PublicKey(input.bytes('link_x25519', X25519_PUBLIC_BYTES))
  const device = input.record('device')
  const record = recordOf(crypto, device)
  const { message, plaintext } = sealLinkRequest(crypto, random, account, linkX25519, idOf(device), record)
  const sas = linkSasOf(crypto, plaintext)
  return {
    message: encodeHex(message),
    plaintext: encodeHex(plaintext),
    ...indicatorAnswer(message, linkX25519),
    device: recordAnswer(idOf(device), PENDING, record),
    digest: encodeHex(deviceRecordDigest(crypto, encodeDeviceRecord(record))),
    indices: sas.indices,
    sas,
    ...(input.isSet('account_key_seeds') ? { opened: opened(crypto, input, message) } : {}),
  }
}

/**
 * root_seed, account_key_seeds, message → device, plaintext, digest, indices, sas, and what they were opened by: E, prefix, kiss, ki, key,
 * nonce, key_index. Fails with bad_format, bad_signature or not_for_us.
 */
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
  const keyIndex = keys.findIndex(({ x25519 }) => equalBytes(x25519.publicKey, opened.openedWith))
  const sas = linkSasOf(crypto, plaintext)
  return {
    device: recordAnswer(deviceId, PENDING, record),
    plaintext: encodeHex(plaintext),
    digest: encodeHex(digest),
    indices: sas.indices,
    sas,
    ...indicatorAnswer(message, opened.openedWith),
    ...keyAnswer(crypto, keys[keyIndex]!, message),
    key_index: keyIndex,
    decrypted: true,
  }
}

function indicatorAnswer(message: Uint8Array, linkX25519: Uint8Array): Answer {
  const reader = new BtDictReader(message)
  const [E, masked] = [reader.requireBytes('E'), reader.requireBytes('i')]
  const prefix = linkX25519.subarray(0, PREFIX_BYTES)
  return { E: encodeHex(E), prefix: encodeHex(prefix), kiss: encodeHex(xorBytes(masked, prefix)), ki: encodeHex(masked) }
}

function keyAnswer(crypto: Crypto, { x25519: pair }: AccountKey, message: Uint8Array): Answer {
  const E = x25519PublicKey(new BtDictReader(message).requireBytes('E'))
  const { key, nonce } = linkRequestKey(crypto, x25519(crypto, pair.secretKey, E), E, pair.publicKey)
  return { key: encodeHex(key), nonce: encodeHex(nonce) }
}
