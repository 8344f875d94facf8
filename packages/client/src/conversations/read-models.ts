/** What a screen shows, each drawn from one read. */
import type { AccountId } from '@session-v2/protocol'
import type { MessageLog, MessageProtocol, MessageRecord, MessageState } from '../messages/message-log.ts'

/** A message as a screen or a program shows it. Times are milliseconds since the epoch. */
export interface MessageView {
  /** Its place: pages and streams continue behind it. */
  readonly cursor: number
  readonly messageId: string
  readonly conversation: AccountId
  readonly sender: AccountId
  readonly outgoing: boolean
  readonly body: string
  readonly sentAtMs: number
  readonly receivedAtMs: number
  readonly protocol: MessageProtocol
  /** Whether it has forward secrecy. */
  readonly pfs: boolean
  readonly state: MessageState
  readonly keyCreatedAtMs: number | undefined
  /** Another device of the account handed it over, with its times; it was not received here. */
  readonly handedOver?: true
}

/** One row of the conversation list. */
export interface ConversationView {
  readonly id: AccountId
  readonly name: string | undefined
  readonly messages: number
  readonly unread: number
  readonly last: { readonly body: string; readonly outgoing: boolean; readonly sentAtMs: number }
}

export interface MessageQuery {
  /** Only this conversation. */
  readonly with?: AccountId | undefined
  /** Only what is behind this cursor. */
  readonly after?: number | undefined
  readonly limit?: number | undefined
}

const DEFAULT_PAGE = 1000

/** A page of messages, oldest first. */
export async function messagePage(log: MessageLog, query: MessageQuery): Promise<MessageView[]> {
  const page = await log.page({ with: query.with, after: query.after, limit: query.limit ?? DEFAULT_PAGE })
  return page.map(({ order, value }) => messageView(order, value))
}

/** A message that is stored, as it is shown. */
export function messageView(cursor: number, { hashes: _, ...message }: MessageRecord): MessageView {
  return { keyCreatedAtMs: undefined, ...message, cursor }
}

/** The conversation list, the most recent first. */
export async function conversationList(log: MessageLog): Promise<ConversationView[]> {
  const conversations = (await log.conversations()).map(record => ({ name: undefined, ...record }))
  return conversations.sort((a, b) => b.last.sentAtMs - a.last.sentAtMs)
}
