/**
 * What a backup holds, as a stream of records.
 *
 * | bytes | field | |
 * |---|---|---|
 * | 1 | kind | below |
 * | 4 | size | of what follows, little endian; 1 MiB at most |
 * | size | | a JSON object in UTF-8; members that are not known are skipped |
 *
 * | kind | record | how often, in this order |
 * |---|---|---|
 * | 1 | account | once |
 * | 2 | settings | once |
 * | 3 | message | any number, in the order in which they were written down |
 * | 4 | conversation | one for each, after the messages |
 * | 255 | end: how many messages and conversations there were | once, and nothing behind it |
 *
 * What a thief who opens a backup has: the recovery password, and with it the account from now on; what was written, with whom and when;
 * the choices of the person. What they have not: account keys, device keys, the device group, what recipients' keys are. So nothing that
 * was recorded on its way opens with it, neither what came before the backup and was deleted nor what comes after, and the thief is no
 * device of the group. Nor is there anything to be sent: a message that still waits is in it as one that waits.
 *
 * Implements BK-07 to BK-10.
 */
import { concatBytes, decodeUtf8, EncodingError, encodeUtf8, readUint32Le, uint32Le } from '@session-v2/encoding'
import { type AccountId, ProtocolError, parseAccountId } from '@session-v2/protocol'
import { isName } from '../account-record.ts'
import { ClientError } from '../client-error.ts'
import type { MessageProtocol, MessageRecord, MessageState } from '../messages/message-log.ts'
import type { DowngradePolicy, Settings } from '../settings.ts'
import { damaged } from './backup-header.ts'

export interface BackupAccount {
  readonly kind: 'account'
  readonly accountId: AccountId
  /** 32 bytes in hexadecimal. */
  readonly seed: string
  readonly name: string
  /** When it was made: it is a picture of that moment, but for states that changed while it was written. */
  readonly createdAtMs: number
  /** Messages that it is to have, for who shows how far it is. */
  readonly messages: number
}

export interface BackupSettings {
  readonly kind: 'settings'
  readonly settings: Settings
}

export interface BackupMessage {
  readonly kind: 'message'
  readonly message: MessageRecord
}

export interface BackupConversation {
  readonly kind: 'conversation'
  readonly id: AccountId
  readonly unread: number
  readonly name?: string
}

export interface BackupEnd {
  readonly kind: 'end'
  readonly messages: number
  readonly conversations: number
}

export type BackupRecord = BackupAccount | BackupSettings | BackupMessage | BackupConversation | BackupEnd
/** A record of a kind that a later version added. */
export interface UnknownRecord {
  readonly kind: 'unknown'
}

const KINDS: Readonly<Record<number, BackupRecord['kind']>> = {
  1: 'account',
  2: 'settings',
  3: 'message',
  4: 'conversation',
  255: 'end',
}
const NUMBERS = new Map(Object.entries(KINDS).map(([number, kind]) => [kind, Number(number)]))

const FRAME_BYTES = 5
/** The longest message that a swarm stores, every byte of it escaped, is half of that. */
export const RECORD_MAX_BYTES = 1_048_576

type Members = Readonly<Record<string, unknown>>

/** A record as bytes. @throws ClientError `store-damaged` for one that is too long, which no message is */
export function encodeBackupRecord({ kind, ...record }: BackupRecord): Uint8Array {
  const members = 'message' in record ? messageMembers(record.message) : 'settings' in record ? record.settings : record
  const json = encodeUtf8(JSON.stringify(members))
  if (json.length > RECORD_MAX_BYTES) throw new ClientError('store-damaged', 'A record of the account is too long for a backup.')
  return concatBytes(Uint8Array.of(NUMBERS.get(kind)!), uint32Le(json.length), json)
}

/**
 * The records of a stream of plaintext. At most one record and one part are held.
 * @param isLater whether kinds that are not known are skipped
 * @throws ClientError `backup-damaged` for what is no record: whoever sealed it made it so
 */
export async function* decodeBackupRecords(
  parts: AsyncIterable<Uint8Array>,
  isLater: boolean,
): AsyncGenerator<BackupRecord | UnknownRecord> {
  let self: AccountId | undefined
  let held: Uint8Array = new Uint8Array(0)
  for await (const part of parts) {
    held = joined(held, part)
    let at = 0
    for (; held.length - at >= FRAME_BYTES; ) {
      const [number, sizeBytes] = [held[at]!, readUint32Le(held, at + 1)]
      if (sizeBytes > RECORD_MAX_BYTES) throw damaged()
      const end = at + FRAME_BYTES + sizeBytes
      if (end > held.length) break
      const kind = KINDS[number]
      if (kind === undefined && !isLater) throw damaged()
      const record = kind === undefined ? { kind: 'unknown' as const } : parsed(kind, held.subarray(at + FRAME_BYTES, end), self)
      if (record.kind === 'account') self = record.accountId
      yield record
      at = end
    }
    held = held.subarray(at)
  }
  if (held.length > 0) throw damaged()
}

