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
import { buildStore, INBOX_MAX_TTL_MS, messageHash, NAMESPACE, parseStoreResult } from '@session-v2/network'
import type { Account, AccountId } from '@session-v2/protocol'
import {
  accountIdBytes,
  codePointsIn,
  encodeContent,
  messageIdentity,
  sealMessageV2,
  sealMessageV2NoPfs,
  TEXT_MAX_CODE_POINTS,
  textContent,
} from '@session-v2/protocol'
import { ClientError, isUnanswered } from '../client-error.ts'
import type { ClientEvent, EventLog } from '../events/event-log.ts'
import type { AccountKeyPublication } from '../keys/account-key-publication.ts'
import type { RecipientKeyCache } from '../keys/recipient-keys.ts'
import type { SwarmRequests } from '../routing/swarm-requests.ts'
import type { SealedStore, Table } from '../store/sealed/sealed-store.ts'
import { type MessageLog, type MessageProtocol, type MessageRecord, messageIdOf } from './message-log.ts'

const MESSAGE_ID_BYTES = 8

type CopyState = 'queued' | 'held' | 'stored'
type CopyName = 'recipient' | 'own'

interface Copy {
  /** The encoded content, in hexadecimal. */
  readonly content: string
  readonly state: CopyState
}

interface OutboxRecord {
  readonly messageId: string
  readonly recipient: AccountId
  /** The recipient's, and our own unless it is a note to oneself. */
  readonly copies: { readonly recipient: Copy; readonly own?: Copy }
}

/** How a copy fared. The hash is that under which a swarm has it. */
interface CopyOutcome {
  readonly state: CopyState
  readonly protocol: MessageProtocol
  readonly hash?: string
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
  readonly publication: AccountKeyPublication
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
  readonly #running = new Map<AccountId, Promise<number>>()
  readonly #next = new Map<AccountId, Promise<number>>()
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
    const own = recipient === account.id ? {} : { own: copy(encodeContent(textContent({ ...text, syncTarget: recipient }))) }
    const record: OutboxRecord = { messageId, recipient, copies: { recipient: copy(encodeContent(content)), ...own } }
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
    const queued = [this.#table.put(messageId, record, recipient), this.#lastSentTable.put('self', { sentAtMs })]
    await log.inTurn(async () => this.#parts.events.commit([...(await log.add([message])), ...queued]))
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
    const running = this.#running.get(recipient)
    if (running === undefined) return this.#start(recipient)
    // What was added since it began may have escaped it: one more follows, however many ask.
    let next = this.#next.get(recipient)
    if (next === undefined) {
      next = running
        .catch(() => 0)
        .then(() => {
          this.#next.delete(recipient)
          return this.#start(recipient)
        })
      this.#next.set(recipient, next)
    }
    return next
  }

  /** Waits until no delivery is under way. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled([...this.#running.values(), ...this.#next.values()])
  }

  #start(recipient: AccountId): Promise<number> {
    const run = this.#deliverAll(recipient).finally(() => this.#running.delete(recipient))
    this.#running.set(recipient, run)
    return run
  }

  /** Sends what waits, in order. A copy that is not taken stops its kind, so that none overtakes it; the other kind goes on. */
  async #deliverAll(recipient: AccountId): Promise<number> {
    let stored = 0
    const stopped = new Set<CopyName>()
    for (const { value } of await this.#table.page({ group: recipient, limit: Number.MAX_SAFE_INTEGER })) {
      let record = value
      for (const name of ['recipient', 'own'] as const) {
        const copy = record.copies[name]
        if (copy === undefined || copy.state === 'stored' || stopped.has(name)) continue
        const outcome = await this.#sendCopy(record, name, copy)
        if (outcome?.state === 'stored') stored++
        else stopped.add(name)
        if (outcome !== undefined) record = await this.#note(record, name, outcome)
      }
      if (stopped.size === 2) break
    }
    return stored
  }

