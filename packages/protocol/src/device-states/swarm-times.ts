/**
 * What a device believes of the times a swarm gives: a node can name any. A time further ahead than clocks differ counts as that far
 * ahead, and no message lives longer than its kind.
 *
 * Implements DS-40.
 */
import { ProtocolError } from '../protocol-error.ts'
import { CLOCK_TOLERANCE_S } from './held-account-keys.ts'

/** How long a link request waits in the swarm for an answer. */
export const LINK_TTL_MS = 10 * 60 * 1000

/** When the swarm took a message, and until when it keeps it, in milliseconds since the epoch. */
export interface SwarmTimes {
  readonly swarmTimeMs: number
  readonly expiresAtMs: number
}

/** The times that count, for a kind of message that lives `ttlMs`. Throws `bad-input` for what is no time. */
export function believedTimes({ swarmTimeMs, expiresAtMs }: SwarmTimes, ttlMs: number, nowMs: number): SwarmTimes {
  for (const timeMs of [swarmTimeMs, expiresAtMs, nowMs]) requireTimeMs(timeMs)
  const takenAtMs = Math.min(swarmTimeMs, nowMs + CLOCK_TOLERANCE_S * 1000)
  return { swarmTimeMs: takenAtMs, expiresAtMs: Math.min(expiresAtMs, takenAtMs + ttlMs) }
}

/** Throws `bad-input` unless `timeMs` is a whole number of milliseconds since the epoch. */
export function requireTimeMs(timeMs: number): void {
  if (!(Number.isSafeInteger(timeMs) && timeMs >= 0)) {
    throw new ProtocolError('bad-input', 'DS-40', `${timeMs} is not a time in whole milliseconds since the epoch`)
  }
}
