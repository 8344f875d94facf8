/** The clock port: the only teller of time. */

export interface Clock {
  /** Milliseconds since the epoch, as this device believes. */
  nowMs(): number
}

/** The clock of the system. */
export const systemClock: Clock = { nowMs: () => Date.now() }
