/**
 * What would a thief of this device read today? Besides what is kept on it: messages to the account that the network still keeps or
 * that somebody recorded, as far back as account keys are held. Who has recorded what the devices told each other, too, opens that with
 * the keys of this device, and finds account keys in it that were erased since.
 */
import type { KeysView } from '@session-v2/client'
import { minuteOf } from './device-text.ts'

const DAY_MS = 86_400_000

export interface Exposure {
  /** When the oldest account key that is held was made; undefined when none is. */
  readonly heldSinceMs: number | undefined
  /** From when on messages are exposed to who has recorded everything; undefined when none are. */
  readonly recordedSinceMs: number | undefined
}

export function exposureOf({ accountKeys, exposedSinceMs }: Pick<KeysView, 'accountKeys' | 'exposedSinceMs'>): Exposure {
  const made = accountKeys.map(({ createdAtMs }) => createdAtMs)
  return { heldSinceMs: made.length === 0 ? undefined : Math.min(...made), recordedSinceMs: exposedSinceMs }
}

export function exposureText({ heldSinceMs, recordedSinceMs }: Exposure, nowMs: number): string {
  return `What would a thief of this device read today?
  Everything that is kept on it: what session-v2 read prints.
  Of messages still in the network, or recorded on their way: ${span(heldSinceMs, nowMs)}.
  With a recording of what your devices told each other, too: ${span(recordedSinceMs, nowMs)}.
  Nothing older: the keys are erased.`
}

/** In days to one digit, rounded up: what is said is never less than what is so. */
function span(sinceMs: number | undefined, nowMs: number): string {
  if (sinceMs === undefined) return 'none, no account key is held'
  const days = Math.max(0, nowMs - sinceMs) / DAY_MS
  return `those of the last ${(Math.ceil(days * 10) / 10).toFixed(1)} days, since ${minuteOf(sinceMs)}`
}
