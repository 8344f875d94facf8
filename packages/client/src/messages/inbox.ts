/**
 * What came from the swarm: opened, checked, de-duplicated and stored, together with the cursor, in one transaction. After a crash
 * the same messages come again and change nothing.
 *
 * The signature of a message proves its sender to this device and is not kept: nobody can show it to others.
 */
import type { Crypto } from '@session-v2/crypto'
import type { RetrievedMessage } from '@session-v2/network'
import type { Account, AccountId, Content, Keyring, OpenMessageOutcome } from '@session-v2/protocol'
import { decodeContent, messageIdentity, openMessage, ProtocolError, parseAccountId } from '@session-v2/protocol'
import type { ClientEvent, EventLog } from '../events/event-log.ts'
import type { Change } from '../ports/store.ts'
import type { SealedStore, Table } from '../store/sealed/sealed-store.ts'
import { type MessageLog, type MessageRecord, messageIdOf } from './message-log.ts'
import type { Quarantine, QuarantineReason } from './quarantine.ts'

/** That a stored message was seen, until its swarm drops it. */
interface SeenRecord {
  readonly hash: string
  readonly expiryMs: number
}

export interface InboxParts {
  readonly crypto: Crypto
  readonly account: Account
  readonly store: SealedStore
  readonly events: EventLog
  readonly log: MessageLog
  readonly quarantine: Quarantine
  /** The keyring as it is now. */
  readonly keyring: () => Keyring
}

/** How a page of messages was taken. */
export interface InboxResult {
  readonly received: number
  readonly quarantined: number
}

type Opened = Extract<OpenMessageOutcome, { outcome: 'opened' }>

interface Intake {
  readonly messages: MessageRecord[]
  readonly names: Map<AccountId, string>
  readonly changes: Change[]
  readonly events: ClientEvent[]
  quarantined: number
}

/** How many expired marks of seen messages one page clears away. */
const SEEN_PRUNE_SLICE = 200

export class Inbox {
  readonly #parts: InboxParts
  readonly #seen: Table<SeenRecord>

  constructor(parts: InboxParts) {
    this.#parts = parts
    this.#seen = parts.store.table<SeenRecord>('seen')
  }

  /**
   * Takes a page of messages.
   * @param cursor changes to be committed with it, or not at all
   */
  async take(page: readonly RetrievedMessage[], cursor: readonly Change[], nowMs: number): Promise<InboxResult> {
    const intake: Intake = { messages: [], names: new Map(), changes: [...cursor], events: [], quarantined: 0 }
    for (const message of page) {
      if ((await this.#seen.get(message.hash)) !== undefined) continue
      intake.changes.push(this.#seen.put(message.hash, { hash: message.hash, expiryMs: message.expiryMs }))
      await this.#open(message, intake, nowMs, async reason => {
        intake.quarantined++
        intake.changes.push(...(await this.#parts.quarantine.add(message, reason)))
        intake.events.push({ type: 'message_quarantined', reason })
      })
    }
    intake.changes.push(...(await this.#forgetExpired(nowMs)))
    return this.#commit(intake)
  }

  /** Tries again what did not open before; drops what has expired. */
  async retryQuarantine(nowMs: number): Promise<InboxResult> {
    const intake: Intake = { messages: [], names: new Map(), changes: [], events: [], quarantined: 0 }
    for (const message of await this.#parts.quarantine.waiting()) {
      let stillClosed = false
      const keepClosed = async () => {
        stillClosed = true
      }
      if (message.expiryMs > nowMs) await this.#open(message, intake, nowMs, keepClosed)
      if (!stillClosed) intake.changes.push(this.#parts.quarantine.release(message.hash))
    }
    return this.#commit(intake)
  }

  async #commit(intake: Intake): Promise<InboxResult> {
    intake.messages.sort((a, b) => a.sentAtMs - b.sentAtMs)
    const added = await this.#parts.log.add(intake.messages, intake.names)
    const received = intake.messages.map(
      ({ messageId, conversation }): ClientEvent => ({ type: 'message_received', messageId, conversation }),
    )
    const changes = [...intake.changes, ...added]
    if (changes.length > 0 || intake.events.length > 0) await this.#parts.events.commit(changes, ...received, ...intake.events)
    return { received: intake.messages.length, quarantined: intake.quarantined }
  }

  async #open(
    message: RetrievedMessage,
    intake: Intake,
    nowMs: number,
    keepClosed: (reason: QuarantineReason) => Promise<unknown>,
  ): Promise<void> {
    const opened = openMessage(this.#parts.crypto, this.#parts.account, this.#parts.keyring(), message.payload)
    switch (opened.outcome) {
      case 'opened':
        return this.#accept(opened, intake, nowMs)
      case 'no-key':
      case 'v1':
      case 'unknown-version':
        await keepClosed(opened.outcome)
        return
      default:
        intake.events.push({ type: 'message_refused', reason: opened.outcome })
    }
  }

  async #accept(opened: Opened, intake: Intake, nowMs: number): Promise<void> {
    const content = decodeOrUndefined(opened.content)
    const record = content === undefined ? undefined : this.#record(opened, content, nowMs)
    if (content === undefined || record === undefined) {
      intake.events.push({ type: 'message_refused', reason: 'unsupported-content' })
      return
    }
    const known = intake.messages.some(other => other.messageId === record.messageId)
    if (known || (await this.#parts.log.get(record.messageId)) !== undefined) return
    intake.messages.push(record)
    const name = content.dataMessage?.profile?.displayName
    if (name !== undefined && name !== '' && !record.outgoing) intake.names.set(record.conversation, name)
  }

  /** The message of a content, or undefined for contents that are no text or claim what their sender cannot. */
  #record(opened: Opened, content: Content, nowMs: number): MessageRecord | undefined {
    const { account, crypto } = this.#parts
    const body = content.dataMessage?.body
    const sentAtMs = Number(content.sigTimestamp ?? 0n)
    if (body === undefined || body === '' || !Number.isSafeInteger(sentAtMs) || sentAtMs <= 0) return undefined
    const outgoing = opened.sender === account.id
    const conversation = conversationOf(account.id, opened.sender, content.dataMessage?.syncTarget)
    if (conversation === undefined) return undefined
    return {
      messageId: messageIdOf(crypto, messageIdentity(opened.sender, content)),
      conversation,
      sender: opened.sender,
      outgoing,
      body,
      sentAtMs,
      receivedAtMs: nowMs,
      protocol: opened.pfs ? 'v2-pfs' : 'v2',
      pfs: opened.pfs,
      state: outgoing ? 'stored' : 'received',
      ...(opened.keyCreatedAtS === undefined ? {} : { keyCreatedAtMs: opened.keyCreatedAtS * 1000 }),
    }
  }

  async #forgetExpired(nowMs: number): Promise<Change[]> {
    const oldest = await this.#seen.page({ limit: SEEN_PRUNE_SLICE })
    return oldest.filter(({ value }) => value.expiryMs < nowMs).map(({ value }) => this.#seen.remove(value.hash))
  }
}

/**
 * Where a message belongs. Only our own messages may name another conversation: they are copies of what we sent from another
 * device.
 */
function conversationOf(self: AccountId, sender: AccountId, syncTarget: string | undefined): AccountId | undefined {
  if (syncTarget === undefined) return sender
  if (sender !== self) return undefined
  try {
    return parseAccountId(syncTarget)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

function decodeOrUndefined(bytes: Uint8Array): Content | undefined {
  try {
    return decodeContent(bytes)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}
