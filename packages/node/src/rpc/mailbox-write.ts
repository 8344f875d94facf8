/**
 * A write that changes a whole mailbox, and lists what it changed (clauses NODE-37, NODE-46). The entries of the members together are an
 * answer that a client still reads; one for which there is no room is told as refused with 413, though it is done.
 *
 * A client's request has two turns: one until it is done here, and one until its answer is made, which holds the lists of all members.
 * What a member passes on has the first alone: it never waits for a request that waits for members.
 */
import type { SwarmEntry } from '../swarm/replication.ts'
import { AnswerRoom, sizeOf } from './answer-room.ts'
import type { Asked, NodeServices, RpcAnswer } from './services.ts'
import { type SwarmWrite, writeToSwarm } from './swarm-write.ts'

/** The entry of a member that lists `AFFECTED_MAX` messages, each in a namespace of its own. */
export const MAILBOX_ENTRY_MAX_BYTES = 4 * 1024 * 1024
/** A list up to this size is not worth a turn while the other members are waited for. */
const SMALL_BYTES = 64 * 1024

const BUSY: RpcAnswer = { status: 503, body: 'Server busy, try again later' }
const EVERYBODY = { answers: { take: async () => nothing }, changes: { take: async () => nothing } }
const NO_ROOM: SwarmEntry = { failed: true, code: '413', reason: 'the entry has no room beside the others' }

/** Executes such a write here and, for a client, at all peers, when it is its turn; 503 when too many wait for theirs. */
export async function writeToMailbox(
  node: NodeServices,
  asked: Asked,
  account: Uint8Array,
  write: Omit<SwarmWrite, 'limits'>,
): Promise<RpcAnswer> {
  const { answers, changes } = node.turns ?? EVERYBODY
  const endAnswer = asked.origin === 'client' ? await answers.take(account) : nothing
  if (endAnswer === undefined) return BUSY
  try {
    const endChange = await changes.take(account)
    if (endChange === undefined) return BUSY
    const execute: SwarmWrite['execute'] = async change => {
      try {
        const entry = await write.execute(change)
        if (sizeOf(entry) <= SMALL_BYTES) endAnswer()
        return entry
      } finally {
        endChange()
      }
    }
    const room = new AnswerRoom()
    const fit = (entry: SwarmEntry): SwarmEntry => (room.takes(sizeOf(entry)) ? entry : NO_ROOM)
    return await writeToSwarm(node, asked, { ...write, execute, limits: { entryMaxBytes: MAILBOX_ENTRY_MAX_BYTES, fit } })
  } finally {
    endAnswer()
  }
}

function nothing(): void {}
