/**
 * A message as another one names it: by its author, the time it was sent, and its `msgId`, where the author's client gives one.
 * And which message is meant by that.
 *
 *     quote, reaction, unsend request   time (uint64) ‖ author (text) ‖ msgId (sfixed64, optional)
 *
 * Implements CON-04, CON-11.
 */
import { readUint64Le } from '@session-v2/encoding'
import { type AccountId, parseAccountId } from '../account/account-id.ts'
import { type ClauseId, ProtocolError, requireSize } from '../protocol-error.ts'
import { readTimeMs, timeField } from './content-time.ts'

const MSG_ID_BYTES = 8

/** What names a message. A reference names one, and every message has one of its own. */
export interface MessageReference {
  readonly author: AccountId
  /** Milliseconds since the epoch. */
  readonly sentAtMs: number
  /** A signed 64-bit integer other than 0; older clients give none. */
  readonly msgId?: bigint
}

/** The `msgId` of 8 random bytes. Throws `bad-input` for another size. */
export function msgIdOf(randomBytes: Uint8Array): bigint {
  requireSize(randomBytes, MSG_ID_BYTES, 'CON-04', 'a message id')
  return BigInt.asIntN(64, readUint64Le(randomBytes, 0))
}

/**
 * The one of `candidates` that `reference` means: same author, same time and, if the reference has a `msgId`, that too.
 * `ambiguous` when there are several, which are left alone; `unknown` when there is none, or none yet. Candidates are the
 * messages of one conversation, or those of all where a clause says so, each once.
 */
export function resolveReference<C extends MessageReference>(
  reference: MessageReference,
  candidates: Iterable<C>,
): C | 'ambiguous' | 'unknown' {
  let meant: C | undefined
  for (const candidate of candidates) {
    if (!names(reference, candidate)) continue
    if (meant !== undefined) return 'ambiguous'
    meant = candidate
  }
  return meant ?? 'unknown'
}

function names(reference: MessageReference, candidate: MessageReference): boolean {
  if (candidate.author !== reference.author || candidate.sentAtMs !== reference.sentAtMs) return false
  return saidMsgId(reference.msgId) === undefined || reference.msgId === candidate.msgId
}

/** A `msgId` of the wire: zero is none. */
export function saidMsgId(msgId: bigint | undefined): bigint | undefined {
  return msgId === 0n ? undefined : msgId
}

/** The `msgId` of a value that has one, for spreading into another. */
export function withMsgId(msgId: bigint | undefined): { readonly msgId?: bigint } {
  const said = saidMsgId(msgId)
  return said === undefined ? {} : { msgId: said }
}

/** The reference in these fields. Throws `malformed`, by `clause`, for an author that is no account ID or a time that is none. */
export function readReference(clause: ClauseId, timestamp: bigint, author: string, msgId: bigint | undefined): MessageReference {
  return { author: readAuthor(clause, author), sentAtMs: readTimeMs(clause, timestamp, 'what is named'), ...withMsgId(msgId) }
}

/**
 * The reference as the time, the author and the `msgId` of a message. Throws `bad-input`, by `clause`, for a time that is none.
 */
export function referenceFields(clause: ClauseId, reference: MessageReference) {
  const { author, sentAtMs, msgId } = reference
  return { timestamp: timeField(clause, sentAtMs, 'what is named'), author, msgId: saidMsgId(msgId) }
}

function readAuthor(clause: ClauseId, author: string): AccountId {
  try {
    return parseAccountId(author)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new ProtocolError('malformed', clause, 'the author of what is named is no account ID', { cause })
  }
}
