/** Times of messages on the wire: milliseconds since the epoch, from 1 up to 2⁵³ − 1. Implements CON-07. */
import { type ClauseId, ProtocolError } from '../protocol-error.ts'

/** The time of a field, in milliseconds. Throws `malformed`, by `clause`, for one that is missing, zero or beyond 2⁵³ − 1. */
export function readTimeMs(clause: ClauseId, value: bigint | undefined, noun: string): number {
  if (value === undefined || !isTime(value)) throw new ProtocolError('malformed', clause, `${noun} is no time`)
  return Number(value)
}

/** False for a time that no message can have. */
export function isTime(value: bigint): boolean {
  return value > 0n && value <= BigInt(Number.MAX_SAFE_INTEGER)
}

/** A time in milliseconds as a field. Throws `bad-input`, by `clause`, for one that is none. */
export function timeField(clause: ClauseId, timeMs: number, noun: string): bigint {
  if (!Number.isSafeInteger(timeMs) || timeMs <= 0)
    throw new ProtocolError('bad-input', clause, `${noun} is ${timeMs}, no time in whole milliseconds since the epoch`)
  return BigInt(timeMs)
}
