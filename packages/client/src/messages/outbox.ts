/**
 * What is to be sent: written down before anything leaves, and struck out when the swarms have it. A message goes out as two
 * copies, one to the recipient and one to our own account for our other devices, each with its own state.
 *
 *     queued ──► stored            the swarm has it
 *       │  ▲
 *       ▼  │
 *      held                        the recipient's keys vanished; tried again on every round
 *
 * After a crash between "the swarm has it" and "written down" the copy is sent again; receivers know it by sender, time and id.
 */
import type { Crypto, Random } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import { buildStore, INBOX_MAX_TTL_MS, NAMESPACE, NetworkError, parseStoreResult } from '@session-v2/network'
import type { Account, AccountId } from '@session-v2/protocol'
import { encodeContent, messageIdentity, sealMessageV2, sealMessageV2NoPfs, textContent } from '@session-v2/protocol'
import { ClientError } from '../client-error.ts'
import type { EventLog } from '../events/event-log.ts'
import type { OwnAccountKeys } from '../keys/own-account-keys.ts'
import type { RecipientKeyCache } from '../keys/recipient-keys.ts'
import type { Change } from '../ports/store.ts'
import type { SwarmRequests } from '../routing/swarm-requests.ts'
import type { SealedStore, Table } from '../store/sealed/sealed-store.ts'
import { type MessageLog, type MessageProtocol, type MessageRecord, messageIdOf } from './message-log.ts'

const MESSAGE_ID_BYTES = 8
/** Characters of a text, as code points. */
export const TEXT_MAX_CODE_POINTS = 2000

type CopyState = 'queued' | 'held' | 'stored'
type CopyName = 'recipient' | 'own'

interface Copy {
  /** The encoded content, in hexadecimal. */
  readonly content: string
  readonly state: CopyState
}

export interface OutboxRecord {
  readonly messageId: string
  readonly recipient: AccountId
  readonly recipientCopy: Copy
  /** Absent for notes to oneself. */
  readonly ownCopy?: Copy
}

export interface OutboxParts {
  readonly crypto: Crypto
  readonly random: Random
  readonly account: Account
  readonly displayName: string
  readonly store: SealedStore
  readonly events: EventLog
  readonly log: MessageLog
  readonly requests: SwarmRequests
  readonly ownKeys: OwnAccountKeys
  readonly recipientKeys: RecipientKeyCache
}

/** The last time a message was given, so that none is given twice. */
interface LastSent {
  readonly sentAtMs: number
}

export class Outbox {
  readonly #parts: OutboxParts
  readonly #table: Table<OutboxRecord>
  readonly #lastSentTable: Table<LastSent>
  readonly #delivering = new Map<AccountId, Promise<number>>()
  #lastSentAtMs = 0

  private constructor(parts: OutboxParts) {
    this.#parts = parts
    this.#table = parts.store.table<OutboxRecord>('outbox')
    this.#lastSentTable = parts.store.table<LastSent>('last-sent')
  }

  static async open(parts: OutboxParts): Promise<Outbox> {
    const outbox = new Outbox(parts)
    outbox.#lastSentAtMs = (await outbox.#lastSentTable.get('self'))?.sentAtMs ?? 0
    return outbox
  }

