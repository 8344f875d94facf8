/**
 * A config message: the whole state of a config, and what it takes to merge it with others.
 *
 *     d  #  seqno                                                            integer
 *        &  the data                                                         dict
 *        <  diffs of the messages before it, each  l seqno  hash (32)  diff e
 *        =  its own diff against the message before it
 *        ~  Ed25519 signature over all bytes before this key (groups only)   64 bytes                e
 *
 * Keys that are not known here stand at their place in the order and are kept. The hash of a message is the BLAKE2b-32 of all its
 * bytes. Each message repeats the diffs of the four before it.
 *
 * A message that is being edited remembers in `base` the data its diff starts from; it has no hash yet.
 *
 * Implements CFG-03, CFG-04, CFG-05, CFG-08, CFG-09.
 */
import { blake2b, type Crypto } from '@session-v2/crypto'
import {
  BtDictReader,
  BtDictWriter,
  type BtLimits,
  type BtValue,
  type ByteKey,
  compareBytes,
  decodeBt,
  encodeBt,
  encodeHex,
} from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'
import { readForm } from '../wire-form.ts'
import { type ConfigDiff, diffOf, NO_DIFF, parseDiff, parseSet } from './diff.ts'
import { CONFIG_DEPTH_MAX, type ConfigDict, type ConfigValue, EMPTY_DICT, isDict, pruned } from './value.ts'

/** How many past diffs a message can carry, counted in seqnos: those within 5 of its own. */
export const CONFIG_LAG = 5n
/** The largest plaintext that is read, in bytes. */
export const CONFIG_PLAINTEXT_MAX_BYTES = 5_000_000
/** The highest seqno that is taken from others, and the highest at all: far from where the next one would leave 64 bits. */
export const RECEIVED_SEQNO_MAX = 2n ** 61n
const SEQNO_MAX = 2n ** 62n
const HASH_BYTES = 32
const SIGNATURE_BYTES = 64
const LIMITS: BtLimits = { sizeBytes: CONFIG_PLAINTEXT_MAX_BYTES, depth: 24, values: 500_000 }

/** The diff of an earlier message. */
export interface ConfigRow {
  readonly seqno: bigint
  /** 32 bytes, of the message that it comes from. */
  readonly hash: Uint8Array
  readonly diff: ConfigDiff
}

interface ConfigContent {
  readonly seqno: bigint
  readonly data: ConfigDict
  /** Ascending by seqno, then hash. */
  readonly rows: readonly ConfigRow[]
  /** Top-level keys that are not known here, with their values. */
  readonly unknown: ReadonlyMap<ByteKey, BtValue>
}

/** A message as it was received or sent. */
export interface FixedMessage extends ConfigContent {
  readonly base?: undefined
  readonly diff: ConfigDiff
  /** 32 bytes. */
  readonly hash: Uint8Array
  /** Verified, 64 bytes. */
  readonly signature?: Uint8Array
}

/** A message that is being edited; its diff is from `base` to `data`. */
export interface EditedMessage extends ConfigContent {
  readonly base: ConfigDict
}

export type ConfigMessage = FixedMessage | EditedMessage

/** Who may write a signed config. Without both, messages are not signed, and signatures are dropped unread. */
export interface ConfigSigning {
  readonly sign?: (body: Uint8Array) => Uint8Array
  readonly verify?: (body: Uint8Array, signature: Uint8Array) => boolean
}

/** The message of a config that nobody has written to: seqno 0. */
export function emptyConfigMessage(crypto: Crypto): FixedMessage {
  const message = { seqno: 0n, data: EMPTY_DICT, rows: [], unknown: new Map(), base: EMPTY_DICT }
  return fixed(crypto, message, {})
}

