/**
 * What the failures and successes of a path are held against its nodes (ON-63 to ON-66). A failure may be a lie of any node of the
 * path, its guard above all, so that it costs the guard as much as whoever is blamed: the third within an hour drops the guard itself.
 */
import { decodeHex, encodeHex } from '@session-v2/encoding'
import { NetworkError } from '../network-error.ts'
import type { Blame } from './path-error.ts'
import { DROPPED_MS, GUARDS_MAX, isRecent, type OnionPath, type PathPool } from './path-pool.ts'

/** Strikes within an hour that drop a node. */
export const STRIKES_MAX = 3

const KEY_BYTES = 32

/**
 * The pool after a request over `path` failed (`judgeFailure`). Of the requests that were under way together the first one counts: a
 * path that has been taken down cannot fail again. Nothing is held against a path whose destination is to blame.
 */
export function pathFailed(pool: PathPool, path: OnionPath, blame: Blame, nowMs: number): PathPool {
  const failed = pool.paths.find(({ serial }) => serial === path.serial)
  if (failed === undefined || blame.kind === 'destination') return pool
  const relays = failed.hops.map(({ ed25519 }) => ed25519)
  const struck = blame.kind === 'path' ? relays : [relays[0] as string, blame.ed25519]
  const known = new Set(pool.nodes.map(({ ed25519 }) => ed25519))
  const strikes = new Map(pool.strikes)
  const droppedUntilMs = new Map(pool.droppedUntilMs)
  for (const ed25519 of new Set(struck)) {
    if (!known.has(ed25519)) continue
    const times = [...(strikes.get(ed25519) ?? []).filter(timeMs => isRecent(timeMs, nowMs)), nowMs]
    if (times.length < STRIKES_MAX) {
      strikes.set(ed25519, times)
    } else {
      strikes.delete(ed25519)
      droppedUntilMs.set(ed25519, nowMs + DROPPED_MS)
    }
  }
  const isDown = ({ serial, hops }: OnionPath) =>
    serial === failed.serial || hops.some(({ ed25519 }) => droppedUntilMs.has(ed25519))
  return {
    ...pool,
    guards: pool.guards.filter(guard => !droppedUntilMs.has(guard)),
    paths: pool.paths.filter(one => !isDown(one)),
    strikes,
    droppedUntilMs,
  }
}

/**
 * The pool after a reply came over `path`: its nodes behind the guard are cleared. The guard is not, or it could pay for its lies with
 * requests that it lets through.
 */
export function pathSucceeded(pool: PathPool, path: OnionPath): PathPool {
  const cleared = path.hops.slice(1).filter(({ ed25519 }) => pool.strikes.has(ed25519))
  if (cleared.length === 0) return pool
  const strikes = new Map(pool.strikes)
  for (const { ed25519 } of cleared) strikes.delete(ed25519)
  return { ...pool, strikes }
}

/** The guards of a pool for the caller to keep: 32 bytes each. */
export function encodeGuards({ guards }: PathPool): Uint8Array {
  const bytes = new Uint8Array(guards.length * KEY_BYTES)
  guards.forEach((guard, at) => {
    bytes.set(decodeHex(guard, KEY_BYTES), at * KEY_BYTES)
  })
  return bytes
}

/** Guards that were kept. @throws NetworkError `malformed` for other than 0 to 8 different keys of 32 bytes. */
export function decodeGuards(bytes: Uint8Array): string[] {
  const count = bytes.length / KEY_BYTES
  const guards = Array.from({ length: Math.ceil(count) }, (_, at) =>
    encodeHex(bytes.subarray(at * KEY_BYTES, (at + 1) * KEY_BYTES)),
  )
  if (!Number.isInteger(count) || count > GUARDS_MAX || new Set(guards).size < count) {
    throw new NetworkError('malformed', `${bytes.length} bytes do not hold at most ${GUARDS_MAX} guards`)
  }
  return guards
}
