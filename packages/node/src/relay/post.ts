/**
 * One POST to the next node or to a web server, and what became of it. Its reply is read within bounds; redirects are not followed
 * (clauses ON-73, ON-74).
 */
import { type Agent, type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { ConnectionOptions } from 'node:tls'
import { ONION_REPLY_MAX_BYTES } from '@session-v2/network'
import type { Flight, Flights, StopReason } from './flights.ts'

export interface PostTarget {
  readonly protocol: 'http' | 'https'
  readonly host: string
  readonly port: number
  readonly path: string
  /** Holds connections for the next request; false: one for this request alone. */
  readonly agent: Agent | false
  /** Value of the header field; the default is made of `host` and `port`. */
  readonly hostField?: string
  readonly tls?: Pick<ConnectionOptions, 'servername' | 'ca' | 'rejectUnauthorized'>
}

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

/** A kept connection that the other side closed just then. */
const STALE = { kind: 'stale' } as const
const CLOSED_CODES: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE'])
const PARSER_CODE = 'HPE_'
/** What an answer may say; below are those that only announce one. */
const [STATUS_MIN, STATUS_MAX] = [200, 599]

/** Sends `body` within a flight; never rejects. Over a kept connection that turns out closed it is sent once more, over a new one. */
export async function post(flights: Flights, flight: Flight, target: PostTarget, body: Uint8Array): Promise<PostOutcome> {
  const outcome = await attempt(flights, flight, target, body)
  if (outcome.kind !== 'stale') return outcome
  const again = await attempt(flights, flight, { ...target, agent: false }, body)
  return again.kind === 'stale' ? { kind: 'unreachable' } : again
}

function attempt(flights: Flights, flight: Flight, target: PostTarget, body: Uint8Array): Promise<PostOutcome | typeof STALE> {
  const { signal } = flight
  return new Promise(resolve => {
    const stopped = () => ({ kind: signal.reason as StopReason })
    if (signal.aborted) {
      resolve(stopped())
      return
    }
    let began = false
    const stop = () => request.destroy()
    const settle = (outcome: PostOutcome | typeof STALE): void => {
      signal.removeEventListener('abort', stop)
      resolve(signal.aborted ? stopped() : outcome)
    }
    const open = target.protocol === 'https' ? requestHttps : requestHttp
    const request = open(optionsOf(target, body.length), response => {
      began = true
      void collect(flights, flight, response).then(settle)
    })
    signal.addEventListener('abort', stop)
    request.on('error', (error: NodeJS.ErrnoException) => settle(outcomeOf(error, request.reusedSocket)))
    // Without an answer and without an error: it was offered another protocol.
    request.on('close', () => began || settle({ kind: 'broken' }))
    request.end(body)
  })
}

function optionsOf(target: PostTarget, sizeBytes: number): RequestOptions & ConnectionOptions {
  const { host, port, path, agent, hostField, tls } = target
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': sizeBytes,
    ...(hostField !== undefined && { host: hostField }),
  }
  return { host, port, path, agent, method: 'POST', headers, ...tls }
}

function outcomeOf({ code = '' }: NodeJS.ErrnoException, reusedSocket: boolean): PostOutcome | typeof STALE {
  if (code.startsWith(PARSER_CODE)) return { kind: 'broken' }
  return reusedSocket && CLOSED_CODES.has(code) ? STALE : { kind: 'unreachable' }
}

/** Never rejects. */
function collect(flights: Flights, flight: Flight, response: IncomingMessage): Promise<PostOutcome> {
  const { statusCode = 0 } = response
  const pieces: Buffer[] = []
  let sizeBytes = 0
  return new Promise(resolve => {
    const cutOff = (kind: 'broken' | 'no-room'): void => {
      resolve({ kind })
      response.destroy()
    }
    response.on('data', (piece: Buffer) => {
      sizeBytes += piece.length
      pieces.push(piece)
      if (sizeBytes > ONION_REPLY_MAX_BYTES) cutOff('broken')
      else if (!flights.grow(flight, piece.length)) cutOff('no-room')
    })
    response.on('end', () => {
      if (statusCode < STATUS_MIN || statusCode > STATUS_MAX) resolve({ kind: 'broken' })
      else resolve({ kind: 'answered', status: statusCode, body: pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces) })
    })
    response.on('error', () => resolve({ kind: 'broken' }))
    response.on('close', () => resolve({ kind: 'broken' }))
  })
}
