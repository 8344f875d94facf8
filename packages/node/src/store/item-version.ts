/**
 * Which version of an item counts (clauses NODE-80 to NODE-82). Pure; every store shares it.
 *
 * | of two versions of an item | counts |
 * |---|---|
 * | changed at different times | the later change |
 * | a message and a tombstone of one time | the tombstone |
 * | two messages of one time | the later expiry |
 */
import { blake2b, type Crypto } from '@session-v2/crypto'
import { encodeBase64 } from '@session-v2/encoding'
import type { Change, ItemVersion } from './store.ts'

export const MINUTE_MS = 60_000
/** The longest life of a message: so long its tombstone is kept. */
export const TOMBSTONE_MS = 30 * 86_400_000
/** Revoked tokens that an account can have. */
export const REVOKED_TOKENS_MAX = 50

/** When a tombstone goes that was made at `changedAtMs`. */
export function tombstoneExpiryMs(changedAtMs: number): number {
  return changedAtMs + TOMBSTONE_MS
}

/** The minute since the epoch in which a time lies. */
export function minuteOf(timeMs: number): number {
  return Math.floor(timeMs / MINUTE_MS)
}

type Version = Pick<ItemVersion, 'changedAtMs' | 'isTombstone' | 'expiryMs'>

/** Whether `version` counts, and not the one that is held. */
export function isLater(version: Version, held: Version | undefined): boolean {
  if (held === undefined) return true
  if (version.changedAtMs !== held.changedAtMs) return version.changedAtMs > held.changedAtMs
  if (version.isTombstone !== held.isTombstone) return version.isTombstone
  return version.expiryMs > held.expiryMs
}

/** The time at which a change counts, or undefined where it is late and the version that is held is not earlier. */
export function effectiveAtMs(change: Change, held: Version | undefined): number | undefined {
  if (held === undefined || change.atMs > held.changedAtMs) return change.atMs
  return change.mode === 'asked' ? held.changedAtMs + 1 : undefined
}

/**
 * The same for a deletion. It wins also at the time of the message, so that there it needs no later one; where a tombstone is, only a
 * later one says anything.
 */
export function deletionAtMs(change: Change, held: Version): number | undefined {
  if (held.isTombstone) return change.atMs > held.changedAtMs ? change.atMs : undefined
  return change.atMs === held.changedAtMs ? change.atMs : effectiveAtMs(change, held)
}

/** What a revocation is named by: BLAKE2b-256 of the token in base64 without padding, 43 characters. */
export function tokenHash(crypto: Crypto, token: Uint8Array): string {
  return encodeBase64(blake2b(crypto, 32, [token]), { padding: false })
}
