/**
 * What came from the swarm: opened, checked, de-duplicated and stored, together with the cursor, in one transaction. After a crash
 * the same messages come again and change nothing.
 *
 * The signature of a message proves its sender to this device and is not kept: nobody can show it to others. It does not cover the
 * envelope, so a message can be wrapped and stored again; what makes two the same is inside (clause CON-04).
 */
import type { Crypto } from '@session-v2/crypto'
import { encodeHex } from '@session-v2/encoding'
import { INBOX_MAX_TTL_MS, NAMESPACE, type RetrievedMessage } from '@session-v2/network'
import type { Account, AccountId, Content, Keyring, OpenMessageOutcome } from '@session-v2/protocol'
import {
  agreesWithEnvelope,
  decodeContent,
  messageIdentity,
  openMessage,
  ProtocolError,
  parseAccountId,
} from '@session-v2/protocol'
import { isName } from '../account-record.ts'
import type { ClientEvent, EventLog } from '../events/event-log.ts'
import type { Change } from '../ports/store.ts'
import { ownMessageHash } from '../routing/own-swarm.ts'
import type { SealedStore, Table } from '../store/sealed/sealed-store.ts'
import { type MessageLog, type MessageProtocol, type MessageRecord, messageIdOf } from './message-log.ts'
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
/** What may open later. */
type Closed = { readonly outcome: QuarantineReason; readonly indicator?: Uint8Array }

interface Intake {
  readonly messages: MessageRecord[]
  readonly names: Map<AccountId, string>
  readonly changes: Change[]
  readonly events: ClientEvent[]
  /** How many went into quarantine, and how many came out of it. */
  quarantined: number
  released: number
}

function emptyIntake(): Intake {
  return { messages: [], names: new Map(), changes: [], events: [], quarantined: 0, released: 0 }
}

/** How many expired marks of seen messages are cleared away at a time, and how often one looks for them. */
const SEEN_PRUNE_SLICE = 200
const SEEN_PRUNE_EVERY_MS = 10_000

export class Inbox {
  readonly #parts: InboxParts
  readonly #seen: Table<SeenRecord>
  /** The keyring with which the quarantine was last tried. */
  #triedWith: Keyring | undefined
  #prunedAtMs = Number.NEGATIVE_INFINITY

  constructor(parts: InboxParts) {
    this.#parts = parts
    this.#seen = parts.store.table<SeenRecord>('seen')
  }

