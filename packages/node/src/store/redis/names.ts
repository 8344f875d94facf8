/**
 * Names of keys and items in the cluster (clause NODE-140), and records as values.
 *
 * | key, behind the prefix | |
 * |---|---|
 * | `{<account, base64url>}:…` | what is kept of an account: see `script-prelude.ts` |
 * | `{a:<n>}:…`, n = last byte of the account modulo 64 | its accounts, their number of messages, writes that are under way |
 * | `{h:<hour>}:ix`, `:sum` | what expires in an hour, and the sums of its minutes |
 * | `{hours}`, `{d}:…`, `{notes}` | hours that have something; deliveries; notes |
 * | `{events}`, a channel | what front ends tell one another |
 */
import { encodeBase64 } from '@session-v2/encoding'
import { MINUTE_MS, TOMBSTONE_MS } from '../item-version.ts'
import type { ItemName, ItemVersion } from '../store.ts'

export const PARTITIONS = 64
export const HOUR_MINUTES = 60
const HOUR_MS = HOUR_MINUTES * MINUTE_MS
/** Makes every namespace six digits. */
const NAMESPACE_OFFSET = 200_000

/** A namespace as six digits, in the order of numbers. */
export function namespaceDigits(namespace: number): string {
  return String(namespace + NAMESPACE_OFFSET)
}

/** `hash ‖ space ‖ namespace`. */
export function itemName({ hash, namespace }: Pick<ItemName, 'hash' | 'namespace'>): string {
  return `${hash} ${namespaceDigits(namespace)}`
}

/** The parts of a name. */
export function parseItemName(name: string): { hash: string; namespace: number } {
  return { hash: name.slice(0, -7), namespace: Number(name.slice(-6)) - NAMESPACE_OFFSET }
}

/** The account as 66 lower-case hexadecimal digits, which are in the order of its bytes. */
export function accountHex(account: Uint8Array): string {
  return Buffer.from(account).toString('hex')
}

/** The 33 bytes of an account. */
export function accountFromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

/** The hour since the epoch in which a time lies. */
export function hourOf(timeMs: number): number {
  return Math.floor(timeMs / HOUR_MS)
}

/** Keys under a prefix. */
export class Keys {
  readonly hours: string
  readonly deliveries: string
  readonly notes: string
  /** A channel. */
  readonly events: string
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
    this.hours = `${prefix}{hours}`
    this.deliveries = `${prefix}{d}:due`
    this.notes = `${prefix}{notes}`
    this.events = `${prefix}{events}`
  }

  /** A key of an account; `i` stands for all of them. */
  account(account: Uint8Array, key = 'i'): string {
    return `${this.#prefix}{${encodeBase64(account, { padding: false }).replaceAll('+', '-').replaceAll('/', '_')}}:${key}`
  }

  partition(n: number, key: 'accounts' | 'pending' | 'count'): string {
    return `${this.#prefix}{a:${n}}:${key}`
  }

  hour(hour: number, key: 'ix' | 'sum'): string {
    return `${this.#prefix}{h:${hour}}:${key}`
  }
}

/** In which partition an account is listed. */
export function partitionOf(account: Uint8Array): number {
  return (account.at(-1) ?? 0) % PARTITIONS
}

/** A record: what the scripts keep of an item. */
export interface ItemRecord extends ItemVersion {
  readonly timestampMs: number
  readonly proofId: string | undefined
}

/** Reads a record; what is none is undefined. */
export function parseRecord(
  name: Pick<ItemName, 'account' | 'namespace' | 'hash'>,
  text: string | undefined,
): ItemRecord | undefined {
  if (text === undefined) return undefined
  const [kind, changed, expiry, timestamp, , proof, lag = '0'] = text.split(' ')
  const { account, namespace, hash } = name
  const times = { decidedAtMs: Number(changed) - Number(lag), changedAtMs: Number(changed), expiryMs: Number(expiry) }
  const version = { account, namespace, hash, ...times, isTombstone: kind === 't' }
  return { ...version, timestampMs: Number(timestamp), proofId: proof === '-' ? undefined : proof }
}

/** What a record means now: one that has expired is its own tombstone if its life was shortened (NODE-84), else nothing. */
export function heldRecord(record: ItemRecord | undefined, nowMs: number): ItemRecord | undefined {
  if (record === undefined || record.expiryMs > nowMs) return record
  const expiryMs = record.changedAtMs + TOMBSTONE_MS
  if (record.isTombstone || record.proofId === undefined || expiryMs <= nowMs) return undefined
  return { ...record, isTombstone: true, expiryMs }
}

/** Without what only this store knows. */
export function versionOfRecord(record: ItemRecord): ItemVersion {
  const { account, namespace, hash, decidedAtMs, changedAtMs, isTombstone, expiryMs } = record
  return { account, namespace, hash, decidedAtMs, changedAtMs, isTombstone, expiryMs }
}
