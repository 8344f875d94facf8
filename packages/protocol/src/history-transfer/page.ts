/**
 * A page of history, what a chunk carries:
 *
 *     d  M  list of messages, each
 *               d  I  message ID, by which a device knows a message it has                  16 bytes
 *                  b  text, UTF-8, not empty
 *                  c  account ID of the conversation                                        33 bytes
 *                  k  when the account key was made that it was sealed to, if known         integer
 *                  o  1: this account wrote it; 0: the other side did                       integer
 *                  p  how it travelled: "v2-pfs", "v2" or "v1"
 *                  r  when it was received                                                  integer
 *                  t  when it was sent                                                      integer   e
 *        N  dict of account IDs (33 bytes): the name that a conversation has, UTF-8                              e
 *
 * Times are in milliseconds since the epoch.
 *
 * Implements HT-10.
 */
import { x25519PublicKey } from '@session-v2/crypto'
import {
  type BtDict,
  BtDictReader,
  BtDictWriter,
  type BtLimits,
  type BtValue,
  byteKey,
  concatBytes,
  decodeBt,
  decodeHex,
  decodeUtf8,
  encodeHex,
  encodeUtf8,
  keyBytes,
} from '@session-v2/encoding'
import { type AccountId, accountIdBytes, accountIdOf } from '../account/account-id.ts'
import { ProtocolError } from '../protocol-error.ts'
import { readForm } from '../wire-form.ts'

/** A page that one chunk carries, and one that two carry, at most, in bytes. */
export const HISTORY_PAGE_MAX_BYTES = 57_000
export const HISTORY_SPLIT_PAGE_MAX_BYTES = 2 * HISTORY_PAGE_MAX_BYTES

const MESSAGE_ID_BYTES = 16
const ACCOUNT_ID_BYTES = 33
const ACCOUNT_PREFIX = 0x05
const PAGE_LIMITS: BtLimits = { sizeBytes: HISTORY_SPLIT_PAGE_MAX_BYTES, depth: 4, values: 20_000 }

/** How a message travelled: version, and whether it had forward secrecy. */
export type HandedProtocol = 'v2-pfs' | 'v2' | 'v1'

const PROTOCOLS: ReadonlySet<string> = new Set<HandedProtocol>(['v2-pfs', 'v2', 'v1'])

/** A message that is handed over. Times in milliseconds since the epoch. */
export interface HandedMessage {
  /** 32 hexadecimal digits. */
  readonly messageId: string
  readonly conversation: AccountId
  /** This account wrote it; otherwise the other side of the conversation did. */
  readonly outgoing: boolean
  readonly body: string
  readonly sentAtMs: number
  readonly receivedAtMs: number
  readonly protocol: HandedProtocol
  readonly keyCreatedAtMs?: number
}

export interface HistoryPage {
  readonly messages: readonly HandedMessage[]
  readonly names: ReadonlyMap<AccountId, string>
}

/** A message as a page lists it. Throws `bad-input` for what has no encoding: no text, a time that is none. */
export function encodeHandedMessage(message: HandedMessage): Uint8Array {
  const { messageId, conversation, outgoing, body, sentAtMs, receivedAtMs, protocol, keyCreatedAtMs } = message
  for (const timeMs of [sentAtMs, receivedAtMs, keyCreatedAtMs ?? 0]) requireTimeMs(timeMs, 'bad-input')
  const text = encodeUtf8(body)
  if (text.length === 0) throw new ProtocolError('bad-input', 'HT-10', 'a message without a text is not handed over')
  const writer = new BtDictWriter()
    .bytes('I', decodeHex(messageId, MESSAGE_ID_BYTES))
    .bytes('b', text)
    .bytes('c', accountIdBytes(conversation))
  if (keyCreatedAtMs !== undefined) writer.integer('k', keyCreatedAtMs)
  return writer
    .integer('o', outgoing ? 1 : 0)
    .bytes('p', encodeUtf8(protocol))
    .integer('r', receivedAtMs)
    .integer('t', sentAtMs)
    .finish()
}

