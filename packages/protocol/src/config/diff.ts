/**
 * What changed between two states of a config, as messages carry it:
 *
 * | change of a key | in the diff |
 * |---|---|
 * | integer or byte string that is new or other | "" |
 * | integer or byte string that is gone | "-" |
 * | set | list of two lists: what was added, what was removed |
 * | dict | dict of changes |
 *
 * Values are not in a diff: who replays one takes them from the data of the message that carried it.
 *
 * Implements CFG-06, CFG-07.
 */
import type { BtValue, ByteKey } from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'
import {
  CONFIG_DEPTH_MAX,
  type ConfigDict,
  type ConfigSet,
  type ConfigValue,
  compareScalars,
  configSet,
  EMPTY_DICT,
  equalValues,
  isDict,
  isSet,
  kindOf,
  setDifference,
} from './value.ts'

/** "" or "-", what a set gained and lost, or a dict of changes. */
export type ConfigChange = Uint8Array | readonly [added: ConfigSet, removed: ConfigSet] | ConfigDiff
export type ConfigDiff = ReadonlyMap<ByteKey, ConfigChange>

const ASSIGNED = new Uint8Array(0)
const MINUS = 0x2d
const REMOVED = Uint8Array.of(MINUS)

export const NO_DIFF: ConfigDiff = new Map()

/** What makes `after` out of `before`, both without empty sets and dicts. */
export function diffOf(before: ConfigDict, after: ConfigDict): ConfigDiff {
  const diff = new Map<ByteKey, ConfigChange>()
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const change = changeOf(before.get(key), after.get(key))
    if (change !== undefined) diff.set(key, change)
  }
  return diff
}

function changeOf(before: ConfigValue | undefined, after: ConfigValue | undefined): ConfigChange | undefined {
  if (before === after) return undefined
  if (after === undefined) return goneChange(before!)
  const old = before !== undefined && kindOf(before) === kindOf(after) ? before : undefined
  if (isDict(after)) {
    const inner = diffOf((old as ConfigDict | undefined) ?? EMPTY_DICT, after)
    return inner.size === 0 && old !== undefined ? undefined : inner
  }
  if (isSet(after)) return setChange((old as ConfigSet | undefined) ?? [], after)
  return equalValues(old, after) ? undefined : ASSIGNED
}

function goneChange(before: ConfigValue): ConfigChange {
  if (isDict(before)) return diffOf(before, EMPTY_DICT)
  return isSet(before) ? [[], before] : REMOVED
}

function setChange(before: ConfigSet, after: ConfigSet): ConfigChange | undefined {
  const added = setDifference(after, before)
  const removed = setDifference(before, after)
  return added.length + removed.length === 0 ? undefined : [added, removed]
}

/** A dict that is being changed: its dicts are its own, its other values are shared. */
type Draft = Map<ByteKey, ConfigValue>

/** A copy of `data` to replay diffs on. */
export function draftOf(data: ConfigDict): Draft {
  return new Map([...data].map(([key, value]) => [key, isDict(value) ? draftOf(value) : value]))
}

/**
 * Replays a diff on `draft`, which it changes. Values are those of `source`, the data of the message that carried the diff: what
 * `source` does not have, or has as another kind, is deleted.
 */
export function replayDiff(draft: Draft, diff: ConfigDiff, source: ConfigDict): void {
  for (const [key, change] of diff) {
    const value = source.get(key)
    if (value === undefined || kindOf(value) !== kindOf(change)) draft.delete(key)
    else if (change instanceof Uint8Array) {
      if (change.length === 0) draft.set(key, value)
      else draft.delete(key)
    } else if (isDict(change)) {
      const held = draft.get(key)
      const inner: Draft = held instanceof Map ? held : new Map()
      draft.set(key, inner)
      replayDiff(inner, change as ConfigDiff, value as ConfigDict)
    } else {
      const [added, removed] = change as readonly [ConfigSet, ConfigSet]
      const held = draft.get(key)
      draft.set(key, setDifference(configSet([...(isSet(held) ? held : []), ...added]), removed))
    }
  }
}

/** The diff that a bt value is. Throws `malformed` for anything else: an integer in it, dicts more than 16 deep. */
export function parseDiff(value: BtValue, depth = 1): ConfigDiff {
  if (!isDict(value)) throw new ProtocolError('malformed', 'CFG-07', 'a diff is no dict')
  if (depth > CONFIG_DEPTH_MAX) throw new ProtocolError('malformed', 'CFG-07', `a diff is more than ${CONFIG_DEPTH_MAX} deep`)
  for (const change of (value as ReadonlyMap<ByteKey, BtValue>).values()) checkChange(change, depth)
  return value as ConfigDiff
}

function checkChange(change: BtValue, depth: number): void {
  if (isDict(change)) parseDiff(change, depth + 1)
  else if (change instanceof Uint8Array) {
    if (change.length > 0 && !(change.length === 1 && change[0] === MINUS))
      throw new ProtocolError('malformed', 'CFG-07', 'a diff has a text that is neither "" nor "-"')
  } else if (!Array.isArray(change) || change.length !== 2) {
    throw new ProtocolError('malformed', 'CFG-07', 'a diff has an integer, or a list that is not two lists')
  } else for (const list of change as readonly BtValue[]) parseSet(list)
}

/** The set that a bt value is, which may be empty. Throws `malformed`. */
export function parseSet(value: BtValue): ConfigSet {
  if (!Array.isArray(value)) throw new ProtocolError('malformed', 'CFG-07', 'a list was expected where something else stands')
  const list = value as readonly BtValue[]
  for (const [at, element] of list.entries()) {
    if (kindOf(element) !== 'scalar') throw new ProtocolError('malformed', 'CFG-01', 'a set holds a list or a dict')
    if (at > 0 && compareScalars(list[at - 1] as bigint, element as bigint) >= 0)
      throw new ProtocolError('malformed', 'CFG-01', 'a set has elements that do not ascend')
  }
  return list as ConfigSet
}
