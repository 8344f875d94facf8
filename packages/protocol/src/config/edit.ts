/**
 * Changing one value of the data of a config. A place is a path of keys; dicts on the way are made, in place of what is no dict. Each
 * function returns the same dict when nothing changes. Dicts and sets that become empty go away.
 *
 * Implements CFG-02, CFG-14.
 */
import type { ByteKey } from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'
import {
  type ConfigDict,
  type ConfigScalar,
  type ConfigSet,
  type ConfigValue,
  configSet,
  EMPTY_DICT,
  equalValues,
  isDict,
  isEmpty,
  isSet,
  pruned,
  requireConfigValue,
  requireKey,
  setDifference,
} from './value.ts'

export type ConfigPath = readonly ByteKey[]

/** The value at a path. */
export function valueAt(data: ConfigDict, path: ConfigPath): ConfigValue | undefined {
  let value: ConfigValue | undefined = data
  for (const key of path) value = isDict(value) ? (value as ConfigDict).get(key) : undefined
  return value
}

/** The data with `value` at a path; an empty set or dict, and undefined, erase it. Throws `bad-input` for what no config can hold. */
export function withValue(data: ConfigDict, path: ConfigPath, value: ConfigValue | undefined): ConfigDict {
  if (path.length === 0) throw new ProtocolError('bad-input', 'CFG-14', 'the path of a value has no key')
  for (const key of path) requireKey(key)
  if (value !== undefined) requireConfigValue(value, path.length + 1)
  const settled = value !== undefined && isDict(value) ? pruned(value) : value
  const wanted = settled === undefined || isEmpty(settled) ? undefined : settled
  return placed(data, path, wanted)
}

/** The data with an element more in the set at a path. */
export function withElement(data: ConfigDict, path: ConfigPath, element: ConfigScalar): ConfigDict {
  return withValue(data, path, configSet([...setAt(data, path), element]))
}

/** The data with an element less in the set at a path. What stands there and is no set goes away. */
export function withoutElement(data: ConfigDict, path: ConfigPath, element: ConfigScalar): ConfigDict {
  return withValue(data, path, setDifference(setAt(data, path), [element]))
}

function setAt(data: ConfigDict, path: ConfigPath): ConfigSet {
  const value = valueAt(data, path)
  return isSet(value) ? value : []
}

function placed(data: ConfigDict, path: ConfigPath, value: ConfigValue | undefined): ConfigDict {
  const key = path[0]!
  const held = data.get(key)
  let next = value
  if (path.length > 1) {
    if (value === undefined && (held === undefined || !isDict(held))) return data
    const inner = placed(held !== undefined && isDict(held) ? held : EMPTY_DICT, path.slice(1), value)
    next = inner.size === 0 ? undefined : inner
  }
  if (equalValues(next, held)) return data
  const copy = new Map(data)
  if (next === undefined) copy.delete(key)
  else copy.set(key, next)
  return copy
}
