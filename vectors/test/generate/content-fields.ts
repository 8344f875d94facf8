/** Contents field by field, written apart from the encoding package, and whom the cases of the chapter are about. */
import { concatBytes, encodeUtf8, uint64Le } from '@session-v2/encoding'
import type { Failure } from './case.ts'
import { lengthField, numberField } from './protobuf-field.ts'

/** Who reads, who writes unless told otherwise, and a third one. */
export const ALICE = `05${'aa'.repeat(32)}`
export const BOB = `05${'bb'.repeat(32)}`
export const CAROL = `05${'cc'.repeat(32)}`
export const SENT_AT_MS = 1_700_000_000_123n
/** `msgId` as on the wire, and the number that it is. */
export const MSG_ID = '01000000000000f0'
export const MSG_ID_NUMBER = 0xf000_0000_0000_0001n
/** An earlier message and its `msgId`. */
export const EARLIER_MS = 1_600_000_000_456n
export const EARLIER_ID = '0200000000000000'
export const EARLIER_ID_NUMBER = 2n

export const number = numberField
export const bytes = lengthField
export const text = (field: number, value: string) => lengthField(field, encodeUtf8(value))
export const message = (field: number, ...parts: readonly Uint8Array[]) => lengthField(field, concatBytes(...parts))

/** Eight bytes, least significant first. */
export function fixed(field: number, value: bigint, wireType = 1): Uint8Array {
  const tag = numberField(field, 0n).subarray(0, -1)
  return concatBytes(tag.with(0, tag[0]! + wireType), uint64Le(value))
}

/** What every content ends with: `sigTimestamp` and `msgId`. */
export const TIME = number(15, SENT_AT_MS)
export const TAIL = concatBytes(TIME, fixed(18, MSG_ID_NUMBER))
export const dataContent = (...parts: readonly Uint8Array[]) => concatBytes(message(1, ...parts), TAIL)
export const content = (...parts: readonly Uint8Array[]) => concatBytes(...parts, TAIL)

/** Who sent a content, and the time of the envelope, where that matters. */
export interface From {
  readonly sender?: string
  readonly envelope_ms?: number
}

/** A content with what it says, or why it says nothing. */
export type ContentRow = readonly [
  name: string,
  clause: string,
  reason: string,
  encoded: Uint8Array,
  out: Failure | Readonly<Record<string, unknown>>,
  from?: From,
]