/** A page of messages, encoded by `encodeHandedMessage`, and of names. Throws `bad-input` above 114,000 bytes. */
export function encodeHistoryPage(messages: readonly Uint8Array[], names: ReadonlyMap<AccountId, string>): Uint8Array {
  const named = new BtDictWriter()
  for (const id of [...names.keys()].sort()) named.bytes(byteKey(accountIdBytes(id)), encodeUtf8(names.get(id)!))
  const list = concatBytes(encodeUtf8('l'), ...messages, encodeUtf8('e'))
  const page = new BtDictWriter().raw('M', list).raw('N', named.finish()).finish()
  if (page.length > PAGE_LIMITS.sizeBytes)
    throw new ProtocolError('bad-input', 'HT-10', `a page of history cannot have ${page.length} bytes`)
  return page
}

/** The page of its bytes. Throws `malformed`. */
export function decodeHistoryPage(bytes: Uint8Array): HistoryPage {
  return readForm('HT-10', 'this is no page of history', () => {
    const reader = new BtDictReader(bytes, PAGE_LIMITS)
    const messages = reader.requireList('M').map(decodeHandedMessage)
    const names = decodeNames(reader.requireRaw('N'))
    reader.finish({ unknown: 'allow' })
    return { messages, names }
  })
}

function decodeHandedMessage(value: BtValue): HandedMessage {
  if (!(value instanceof Map)) throw new ProtocolError('malformed', 'HT-10', 'a message of a page is no dict')
  const message: BtDict = value
  const messageId = encodeHex(bytesOf(message, 'I', MESSAGE_ID_BYTES))
  const body = decodeUtf8(bytesOf(message, 'b'))
  const conversation = accountOf(bytesOf(message, 'c', ACCOUNT_ID_BYTES))
  const direction = message.get('o')
  const protocol = String.fromCharCode(...bytesOf(message, 'p').subarray(0, 16))
  if (body === '' || (direction !== 0n && direction !== 1n) || !PROTOCOLS.has(protocol))
    throw new ProtocolError('malformed', 'HT-10', 'a message of a page has no text, no direction or travelled in no known way')
  return {
    messageId,
    conversation,
    outgoing: direction === 1n,
    body,
    sentAtMs: timeOf(message, 't'),
    receivedAtMs: timeOf(message, 'r'),
    protocol: protocol as HandedProtocol,
    ...(message.has('k') ? { keyCreatedAtMs: timeOf(message, 'k') } : {}),
  }
}

function decodeNames(encoded: Uint8Array): ReadonlyMap<AccountId, string> {
  const names = decodeBt(encoded, PAGE_LIMITS)
  if (!(names instanceof Map)) throw new ProtocolError('malformed', 'HT-10', 'the names of a page are no dict')
  return new Map(
    [...(names as BtDict)].map(([key, name]) => {
      if (!(name instanceof Uint8Array)) throw new ProtocolError('malformed', 'HT-10', 'a name of a page is no text')
      return [accountOf(keyBytes(key)), decodeUtf8(name)]
    }),
  )
}

function bytesOf(message: BtDict, key: string, sizeBytes?: number): Uint8Array {
  const value = message.get(key)
  if (!(value instanceof Uint8Array) || (sizeBytes !== undefined && value.length !== sizeBytes))
    throw new ProtocolError('malformed', 'HT-10', `a message of a page has no ${key}, or one of another size`)
  return value
}

function timeOf(message: BtDict, key: string): number {
  const value = message.get(key)
  if (typeof value !== 'bigint') throw new ProtocolError('malformed', 'HT-10', `a message of a page has no time ${key}`)
  const timeMs = Number(value)
  requireTimeMs(timeMs, 'malformed')
  return timeMs
}

function accountOf(bytes: Uint8Array): AccountId {
  if (bytes.length !== ACCOUNT_ID_BYTES || bytes[0] !== ACCOUNT_PREFIX)
    throw new ProtocolError('malformed', 'HT-10', 'a page names a conversation that is no account')
  return accountIdOf(x25519PublicKey(bytes.subarray(1)))
}

function requireTimeMs(timeMs: number, code: 'bad-input' | 'malformed'): void {
  if (!(Number.isSafeInteger(timeMs) && timeMs >= 0))
    throw new ProtocolError(code, 'HT-10', `${timeMs} is not a time in whole milliseconds since the epoch`)
}
