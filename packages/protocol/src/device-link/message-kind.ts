/**
 * What lies at namespace 21: group messages and link requests, told by the text under their empty key.
 *
 * Implements LINK-06.
 */
import { BtDictReader, EncodingError } from '@session-v2/encoding'

const KINDS: ReadonlyMap<string, MessageKindAt21> = new Map([
  ['G', 'group'],
  ['L', 'link'],
])

export type MessageKindAt21 = 'group' | 'link' | 'unknown' | 'malformed'

/**
 * The kind of a message, from its beginning alone: whether it has the form of its kind only opening it tells. `unknown` is a kind of
 * the future; what does not begin as a dict with a text under the empty key is `malformed`.
 */
export function messageKindAt21(message: Uint8Array): MessageKindAt21 {
  try {
    const type = new BtDictReader(message).requireBytes('')
    return KINDS.get(String.fromCharCode(...type.subarray(0, 2))) ?? 'unknown'
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    return 'malformed'
  }
}
