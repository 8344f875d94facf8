/**
 * What a config holds: 64-bit integers, byte strings, sets of both, and dicts of all of these.
 *
 * | value | held as | encoded as |
 * |---|---|---|
 * | integer | bigint | bt integer |
 * | byte string | Uint8Array | bt byte string |
 * | set | array, ascending, without repetition | bt list |
 * | dict | map from byte keys | bt dict |
 *
 * In a set integers stand before byte strings; integers ascend by value, byte strings by their bytes. The integer 1 and the string
 * "1" differ. Values are never changed in place. Every value is a bt value, so it is encoded as it is.
 *
 * Implements CFG-01, CFG-02.
 */
import { type BtValue, type ByteKey, byteKey, compareBytes, equalBytes, INT64_MAX, INT64_MIN } from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'

export type ConfigScalar = bigint | Uint8Array
/** Ascending, no element twice: made by `configSet`. */
export type ConfigSet = readonly ConfigScalar[]
export type ConfigDict = ReadonlyMap<ByteKey, ConfigValue>
export type ConfigValue = ConfigScalar | ConfigSet | ConfigDict

/** How deep dicts may stand in one another. The deepest that clients write is five. */
export const CONFIG_DEPTH_MAX = 16

export const EMPTY_DICT: ConfigDict = new Map()

type ConfigKindOfValue = 'scalar' | 'set' | 'dict'

/** Whether a value, or what a diff says of one, is a scalar, a set or a dict. */
export function kindOf(value: BtValue): ConfigKindOfValue {
  if (typeof value === 'bigint' || value instanceof Uint8Array) return 'scalar'
  return isDict(value) ? 'dict' : 'set'
}

/** Whether a value of a config, a diff or bt-encoding is a dict. */
export function isDict<T>(value: T): value is T & ReadonlyMap<ByteKey, never> {
  return value instanceof Map
}

/** Whether a value is a set. */
export function isSet(value: ConfigValue | undefined): value is ConfigSet {
  return Array.isArray(value)
}

/** The order of elements of a set: negative when a stands before b, 0 when they are the same. */
export function compareScalars(a: ConfigScalar, b: ConfigScalar): number {
  if (typeof a === 'bigint') return typeof b !== 'bigint' || a < b ? -1 : a === b ? 0 : 1
  return typeof b === 'bigint' ? 1 : compareBytes(a, b)
}

/** The set of these elements, in any order and any number of times. */
export function configSet(elements: Iterable<ConfigScalar>): ConfigSet {
  const sorted = [...elements].sort(compareScalars)
  return sorted.filter((element, at) => at === 0 || compareScalars(sorted[at - 1]!, element) !== 0)
}

/** Elements of `from` that are not in `without`. */
export function setDifference(from: ConfigSet, without: ConfigSet): ConfigSet {
  const gone = new Set(without.map(scalarKey))
  return from.filter(element => !gone.has(scalarKey(element)))
}

/** Equal values of equal kinds. */
export function equalValues(a: ConfigValue | undefined, b: ConfigValue | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined) return false
  if (isDict(a)) {
    if (!isDict(b) || a.size !== b.size) return false
    return [...(a as ConfigDict)].every(([key, value]) => equalValues(value, (b as ConfigDict).get(key)))
  }
  if (isSet(a)) return isSet(b) && a.length === b.length && a.every((element, at) => compareScalars(element, b[at]!) === 0)
  return a instanceof Uint8Array && b instanceof Uint8Array && equalBytes(a, b)
}

/** The dict without sets and dicts that are empty, however deep. The same dict when there are none. */
export function pruned(dict: ConfigDict): ConfigDict {
  let changed = false
  const kept = new Map<ByteKey, ConfigValue>()
  for (const [key, value] of dict) {
    const inner = isDict(value) ? pruned(value) : value
    if (inner !== value) changed = true
    if (isEmpty(inner)) changed = true
    else kept.set(key, inner)
  }
  return changed ? kept : dict
}

/** Whether a value is a set or dict with nothing in it. */
export function isEmpty(value: ConfigValue): boolean {
  return isDict(value) ? (value as ConfigDict).size === 0 : isSet(value) && value.length === 0
}

/**
 * `depth`: in how many dicts the value stands, that of the config counted, plus 1.
 * Throws `bad-input` for what a config cannot hold: integers beyond 64 bits, sets out of order, keys that are no bytes, too deep.
 */
export function requireConfigValue(value: ConfigValue, depth: number): void {
  if (depth > CONFIG_DEPTH_MAX + 1) throw refusal(`dicts stand more than ${CONFIG_DEPTH_MAX} deep`)
  if (typeof value === 'bigint') {
    if (value < INT64_MIN || value > INT64_MAX) throw refusal(`${value} is not a signed 64-bit integer`)
  } else if (isSet(value)) {
    requireAscending(value)
    for (const element of value) requireConfigValue(element, depth)
  } else if (isDict(value)) {
    for (const [key, inner] of value as ConfigDict) {
      requireKey(key)
      requireConfigValue(inner, depth + 1)
    }
  } else if (!(value instanceof Uint8Array)) throw refusal('it holds what is no value of a config')
}

/** Throws `bad-input` for a key with a character that is not a byte. */
export function requireKey(key: ByteKey): void {
  for (let i = 0; i < key.length; i++) {
    if (key.charCodeAt(i) > 0xff) throw refusal(`the key ${JSON.stringify(key)} is no byte string`)
  }
}

function requireAscending(set: ConfigSet): void {
  const falls = set.some((element, at) => at > 0 && compareScalars(set[at - 1]!, element) >= 0)
  if (falls) throw refusal('a set has elements that do not ascend')
}

function refusal(what: string): ProtocolError {
  return new ProtocolError('bad-input', 'CFG-01', `this cannot be put into a config: ${what}`)
}

function scalarKey(scalar: ConfigScalar): string {
  return typeof scalar === 'bigint' ? `i${scalar}` : `s${byteKey(scalar)}`
}
