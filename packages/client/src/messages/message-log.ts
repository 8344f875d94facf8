/**
 * Messages and conversations as they are stored. Writers get changes to commit together with their cause; the read models in
 * `conversations/` only read.
 */
import type { Crypto } from '@session-v2/crypto'
import { blake2b } from '@session-v2/crypto'
import { encodeHex, encodeUtf8 } from '@session-v2/encoding'
import type { AccountId } from '@session-v2/protocol'
import type { Change } from '../ports/store.ts'
import type { SealedRecord, SealedStore, Table } from '../store/sealed/sealed-store.ts'

/** How a message was or will be encrypted. */
export type MessageProtocol = 'v2-pfs' | 'v2' | 'v1'

/**
 * | state | meaning |
 * |---|---|
 * | `received` | it came in |
 * | `queued` | it waits to be stored in the recipient's swarm |
 * | `held` | the recipient's keys vanished; it waits for them rather than go out with weaker encryption |
 * | `stored` | the recipient's swarm has it |
 */
export type MessageState = 'received' | 'queued' | 'held' | 'stored'

export interface MessageRecord {
  /** 32 hexadecimal digits, the same on every device. */
  readonly messageId: string
  readonly conversation: AccountId
  readonly sender: AccountId
  readonly outgoing: boolean
  readonly body: string
  readonly sentAtMs: number
  readonly receivedAtMs: number
  readonly protocol: MessageProtocol
  readonly pfs: boolean
  readonly state: MessageState
  /** When the account key it was sealed to was made, for messages that came in with forward secrecy. */
  readonly keyCreatedAtMs?: number
  /** Another device of the account handed it over: this one never saw its signature. */
  readonly handedOver?: true
  /** The hashes under which swarms keep the copies of a message that was sent. */
  readonly hashes?: { readonly recipient?: string; readonly own?: string }
}

export interface ConversationRecord {
  readonly id: AccountId
  readonly messages: number
  readonly unread: number
  readonly name?: string
  readonly last: { readonly body: string; readonly outgoing: boolean; readonly sentAtMs: number }
}

export class MessageLog {
  readonly #messages: Table<MessageRecord>
  readonly #conversations: Table<ConversationRecord>
  #turn: Promise<unknown> = Promise.resolve()

  constructor(store: SealedStore) {
    this.#messages = store.table<MessageRecord>('messages')
    this.#conversations = store.table<ConversationRecord>('conversations')
  }

  get(messageId: string): Promise<MessageRecord | undefined> {
    return this.#messages.get(messageId)
  }

  /** A page of one conversation, or of all, by cursor. */
  page(query: {
    with?: AccountId | undefined
    after?: number | undefined
    before?: number | undefined
    limit: number
    reverse?: boolean
  }): Promise<SealedRecord<MessageRecord>[]> {
    const { with: group, ...rest } = query
    return this.#messages.page({ group, ...rest })
  }

  conversations(): Promise<ConversationRecord[]> {
    return this.#conversations.all()
  }

  conversation(id: AccountId): Promise<ConversationRecord | undefined> {
    return this.#conversations.get(id)
  }

  /**
   * Runs what makes changes with `add` or `markRead` and commits them, one after the other: a conversation must not change between
   * being read and being written.
   */
  inTurn<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#turn.then(task, task)
    this.#turn = run
    return run
  }

  /** The changes that add messages and bring their conversations up to date. Messages that exist must not be given. */
  async add(messages: readonly MessageRecord[], names: ReadonlyMap<AccountId, string> = new Map()): Promise<Change[]> {
    const conversations = new Map<AccountId, ConversationRecord>()
    for (const message of messages) {
      const id = message.conversation
      const before = conversations.get(id) ?? (await this.#conversations.get(id))
      conversations.set(id, withMessage(before, message, names.get(id)))
    }
    return [
      ...messages.map(message => this.#messages.put(message.messageId, message, message.conversation)),
      ...[...conversations].map(([id, record]) => this.#conversations.put(id, record)),
    ]
  }

  /** The change that gives a message another state. */
  update(message: MessageRecord): Change {
    return this.#messages.put(message.messageId, message, message.conversation)
  }

  /** The change that marks all of a conversation as read. */
  async markRead(id: AccountId): Promise<Change[]> {
    const record = await this.#conversations.get(id)
    return record === undefined || record.unread === 0 ? [] : [this.#conversations.put(id, { ...record, unread: 0 })]
  }
}

function withMessage(
  before: ConversationRecord | undefined,
  message: MessageRecord,
  name: string | undefined,
): ConversationRecord {
  const newest = before === undefined || message.sentAtMs >= before.last.sentAtMs
  const shownName = name ?? before?.name
  return {
    id: message.conversation,
    messages: (before?.messages ?? 0) + 1,
    unread: unreadWith(before?.unread ?? 0, message),
    ...(shownName === undefined ? {} : { name: shownName }),
    last: newest ? { body: message.body, outgoing: message.outgoing, sentAtMs: message.sentAtMs } : before.last,
  }
}

/** Who writes has read what came before; history says nothing of what is unread now. */
function unreadWith(unread: number, { outgoing, handedOver }: MessageRecord): number {
  if (handedOver) return unread
  return outgoing ? 0 : unread + 1
}

const MESSAGE_ID_BYTES = 16
const PERSONAL = 'SessionV2_MsgID_'

/** The id under which a message is known here, from what identifies it everywhere: sender, time and the sender's random id. */
export function messageIdOf(crypto: Crypto, identity: string): string {
  return encodeHex(blake2b(crypto, MESSAGE_ID_BYTES, [encodeUtf8(identity)], { personal: PERSONAL }))
}