function joined(held: Uint8Array, part: Uint8Array): Uint8Array {
  if (held.length === 0) return part
  return concatBytes(held, part)
}

function messageMembers(message: MessageRecord): Members {
  const { messageId, conversation, outgoing, body, sentAtMs, receivedAtMs, protocol, state, keyCreatedAtMs, hashes } = message
  return { messageId, conversation, outgoing, body, sentAtMs, receivedAtMs, protocol, state, keyCreatedAtMs, hashes }
}

function parsed(kind: BackupRecord['kind'], bytes: Uint8Array, self: AccountId | undefined): BackupRecord {
  const members = membersOf(bytes)
  // Nothing can be said of a record before it is known whose it is.
  if ((kind === 'account') !== (self === undefined)) throw damaged()
  if (kind === 'account') return parseAccount(members)
  if (kind === 'settings') return { kind, settings: { downgradePolicy: oneOf(members.downgradePolicy, POLICIES) } }
  if (kind === 'message') return { kind, message: parseMessage(members, self!) }
  if (kind === 'conversation') return parseConversation(members)
  return { kind, messages: count(members.messages), conversations: count(members.conversations) }
}

function membersOf(bytes: Uint8Array): Members {
  try {
    const value: unknown = JSON.parse(decodeUtf8(bytes))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof EncodingError || cause instanceof RangeError)) throw cause
    throw damaged(cause)
  }
  throw damaged()
}

const POLICIES: readonly DowngradePolicy[] = ['strict', 'ask', 'allow']
const PROTOCOLS: readonly MessageProtocol[] = ['v2-pfs', 'v2', 'v1']
const OUTGOING_STATES: readonly MessageState[] = ['queued', 'held', 'stored']
const HASH_MAX_CHARACTERS = 128

function parseAccount(members: Members): BackupAccount {
  const name = text(members.name)
  if (!isName(name)) throw damaged()
  const createdAtMs = time(members.createdAtMs)
  const own = { accountId: accountId(members.accountId), seed: hex(members.seed, 64), name }
  return { kind: 'account', ...own, createdAtMs, messages: count(members.messages) }
}

function parseConversation(members: Members): BackupConversation {
  const name = members.name === undefined ? undefined : text(members.name)
  if (name !== undefined && !isName(name)) throw damaged()
  const unread = count(members.unread)
  return { kind: 'conversation', id: accountId(members.id), unread, ...(name === undefined ? {} : { name }) }
}

/** Who sent it follows from whose backup it is. It was not received here: this device never saw its signature. */
function parseMessage(members: Members, self: AccountId): MessageRecord {
  const { outgoing, hashes, keyCreatedAtMs } = members
  const conversation = accountId(members.conversation)
  const protocol = oneOf(members.protocol, PROTOCOLS)
  if (typeof outgoing !== 'boolean') throw damaged()
  return {
    messageId: hex(members.messageId, 32),
    conversation,
    sender: outgoing ? self : conversation,
    outgoing,
    body: text(members.body),
    sentAtMs: time(members.sentAtMs),
    receivedAtMs: time(members.receivedAtMs),
    protocol,
    pfs: protocol === 'v2-pfs',
    state: oneOf(members.state, outgoing ? OUTGOING_STATES : ['received']),
    ...(keyCreatedAtMs === undefined ? {} : { keyCreatedAtMs: time(keyCreatedAtMs) }),
    handedOver: true,
    ...(hashes === undefined ? {} : { hashes: parseHashes(hashes) }),
  }
}

function parseHashes(value: unknown): NonNullable<MessageRecord['hashes']> {
  if (typeof value !== 'object' || value === null) throw damaged()
  const { recipient, own } = value as Members
  return {
    ...(recipient === undefined ? {} : { recipient: hash(recipient) }),
    ...(own === undefined ? {} : { own: hash(own) }),
  }
}

function hash(value: unknown): string {
  const characters = text(value)
  if (characters === '' || characters.length > HASH_MAX_CHARACTERS) throw damaged()
  return characters
}

function text(value: unknown): string {
  if (typeof value !== 'string' || !value.isWellFormed()) throw damaged()
  return value
}

function hex(value: unknown, digits: number): string {
  const characters = text(value)
  if (characters.length !== digits || !/^[0-9a-f]*$/.test(characters)) throw damaged()
  return characters
}

function accountId(value: unknown): AccountId {
  try {
    return parseAccountId(text(value))
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw damaged(cause)
  }
}

function count(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw damaged()
  return value as number
}

/** A clock may give parts of milliseconds. */
function time(value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) throw damaged()
  return value
}

function oneOf<T extends string>(value: unknown, values: readonly T[]): T {
  const found = values.find(one => one === value)
  if (found === undefined) throw damaged()
  return found
}
