/**
 * One POST to the next node or to a web server, and what became of it. Its reply is read within bounds; redirects are not followed
 * (clauses ON-73, ON-74).
 */
import { ONION_REPLY_MAX_BYTES } from '@session-v2/network'
import type { Dispatcher } from 'undici'
import { type Post, PostError, type PostTarget, post, postAlone, type TlsOptions } from '../outgoing/post.ts'
import type { Flight, Flights, StopReason } from './flights.ts'

export interface PostReply {
  readonly kind: 'answered'
  readonly status: number
  readonly body: Buffer
}

/**
 * - `unreachable`: no connection, or one that ended before an answer began
 * - `broken`: what came is no HTTP, ended within, or has more than 16 MiB
 * - `no-room`: too many replies are in memory
 */
export type PostOutcome = PostReply | { readonly kind: 'unreachable' | 'broken' | 'no-room' | StopReason }

/** What an answer may say. */
const [STATUS_MIN, STATUS_MAX] = [200, 599]
const TOO_LONG = new Error('the reply is too long')
const NO_ROOM = new Error('too many replies are in memory')

/** Sends `body` within a flight; never rejects. One that a kept connection took, which was closed just then, is sent once more, over a new one. */
export async function postKept(
  flights: Flights,
  flight: Flight,
  target: PostTarget,
  connections: Dispatcher,
  tls: TlsOptions,
  body: Uint8Array,
): Promise<PostOutcome> {
  const outcome = await settle(flight, post(connections, target, body, growing(flights, flight)))
  return outcome.kind === 'closed' ? postOnce(flights, flight, target, tls, body) : outcome
}

/** The same over a connection of its own. */
export async function postOnce(
  flights: Flights,
  flight: Flight,
  target: PostTarget,
  tls: TlsOptions,
  body: Uint8Array,
): Promise<PostOutcome> {
  const outcome = await settle(flight, postAlone(target, tls, body, growing(flights, flight)))
  return outcome.kind === 'closed' ? { kind: 'unreachable' } : outcome
}

/** Counts the pieces of a reply. */
function growing(flights: Flights, flight: Flight): (pieceBytes: number) => void {
  let sizeBytes = 0
  return pieceBytes => {
    sizeBytes += pieceBytes
    if (sizeBytes > ONION_REPLY_MAX_BYTES) throw TOO_LONG
    if (!flights.grow(flight, pieceBytes)) throw NO_ROOM
  }
}

async function settle(flight: Flight, sent: Post): Promise<PostOutcome | { readonly kind: 'closed' }> {
  const stop = () => sent.stop(NO_ROOM)
  if (flight.stopReason !== undefined) stop()
  const listenNoMore = flight.onStop(stop)
  try {
    const { status, body } = await sent.answer
    return status < STATUS_MIN || status > STATUS_MAX ? { kind: 'broken' } : { kind: 'answered', status, body }
  } catch (error) {
    if (flight.stopReason !== undefined) return { kind: flight.stopReason }
    if (error === NO_ROOM) return { kind: 'no-room' }
    return { kind: error instanceof PostError ? error.kind : 'broken' }
  } finally {
    listenNoMore()
  }
}
