/** Reads the answers of nodes: strict about sizes and types, deaf to fields it does not know. */
import { badAnswer } from '../network-error.ts'
import { isObject } from './params.ts'

export type AnswerFields = Readonly<Record<string, unknown>>

export function requireObject(value: unknown, what: string): AnswerFields {
  if (!isObject(value)) throw badAnswer(`${what} is not an object`)
  return value
}

export function requireArray(value: unknown, what: string, maxItems: number): readonly unknown[] {
  if (!Array.isArray(value)) throw badAnswer(`${what} is not a list`)
  if (value.length > maxItems) throw badAnswer(`${what} has more than ${maxItems} items`)
  return value
}

export function requireText(value: unknown, what: string): string {
  if (typeof value !== 'string') throw badAnswer(`${what} is not a string`)
  return value
}

export function requireTime(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw badAnswer(`${what} is not a time`)
  return value
}

/** The node's own time, in milliseconds, that most answers carry as `t`. */
export function nodeTimeMs(answer: AnswerFields): number | undefined {
  const time = answer.t
  return typeof time === 'number' && Number.isSafeInteger(time) && time > 0 ? time : undefined
}

/** Booleans of peers may be 0 and 1. */
export function truthy(value: unknown): boolean {
  return value === true || value === 1
}
