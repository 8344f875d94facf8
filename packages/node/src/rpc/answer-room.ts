/** The room that the answers within a batch or sequence share (clause NODE-35): as much as a client reads. */
import { ANSWER_MAX_BYTES } from '@session-v2/network'
import type { MethodAnswer } from './services.ts'

const NO_ROOM: MethodAnswer = { status: 413, body: 'the answer has no room beside the others: ask for it by itself' }

/** Quotes, colon and comma around a name or a text. */
const AROUND_TEXT_BYTES = 4
const NUMBER_BYTES = 14

export class AnswerRoom {
  #leftBytes = ANSWER_MAX_BYTES

  /** The answer, or in its place a refusal that is short. */
  fit(answer: MethodAnswer): MethodAnswer {
    return this.takes(sizeOf(answer.body)) ? answer : NO_ROOM
  }

  /** Whether there is room for so much, which is taken then. */
  takes(sizeBytes: number): boolean {
    if (sizeBytes > this.#leftBytes) return false
    this.#leftBytes -= sizeBytes
    return true
  }
}

/** About the size in bytes of a value in JSON. Its depth is bounded: answers are made here, and what peers say in them is read by form. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + AROUND_TEXT_BYTES
  if (value instanceof Uint8Array) return (value.length * 4) / 3 + AROUND_TEXT_BYTES
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + sizeOf(item), AROUND_TEXT_BYTES)
  if (typeof value !== 'object' || value === null) return NUMBER_BYTES
  let sizeBytes = AROUND_TEXT_BYTES
  for (const [name, item] of Object.entries(value)) sizeBytes += name.length + AROUND_TEXT_BYTES + sizeOf(item)
  return sizeBytes
}
