/**
 * Names and versions of items as members tell them to one another: records of fixed size, one after the other (clause NODE-91). Numbers
 * have their most significant byte first.
 *
 * | bytes | name | version |
 * |---|---|---|
 * | 33 | account | account |
 * | 4 | namespace, signed | namespace |
 * | 32 | hash | hash |
 * | 8 | | decidedAt, unix milliseconds |
 * | 8 | | changedAt, unix milliseconds, not before decidedAt |
 * | 8 | | expiry, unix milliseconds |
 * | 1 | | 0 message, 1 tombstone |
 */
import { decodeBase64, encodeBase64 } from '@session-v2/encoding'
import { type ItemName, type ItemVersion, type MinuteRange, REVOCATIONS } from '../store/store.ts'

export const NAME_BYTES = 69
export const VERSION_BYTES = 94
const DECIDED_AT = NAME_BYTES
const CHANGED_AT = NAME_BYTES + 8
const EXPIRY_AT = NAME_BYTES + 16
const KIND_AT = NAME_BYTES + 24
const ACCOUNT_BYTES = 33
const HASH_AT = 37
const SUM_BYTES = 8
const MIN_NAMESPACE = -32_768
const MAX_NAMESPACE = 32_767

/** What is not written as it should be; the asker made a mistake, or lies. */
export class MalformedExchange extends Error {}

/** 69 bytes each. */
export function encodeNames(names: readonly ItemName[]): Uint8Array {
  const bytes = new Uint8Array(names.length * NAME_BYTES)
  const view = new DataView(bytes.buffer)
  names.forEach((name, i) => void writeName(bytes, view, i * NAME_BYTES, name))
  return bytes
}

/** At most `max` of them. */
export function decodeNames(bytes: Uint8Array, max: number): ItemName[] {
  const { view, count } = records(bytes, NAME_BYTES, max)
  return Array.from({ length: count }, (_, i) => readName(bytes, view, i * NAME_BYTES))
}

/** 94 bytes each. */
export function encodeVersions(versions: readonly ItemVersion[]): Uint8Array {
  const bytes = new Uint8Array(versions.length * VERSION_BYTES)
  const view = new DataView(bytes.buffer)
  versions.forEach((version, i) => {
    const at = i * VERSION_BYTES
    writeName(bytes, view, at, version)
    view.setBigUint64(at + DECIDED_AT, BigInt(version.decidedAtMs))
    view.setBigUint64(at + CHANGED_AT, BigInt(version.changedAtMs))
    view.setBigUint64(at + EXPIRY_AT, BigInt(version.expiryMs))
    bytes[at + KIND_AT] = version.isTombstone ? 1 : 0
  })
  return bytes
}

/** At most `max` of them. */
export function decodeVersions(bytes: Uint8Array, max: number): ItemVersion[] {
  const { view, count } = records(bytes, VERSION_BYTES, max)
  return Array.from({ length: count }, (_, i) => {
    const at = i * VERSION_BYTES
    const kind = bytes[at + KIND_AT]!
    if (kind > 1) throw new MalformedExchange('an item is neither message nor tombstone')
    const decidedAtMs = readTime(view, at + DECIDED_AT)
    const changedAtMs = readTime(view, at + CHANGED_AT)
    if (changedAtMs < decidedAtMs) throw new MalformedExchange('an item changed before it was decided')
    const expiryMs = readTime(view, at + EXPIRY_AT)
    return { ...readName(bytes, view, at), decidedAtMs, changedAtMs, expiryMs, isTombstone: kind === 1 }
  })
}

/** A range of minutes of which the sums are asked, `step` minutes together. */
export interface SumsRange extends MinuteRange {
  readonly step: number
}

const SUMS_RANGE_BYTES = 12

/** Ranges of sums: from, to and step, 4 bytes each. */
export function encodeRanges(ranges: readonly SumsRange[]): Uint8Array {
  const bytes = new Uint8Array(ranges.length * SUMS_RANGE_BYTES)
  const view = new DataView(bytes.buffer)
  ranges.forEach(({ from, to, step }, i) => {
    for (const [j, value] of [from, to, step].entries()) view.setUint32(i * SUMS_RANGE_BYTES + j * 4, value)
  })
  return bytes
}

/** At most `max` ranges in ascending order, none empty, each a multiple of its step. */
export function decodeRanges(bytes: Uint8Array, max: number): SumsRange[] {
  const { view, count } = records(bytes, SUMS_RANGE_BYTES, max)
  let end = 0
  return Array.from({ length: count }, (_, i) => {
    const [from, to, step] = [0, 4, 8].map(offset => view.getUint32(i * SUMS_RANGE_BYTES + offset)) as [number, number, number]
    if (from < end || to <= from || step < 1 || (to - from) % step !== 0) throw new MalformedExchange('a range is none')
    end = to
    return { from, to, step }
  })
}

/** 8 bytes each, one list behind the other. */
export function encodeSums(sums: readonly BigUint64Array[]): Uint8Array {
  const bytes = new Uint8Array(sums.reduce((total, part) => total + part.length, 0) * SUM_BYTES)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const part of sums) {
    for (const sum of part) {
      view.setBigUint64(at, sum)
      at += SUM_BYTES
    }
  }
  return bytes
}

/** Exactly `count` of them. */
export function decodeSums(bytes: Uint8Array, count: number): BigUint64Array {
  const { view, count: found } = records(bytes, SUM_BYTES, count)
  if (found !== count) throw new MalformedExchange('there are fewer sums than asked for')
  return BigUint64Array.from({ length: count }, (_, i) => view.getBigUint64(i * SUM_BYTES))
}

function records(bytes: Uint8Array, sizeBytes: number, max: number): { view: DataView; count: number } {
  const count = bytes.length / sizeBytes
  if (!Number.isInteger(count)) throw new MalformedExchange('the last record is not whole')
  if (count > max) throw new MalformedExchange(`there are more than ${max} records`)
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), count }
}

function writeName(bytes: Uint8Array, view: DataView, at: number, { account, namespace, hash }: ItemName): void {
  bytes.set(account, at)
  view.setInt32(at + ACCOUNT_BYTES, namespace)
  bytes.set(decodeBase64(hash), at + HASH_AT)
}

function readName(bytes: Uint8Array, view: DataView, at: number): ItemName {
  const namespace = view.getInt32(at + ACCOUNT_BYTES)
  if ((namespace < MIN_NAMESPACE || namespace > MAX_NAMESPACE) && namespace !== REVOCATIONS) {
    throw new MalformedExchange('there is no such namespace')
  }
  return {
    account: Uint8Array.from(bytes.subarray(at, at + ACCOUNT_BYTES)),
    namespace,
    hash: encodeBase64(bytes.subarray(at + HASH_AT, at + NAME_BYTES), { padding: false }),
  }
}

function readTime(view: DataView, at: number): number {
  const time = view.getBigUint64(at)
  if (time > BigInt(Number.MAX_SAFE_INTEGER)) throw new MalformedExchange('a time cannot be')
  return Number(time)
}
