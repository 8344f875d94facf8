/**
 * How much a server takes on at once (clause NODE-104): requests that run, bytes of bodies, bytes of answers that clients have not taken.
 * What is above a bound is refused at once; nothing waits in a queue that could grow.
 *
 * Short bodies, which nearly all are, and long ones have a bound each: whoever fills memory with long ones does not keep out the
 * others. A body is counted by what has arrived of it, not by what it claims, from its first byte until its request is answered.
 */

export interface LoadLimits {
  /** Of every number 0 means: no limit. */
  readonly runningRequests: number
  readonly bodyBytes: number
  readonly answerBytes: number
}

/** A body up to this size is short: the largest store fits in. */
export const SHORT_BODY_BYTES = 128 * 1024

/** Bytes of one body that are in memory. */
export interface BodyShare {
  bytes: number
}

export class LoadGate {
  readonly #limits: LoadLimits
  #running = 0
  #shortBytes = 0
  #longBytes = 0
  #answerBytes = 0

  constructor(limits: LoadLimits) {
    this.#limits = limits
  }

  /** Whether one more request may run; when true it counts until `leave`. */
  enter(): boolean {
    const { runningRequests } = this.#limits
    if (runningRequests > 0 && this.#running >= runningRequests) return false
    this.#running++
    return true
  }

  /** One more runs, for one that was given up and is about to leave. */
  enterInstead(): true {
    this.#running++
    return true
  }

  leave(): void {
    this.#running--
  }

  /** Whether there is room for `sizeBytes` more of a body; when true they count until its `release`. */
  grow(share: BodyShare, sizeBytes: number): boolean {
    const { bodyBytes } = this.#limits
    const total = share.bytes + sizeBytes
    const short = this.#shortBytes - shortPart(share.bytes) + shortPart(total)
    const long = this.#longBytes - longPart(share.bytes) + longPart(total)
    if (bodyBytes > 0 && (total > SHORT_BODY_BYTES ? long > bodyBytes : short > bodyBytes)) return false
    this.#shortBytes = short
    this.#longBytes = long
    share.bytes = total
    return true
  }

  release(share: BodyShare): void {
    this.#shortBytes -= shortPart(share.bytes)
    this.#longBytes -= longPart(share.bytes)
    share.bytes = 0
  }

  /** An answer waits for its client; the returned function says that it does not any more. */
  answerWaits(sizeBytes: number): () => void {
    this.#answerBytes += sizeBytes
    return () => {
      this.#answerBytes -= sizeBytes
    }
  }

  /** Whether clients have left more answers lying than may be. */
  get answersFull(): boolean {
    const { answerBytes } = this.#limits
    return answerBytes > 0 && this.#answerBytes >= answerBytes
  }
}

/** A body moves from the short ones to the long ones when it grows beyond them. */
function shortPart(bytes: number): number {
  return bytes > SHORT_BODY_BYTES ? 0 : bytes
}

function longPart(bytes: number): number {
  return bytes > SHORT_BODY_BYTES ? bytes : 0
}
