/**
 * Which version of an item counts, and what times a change gives it (clauses NODE-80 to NODE-82). Pure; every store shares it.
 *
 * | of two versions of an item | counts |
 * |---|---|
 * | decided at different times | the later decision |
 * | of one decision, changed at different times | the later change |
 * | of the same times, a message and a tombstone | the tombstone |
 * | of the same times, two messages | the later expiry |
 *
 * | a change at time t, of what is held (decided, changed) | gives it |
 * |---|---|
 * | store | t, and t or `changed` where that is later |
 * | expiry | `decided`, t |
 * | deletion | t, t; where t is not later than `decided`, `decided` + 1 twice |
 * | end of a life that was shortened | what it had |
 *
 * So the deletion of a message is later than any expiry that is set of it, and a later store is later than the deletion.
 */
import { blake2b, type Crypto } from '@session-v2/crypto'
import { encodeBase64 } from '@session-v2/encoding'
import type { Change, ItemVersion } from './store.ts'

export const MINUTE_MS = 60_000
/** The longest life of a message: so long its tombstone is kept. */
export const TOMBSTONE_MS = 30 * 86_400_000
/** Revoked tokens that an account can have. */
export const REVOKED_TOKENS_MAX = 50

/**
 * When a tombstone goes that was made at `changedAtMs`. Its decision would not do: a life that was raised again and again, then shortened,
 * was decided long before it ends.
 */
export function tombstoneExpiryMs(changedAtMs: number): number {
  return changedAtMs + TOMBSTONE_MS
}

/** The minute since the epoch in which a time lies. */
export function minuteOf(timeMs: number): number {
  return Math.floor(timeMs / MINUTE_MS)
}

/** When it was decided whether the item is there, and when it changed last. */
export type VersionTimes = Pick<ItemVersion, 'decidedAtMs' | 'changedAtMs'>
type Version = Pick<ItemVersion, 'decidedAtMs' | 'changedAtMs' | 'isTombstone' | 'expiryMs'>

/** Whether `version` counts, and not the one that is held. */
export function isLater(version: Version, held: Version | undefined): boolean {
  if (held === undefined) return true
  if (version.decidedAtMs !== held.decidedAtMs) return version.decidedAtMs > held.decidedAtMs
  if (version.changedAtMs !== held.changedAtMs) return version.changedAtMs > held.changedAtMs
  if (version.isTombstone !== held.isTombstone) return version.isTombstone
  return version.expiryMs > held.expiryMs
}

/** Whether both say the same of an item, in every respect. */
export function isSame(version: Version, other: Version): boolean {
  const { decidedAtMs, changedAtMs, isTombstone, expiryMs } = version
  const isOfSameTimes = decidedAtMs === other.decidedAtMs && changedAtMs === other.changedAtMs
  return isOfSameTimes && isTombstone === other.isTombstone && expiryMs === other.expiryMs
}

/** Times of what is stored now and was not there before. */
export function timesOfNew(atMs: number): VersionTimes {
  return { decidedAtMs: atMs, changedAtMs: atMs }
}

/** Times that a message has once it is stored or revoked; undefined where that is late, and what is held was decided as late or later. */
export function timesOfStore(change: Change, held: Version | undefined): VersionTimes | undefined {
  if (held === undefined) return timesOfNew(change.atMs)
  const decidedAtMs = countsAtMs(change, held.decidedAtMs)
  if (decidedAtMs === undefined) return undefined
  return { decidedAtMs, changedAtMs: held.isTombstone ? decidedAtMs : Math.max(decidedAtMs, held.changedAtMs) }
}

/** Times of a message whose expiry is set; undefined where that is late, and the message changed as late or later. */
export function timesOfExpiry(change: Change, held: VersionTimes): VersionTimes | undefined {
  const changedAtMs = countsAtMs(change, held.changedAtMs)
  return changedAtMs === undefined ? undefined : { decidedAtMs: held.decidedAtMs, changedAtMs }
}

/**
 * Times of the tombstone that a deletion leaves; undefined where it has no effect. Of a message it has one also when it is late and of the
 * time at which the message was stored; where a tombstone is, only a later deletion says anything.
 */
export function timesOfDeletion(change: Change, held: Version): VersionTimes | undefined {
  const { decidedAtMs, isTombstone } = held
  if (change.atMs > decidedAtMs) return timesOfNew(change.atMs)
  const isInVain = isTombstone || (change.mode === 'late' && change.atMs < decidedAtMs)
  return isInVain ? undefined : timesOfNew(decidedAtMs + 1)
}

/** The time at which a change counts against one that was made at `heldMs`; undefined where it does not. */
function countsAtMs(change: Change, heldMs: number): number | undefined {
  if (change.atMs > heldMs) return change.atMs
  return change.mode === 'asked' ? heldMs + 1 : undefined
}

/** What a revocation is named by: BLAKE2b-256 of the token in base64 without padding, 43 characters. */
export function tokenHash(crypto: Crypto, token: Uint8Array): string {
  return encodeBase64(blake2b(crypto, 32, [token]), { padding: false })
}
