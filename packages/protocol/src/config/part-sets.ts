/**
 * A config that is too large for one message of the swarm travels in parts:
 *
 *     part   m  l  BLAKE2b-32 of the whole (32)  index (1)  count (1)  chunk  e   zeros
 *
 * The whole is the compressed and padded config; a chunk has 76,710 bytes, the last one what is left. The length of a chunk has room
 * for five digits: what a shorter one leaves is zeros behind the list.
 *
 * Implements CFG-22, CFG-23, CFG-24.
 */
import { blake2b, type Crypto } from '@session-v2/crypto'
import {
  type BtLimits,
  type ByteKey,
  byteKey,
  concatBytes,
  copyBytes,
  decodeBt,
  encodeBt,
  encodeUtf8,
  equalBytes,
  keyBytes,
  padWithZeros,
  trimTrailingZeros,
} from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'
import { readForm } from '../wire-form.ts'
import { CONFIG_OVERHEAD_BYTES } from './encryption.ts'

/** The largest message that a swarm stores of a config, in bytes. */
export const CONFIG_MESSAGE_MAX_BYTES = 76_800
const PART_OVERHEAD_BYTES = 50
const CHUNK_BYTES = CONFIG_MESSAGE_MAX_BYTES - CONFIG_OVERHEAD_BYTES - PART_OVERHEAD_BYTES
const HASH_BYTES = 32
const MARK = encodeUtf8('m')
const PART_LIMITS: BtLimits = { sizeBytes: CONFIG_MESSAGE_MAX_BYTES, depth: 1, values: 5 }
const DAY_MS = 86_400_000
/** How long parts wait for the others, and how long a complete set is remembered, since its last part came. */
const INCOMPLETE_MS = 7 * DAY_MS
const COMPLETE_MS = 14 * DAY_MS
/** Chunks that are kept in all, in bytes, and sets that are remembered: beyond, those go first that expire first. */
export const PART_SETS_MAX_BYTES = 16_000_000
export const PART_SETS_MAX = 64

/** By the hash of the whole. */
export type ConfigPartSets = ReadonlyMap<ByteKey, ConfigPartSet>

export interface ConfigPartSet {
  /** How many parts there are; 0: all came, and were used. */
  readonly count: number
  readonly expiresAtMs: number
  /** By index. */
  readonly parts: ReadonlyMap<number, HeldPart>
}

export interface HeldPart {
  /** By which the swarm knows it. */
  readonly hash: string
  readonly chunk: Uint8Array
}

/** The parts of a whole that is compressed and padded. */
export function splitConfig(crypto: Crypto, whole: Uint8Array): Uint8Array[] {
  const hash = blake2b(crypto, HASH_BYTES, [whole])
  const count = Math.ceil(whole.length / CHUNK_BYTES)
  return Array.from({ length: count }, (_, index) => {
    const chunk = whole.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES)
    const list = encodeBt([hash, Uint8Array.of(index), Uint8Array.of(count), chunk])
    return padWithZeros(concatBytes(MARK, list), chunk.length + PART_OVERHEAD_BYTES)
  })
}

/** Whether a text is a part. */
export function isConfigPart(text: Uint8Array): boolean {
  return text[0] === MARK[0]
}

interface TakenPart {
  readonly sets: ConfigPartSets
  /** The whole, when this was the last part of it, and the hashes of all its parts by index. */
  readonly complete?: { readonly whole: Uint8Array; readonly hashes: readonly string[] }
}

/**
 * Takes a part that came under `hash`. One that came before, and one of a set that is complete, change nothing but the time.
 * Throws `malformed` for what is no part, does not go with those before it, or whose set is not what its hash says.
 */
export function takeConfigPart(crypto: Crypto, sets: ConfigPartSets, hash: string, text: Uint8Array, nowMs: number): TakenPart {
  const { name, index, count, chunk } = parsePart(text)
  const held = sets.get(name)
  if (held?.count === 0) return { sets }
  if (held !== undefined && held.count !== count)
    throw new ProtocolError('malformed', 'CFG-23', 'a part of a config counts other parts than those before it')
  const parts = new Map([...(held?.parts ?? []), [index, { hash, chunk: copyBytes(chunk) }]])
  if (parts.size < count) {
    return { sets: bounded(new Map([...sets, [name, { count, parts, expiresAtMs: nowMs + INCOMPLETE_MS }]])) }
  }
  const ordered = [...parts].sort(([a], [b]) => a - b).map(([, part]) => part)
  const whole = concatBytes(...ordered.map(part => part.chunk))
  if (!equalBytes(blake2b(crypto, HASH_BYTES, [whole]), keyBytes(name)))
    throw new ProtocolError('malformed', 'CFG-23', 'the parts of a config do not make the whole that they name')
  const done: ConfigPartSet = { count: 0, parts: new Map(), expiresAtMs: nowMs + COMPLETE_MS }
  return { sets: bounded(new Map([...sets, [name, done]])), complete: { whole, hashes: ordered.map(part => part.hash) } }
}

/** Without the sets whose time is over; the same map when there are none. */
export function withoutExpiredParts(sets: ConfigPartSets, nowMs: number): ConfigPartSets {
  const kept = [...sets].filter(([, { expiresAtMs }]) => expiresAtMs > nowMs)
  return kept.length === sets.size ? sets : new Map(kept)
}

function parsePart(text: Uint8Array) {
  const value = readForm('CFG-22', 'this is no part of a config', () =>
    decodeBt(trimTrailingZeros(text.subarray(1)), PART_LIMITS),
  )
  const fields: readonly unknown[] = Array.isArray(value) ? value : []
  const [hash, index, count, chunk] = fields.map(field => (field instanceof Uint8Array ? field : new Uint8Array(0)))
  const sizesFit = hash?.length === HASH_BYTES && index?.length === 1 && count?.length === 1 && fields.length === 4
  if (!sizesFit || chunk === undefined || chunk.length === 0 || count[0]! < 2 || index[0]! >= count[0]!)
    throw new ProtocolError('malformed', 'CFG-22', 'a part of a config lacks a field, or has one that cannot be')
  return { name: byteKey(hash), index: index[0]!, count: count[0]!, chunk }
}

function bounded(sets: ConfigPartSets): ConfigPartSets {
  const kept = new Map(sets)
  const byExpiry = [...sets].sort(([, a], [, b]) => a.expiresAtMs - b.expiresAtMs)
  let heldBytes = byExpiry.reduce((sum, [, set]) => sum + chunkBytes(set), 0)
  for (const [name, set] of byExpiry) {
    if (heldBytes <= PART_SETS_MAX_BYTES && kept.size <= PART_SETS_MAX) break
    kept.delete(name)
    heldBytes -= chunkBytes(set)
  }
  return kept
}

function chunkBytes({ parts }: ConfigPartSet): number {
  return [...parts.values()].reduce((sum, { chunk }) => sum + chunk.length, 0)
}
