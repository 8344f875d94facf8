/**
 * The state of a config as bytes, to be kept on this device. It holds the data in the clear: seal it.
 *
 *     d  !  phase: 0 clean, 1 dirty, 2 waiting                                        integer
 *        $  the plaintext of the message, not signed by us
 *        (  hash of the stored message; a list of them when it has parts or partial sets are kept
 *        )  hashes of obsolete messages                                               list
 *        *  sets of parts, by the hash of their whole                                 dict, only in the form with a list
 *              d  #  count, 0 when complete   T  when it expires, ms   p  list of  d  #  index  M  hash  d  chunk  e   e
 *        +  what the type keeps for this device alone                                 dict    e
 *
 * Implements CFG-28, CFG-29.
 */
import type { Crypto } from '@session-v2/crypto'
import {
  type BtDict,
  BtDictReader,
  BtDictWriter,
  type BtLimits,
  type BtValue,
  type ByteKey,
  decodeBt,
  decodeUtf8,
  encodeBt,
  encodeUtf8,
} from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'
import { readForm } from '../wire-form.ts'
import { type ConfigSigning, encodeConfigMessage, nextMessage, parseConfigMessage } from './message.ts'
import type { ConfigPartSet, ConfigPartSets, HeldPart } from './part-sets.ts'
import type { ConfigPhase, ConfigState } from './state.ts'
import { isDict } from './value.ts'

const PHASES: readonly ConfigPhase[] = ['clean', 'dirty', 'waiting']
const WHOLE_HASH_BYTES = 32
const PART_COUNT_MAX = 255
/** A message, the sets of parts, and hashes. */
const LIMITS: BtLimits = { sizeBytes: 40_000_000, depth: 16, values: 500_000 }

export interface DumpedConfig {
  /** The same, with no dump due. */
  readonly state: ConfigState
  readonly dump: Uint8Array
}

/** The bytes of a state. */
export function dumpConfig(state: ConfigState): DumpedConfig {
  const { phase, message, currentHashes, obsoleteHashes, partSets, extra } = state
  const writer = new BtDictWriter().integer('!', PHASES.indexOf(phase)).bytes('$', encodeConfigMessage(message, {}))
  const inParts = currentHashes.length > 1 || partSets.size > 0
  if (inParts) writer.raw('(', encodeBt(currentHashes.map(hash => encodeUtf8(hash))))
  else writer.bytes('(', encodeUtf8(currentHashes[0] ?? ''))
  writer.raw(')', encodeBt([...obsoleteHashes].sort().map(hash => encodeUtf8(hash))))
  if (inParts) writer.raw('*', encodeBt(new Map([...partSets].map(([name, set]) => [name, partSetValue(set)]))))
  const dump = writer.raw('+', encodeBt(extra)).finish()
  return { state: { ...state, dumpDue: false }, dump }
}

function partSetValue({ count, expiresAtMs, parts }: ConfigPartSet): BtDict {
  const set = new Map<ByteKey, BtValue>([
    ['#', BigInt(count)],
    ['T', BigInt(expiresAtMs)],
  ])
  if (count === 0) return set
  const list = [...parts].sort(([a], [b]) => a - b)
  return set.set(
    'p',
    list.map(([index, { hash, chunk }]) => {
      return new Map<ByteKey, BtValue>([
        ['#', BigInt(index)],
        ['M', encodeUtf8(hash)],
        ['d', chunk],
      ])
    }),
  )
}

/**
 * The state of its bytes. A state that was dirty begins the message that follows the one that was being edited (CFG-29).
 * Throws `malformed`.
 */
export function loadConfigDump(crypto: Crypto, dump: Uint8Array, signing: ConfigSigning = {}): ConfigState {
  return readForm('CFG-28', 'this is no dump of a config', () => {
    const reader = new BtDictReader(dump, LIMITS)
    const phase = PHASES[Number(reader.requireInteger('!'))]
    if (phase === undefined) throw new ProtocolError('malformed', 'CFG-28', 'a dump of a config is in no known phase')
    const plaintext = reader.requireBytes('$')
    // What was verified once needs no verifying; our own messages are kept without a signature.
    const isSigned = new BtDictReader(plaintext, LIMITS).optionalBytes('~') !== undefined
    const message = parseConfigMessage(crypto, plaintext, isSigned ? { verify: () => true } : {})
    const currentHashes = hashesOf(decodeBt(reader.requireRaw('('), LIMITS)).filter(hash => hash !== '')
    const obsoleteHashes = new Set(hashesOf(reader.requireList(')')))
    const partSets = parsePartSets(decodeBt(reader.optionalRaw('*') ?? encodeBt(new Map()), LIMITS))
    const extra = decodeBt(reader.requireRaw('+'), LIMITS)
    reader.finish({ unknown: 'allow' })
    if (!isDict(extra)) throw new ProtocolError('malformed', 'CFG-28', 'what a dump of a config keeps besides is no dict')
    const kept = phase === 'dirty' ? nextMessage(crypto, message, signing) : message
    return { phase, message: kept, currentHashes, obsoleteHashes, partSets, extra: extra as BtDict, dumpDue: false }
  })
}

/** One hash or a list of them. */
function hashesOf(value: BtValue): string[] {
  return (Array.isArray(value) ? (value as readonly BtValue[]) : [value]).map(hash => {
    if (!(hash instanceof Uint8Array)) throw new ProtocolError('malformed', 'CFG-28', 'a hash in a dump of a config is no text')
    return decodeUtf8(hash)
  })
}

function parsePartSets(value: BtValue): ConfigPartSets {
  const sets = dictOf(value)
  return new Map([...sets].map(([name, set]) => [sizedName(name), parsePartSet(dictOf(set))]))
}

function sizedName(name: ByteKey): ByteKey {
  if (name.length !== WHOLE_HASH_BYTES) throw new ProtocolError('malformed', 'CFG-28', 'a set of parts has no hash of 32 bytes')
  return name
}

function parsePartSet(set: BtDict): ConfigPartSet {
  const count = numberOf(set, '#', PART_COUNT_MAX)
  const list = set.get('p') ?? []
  const parts = new Map(count === 0 || !Array.isArray(list) ? [] : list.map(part => parsePart(dictOf(part))))
  return { count, expiresAtMs: numberOf(set, 'T', Number.MAX_SAFE_INTEGER), parts }
}

function parsePart(part: BtDict): [index: number, part: HeldPart] {
  const chunk = part.get('d')
  const hash = part.get('M')
  if (!(chunk instanceof Uint8Array && hash instanceof Uint8Array))
    throw new ProtocolError('malformed', 'CFG-28', 'a part in a dump of a config lacks its hash or its chunk')
  return [numberOf(part, '#', PART_COUNT_MAX), { hash: decodeUtf8(hash), chunk }]
}

function dictOf(value: BtValue): BtDict {
  if (!isDict(value)) throw new ProtocolError('malformed', 'CFG-28', 'a dump of a config has something else where a dict belongs')
  return value as BtDict
}

function numberOf(dict: BtDict, key: ByteKey, max: number): number {
  const value = dict.get(key)
  if (typeof value !== 'bigint' || value < 0n || value > BigInt(max))
    throw new ProtocolError('malformed', 'CFG-28', `a dump of a config has no number ${key}, or one out of range`)
  return Number(value)
}