  /**
   * Takes a page of messages.
   * @param cursor changes to be committed with it, or not at all
   */
  async take(page: readonly RetrievedMessage[], cursor: readonly Change[], nowMs: number): Promise<InboxResult> {
    const intake = emptyIntake()
    intake.changes.push(...cursor)
    const taken = new Set<string>()
    for (const message of page.map(told => this.#checked(told, nowMs))) {
      if (taken.has(message.hash) || (await this.#seen.get(message.hash)) !== undefined) continue
      taken.add(message.hash)
      intake.changes.push(this.#seen.put(message.hash, { hash: message.hash, expiryMs: message.expiryMs }))
      const closed = await this.#open(message, intake, nowMs)
      if (closed === undefined) continue
      const { outcome: reason } = closed
      const indicator = closed.indicator === undefined ? undefined : encodeHex(closed.indicator)
      intake.quarantined++
      intake.changes.push(this.#parts.quarantine.keep(message, reason, indicator))
      intake.events.push({ type: 'message_quarantined', reason })
    }
    intake.changes.push(...(await this.#forgetExpired(nowMs)))
    return this.#commit(intake)
  }

  /**
   * A message without what only the node says. Under a hash of its choice a node could make another message look as if it was seen;
   * with an expiry of its choice it could fill the store.
   */
  #checked({ payload, timestampMs, expiryMs }: RetrievedMessage, nowMs: number): RetrievedMessage {
    const { crypto, account } = this.#parts
    const hash = ownMessageHash(crypto, account, NAMESPACE.messages, payload)
    return { hash, payload, timestampMs, expiryMs: Math.min(expiryMs, nowMs + INBOX_MAX_TTL_MS) }
  }

  /** Tries what did not open before, once for every new keyring, and drops what has expired. Resolves with how many opened. */
  async retryQuarantine(nowMs: number): Promise<number> {
    const keyring = this.#parts.keyring()
    if (this.#triedWith === keyring) return 0
    let received = 0
    for await (const page of this.#parts.quarantine.waiting()) {
      const intake = emptyIntake()
      for (const message of page) {
        const isClosed = message.expiryMs > nowMs && (await this.#open(message, intake, nowMs)) !== undefined
        if (isClosed) continue
        intake.released++
        intake.changes.push(this.#parts.quarantine.release(message.hash))
      }
      received += (await this.#commit(intake)).received
    }
    this.#triedWith = keyring
    return received
  }

  #commit(intake: Intake): Promise<InboxResult> {
    return this.#parts.log.inTurn(() => this.#commitInTurn(intake))
  }

  async #commitInTurn(intake: Intake): Promise<InboxResult> {
    intake.messages.sort((a, b) => a.sentAtMs - b.sentAtMs)
    const added = await this.#parts.log.add(intake.messages, intake.names)
    const received = intake.messages.map(
      ({ messageId, conversation }): ClientEvent => ({ type: 'message_received', messageId, conversation }),
    )
    const kept = intake.quarantined - intake.released
    const evicted = await this.#parts.quarantine.evict(kept)
    const changes = [...intake.changes, ...added, ...evicted]
    const events = [...received, ...intake.events]
    if (changes.length > 0 || events.length > 0) await this.#parts.events.commit(changes, events)
    this.#parts.quarantine.committed(kept - evicted.length)
    return { received: intake.messages.length, quarantined: intake.quarantined }
  }

  /** Opens a message into the intake. Returns why it cannot be opened yet, if so. */
  async #open(message: RetrievedMessage, intake: Intake, nowMs: number): Promise<Closed | undefined> {
    const opened = openMessage(this.#parts.crypto, this.#parts.account, this.#parts.keyring(), message.payload)
    if (opened.outcome === 'opened') {
      await this.#accept(opened, intake, nowMs)
      return undefined
    }
    if (opened.outcome === 'unknown-version') return opened
    // A V1 message is sealed to the account itself: no key that comes later will help (clause DM1-11).
    if (opened.outcome === 'no-key' && opened.indicator !== undefined) return opened
    intake.events.push({ type: 'message_refused', reason: opened.outcome })
    return undefined
  }

  async #accept(opened: Opened, intake: Intake, nowMs: number): Promise<void> {
    const content = decodeOrUndefined(opened.content)
    if (content !== undefined && opened.version === 'v1' && !agreesWithEnvelope(content, opened.timestampMs)) {
      intake.events.push({ type: 'message_refused', reason: 'wrong-time' })
      return
    }
    const record = content === undefined ? undefined : this.#record(opened, content, nowMs)
    if (content === undefined || record === undefined) {
      intake.events.push({ type: 'message_refused', reason: 'unsupported-content' })
      return
    }
    const known = intake.messages.some(other => other.messageId === record.messageId)
    if (known || (await this.#parts.log.get(record.messageId)) !== undefined) return
    intake.messages.push(record)
    const name = content.dataMessage?.profile?.displayName
    if (name !== undefined && isName(name) && !record.outgoing) intake.names.set(record.conversation, name)
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
      protocol: protocolOf(opened),
      pfs: opened.pfs,
      state: outgoing ? 'stored' : 'received',
      ...(opened.version === 'v1' || opened.keyCreatedAtS === undefined ? {} : { keyCreatedAtMs: opened.keyCreatedAtS * 1000 }),
    }
  }

  async #forgetExpired(nowMs: number): Promise<Change[]> {
    // Also when the clock was set back.
    if (Math.abs(nowMs - this.#prunedAtMs) < SEEN_PRUNE_EVERY_MS) return []
    this.#prunedAtMs = nowMs
    const oldest = await this.#seen.page({ limit: SEEN_PRUNE_SLICE })
    return oldest.filter(({ value }) => value.expiryMs < nowMs).map(({ value }) => this.#seen.remove(value.hash))
  }
}

function protocolOf({ version, pfs }: Opened): MessageProtocol {
  return pfs ? 'v2-pfs' : version
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
