/** Reading bytes that have to have a form of the wire. */
import { EncodingError } from '@session-v2/encoding'
import { type ClauseId, ProtocolError } from './protocol-error.ts'

/** What `read` returns. What it refuses for its encoding is `malformed` by `clause`: the complaint, and what is wrong. */
export function readForm<T>(clause: ClauseId, complaint: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    throw new ProtocolError('malformed', clause, `${complaint}: ${cause.message}`, { cause })
  }
}
