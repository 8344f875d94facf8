/**
 * A part of the history, sealed to the device that asked and to nobody else:
 *
 *     d  D  ID of the device that sends                                                    32 bytes
 *        R  request ID                                                                     16
 *        h  1: the first half of a page; 2: the second one; missing: a whole page          integer
 *        i  index, from 0                                                                  integer
 *        l  1 in the last chunk, else missing                                              integer
 *        p  a page (`page.ts`), or half of one
 *        t  how many messages the hand-over has in all                                     integer
 *        ~  proof that the device D wrote it                                               32             e
 *
 * Implements HT-05, HT-06, HT-09, HT-11.
 */
import type { Crypto, Random, X25519KeyPair, X25519PublicKey } from '@session-v2/crypto'
import { wipe } from '@session-v2/crypto'
import { BtDictReader, BtDictWriter, type BtLimits, copyBytes, decodeHex } from '@session-v2/encoding'
import type { Account } from '../account/account.ts'
import type { ExpandedKeyPair } from '../account-keys/key-expansion.ts'
import { DEVICE_ID_BYTES, type DeviceId, deviceIdBytes, deviceIdOf } from '../device-group/device-id.ts'
import { ProtocolError } from '../protocol-error.ts'
import { readForm } from '../wire-form.ts'
import { HISTORY_MAX_CHUNKS } from './control.ts'
import { HISTORY_PAGE_MAX_BYTES } from './page.ts'
import { isProvenAuthor, PROOF_BYTES, proveAuthor } from './proof.ts'
import { type HistoryRequestId, historyRequestIdOf, REQUEST_ID_BYTES } from './request-id.ts'
import { type HistoryRecipient, openEnvelope, sealHistoryMessage } from './sealing.ts'

const CHUNK_LIMITS: BtLimits = { sizeBytes: 61_440, depth: 4, values: 100 }

export interface HistoryChunk {
  readonly requestId: HistoryRequestId
  readonly sender: DeviceId
  readonly index: number
  readonly isLast: boolean
  /** Messages of the whole hand-over. */
  readonly total: number
  /** At most 57,000 bytes. */
  readonly page: Uint8Array
  /** Of a page that is too long for one chunk. */
  readonly half?: 'first' | 'second'
}

/**
 * - `opened`: by a member of the group, to this device.
 * - `not-for-us`: of the account, and sealed to another key, or no chunk.
 * - `malformed`: no message of a hand-over, or one with a wrong form.
 * - `forged`: not signed by the account, or not by the member that it names, or with an earlier key of that member.
 */
export type OpenHistoryChunkOutcome =
  | { readonly outcome: 'opened'; readonly chunk: HistoryChunk }
  | { readonly outcome: 'not-for-us' }
  | { readonly outcome: 'malformed'; readonly cause: ProtocolError }
  | { readonly outcome: 'forged' }

/**
 * A chunk by the device with the device key `author`, sealed to the keys that the record of the asking device in the group has; never
 * give it keys from anywhere else. At most 58,600 bytes. Throws `bad-input` for a value out of its bounds, `malformed` for unusable keys.
 */
export function sealHistoryChunk(
  crypto: Crypto,
  random: Random,
  account: Account,
  recipient: HistoryRecipient,
  author: X25519KeyPair,
  chunk: HistoryChunk,
): Uint8Array {
  requireBounds(chunk, 'bad-input')
  const { requestId, sender, index, isLast, total, page, half } = chunk
  const writer = new BtDictWriter().bytes('D', deviceIdBytes(sender)).bytes('R', decodeHex(requestId))
  if (half !== undefined) writer.integer('h', half === 'first' ? 1 : 2)
  writer.integer('i', index)
  if (isLast) writer.integer('l', 1)
  const plaintext = writer
    .bytes('p', page)
    .integer('t', total)
    .sign('~', body => proveAuthor(crypto, author, recipient.x25519, body))
    .finish()
  try {
    return sealHistoryMessage(crypto, random, account, recipient, 'chunk', plaintext)
  } finally {
    wipe(plaintext)
  }
}

/**
 * Opens a chunk with the key pairs that this device has or had. Never throws for what is in `message`.
 * @param keyOf the X25519 device key that the record of a member has; undefined for a device that is no member
 */
export function openHistoryChunk(
  crypto: Crypto,
  account: Account,
  deviceKeys: readonly ExpandedKeyPair[],
  keyOf: (sender: DeviceId) => X25519PublicKey | undefined,
  message: Uint8Array,
): OpenHistoryChunkOutcome {
  try {
    const { opened } = openEnvelope(crypto, account, message, kind => (kind === 'chunk' ? deviceKeys : []))
    if (opened === undefined) return { outcome: 'not-for-us' }
    try {
      return { outcome: 'opened', chunk: readChunk(crypto, opened.pair, keyOf, opened.plaintext) }
    } finally {
      wipe(opened.padded)
    }
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    return cause.code === 'forged' ? { outcome: 'forged' } : { outcome: 'malformed', cause }
  }
}

function readChunk(
  crypto: Crypto,
  pair: ExpandedKeyPair,
  keyOf: (sender: DeviceId) => X25519PublicKey | undefined,
  plaintext: Uint8Array,
): HistoryChunk {
  return readForm('HT-09', 'the chunk opened but has a wrong form', () => {
    const reader = new BtDictReader(plaintext, CHUNK_LIMITS)
    const sender = deviceIdOf(reader.requireBytes('D', { size: DEVICE_ID_BYTES }))
    const requestId = historyRequestIdOf(reader.requireBytes('R', { size: REQUEST_ID_BYTES }))
    const half = reader.optionalInteger('h')
    const index = Number(reader.requireInteger('i'))
    const last = reader.optionalInteger('l')
    const page = reader.requireBytes('p')
    const total = Number(reader.requireInteger('t'))
    const body = reader.bodyBefore('~')
    const proof = reader.requireBytes('~', { size: PROOF_BYTES })
    const author = keyOf(sender)
    if (author === undefined || !isProvenAuthor(crypto, pair.x25519, author, body, proof))
      throw new ProtocolError('forged', 'HT-06', 'the chunk is not by the member that it names')
    reader.finish({ unknown: 'allow' })
    if (![undefined, 1n].includes(last) || ![undefined, 1n, 2n].includes(half))
      throw new ProtocolError('malformed', 'HT-09', 'a mark of the chunk has a value that it cannot have')
    const chunk = { requestId, sender, index, isLast: last === 1n, total, page: copyBytes(page) }
    requireBounds(chunk, 'malformed')
    return half === undefined ? chunk : { ...chunk, half: half === 1n ? 'first' : 'second' }
  })
}

function requireBounds({ index, total, page }: HistoryChunk, code: 'bad-input' | 'malformed'): void {
  const isIndex = Number.isSafeInteger(index) && index >= 0 && index < HISTORY_MAX_CHUNKS
  const isTotal = Number.isSafeInteger(total) && total >= 0
  if (!isIndex || !isTotal || page.length > HISTORY_PAGE_MAX_BYTES)
    throw new ProtocolError(code, 'HT-09', 'the index, the total or the page of the chunk is out of its bounds')
}
