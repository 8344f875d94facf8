/** Reads the body of an HTTP request within a limit and within the room that there is (clauses NODE-61, NODE-104). */
import type { IncomingMessage } from 'node:http'
import type { BodyShare, LoadGate } from './load-gate.ts'

export type Body =
  | { readonly outcome: 'read'; readonly bytes: Buffer }
  | { readonly outcome: 'too-large' | 'aborted' | 'no-room' | 'too-slow' }

/** A body on its way. */
export interface Reading {
  readonly startedMs: number
  readonly share: BodyShare
  /** Gives it up: it comes too slowly. */
  giveUp: () => void
}

export interface BodyLimits {
  readonly maxBytes: number
  readonly gate: LoadGate
}

const TOO_LARGE: Body = { outcome: 'too-large' }
/** Pieces that are held before they are made one: each takes some 200 bytes beside its own, and a body can come byte by byte. */
const PIECES_HELD = 256

/**
 * Resolves once the body is complete, over its limit, without room, or given up by either side; never rejects. What it holds of
 * `gate` stands in `reading.share`: the caller releases it. `reading.giveUp` is set here.
 */
export function readBody(request: IncomingMessage, limits: BodyLimits, reading: Reading): Promise<Body> {
  const { maxBytes, gate } = limits
  const declared = request.headers['content-length']
  if (declared !== undefined && Number(declared) > maxBytes) return Promise.resolve(TOO_LARGE)
  return new Promise(resolve => {
    let first: Buffer | undefined
    let gathered: Buffer[] = []
    let pieces: Buffer[] = []
    let size = 0
    let ended = false
    const gather = (): void => {
      gathered.push(Buffer.concat(pieces))
      pieces = []
    }
    const end = (body: Body): void => {
      ended = true
      first = undefined
      gathered = []
      pieces = []
      resolve(body)
    }
    reading.giveUp = () => {
      request.pause()
      end({ outcome: 'too-slow' })
    }
    request.on('data', (chunk: Buffer) => {
      // What comes after the end is read and dropped, so that the connection can be kept.
      if (ended) return
      size += chunk.length
      if (size > maxBytes) {
        request.pause()
        end(TOO_LARGE)
      } else if (!gate.grow(reading.share, chunk.length)) end({ outcome: 'no-room' })
      else if (first === undefined) first = chunk
      else if (pieces.push(chunk) >= PIECES_HELD) gather()
    })
    request.on('end', () => {
      if (ended) return
      const isWhole = gathered.length === 0 && pieces.length === 0
      end({ outcome: 'read', bytes: isWhole ? (first ?? Buffer.alloc(0)) : Buffer.concat([first!, ...gathered, ...pieces]) })
    })
    request.on('error', () => end({ outcome: 'aborted' }))
    request.on('close', () => end({ outcome: 'aborted' }))
  })
}
