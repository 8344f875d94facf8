/** Rows of the tables as values (clauses NODE-80, NODE-82). */
import { tombstoneExpiryMs, type VersionTimes } from '../item-version.ts'
import type { ItemVersion, RetrievedMessage } from '../store.ts'
import type { Row } from './driver.ts'

/** A version that is held, and where it lies. */
export interface Held extends ItemVersion {
  /** The row of messages; absent for a tombstone that has a row of its own. */
  readonly messageId?: number
  readonly timestampMs: number
  readonly proofId: number | null
}

/** Needs namespace, hash, expiry, changed, lag. */
export function versionOfMessage(row: Row, account: Uint8Array): ItemVersion {
  return {
    account,
    namespace: Number(row.namespace),
    hash: row.hash as string,
    ...timesOf(row),
    isTombstone: false,
    expiryMs: Number(row.expiry),
  }
}

/** Needs namespace, hash, changed, lag. */
export function versionOfTombstone(row: Row, account: Uint8Array): ItemVersion {
  const times = timesOf(row)
  const expiryMs = tombstoneExpiryMs(times.changedAtMs)
  return { account, namespace: Number(row.namespace), hash: row.hash as string, ...times, isTombstone: true, expiryMs }
}

/** Needs changed, lag. */
export function timesOf(row: Row): VersionTimes {
  const changedAtMs = Number(row.changed)
  return { decidedAtMs: changedAtMs - Number(row.lag), changedAtMs }
}

/**
 * What a row of messages means now. One that has expired is its own tombstone if its life was shortened (NODE-84), else nothing.
 * Needs id, namespace, hash, timestamp, expiry, changed, lag, proof.
 */
export function heldMessage(row: Row, account: Uint8Array, nowMs: number): Held | undefined {
  const version = Number(row.expiry) > nowMs ? versionOfMessage(row, account) : versionOfTombstone(row, account)
  if (version.isTombstone && (row.proof === null || version.expiryMs <= nowMs)) return undefined
  return { ...version, messageId: Number(row.id), timestampMs: Number(row.timestamp), proofId: idOrNull(row.proof) }
}

/** What a row of tombstones means now. Needs namespace, hash, changed, lag, proof. */
export function heldTombstone(row: Row, account: Uint8Array, nowMs: number): Held | undefined {
  const version = versionOfTombstone(row, account)
  return version.expiryMs > nowMs ? { ...version, timestampMs: 0, proofId: idOrNull(row.proof) } : undefined
}

function idOrNull(value: Row[string] | undefined): number | null {
  return value === null || value === undefined ? null : Number(value)
}

/** Needs hash, timestamp, expiry, data. */
export function retrievedMessage(row: Row): RetrievedMessage {
  return {
    hash: row.hash as string,
    timestampMs: Number(row.timestamp),
    expiryMs: Number(row.expiry),
    data: row.data as Uint8Array,
  }
}
