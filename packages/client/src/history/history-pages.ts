/**
 * The message log as pages of history, oldest first. A message is handed over once the other devices cannot expect it from the swarm
 * in another way: what still waits to be sent comes to them as a copy of its own. Implements HT-14.
 */
import { encodeUtf8 } from '@session-v2/encoding'
import { type AccountId, encodeHandedMessage, encodeHistoryPage, HISTORY_PAGE_MAX_BYTES } from '@session-v2/protocol'
import type { MessageLog, MessageRecord } from '../messages/message-log.ts'

/** Messages that are read from the log at a time. */
const READ_AT_ONCE = 200
/** Around messages and names: the dict, its keys and lengths. */
const FRAME_BYTES = 16
/** A name beside its text: the account ID and the lengths. */
const NAME_FRAME_BYTES = 40

/** Which part of the log is handed over. Places are those of `MessageLog.page`. */
export interface HistoryRange {
  readonly after: number
  readonly until: number
  readonly sinceMs?: number | undefined
}

/** What a hand-over that begins now has to hand over: up to which place, and how many messages. */
export async function historyExtent(
  log: MessageLog,
  sinceMs: number | undefined,
): Promise<{ readonly until: number; readonly total: number }> {
  let [until, total] = [0, 0]
  for await (const { order, value } of messagesOf(log, { after: 0, until: Number.MAX_SAFE_INTEGER, sinceMs })) {
    until = order
    if (value !== undefined) total++
  }
  return { until, total }
}

export interface PackedPage {
  readonly page: Uint8Array
  readonly messages: number
  /** The place of the last message in it, or of one behind that is left out. */
  readonly after: number
  /** Nothing follows. */
  readonly isLast: boolean
}

/** The next page: as many messages as fit 57,000 bytes, or one that is longer. */
export async function packPage(log: MessageLog, range: HistoryRange): Promise<PackedPage> {
  const entries: Uint8Array[] = []
  const names = new Map<AccountId, string>()
  let sizeBytes = FRAME_BYTES
  let after = range.after
  const packed = (isLast: boolean): PackedPage => {
    return { page: encodeHistoryPage(entries, names), messages: entries.length, after, isLast }
  }
  for await (const { order, value } of messagesOf(log, range)) {
    if (value !== undefined) {
      const entry = encodeHandedMessage(value)
      const name = names.has(value.conversation) ? undefined : (await log.conversation(value.conversation))?.name
      const costBytes = entry.length + (name === undefined ? 0 : NAME_FRAME_BYTES + encodeUtf8(name).length)
      if (entries.length > 0 && sizeBytes + costBytes > HISTORY_PAGE_MAX_BYTES) return packed(false)
      entries.push(entry)
      if (name !== undefined) names.set(value.conversation, name)
      sizeBytes += costBytes
    }
    after = order
  }
  return packed(true)
}

/** The messages of a range; undefined stands for one that is not handed over. */
async function* messagesOf(
  log: MessageLog,
  { after, until, sinceMs = 0 }: HistoryRange,
): AsyncGenerator<{ readonly order: number; readonly value: MessageRecord | undefined }> {
  for (let from = after; from < until; ) {
    const page = await log.page({ after: from, limit: READ_AT_ONCE })
    if (page.length === 0) return
    for (const { order, value } of page) {
      if (order > until) return
      yield { order, value: isSettled(value) && value.sentAtMs >= sinceMs && hasWholeTimes(value) ? value : undefined }
      from = order
    }
  }
}

/** Whether the other devices got their own copy of a message when it was new, or the swarm of this account has it. */
function isSettled({ state, hashes }: MessageRecord): boolean {
  return state === 'received' || state === 'stored' || hashes?.own !== undefined
}

/** Whether its times can be written: what a clock without whole milliseconds noted must not keep all the others back. */
function hasWholeTimes({ sentAtMs, receivedAtMs, keyCreatedAtMs = 0 }: MessageRecord): boolean {
  return [sentAtMs, receivedAtMs, keyCreatedAtMs].every(timeMs => Number.isSafeInteger(timeMs) && timeMs >= 0)
}
