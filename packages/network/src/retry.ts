/**
 * What an answer that is no success means for the one who asked (RPC-80).
 *
 * | status | code | retry |
 * |---|---|---|
 * | 400 | malformed | never |
 * | 401 | unauthorized | never |
 * | 403 | forbidden | never |
 * | 404 | not-found | never |
 * | 406, 425 | clock | now, once, with the network's time |
 * | 408, 504 | timeout | other-node |
 * | 413 | too-large | never |
 * | 421 | wrong-swarm | now, at the nodes of the body |
 * | 429, 503 | busy | later |
 * | other | server | other-node |
 */
import { NetworkError, type NetworkErrorCode, type Retry } from './network-error.ts'

const BY_STATUS: Readonly<Record<number, readonly [NetworkErrorCode, Retry]>> = {
  400: ['malformed', 'never'],
  401: ['unauthorized', 'never'],
  403: ['forbidden', 'never'],
  404: ['not-found', 'never'],
  406: ['clock', 'now'],
  408: ['timeout', 'other-node'],
  413: ['too-large', 'never'],
  421: ['wrong-swarm', 'now'],
  425: ['clock', 'now'],
  429: ['busy', 'later'],
  503: ['busy', 'later'],
  504: ['timeout', 'other-node'],
}

const LONGEST_REASON = 200
/** A person reads the message, perhaps in a terminal, which must not obey the node: neither erase nor turn round what it shows. */
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** The error of an answer with a status that is no success. `body` is its JSON value, or its text where it is none. */
export function errorOfStatus(status: number, body: unknown): NetworkError {
  const [code, retry] = BY_STATUS[status] ?? ['server', 'other-node']
  const reason = typeof body === 'string' && body !== '' ? `: ${body.slice(0, LONGEST_REASON).replace(CONTROL, ' ')}` : ''
  return new NetworkError(code, `the node answered ${status}${reason}`, { retry, status, body })
}

/** The error of a request that got no answer. */
export function errorOfTransport(code: 'timeout' | 'unreachable', cause?: unknown): NetworkError {
  const message = code === 'timeout' ? 'the node did not answer in time' : 'the node cannot be reached'
  return new NetworkError(code, message, { retry: 'other-node', cause })
}