  /** Writes a text down to be sent; from here on it survives everything. @throws ClientError `bad-message`, `message-too-long`. */
  async add(recipient: AccountId, body: string): Promise<MessageRecord> {
    checkText(body)
    const { account, crypto, random, log, displayName } = this.#parts
    const sentAtMs = Math.max(this.#nowMs(), this.#lastSentAtMs + 1)
    this.#lastSentAtMs = sentAtMs
    const text = { body, sentAtMs, messageId: random.bytes(MESSAGE_ID_BYTES), displayName }
    const content = textContent(text)
    const copy = (encoded: Uint8Array): Copy => ({ content: encodeHex(encoded), state: 'queued' })
    const messageId = messageIdOf(crypto, messageIdentity(account.id, content))
    const own = recipient === account.id ? {} : { ownCopy: copy(encodeContent(textContent({ ...text, syncTarget: recipient }))) }
    const record: OutboxRecord = { messageId, recipient, recipientCopy: copy(encodeContent(content)), ...own }
    const message: MessageRecord = {
      messageId,
      conversation: recipient,
      sender: account.id,
      outgoing: true,
      body,
      sentAtMs,
      receivedAtMs: sentAtMs,
      protocol: 'v2-pfs',
      pfs: true,
      state: 'queued',
    }
    await this.#parts.events.commit([
      ...(await log.add([message])),
      this.#table.put(messageId, record, recipient),
      this.#lastSentTable.put('self', { sentAtMs }),
    ])
    return message
  }

  /** Whether anything waits. */
  async pending(): Promise<boolean> {
    return (await this.#table.page({ limit: 1 })).length > 0
  }

  /** Delivers everything that waits. Resolves with how many copies the swarms took; failures leave what they concern waiting. */
  async flush(): Promise<number> {
    const recipients = new Set((await this.#table.all()).map(record => record.recipient))
    const counts = await Promise.all([...recipients].map(recipient => this.deliver(recipient)))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /** Delivers what waits for one recipient, oldest first; one delivery at a time keeps the order. */
  deliver(recipient: AccountId): Promise<number> {
    const before = this.#delivering.get(recipient) ?? Promise.resolve(0)
    const run = before.catch(() => 0).then(() => this.#deliverAll(recipient))
    this.#delivering.set(recipient, run)
    const forget = () => {
      if (this.#delivering.get(recipient) === run) this.#delivering.delete(recipient)
    }
    run.then(forget, forget)
    return run
  }

  /** Waits until no delivery is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#delivering.values())
  }

  async #deliverAll(recipient: AccountId): Promise<number> {
    let stored = 0
    for (const { value } of await this.#table.page({ group: recipient, limit: Number.MAX_SAFE_INTEGER })) {
      const outcome = await this.#deliverRecord(value)
      stored += outcome.stored
      if (!outcome.done) break
    }
    return stored
  }

  /** Sends the copies that are not stored yet. `done`: the recipient's copy is stored, so that the next message may follow. */
  async #deliverRecord(record: OutboxRecord): Promise<{ stored: number; done: boolean }> {
    let current = record
    let stored = 0
    for (const name of ['recipient', 'own'] as const) {
      const copy = name === 'recipient' ? current.recipientCopy : current.ownCopy
      if (copy === undefined || copy.state === 'stored') continue
      const outcome = await this.#sendCopy(current, name, copy)
      if (outcome === undefined) continue
      if (outcome.state === 'stored') stored++
      current = await this.#note(current, name, outcome)
    }
    return { stored, done: current.recipientCopy.state === 'stored' }
  }

  /** undefined: the network did not take it; it stays as it is. */
  async #sendCopy(
    record: OutboxRecord,
    name: CopyName,
    copy: Copy,
  ): Promise<{ state: CopyState; protocol: MessageProtocol } | undefined> {
    try {
      const target = name === 'recipient' ? record.recipient : this.#parts.account.id
      const sealed = await this.#seal(target, decodeHex(copy.content))
      if (sealed === undefined) return { state: 'held', protocol: 'v2-pfs' }
      const taken = await this.#store(target, sealed.payload)
      return taken ? { state: 'stored', protocol: sealed.protocol } : undefined
    } catch (error) {
      const waits = error instanceof NetworkError || (error instanceof ClientError && WAITING.has(error.code))
      if (waits) return undefined
      throw error
    }
  }

  /** Sealed as strongly as may be, or undefined when it must wait for keys. Copies to ourselves never go without forward secrecy. */
  async #seal(target: AccountId, content: Uint8Array): Promise<{ payload: Uint8Array; protocol: MessageProtocol } | undefined> {
    const { crypto, random, account, ownKeys, recipientKeys } = this.#parts
    const own = target === account.id ? ownKeys.recipient() : undefined
    const keys = own === undefined ? await recipientKeys.resolve(target) : { kind: 'pfs' as const, recipient: own }
    if (keys.kind === 'pfs') {
      const payload = sealMessageV2(crypto, random, { sender: account, recipient: keys.recipient, content })
      return { payload, protocol: 'v2-pfs' }
    }
    if (keys.kind === 'held' || target === account.id) return undefined
    return { payload: sealMessageV2NoPfs(crypto, random, { sender: account, recipient: target, content }), protocol: 'v2' }
  }

  /** True when more than half of the members of the swarm have it. */
  async #store(target: AccountId, payload: Uint8Array): Promise<boolean> {
    const { crypto, requests } = this.#parts
    const options = { accountId: target, namespace: NAMESPACE.messages, payload, ttlMs: INBOX_MAX_TTL_MS }
    const { result } = await requests.ask(target, {
      build: timestampMs => buildStore(crypto, { ...options, timestampMs }),
      read: answer => parseStoreResult(crypto, answer),
    })
    const members = new Set((await requests.members(target)).map(node => node.ed25519))
    return result.stored.filter(({ node }) => members.has(node)).length * 2 > members.size
  }

  /** Writes down how a copy fared; strikes the message out once both are stored. */
  async #note(
    record: OutboxRecord,
    name: CopyName,
    outcome: { state: CopyState; protocol: MessageProtocol },
  ): Promise<OutboxRecord> {
    const previous = name === 'recipient' ? record.recipientCopy : record.ownCopy!
    const copy: Copy = { ...previous, state: outcome.state }
    const next: OutboxRecord = name === 'recipient' ? { ...record, recipientCopy: copy } : { ...record, ownCopy: copy }
    if (previous.state === copy.state) return next
    const complete = next.recipientCopy.state === 'stored' && (next.ownCopy?.state ?? 'stored') === 'stored'
    const changes: Change[] = [
      complete ? this.#table.remove(record.messageId) : this.#table.put(record.messageId, next, record.recipient),
    ]
    const message = name === 'recipient' ? await this.#parts.log.get(record.messageId) : undefined
    if (message === undefined) await this.#parts.events.commit(changes)
    else {
      const { state, protocol } = outcome
      changes.push(this.#parts.log.update({ ...message, state, protocol, pfs: protocol === 'v2-pfs' }))
      const { messageId, conversation } = message
      await this.#parts.events.commit(changes, { type: 'message_state_changed', messageId, conversation, state })
    }
    return next
  }

  #nowMs(): number {
    return this.#parts.requests.clock.nowMs()
  }
}

const WAITING: ReadonlySet<string> = new Set(['network-unavailable', 'clock-off'])

function checkText(body: string): void {
  if (body === '' || !body.isWellFormed())
    throw new ClientError('bad-message', 'A message needs a text, and the text must be Unicode.')
  const codePoints = [...body].length
  if (codePoints > TEXT_MAX_CODE_POINTS) {
    throw new ClientError(
      'message-too-long',
      `A text has at most ${TEXT_MAX_CODE_POINTS} characters; this one has ${codePoints}.`,
    )
  }
}