  /** undefined: the network did not take it; it stays as it is. */
  async #sendCopy(record: OutboxRecord, name: CopyName, copy: Copy): Promise<CopyOutcome | undefined> {
    try {
      const target = name === 'recipient' ? record.recipient : this.#parts.account.id
      const sealed = await this.#seal(target, decodeHex(copy.content))
      if (sealed === undefined) return { state: 'held', protocol: 'v2-pfs' }
      const hash = await this.#store(target, sealed.payload)
      return hash === undefined ? undefined : { state: 'stored', protocol: sealed.protocol, hash }
    } catch (error) {
      if (isUnanswered(error)) return undefined
      throw error
    }
  }

  /** Sealed as strongly as may be, or undefined when it must wait for keys. Copies to ourselves never go without forward secrecy. */
  async #seal(target: AccountId, content: Uint8Array): Promise<{ payload: Uint8Array; protocol: MessageProtocol } | undefined> {
    const { crypto, random, account, publication, recipientKeys } = this.#parts
    const own = target === account.id ? publication.recipient() : undefined
    const keys = own === undefined ? await recipientKeys.resolve(target) : { kind: 'pfs' as const, recipient: own }
    if (keys.kind === 'pfs') {
      const payload = sealMessageV2(crypto, random, { sender: account, recipient: keys.recipient, content })
      return { payload, protocol: 'v2-pfs' }
    }
    if (keys.kind === 'held' || target === account.id) return undefined
    return { payload: sealMessageV2NoPfs(crypto, random, { sender: account, recipient: target, content }), protocol: 'v2' }
  }

  /** The hash under which more than half of the members of the swarm have it (clause RPC-53), or undefined. */
  async #store(target: AccountId, payload: Uint8Array): Promise<string | undefined> {
    const { crypto, requests } = this.#parts
    const options = { accountId: target, namespace: NAMESPACE.messages, payload, ttlMs: INBOX_MAX_TTL_MS }
    const hash = messageHash(crypto, accountIdBytes(target), options.namespace, payload)
    const { result } = await requests.ask(target, {
      build: timestampMs => buildStore(crypto, { ...options, timestampMs }),
      read: answer => parseStoreResult(crypto, answer),
    })
    const members = new Set((await requests.members(target)).map(node => node.ed25519))
    const confirmed = result.stored.filter(({ node }) => members.has(node)).length
    return result.hash === hash && confirmed * 2 > members.size ? hash : undefined
  }

  /** Writes down how a copy fared; strikes the message out once both are stored. */
  async #note(record: OutboxRecord, name: CopyName, outcome: CopyOutcome): Promise<OutboxRecord> {
    const { state, protocol, hash } = outcome
    const previous = record.copies[name]!
    if (previous.state === state) return record
    const next: OutboxRecord = { ...record, copies: { ...record.copies, [name]: { ...previous, state } } }
    const complete = Object.values(next.copies).every(copy => copy.state === 'stored')
    const { messageId, recipient } = record
    const changes = [complete ? this.#table.remove(messageId) : this.#table.put(messageId, next, recipient)]
    const events: ClientEvent[] = []
    const message = await this.#parts.log.get(messageId)
    if (message !== undefined) {
      const told = name === 'recipient' ? { state, protocol, pfs: protocol === 'v2-pfs' } : {}
      const hashes = hash === undefined ? {} : { hashes: { ...message.hashes, [name]: hash } }
      changes.push(this.#parts.log.update({ ...message, ...told, ...hashes }))
      if (name === 'recipient')
        events.push({ type: 'message_state_changed', messageId, conversation: message.conversation, state })
    }
    await this.#parts.events.commit(changes, events)
    return next
  }

  #nowMs(): number {
    return this.#parts.requests.clock.nowMs()
  }
}

function checkText(body: string): void {
  if (body === '' || !body.isWellFormed())
    throw new ClientError('bad-message', 'A message needs a text, and the text must be Unicode.')
  const codePoints = codePointsIn(body)
  if (codePoints > TEXT_MAX_CODE_POINTS) {
    throw new ClientError(
      'message-too-long',
      `A text has at most ${TEXT_MAX_CODE_POINTS} characters; this one has ${codePoints}.`,
    )
  }
}
