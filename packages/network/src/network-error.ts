/** The one error of this package: a request or an answer that cannot stand, with what to do about it. */

export type NetworkErrorCode =
  | 'malformed'
  | 'wrong-swarm'
  | 'clock'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'too-large'
  | 'busy'
  | 'timeout'
  | 'unreachable'
  | 'server'

/** What the asking side does next: try again at once, at another node, later, or never with this request. */
export type Retry = 'now' | 'other-node' | 'later' | 'never'

export interface NetworkErrorOptions {
  readonly retry?: Retry
  /** HTTP status of the answer, where there was one. */
  readonly status?: number
  /** Decoded JSON body of the answer, where there was one. */
  readonly body?: unknown
  readonly cause?: unknown
}

export class NetworkError extends Error {
  override readonly name = 'NetworkError'
  readonly code: NetworkErrorCode
  readonly retry: Retry
  readonly status: number | undefined
  readonly body: unknown

  constructor(code: NetworkErrorCode, message: string, options: NetworkErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retry = options.retry ?? 'never'
    this.status = options.status
    this.body = options.body
  }
}

/** A request that a node refuses before doing anything: HTTP status and the text or object that is the body of the answer. */
export interface RpcFailure {
  readonly status: number
  readonly body: string | Readonly<Record<string, unknown>>
}

/** A parse-level refusal, as every method's `parse` throws it. Its message is the body of the node's answer. */
export function badRequest(reason: string): NetworkError {
  return new NetworkError('malformed', `invalid request: ${reason}`, { status: 400 })
}

/** An answer that a client cannot read: the node is at fault, another may do better. */
export function badAnswer(reason: string, cause?: unknown): NetworkError {
  return new NetworkError('malformed', `the node's answer cannot be read: ${reason}`, { retry: 'other-node', cause })
}
