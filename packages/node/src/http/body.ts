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
const NOTHING = Buffer.alloc(0)
/** How much longer the memory for a body gets each time that it is too short. */
const GROWTH = 4
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
    const gathered = new Gathered(Math.min(Number(declared ?? maxBytes), maxBytes))
    let size = 0
    let pieceCount = 0
    let paidBytes = BODY_PART_BYTES
    let ended = false
    const end = (body: Body): void => {
      ended = true
      gathered.clear()
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
      else gathered.add(chunk)
    })
    request.on('end', () => {
      if (!ended) end({ outcome: 'read', bytes: gathered.bytes })
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

/** A body as it arrives: its first piece as it is, what has more in memory of its own, so that small pieces do not keep large ones alive. */
class Gathered {
  readonly #maxBytes: number
  #bytes: Buffer = NOTHING
  #sizeBytes = 0

  /** It will have `maxBytes` at most. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  add(piece: Buffer): void {
    const sizeBytes = this.#sizeBytes + piece.length
    if (this.#sizeBytes === 0) {
      this.#bytes = piece
    } else {
      if (sizeBytes > this.#bytes.length) this.#grow(sizeBytes)
      piece.copy(this.#bytes, this.#sizeBytes)
    }
    this.#sizeBytes = sizeBytes
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#sizeBytes)
  }

  clear(): void {
    this.#bytes = NOTHING
    this.#sizeBytes = 0
  }

  /** What nobody has sent yet takes no memory of the machine; but the engine counts it, so it is not all that was announced. */
  #grow(neededBytes: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(neededBytes, Math.min(this.#maxBytes, GROWTH * neededBytes)))
    this.#bytes.copy(grown, 0, 0, this.#sizeBytes)
    this.#bytes = grown
  }
}
