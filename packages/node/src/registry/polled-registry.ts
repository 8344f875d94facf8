/**
 * A registry that asks again and again (clause NODE-125): at a fixed pace while it is answered, ever more slowly while it is not.
 * The first failure of a row is logged, and the first success behind it.
 */
import type { Log } from '../log.ts'
import { NodeError } from '../node-error.ts'
import type { Timers } from '../ports.ts'
import type { MemoryRegistry, Registry } from './registry.ts'

/** `as-before`: there was nothing new to read, also nothing about whether it can be read again. */
export type PollOutcome = 'learned' | 'as-before'

export interface Polling {
  /** Asks once, and puts in the registry what it learns. `signal` ends what is under way. */
  readonly poll: (signal: AbortSignal) => Promise<PollOutcome>
  readonly intervalMs: number
  /** The pause doubles with each failure in a row, up to this. */
  readonly slowestMs: number
  /** Whether the first question comes at once, or after an interval. */
  readonly startsNow: boolean
}

export interface PollParts {
  readonly timers: Timers
  readonly log: Log
}

/** `held` as a registry that `polling` keeps up to date until it is closed. */
export function polledRegistry(parts: PollParts, held: MemoryRegistry, polling: Polling): Registry {
  const stop = startPolling(parts, polling)
  return {
    nodes: () => held.nodes(),
    changes: listener => held.changes(listener),
    async close() {
      await held.close()
      await stop()
    },
  }
}

/** Starts asking; the returned function stops it, and resolves when nothing is under way. */
function startPolling({ timers, log }: PollParts, polling: Polling): () => Promise<void> {
  const { intervalMs, slowestMs } = polling
  const stopping = new AbortController()
  let cancel = (): void => {}
  let running: Promise<void> = Promise.resolve()
  let failures = 0
  const ask = async (): Promise<void> => {
    try {
      const outcome = await polling.poll(stopping.signal)
      if (outcome === 'learned') {
        if (failures > 0) log.info('the node list can be read again')
        failures = 0
      }
    } catch (error) {
      if (stopping.signal.aborted) return
      // The messages of a NodeError are ours; others may quote what was read.
      const reason = error instanceof NodeError ? error.message : 'unexpected failure'
      if (failures++ === 0) log.warn({ reason }, 'the node list cannot be read; the last one stays in force')
    }
    if (!stopping.signal.aborted) schedule(Math.min(intervalMs * 2 ** failures, slowestMs))
  }
  const start = (): void => {
    running = ask()
  }
  const schedule = (delayMs: number): void => {
    cancel = timers.after(delayMs, start)
  }
  if (polling.startsNow) start()
  else schedule(intervalMs)
  return () => {
    stopping.abort()
    cancel()
    return running
  }
}