/** The plaintext of a message. `sign: undefined` leaves a message without signature unsigned. */
export function encodeConfigMessage(message: ConfigMessage, { sign }: ConfigSigning): Uint8Array {
  const { seqno, unknown } = message
  const { data, diff } = settled(message)
  const fields = new Map<ByteKey, BtValue>(unknown)
    .set('#', seqno)
    .set('&', data)
    .set(
      '<',
      rowsWithin(message.rows, seqno).map(row => [row.seqno, row.hash, row.diff]),
    )
    .set('=', diff)
  const writer = new BtDictWriter()
  for (const key of [...fields.keys()].sort((a, b) => (a < b ? -1 : 1))) writer.raw(key, encodeBt(fields.get(key)!))
  const signature = message.base === undefined ? message.signature : undefined
  if (signature !== undefined) writer.bytes('~', signature)
  else if (sign !== undefined) writer.sign('~', sign)
  return writer.finish()
}

/** Data without what is empty, and the own diff. */
function settled(message: ConfigMessage): { readonly data: ConfigDict; readonly diff: ConfigDiff } {
  if (message.base === undefined) return message
  const data = pruned(message.data)
  return { data, diff: diffOf(message.base, data) }
}

/** The message as it is sent: not edited any more, with a hash. */
export function fixed(crypto: Crypto, message: ConfigMessage, signing: ConfigSigning): FixedMessage {
  if (message.base === undefined) return message
  const { seqno, rows, unknown } = message
  const hash = hashOf(crypto, encodeConfigMessage(message, signing))
  return { seqno, rows: rowsWithin(rows, seqno), unknown, ...settled(message), hash }
}

/** The message that follows, to be edited: seqno + 1, and the diff of `message` among its rows. */
export function nextMessage(crypto: Crypto, message: ConfigMessage, signing: ConfigSigning): EditedMessage {
  const { seqno, rows, hash, diff, data, unknown } = fixed(crypto, message, signing)
  if (seqno >= SEQNO_MAX) throw new ProtocolError('bad-input', 'CFG-03', `no config message follows the one with seqno ${seqno}`)
  return { seqno: seqno + 1n, data, base: data, unknown, rows: [...rowsWithin(rows, seqno), { seqno, hash, diff }] }
}

/** The hash of a message (32 bytes) by its plaintext. */
export function hashOf(crypto: Crypto, plaintext: Uint8Array): Uint8Array {
  return blake2b(crypto, HASH_BYTES, [plaintext])
}

/** A message, named by seqno and hash, for maps. */
export function nameOf({ seqno, hash }: Pick<FixedMessage, 'seqno' | 'hash'>): string {
  return `${seqno} ${encodeHex(hash)}`
}

/** The order of messages and rows: by seqno, then by hash. */
export function compareMessages(a: Pick<ConfigRow, 'seqno' | 'hash'>, b: Pick<ConfigRow, 'seqno' | 'hash'>): number {
  return a.seqno === b.seqno ? compareBytes(a.hash, b.hash) : a.seqno < b.seqno ? -1 : 1
}

function rowsWithin(rows: readonly ConfigRow[], seqno: bigint): readonly ConfigRow[] {
  return rows.filter(row => row.seqno > seqno - CONFIG_LAG && row.seqno < seqno)
}

/**
 * The message of its plaintext. With `verify` the signature must be there and right.
 * Throws `malformed`, and `forged` for a wrong signature.
 */
