/** What the relay answers over HTTP: bytes or a plain text, and the name of the request for the metrics (clause ON-72). */
export interface RelayAnswer {
  readonly status: number
  /** A text goes out as text/plain. */
  readonly body: string | Uint8Array
}

export const BUSY: RelayAnswer = { status: 503, body: 'Server busy, try again later' }
