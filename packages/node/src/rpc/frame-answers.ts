/**
 * Answers what another member passes on in one body (clause NODE-48): each request is checked, done and answered by itself, those of one
 * frame side by side, so that what they write shares a commit.
 */
import { encodeUtf8 } from '@session-v2/encoding'
import {
  decodeFrame,
  encodeFrameReply,
  FRAME_REPLY_MAX_BYTES,
  PART_OVERHEAD_BYTES,
  type PartReply,
} from '../swarm/forward-frame.ts'
import { answerPeer, type WireAnswer } from './rpc.ts'
import type { NodeServices } from './services.ts'

/** Requests of frames of one member that run at a time: those of 16 full frames. Further ones are refused. */
export const FRAMED_RUNNING_MAX = 1024
/** What is left of the text of a refusal: who asked keeps 200 characters of it. */
export const REFUSAL_MAX_BYTES = 1024

const NO_FRAME: WireAnswer = { status: 422, body: 'not a list of requests' }
const BUSY: WireAnswer = { status: 503, body: 'Server busy, try again later' }
const NO_ROOM: PartReply = { status: 413, body: encodeUtf8('the entry has no room beside the others') }

export class FrameAnswers {
  readonly #node: NodeServices
  readonly #running = new Map<string, number>()

  constructor(node: NodeServices) {
    this.#node = node
  }

  /** Answers a frame that the member `sender` signed; never rejects. */
  async answer(sender: string, body: Uint8Array): Promise<WireAnswer> {
    const requests = decodeFrame(body)
    if (requests === undefined) return NO_FRAME
    const before = this.#running.get(sender) ?? 0
    if (before + requests.length > FRAMED_RUNNING_MAX) return BUSY
    this.#running.set(sender, before + requests.length)
    let roomBytes = FRAME_REPLY_MAX_BYTES - PART_OVERHEAD_BYTES - requests.length * (NO_ROOM.body.length + PART_OVERHEAD_BYTES)
    const replies = await Promise.all(
      requests.map(async request => {
        const reply = inBytes(await answerPeer(this.#node, request))
        roomBytes -= reply.body.length
        if (roomBytes >= 0) return reply
        roomBytes += reply.body.length
        return NO_ROOM
      }),
    )
    this.#end(sender, requests.length)
    return { status: 200, body: encodeFrameReply(replies) }
  }

  #end(sender: string, count: number): void {
    const left = this.#running.get(sender)! - count
    if (left === 0) this.#running.delete(sender)
    else this.#running.set(sender, left)
  }
}

/** What a request in JSON is answered is JSON here too. */
function inBytes({ status, body }: WireAnswer): PartReply {
  const bytes = body instanceof Uint8Array ? body : encodeUtf8(typeof body === 'string' ? body : JSON.stringify(body))
  return { status, body: status === 200 ? bytes : bytes.subarray(0, REFUSAL_MAX_BYTES) }
}
