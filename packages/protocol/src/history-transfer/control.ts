/**
 * What the devices of a group tell each other about a hand-over, sealed to the account key, so that all members read it:
 *
 *     ask   d  @  when it was asked, in milliseconds since the epoch                       integer
 *              D  ID of the device that asks                                              32 bytes
 *              R  request ID                                                              16
 *              s  only messages sent then or later, in milliseconds; all when it is missing   integer     e
 *
 *     ack   d  #  one more with each acknowledgement of the request                        integer
 *              D  ID of the device whose chunks are taken                                 32 bytes
 *              R  request ID                                                              16
 *              m  list of the indices from n on that are to be sent again, ascending          16 integers at most
 *              n  index of the first chunk that was not taken yet                         integer
 *              ~  proof that the device that asked wrote it                               32              e
 *
 * Implements HT-05, HT-07, HT-08, HT-11.
 */
import type { Crypto, Random, X25519KeyPair, X25519PublicKey } from '@session-v2/crypto'
import { wipe } from '@session-v2/crypto'
import { BtDictReader, BtDictWriter, type BtLimits, type BtValue, copyBytes, decodeHex, encodeBt } from '@session-v2/encoding'
import type { Account } from '../account/account.ts'
import type { AccountKey } from '../account-keys/account-key.ts'
import { DEVICE_ID_BYTES, type DeviceId, deviceIdBytes, deviceIdOf } from '../device-group/device-id.ts'
import { ProtocolError } from '../protocol-error.ts'
import { readForm } from '../wire-form.ts'
import { isProvenAuthor, PROOF_BYTES, proveAuthor } from './proof.ts'
import { type HistoryRequestId, historyRequestIdOf, REQUEST_ID_BYTES } from './request-id.ts'
import { type HistoryRecipient, openEnvelope, sealHistoryMessage } from './sealing.ts'

/** Chunks that lie in the swarm without being acknowledged, and so indices that an acknowledgement names, at most. */
export const HISTORY_WINDOW = 16
/** Chunks of one hand-over at most: some 60 GB. */
export const HISTORY_MAX_CHUNKS = 2 ** 20

const CONTROL_LIMITS: BtLimits = { sizeBytes: 4096, depth: 4, values: 100 }

export interface HistoryAsk {
  readonly requestId: HistoryRequestId
  readonly deviceId: DeviceId
  readonly askedAtMs: number
  readonly sinceMs?: number
}

export interface HistoryAck {
  readonly requestId: HistoryRequestId
  /** 1 and up. */
  readonly seqno: number
  /** Whose chunks are taken. */
  readonly sender: DeviceId
  readonly next: number
  /** Ascending, from `next` on and before `next` + 16. */
  readonly missing: readonly number[]
}

/** An acknowledgement as it came. That the device that asked wrote it is for `isProvenAck` to say. */
export interface ReceivedHistoryAck extends HistoryAck {
  readonly signedBody: Uint8Array
  /** 32 bytes. */
  readonly proof: Uint8Array
}

/**
 * - `ask`, `ack`: of the account, and sealed to an account key that is held.
 * - `not-for-us`: sealed to another key, or a chunk.
 * - `malformed`: no message of a hand-over, or one with a wrong form.
 * - `forged`: not signed by the account.
 */
export type OpenHistoryControlOutcome =
  | { readonly outcome: 'ask'; readonly ask: HistoryAsk }
  | { readonly outcome: 'ack'; readonly ack: ReceivedHistoryAck }
  | { readonly outcome: 'not-for-us' }
  | { readonly outcome: 'malformed'; readonly cause: ProtocolError }
  | { readonly outcome: 'forged' }

/** The ask of a device, sealed to the current account key. Throws `bad-input` for a time that is none, `malformed` for an unusable key. */
export function sealHistoryAsk(
  crypto: Crypto,
  random: Random,
  account: Account,
  accountKey: HistoryRecipient,
  ask: HistoryAsk,
): Uint8Array {
  for (const timeMs of [ask.askedAtMs, ask.sinceMs ?? 0]) requireCount(timeMs, Number.MAX_SAFE_INTEGER, 'bad-input', 'HT-07')
  const writer = new BtDictWriter()
    .integer('@', ask.askedAtMs)
    .bytes('D', deviceIdBytes(ask.deviceId))
    .bytes('R', decodeHex(ask.requestId))
  if (ask.sinceMs !== undefined) writer.integer('s', ask.sinceMs)
  return sealHistoryMessage(crypto, random, account, accountKey, 'ask', writer.finish())
}

/**
 * The acknowledgement by the device with the device key `author` to the sender with the device key `addressee`, sealed to the current
 * account key. Throws `bad-input` for indices out of their bounds, `malformed` for an unusable key.
 */
