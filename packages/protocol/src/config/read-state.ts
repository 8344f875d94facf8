/**
 * The config of what was read (`ConvoInfoVolatile`). Each conversation is a dict of
 *
 *     r  time up to which it was read, ms        u  marked as unread
 *
 * under  1  account ID (33 bytes)       of a person
 *        g  group ID (33 bytes, 03)     of a group
 *        C  group ID (33 bytes, 05)     of a legacy group
 *        o  base URL, then R, then the room in lower case; the server's key (32 bytes) is under # beside R
 *
 * All other keys stay as they are. Old entries are left out, so that the config stays small: 45 days before a push, except those
 * marked as unread and those of groups, and nothing older than 30 days is written.
 *
 * Implements CFG-35, CFG-36.
 */
import { byteKey, decodeHex, encodeUtf8 } from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'
import { valueAt, withValue } from './edit.ts'
import { flagField, positiveField, withFlag, withNumber } from './field.ts'
import { type ConfigDict, EMPTY_DICT, isDict } from './value.ts'

const DAY_MS = 86_400_000
const WRITTEN_MS = 30 * DAY_MS
const KEPT_MS = 45 * DAY_MS
const SERVER_KEY_BYTES = 32
const ID_BYTES = 33
const ID_LISTS = { person: '1', group: 'g', 'legacy-group': 'C' } as const
const COMMUNITIES = 'o'
const OWN_KEYS: ReadonlySet<string> = new Set(['r', 'u'])
/** Lists from which what is old goes. */
const PRUNED_LISTS = ['1', 'C'] as const

/** A conversation: an ID of 66 hexadecimal digits, or a room of a community. */
export type ReadConversation =
  | { readonly kind: keyof typeof ID_LISTS; readonly id: string }
  | { readonly kind: 'community'; readonly baseUrl: string; readonly room: string; readonly serverKey: Uint8Array }

export interface ReadState {
  /** Milliseconds since the epoch; 0: never, or long ago. */
  readonly lastReadMs: number
  readonly unread: boolean
}

/** What of a conversation was read. */
export function readStateOf(data: ConfigDict, conversation: ReadConversation): ReadState {
  return parseEntry(entryAt(data, pathOf(conversation)))
}

/**
 * With another state of a conversation. A time that is older than 30 days is written only when it is before the one that is there.
 * Throws `bad-input` for a time, an ID or a key that is none.
 */
export function withReadState(data: ConfigDict, conversation: ReadConversation, state: ReadState, nowMs: number): ConfigDict {
  if (!(state.lastReadMs >= 0)) throw new ProtocolError('bad-input', 'CFG-35', `${state.lastReadMs} is no time in milliseconds`)
  const path = pathOf(conversation)
  const entry = entryAt(data, path)
  const isWritten = state.lastReadMs < parseEntry(entry).lastReadMs || state.lastReadMs > nowMs - WRITTEN_MS
  const timed = isWritten ? withNumber(entry, 'r', state.lastReadMs) : entry
  const changed = withValue(data, path, withFlag(timed, 'u', state.unread))
  if (conversation.kind !== 'community') return changed
  if (conversation.serverKey.length !== SERVER_KEY_BYTES)
    throw new ProtocolError('bad-input', 'CFG-35', 'the key of a community has not 32 bytes')
  return withValue(changed, [COMMUNITIES, byteKey(encodeUtf8(conversation.baseUrl)), '#'], conversation.serverKey)
}

/** Without a conversation; a community without rooms goes, too. */
export function withoutReadState(data: ConfigDict, conversation: ReadConversation): ConfigDict {
  const changed = withValue(data, pathOf(conversation), undefined)
  return conversation.kind === 'community' ? withoutEmptyServer(changed, byteKey(encodeUtf8(conversation.baseUrl))) : changed
}

/**
 * Without what was read 45 days ago or longer and is not marked as unread, to be done before a push. Groups stay, and entries with
 * keys that are not known here.
 */
export function withoutStaleReadStates(data: ConfigDict, nowMs: number): ConfigDict {
  let kept = data
  for (const list of PRUNED_LISTS) kept = withoutStale(kept, [list], nowMs)
  for (const server of entryAt(data, [COMMUNITIES]).keys()) {
    const rooms = withoutStale(kept, [COMMUNITIES, server, 'R'], nowMs)
    if (rooms !== kept) kept = withoutEmptyServer(rooms, server)
  }
  return kept
}

function withoutStale(data: ConfigDict, path: readonly string[], nowMs: number): ConfigDict {
  const list = entryAt(data, path)
  const stale = [...list].filter(([, entry]) => isDict(entry) && isStale(entry, nowMs))
  if (stale.length === 0) return data
  const kept = new Map(list)
  for (const [key] of stale) kept.delete(key)
  return withValue(data, path, kept)
}

/** An entry that says anything else, too, is still of use to who wrote that. */
function isStale(entry: ConfigDict, nowMs: number): boolean {
  const { lastReadMs, unread } = parseEntry(entry)
  return lastReadMs > 0 && lastReadMs <= nowMs - KEPT_MS && !unread && [...entry.keys()].every(key => OWN_KEYS.has(key))
}

function withoutEmptyServer(data: ConfigDict, server: string): ConfigDict {
  const path = [COMMUNITIES, server]
  return entryAt(data, [...path, 'R']).size === 0 ? withValue(data, path, undefined) : data
}

function entryAt(data: ConfigDict, path: readonly string[]): ConfigDict {
  const value = valueAt(data, path)
  return value !== undefined && isDict(value) ? value : EMPTY_DICT
}

function parseEntry(entry: ConfigDict): ReadState {
  return { lastReadMs: positiveField(entry, 'r') ?? 0, unread: flagField(entry, 'u') }
}

function pathOf(conversation: ReadConversation): readonly string[] {
  if (conversation.kind === 'community') {
    const { baseUrl, room } = conversation
    return [COMMUNITIES, byteKey(encodeUtf8(baseUrl)), 'R', byteKey(encodeUtf8(room.toLowerCase()))]
  }
  const { kind, id } = conversation
  if (!/^[0-9a-f]{66}$/.test(id)) throw new ProtocolError('bad-input', 'CFG-35', `${id} is no ID of ${ID_BYTES} bytes`)
  return [ID_LISTS[kind], byteKey(decodeHex(id))]
}