export function parseConfigMessage(crypto: Crypto, plaintext: Uint8Array, { verify }: ConfigSigning): FixedMessage {
  const fields = readForm('CFG-03', 'this is no config message', () => decodeBt(plaintext, LIMITS))
  if (!isDict(fields)) throw new ProtocolError('malformed', 'CFG-03', 'a config message is no dict')
  const keys = [...(fields as ReadonlyMap<ByteKey, BtValue>).keys()]
  const values = fields as ReadonlyMap<ByteKey, BtValue>
  const seqno = values.get('#')
  if (keys[0] !== '#' || typeof seqno !== 'bigint' || seqno < 0n || seqno > SEQNO_MAX)
    throw new ProtocolError('malformed', 'CFG-03', 'a config message does not begin with its seqno')
  const last = keys.at(-1)!
  if (last < '=' || last > '~')
    throw new ProtocolError('malformed', 'CFG-04', 'a config message ends before its diff, or after its signature')
  const signature = checkedSignature(plaintext, values.get('~'), verify)
  const unknown = new Map([...values].filter(([key]) => !KNOWN.has(key)))
  const own = values.get('=')
  const rows = values.get('<')
  return {
    seqno,
    data: parseData(values.get('&'), 1),
    rows: rows === undefined ? [] : parseRows(rows, seqno),
    diff: own === undefined ? NO_DIFF : parseDiff(own),
    unknown,
    hash: hashOf(crypto, plaintext),
    ...(signature === undefined ? {} : { signature }),
  }
}

const KNOWN: ReadonlySet<ByteKey> = new Set(['#', '&', '<', '=', '~'])

/** The signature if it was verified. */
function checkedSignature(
  plaintext: Uint8Array,
  signature: BtValue | undefined,
  verify: ConfigSigning['verify'],
): Uint8Array | undefined {
  if (signature !== undefined && !(signature instanceof Uint8Array && signature.length === SIGNATURE_BYTES))
    throw new ProtocolError('malformed', 'CFG-05', 'the signature of a config message has not 64 bytes')
  if (verify === undefined) return undefined
  if (signature === undefined) throw new ProtocolError('malformed', 'CFG-05', 'a config message of a group is not signed')
  const body = new BtDictReader(plaintext, LIMITS).bodyBefore('~')
  if (!verify(body, signature)) throw new ProtocolError('forged', 'CFG-05', 'the signature of a config message is wrong')
  return signature
}

function parseData(value: BtValue | undefined, depth: number): ConfigDict {
  if (value === undefined || !isDict(value)) throw new ProtocolError('malformed', 'CFG-04', 'the data of a config are no dict')
  if (depth > CONFIG_DEPTH_MAX)
    throw new ProtocolError('malformed', 'CFG-01', `dicts stand more than ${CONFIG_DEPTH_MAX} deep in a config`)
  for (const inner of (value as ReadonlyMap<ByteKey, BtValue>).values()) {
    const size = isDict(inner) ? parseData(inner, depth + 1).size : Array.isArray(inner) ? parseSet(inner).length : 1
    if (size === 0) throw new ProtocolError('malformed', 'CFG-02', 'the data of a config hold an empty set or dict')
  }
  return value as ReadonlyMap<ByteKey, ConfigValue>
}

/** Rows that are too old to be needed are left out unread. */
function parseRows(value: BtValue, seqno: bigint): readonly ConfigRow[] {
  if (!Array.isArray(value)) throw new ProtocolError('malformed', 'CFG-08', 'the past diffs of a config message are no list')
  const rows = (value as readonly BtValue[]).flatMap(item => parseRow(item, seqno) ?? [])
  const falls = rows.some((row, at) => at > 0 && compareMessages(rows[at - 1]!, row) >= 0)
  if (falls) throw new ProtocolError('malformed', 'CFG-08', 'the past diffs of a config message do not ascend')
  return rows
}

function parseRow(value: BtValue, messageSeqno: bigint): ConfigRow | undefined {
  const row: readonly BtValue[] = Array.isArray(value) ? value : []
  const [seqno, hash, diff] = row
  if (typeof seqno !== 'bigint' || seqno >= messageSeqno)
    throw new ProtocolError('malformed', 'CFG-08', 'a past diff has no seqno, or none before that of its message')
  if (seqno <= messageSeqno - CONFIG_LAG) return undefined
  if (row.length !== 3 || !(hash instanceof Uint8Array && hash.length === HASH_BYTES) || diff === undefined)
    throw new ProtocolError('malformed', 'CFG-08', 'a past diff is not a seqno, a hash of 32 bytes and a diff')
  return { seqno, hash, diff: parseDiff(diff) }
}
