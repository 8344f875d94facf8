/**
 * The table `[swarm]`: how often a node looks after what it shares with its swarm (clauses NODE-92, NODE-95 to NODE-97). Times are in
 * milliseconds, from 100 to 3600000.
 *
 * | key | default | |
 * |---|---|---|
 * | `compare_every_ms` | 10000 | between two rounds of comparing, each with the next member |
 * | `deliver_every_ms` | 5000 | between two looks for writes that are to be delivered late |
 * | `hand_over_every_ms` | 30000 | until what another swarm did not take is offered again |
 * | `join_every_ms` | 1000 | between two attempts of a node that has not compared itself yet |
 * | `patience_ms` | 30000 | after so long without any answer it serves nevertheless |
 */
import type { ConfigTable } from './config-table.ts'

export interface UpkeepTimes {
  /** Between two rounds of comparing, each with the next member. */
  readonly roundMs: number
  /** Between two looks for deliveries that are due. */
  readonly deliveriesMs: number
  /** Until what could not be handed over is tried again. */
  readonly handOverMs: number
  /** Between two attempts of a node that has not compared itself yet. */
  readonly joinMs: number
  /** After so long without any answer, a node that has not compared itself serves nevertheless. */
  readonly patienceMs: number
}

export const DEFAULT_SWARM: UpkeepTimes = {
  roundMs: 10_000,
  deliveriesMs: 5_000,
  handOverMs: 30_000,
  joinMs: 1_000,
  patienceMs: 30_000,
}

/** More often would use up what members answer one another (NODE-90). */
const BOUNDS = { min: 100, max: 3_600_000 }

/** Reads the table. Throws NodeError `bad-config`. */
export function readSwarm(table: ConfigTable | undefined): UpkeepTimes {
  if (table === undefined) return DEFAULT_SWARM
  const time = (key: string, fallback: number) => table.integer(key, { ...BOUNDS, default: fallback })
  const times = {
    roundMs: time('compare_every_ms', DEFAULT_SWARM.roundMs),
    deliveriesMs: time('deliver_every_ms', DEFAULT_SWARM.deliveriesMs),
    handOverMs: time('hand_over_every_ms', DEFAULT_SWARM.handOverMs),
    joinMs: time('join_every_ms', DEFAULT_SWARM.joinMs),
    patienceMs: time('patience_ms', DEFAULT_SWARM.patienceMs),
  }
  table.finish()
  return times
}

/** The table as `readSwarm` reads it. */
export function printSwarm(times: UpkeepTimes): object {
  return {
    compare_every_ms: times.roundMs,
    deliver_every_ms: times.deliveriesMs,
    hand_over_every_ms: times.handOverMs,
    join_every_ms: times.joinMs,
    patience_ms: times.patienceMs,
  }
}
