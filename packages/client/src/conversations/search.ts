/**
 * Search over the messages of this device. There is no index: one that finds words tells its thief which messages have the same ones, however
 * its words are hidden. Messages are opened and looked through instead, newest first, a slice at a time, so that the first results are there
 * at once and a screen stays alive; a page ends when it is full or when so many messages were looked through.
 */
import type { AccountId } from '@session-v2/protocol'
import type { MessageLog } from '../messages/message-log.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { type MessageView, messageView } from './read-models.ts'

export interface SearchQuery {
  /** Words, or parts of them; a message has to have all, in any order. Case and accents do not count. */
  readonly text: string
  /** Only this conversation. */
  readonly with?: AccountId | undefined
  /** Where the page before has ended. */
  readonly before?: number | undefined
  /** How many results a page has at most. */
  readonly limit?: number | undefined
}

export interface SearchPage {
  /** The newest first. */
  readonly messages: readonly MessageView[]
  /** Ask again with this for what is older; undefined when everything was looked through. */
  readonly before: number | undefined
  /** How many messages were looked through for this page. */
  readonly looked: number
}

const DEFAULT_PAGE = 50
/** Opened at a time: some 5 ms. */
const SLICE = 250
/** Looked through for one page: some 200 ms. */
const LOOKED_MAX = 10_000

/** One page of results; nothing for a text without words. */
export async function searchPage(
  { log, scheduler }: { readonly log: MessageLog; readonly scheduler: Pick<Scheduler, 'breathe'> },
  query: SearchQuery,
): Promise<SearchPage> {
  const words = foldText(query.text)
    .split(' ')
    .filter(word => word !== '')
  const limit = Math.max(1, query.limit ?? DEFAULT_PAGE)
  const found: MessageView[] = []
  let { before } = query
  let looked = 0
  while (words.length > 0) {
    const slice = await log.page({ with: query.with, before, limit: SLICE, reverse: true })
    for (const { order, value } of slice) {
      looked++
      before = order
      const text = foldText(value.body)
      if (!words.every(word => text.includes(word))) continue
      if (found.push(messageView(order, value)) === limit) return { messages: found, before, looked }
    }
    if (slice.length < SLICE) break
    if (looked >= LOOKED_MAX) return { messages: found, before, looked }
    await scheduler.breathe()
  }
  return { messages: found, before: undefined, looked }
}

/** A text as it is compared: without case, accents and forms of a character that look alike, and with single spaces. */
export function foldText(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace(/\s+/g, ' ').trim()
}
