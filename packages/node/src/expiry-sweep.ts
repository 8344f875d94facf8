/** Deletes what has expired, every ten seconds (clause NODE-23). */
import { describeException, type Log } from './log.ts'
import type { Timers } from './ports.ts'
import type { MessageStore } from './store/store.ts'

export const SWEEP_INTERVAL_MS = 10_000

/** Starts sweeping; the returned function stops it. A sweep that fails is logged and the next one tries again. */
export function startExpirySweep(store: MessageStore, timers: Timers, log: Log): () => void {
  let stopped = false
  let cancel = (): void => {}
  const sweep = async (): Promise<void> => {
    try {
      const removed = await store.sweep()
      if (removed > 0) log.debug({ removed }, 'expired messages deleted')
    } catch (error) {
      if (!stopped) log.error(describeException(error), 'expired messages cannot be deleted')
    }
    if (!stopped) schedule()
  }
  const schedule = (): void => {
    cancel = timers.after(SWEEP_INTERVAL_MS, () => void sweep())
  }
  schedule()
  return () => {
    stopped = true
    cancel()
  }
}
