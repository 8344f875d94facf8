/** What a route answers, and how it is written to the connection. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { LongAnswer } from '../rpc/json-answer.ts'

const JSON_TYPE = 'application/json'

export interface HttpAnswer {
  readonly status: number
  /** An object goes out as JSON, a string as plain text, bytes as they are. */
  readonly body: object | string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
  /** What was asked, for the metrics. */
  readonly method?: string
  /** A refusal of a client that floods: it comes a second late, and nothing is read of its connection meanwhile. */
  readonly isLate?: boolean
}

/** Answers one request of a client at `address`; may throw, which the other side sees as 500 without a reason. */
export type Route = (body: Buffer, request: IncomingMessage, address: string) => HttpAnswer | Promise<HttpAnswer>

/** Who may ask, and send, how much. */
export interface Admit {
  /** Looks at a request before its body is read; an answer refuses it. */
  request(request: IncomingMessage, path: string, address: string): HttpAnswer | undefined
  /** Whether `BODY_PART_BYTES` more of a body may come. */
  bodyPart(path: string, address: string): boolean
  /** The refusal of a request of which no more may come. */
  refusal(request: IncomingMessage, address: string): HttpAnswer
}

/** Takes over a connection that asks for another protocol. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer, address: string) => void

export interface Content {
  readonly type: string
  readonly body: string | Uint8Array
  readonly sizeBytes: number
}

/** A string goes out in one write together with the head, bytes would follow in a second: JSON stays a string, unless it is long. */
export function contentOf({ body }: HttpAnswer): Content {
  if (body instanceof Uint8Array) return { type: 'application/octet-stream', body, sizeBytes: body.length }
  if (body instanceof LongAnswer) {
    const json = body.encode()
    return { type: JSON_TYPE, body: json, sizeBytes: json.length }
  }
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return {
    type: typeof body === 'string' ? 'text/plain' : JSON_TYPE,
    body: text,
    sizeBytes: Buffer.byteLength(text),
  }
}

export const FAILED: HttpAnswer = { status: 500, body: 'request failed' }
export const BUSY: HttpAnswer = { status: 503, body: 'Server busy, try again later' }
export const TOO_LARGE: HttpAnswer = { status: 413, body: 'Request body too large', headers: { connection: 'close' } }
export const TOO_SLOW: HttpAnswer = { status: 408, body: 'Request body too slow', headers: { connection: 'close' } }
