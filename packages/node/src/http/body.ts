/**
 * Reads the body of an HTTP request within a limit, within the room that there is, and as far as its sender may send (clauses NODE-61,
 * NODE-100, NODE-104).
 */
import type { IncomingMessage } from 'node:http'
import type { BodyShare, LoadGate } from './load-gate.ts'

export type Body =
  | { readonly outcome: 'read'; readonly bytes: Buffer }
  | { readonly outcome: 'too-large' | 'aborted' | 'no-room' | 'too-slow' | 'unpaid' }

/** A body on its way. */
export interface Reading {
  readonly startedMs: number
  readonly share: BodyShare
  /** Whether the sender may send `BODY_PART_BYTES` more. */
  readonly pay: () => boolean
  /** Gives it up: it comes too slowly. */
  giveUp: () => void
}

export interface BodyLimits {
  readonly maxBytes: number
  readonly gate: LoadGate
}

/** Each further part of this size is paid for like a request. */
export const BODY_PART_BYTES = 64 * 1024

const TOO_LARGE: Body = { outcome: 'too-large' }
/** Pieces that are held before they are made one: each takes some 200 bytes beside its own, and a body can come byte by byte. */
const PIECES_HELD = 256
/** Behind so many, a piece is paid for as if it had so many bytes more: what it costs beside them. */
const PIECES_FREE = 64
const PIECE_BYTES = 4096

/**
 * Resolves once the body is complete, over its limit, without room, not paid for, or given up by either side; never rejects. What it holds
 * of `gate` stands in `reading.share`: the caller releases it. `reading.giveUp` is set here.
 */
export function readBody(request: IncomingMessage, limits: BodyLimits, reading: Reading): Promise<Body> {
  const { maxBytes, gate } = limits
  const declared = request.headers['content-length']
  if (declared !== undefined && Number(declared) > maxBytes) return Promise.resolve(TOO_LARGE)
  return new Promise(resolve => {
    const pieces = new Pieces()
    let size = 0
    let pieceCount = 0
    let paidBytes = BODY_PART_BYTES
    let ended = false
    const end = (body: Body): void => {
      ended = true
      pieces.clear()
      resolve(body)
    }
    const stop = (body: Body): void => {
      request.pause()
      end(body)
    }
    reading.giveUp = () => stop({ outcome: 'too-slow' })
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      const dueBytes = size + Math.max(0, ++pieceCount - PIECES_FREE) * PIECE_BYTES
      for (; dueBytes > paidBytes; paidBytes += BODY_PART_BYTES) {
        if (reading.pay()) continue
        // Behind its answer nothing is due to it any more.
        if (ended) request.destroy()
        else stop({ outcome: 'unpaid' })
        return
      }
      // What comes after the end is read and dropped, so that the connection can be kept.
      if (ended) return
      if (size > maxBytes) stop(TOO_LARGE)
      else if (!gate.grow(reading.share, chunk.length)) end({ outcome: 'no-room' })
      else pieces.add(chunk)
    })
    request.on('end', () => {
      if (!ended) end({ outcome: 'read', bytes: pieces.bytes })
    })
    request.on('error', () => end({ outcome: 'aborted' }))
    request.on('close', () => end({ outcome: 'aborted' }))
  })
}

/** Whether the body comes in chunks, whose number and size nobody has said. */
export function isStreamed({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined
}

/** Whether it has a body of which more is to come than a connection is kept for behind a refusal. */
export function hasLongBody(request: IncomingMessage): boolean {
  return isStreamed(request) || Number(request.headers['content-length'] ?? 0) > BODY_PART_BYTES
}

/** Pieces of a body as they arrive. */
class Pieces {
  #gathered: Buffer[] = []
  #pieces: Buffer[] = []

  add(piece: Buffer): void {
    if (this.#pieces.push(piece) < PIECES_HELD) return
    this.#pieces.push(Buffer.concat(this.#pieces))
    this.#pieces = []
  }

  /** All of them as one. */
  get bytes(): Buffer {
    const all = [...this.#gathered, ...this.#pieces]
    return all.length === 1 ? all[0]! : Buffer.concat(all)
  }

  clear(): void {
    this.#gathered = []
    this.#pieces = []
  }
}
