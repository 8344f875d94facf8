/**
 * Reads the answers of nodes: strict about sizes and types, deaf to fields it does not know. What is not as it must be throws
 * NetworkError `malformed`, to be tried at another node (RPC-41).
 */
import { decodeBase64 } from '@session-v2/encoding'
import { badAnswer } from '../network-error.ts'
import { isObject } from './fields.ts'
import { ANSWER_MAX_HASHES } from './limits.ts'
import { isMessageHash } from './message-hash.ts'

export type AnswerFields = Readonly<Record<string, unknown>>

const SIGNATURE_BYTES = 64

/** `value` as a JSON object. `what` names it in the error. */
export function requireObject(value: unknown, what: string): AnswerFields {
  if (!isObject(value)) throw badAnswer(`${what} is not an object`)
  return value
}

/** `value` as a list of at most `maxItems`. */
export function requireArray(value: unknown, what: string, maxItems: number): readonly unknown[] {
  if (!Array.isArray(value)) throw badAnswer(`${what} is not a list`)
  if (value.length > maxItems) throw badAnswer(`${what} has more than ${maxItems} items`)
  return value
}

/** `value` as a string. */
export function requireText(value: unknown, what: string): string {
  if (typeof value !== 'string') throw badAnswer(`${what} is not a string`)
  return value
}

/** `value` as a message hash: 43 base64 characters. */
export function requireHash(value: unknown): string {
  if (typeof value !== 'string' || !isMessageHash(value)) throw badAnswer('a hash is not 43 base64 characters')
  return value
}

/** `value` as a list of message hashes. */
export function requireHashList(value: unknown, what: string): string[] {
  return requireArray(value, what, ANSWER_MAX_HASHES).map(requireHash)
}

/** `value` as bytes: base64 in JSON, themselves in bt. */
export function requireBinary(value: unknown, what: string): Uint8Array {
  if (value instanceof Uint8Array) return value
  try {
    return decodeBase64(requireText(value, what))
  } catch (cause) {
    throw badAnswer(`${what} is not base64`, cause)
  }
}

/** `value` as a 64-byte signature. */
export function requireSignature(value: unknown): Uint8Array {
  const signature = requireBinary(value, 'a signature')
  if (signature.length !== SIGNATURE_BYTES) throw badAnswer(`a signature of ${signature.length} bytes`)
  return signature
}

/** `value` as an integer from 0 to 2⁵³−1, which every time in milliseconds is. */
export function requireInteger(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw badAnswer(`${what} is not an integer`)
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
