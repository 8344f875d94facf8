/**
 * The ID of a request for history: 16 random bytes, which only members of the group learn. As text it is 32 lower-case hexadecimal
 * characters.
 *
 * Implements HT-07.
 */
import { encodeHex } from '@session-v2/encoding'
import { ProtocolError, requireSize } from '../protocol-error.ts'

declare const brand: unique symbol

/** 32 lower-case hexadecimal characters. Made by `parseHistoryRequestId` and `historyRequestIdOf`. */
export type HistoryRequestId = string & { readonly [brand]: 'HistoryRequestId' }

export const REQUEST_ID_BYTES = 16
const TEXT_FORM = /^[0-9a-fA-F]{32}$/

/** The ID that `text` spells, in either case of letters. Throws `bad-input`. */
export function parseHistoryRequestId(text: string): HistoryRequestId {
  if (!TEXT_FORM.test(text)) throw new ProtocolError('bad-input', 'HT-07', 'a request for history is 32 hexadecimal characters')
  return text.toLowerCase() as HistoryRequestId
}

/** The ID of its 16 bytes. Throws `bad-input` for another size. */
export function historyRequestIdOf(bytes: Uint8Array): HistoryRequestId {
  requireSize(bytes, REQUEST_ID_BYTES, 'HT-07', 'the ID of a request for history')
  return encodeHex(bytes) as HistoryRequestId
}
