import type { Clock } from '../src/ports.ts'

/** A clock that moves when told. */
export class ManualClock implements Clock {
  ms = 1_800_000_000_000
  nowMs(): number {
    return this.ms
  }
}