export function sealHistoryAck(
  crypto: Crypto,
  random: Random,
  account: Account,
  accountKey: HistoryRecipient,
  { author, addressee }: { readonly author: X25519KeyPair; readonly addressee: X25519PublicKey },
  ack: HistoryAck,
): Uint8Array {
  requireIndices(ack, 'bad-input')
  const plaintext = new BtDictWriter()
    .integer('#', ack.seqno)
    .bytes('D', deviceIdBytes(ack.sender))
    .bytes('R', decodeHex(ack.requestId))
    .raw('m', encodeBt(ack.missing.map(BigInt)))
    .integer('n', ack.next)
    .sign('~', body => proveAuthor(crypto, author, addressee, body))
    .finish()
  return sealHistoryMessage(crypto, random, account, accountKey, 'ack', plaintext)
}

/** Opens an ask or an acknowledgement with every account key held, rotated ones too. Never throws for what is in `message`. */
export function openHistoryControl(
  crypto: Crypto,
  account: Account,
  keys: readonly AccountKey[],
  message: Uint8Array,
): OpenHistoryControlOutcome {
  try {
    const { kind, opened } = openEnvelope(crypto, account, message, kind => (kind === 'chunk' ? [] : keys))
    if (opened === undefined) return { outcome: 'not-for-us' }
    try {
      return kind === 'ask'
        ? { outcome: 'ask', ask: readAsk(opened.plaintext) }
        : { outcome: 'ack', ack: readAck(opened.plaintext) }
    } finally {
      wipe(opened.padded)
    }
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    return cause.code === 'forged' ? { outcome: 'forged' } : { outcome: 'malformed', cause }
  }
}

/** Whether the device with the X25519 device key `author` wrote an acknowledgement to the holder of one of the pairs. */
export function isProvenAck(
  crypto: Crypto,
  pairs: readonly { readonly x25519: X25519KeyPair }[],
  author: X25519PublicKey,
  { signedBody, proof }: ReceivedHistoryAck,
): boolean {
  return pairs.some(pair => isProvenAuthor(crypto, pair.x25519, author, signedBody, proof))
}

function readAsk(plaintext: Uint8Array): HistoryAsk {
  return readForm('HT-07', 'the ask opened but has a wrong form', () => {
    const reader = new BtDictReader(plaintext, CONTROL_LIMITS)
    const askedAtMs = countOf(reader.requireInteger('@'), 'HT-07')
    const deviceId = deviceIdOf(reader.requireBytes('D', { size: DEVICE_ID_BYTES }))
    const requestId = historyRequestIdOf(reader.requireBytes('R', { size: REQUEST_ID_BYTES }))
    const since = reader.optionalInteger('s')
    reader.finish({ unknown: 'allow' })
    return { requestId, deviceId, askedAtMs, ...(since === undefined ? {} : { sinceMs: countOf(since, 'HT-07') }) }
  })
}

function readAck(plaintext: Uint8Array): ReceivedHistoryAck {
  return readForm('HT-08', 'the acknowledgement opened but has a wrong form', () => {
    const reader = new BtDictReader(plaintext, CONTROL_LIMITS)
    const seqno = countOf(reader.requireInteger('#'), 'HT-08')
    const sender = deviceIdOf(reader.requireBytes('D', { size: DEVICE_ID_BYTES }))
    const requestId = historyRequestIdOf(reader.requireBytes('R', { size: REQUEST_ID_BYTES }))
    const missing = reader.requireList('m').map(item => countOf(item, 'HT-08'))
    const next = countOf(reader.requireInteger('n'), 'HT-08')
    const signedBody = copyBytes(reader.bodyBefore('~'))
    const proof = copyBytes(reader.requireBytes('~', { size: PROOF_BYTES }))
    reader.finish({ unknown: 'allow' })
    const ack = { requestId, seqno, sender, next, missing, signedBody, proof }
    requireIndices(ack, 'malformed')
    return ack
  })
}

function requireIndices({ seqno, next, missing }: HistoryAck, code: 'bad-input' | 'malformed'): void {
  requireCount(seqno, Number.MAX_SAFE_INTEGER, code, 'HT-08')
  requireCount(next, HISTORY_MAX_CHUNKS, code, 'HT-08')
  const isAscending = missing.every((index, at) => at === 0 || index > missing[at - 1]!)
  const isInWindow = missing.every(index => Number.isSafeInteger(index) && index >= next && index < next + HISTORY_WINDOW)
  if (!isAscending || !isInWindow)
    throw new ProtocolError(code, 'HT-08', 'the chunks to be sent again are not ascending, or beyond the window')
}

function requireCount(value: number, most: number, code: 'bad-input' | 'malformed', clause: 'HT-07' | 'HT-08'): void {
  if (!(Number.isSafeInteger(value) && value >= 0 && value <= most))
    throw new ProtocolError(code, clause, `${value} is no number from 0 to ${most}`)
}

function countOf(value: BtValue, clause: 'HT-07' | 'HT-08'): number {
  if (typeof value !== 'bigint' || value < 0n || value > Number.MAX_SAFE_INTEGER)
    throw new ProtocolError('malformed', clause, 'a number of a hand-over is negative or too great')
  return Number(value)
}
