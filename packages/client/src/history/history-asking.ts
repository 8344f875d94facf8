/**
 * The device that asked: takes chunks as they come, in any order, says what it has, and leaves nothing in the swarm.
 *
 *     asking ──► receiving ──► done          everything was taken
 *        └──────────┴────────► ended         taken back, expired, or the sender is gone
 *
 * The first device of whom a chunk is taken is the sender; the acknowledgements name it, and others that agreed stop. So the history
 * crosses the swarm once, at the cost of one window for each other device, without devices having to agree among themselves, and
 * without a clock. A chunk is committed before it is acknowledged or deleted: after a crash it is read again and changes nothing.
 *
 * Implements HT-15, HT-16, HT-17, HT-19 on the asking side, and HT-20: what opens a chunk is the device key alone.
 */
import type { Crypto, Random, X25519PublicKey } from '@session-v2/crypto'
import { concatBytes, decodeBase64, encodeBase64, encodeHex } from '@session-v2/encoding'
import { NAMESPACE } from '@session-v2/network'
import {
  type Account,
  type AccountId,
  currentKey,
  type DeviceKey,
  decodeHistoryPage,
  expandDeviceKeys,
  type HandedMessage,
  HISTORY_WINDOW,
  type HistoryAck,
  type HistoryChunk,
  type HistoryPage,
  openHistoryChunk,
  ProtocolError,
  sealHistoryAck,
  wipeExpandedKeyPair,
} from '@session-v2/protocol'
import { isName } from '../account-record.ts'
import type { DeviceGroup } from '../devices/device-group.ts'
import { isMember } from '../devices/devices.ts'
import type { ClientEvent, EventLog } from '../events/event-log.ts'
import type { MessageLog, MessageRecord } from '../messages/message-log.ts'
import type { Change } from '../ports/store.ts'
import type { Table } from '../store/sealed/sealed-store.ts'
import { announcedKey, memberKey } from './history-peers.ts'
import {
  type HalfPageRecord,
  HISTORY_REPEAT_MS,
  HISTORY_TTL_MS,
  type HistoryEnd,
  type OwnHistoryRecord,
} from './history-records.ts'
import { type HistoryListing, type HistorySwarmParts, outgoing, storeHistory } from './history-swarm.ts'

export interface HistoryAskingParts extends HistorySwarmParts {
  readonly crypto: Crypto
  readonly random: Random
  readonly account: Account
  readonly group: DeviceGroup
  readonly events: EventLog
  readonly log: MessageLog
  readonly table: Table<OwnHistoryRecord>
  readonly halves: Table<HalfPageRecord>
}

const RECORD = 'self'

interface Arrived {
  readonly chunk: HistoryChunk
  readonly hash: string
}

export class HistoryAsking {
  readonly #parts: HistoryAskingParts

  constructor(parts: HistoryAskingParts) {
    this.#parts = parts
  }

  record(): Promise<OwnHistoryRecord | undefined> {
    return this.#parts.table.get(RECORD)
  }

  /** Writes down what was asked. */
  begin(record: OwnHistoryRecord): Promise<void> {
    return this.#keep(record)
  }

  /** Takes what a listing has for this device, and tells the swarm what is owed. @throws ClientError, NetworkError */
  async run(listing: HistoryListing, nowMs: number): Promise<void> {
    let record = await this.record()
    if (record?.isOpen !== true) return
    if (isActive(record)) record = await this.#takeAll(record, listing, nowMs)
    record = await this.#acknowledge(record, nowMs)
    record = await this.#settle(record, listing, nowMs)
    await this.#tell(record)
  }

  /** Ends what is under way; what lies in the swarm of it is deleted by the next runs. */
  async end(record: OwnHistoryRecord, how: HistoryEnd): Promise<OwnHistoryRecord> {
    const deletes = [...record.deletes, record.ask.hash, ...(record.ack === undefined ? [] : [record.ack.hash])]
    const ended: OwnHistoryRecord = { ...record, state: 'ended', end: how, deletes }
    const parts = (await this.#parts.halves.all()).map(({ index }) => this.#parts.halves.remove(String(index)))
    await this.#keep(ended, parts, [doneEvent(ended, how)])
    return ended
  }

  async #takeAll(record: OwnHistoryRecord, listing: HistoryListing, nowMs: number): Promise<OwnHistoryRecord> {
    const { state } = this.#parts.group
    if (!isMember(state)) return this.end(record, 'stopped')
    if (record.sender !== undefined && memberKey(state, record.sender) === undefined) return this.end(record, 'stopped')
    if (record.expiresAtMs <= nowMs) return this.end(record, 'expired')
    const arrived = this.#open(record, listing)
    const sender = record.sender ?? arrived.find(({ chunk }) => chunk.requestId === record.requestId)?.chunk.sender
    const isOurs = ({ chunk }: Arrived) => chunk.requestId === record.requestId && chunk.sender === sender
    let taken = record
    for (const { chunk, hash } of arrived.filter(isOurs).sort((a, b) => a.chunk.index - b.chunk.index))
      taken = await this.#take(taken, chunk, hash, nowMs)
    // Of another sender, or of a request that is no more: nobody else will ever read them.
    const strays = arrived.filter(one => !isOurs(one)).map(({ hash }) => hash)
    if (strays.length === 0) return taken
    const cleaned = { ...taken, deletes: [...taken.deletes, ...strays] }
    await this.#keep(cleaned)
    return cleaned
  }

  /** What opens, and was not seen before. The others are left: what is for this device comes again, sealed anew. */
  #open({ deletes }: OwnHistoryRecord, { chunks }: HistoryListing): Arrived[] {
    const { crypto, account, group } = this.#parts
    const known = new Set(deletes)
    const pairs = expandDeviceKeys(crypto, group.state.deviceKeys)
    try {
      return chunks.flatMap(({ hash, payload }) => {
        if (known.has(hash)) return []
        const opened = openHistoryChunk(crypto, account, pairs, sender => memberKey(group.state, sender), payload)
        return opened.outcome === 'opened' ? [{ chunk: opened.chunk, hash }] : []
      })
    } finally {
      for (const pair of pairs) wipeExpandedKeyPair(pair)
    }
  }

  /** Takes one chunk: its messages, and that it was taken, in one commit. */
  async #take(record: OwnHistoryRecord, chunk: HistoryChunk, hash: string, nowMs: number): Promise<OwnHistoryRecord> {
    const { next, beyond } = record
    // Nobody sends so far ahead; what does is not remembered.
    if (chunk.index >= next + HISTORY_WINDOW) return record
    const deletes = [...record.deletes, hash]
    if (chunk.index < next || beyond.includes(chunk.index)) {
      const doubled = { ...record, deletes }
      await this.#keep(doubled)
      return doubled
    }
    const { page, changes, isMalformed } = await this.#pageOf(chunk)
    const moved = advanced(record, chunk.index)
    const last = chunk.isLast ? chunk.index : record.last
    const isDone = last !== undefined && moved.next > last
    const taken: OwnHistoryRecord = {
      ...record,
      ...moved,
      ...(last === undefined ? {} : { last }),
      state: isDone ? 'done' : 'receiving',
      ...(isDone && { end: 'complete' as const }),
      sender: chunk.sender,
      received: record.received + (page?.messages.length ?? 0),
      total: chunk.total,
      expiresAtMs: nowMs + HISTORY_TTL_MS,
      deletes: isDone ? [...deletes, record.ask.hash] : deletes,
    }
    const refused: ClientEvent[] = isMalformed ? [{ type: 'message_refused', reason: 'malformed-history' }] : []
    const done: ClientEvent[] = isDone ? [doneEvent(taken, 'complete')] : []
    const { log, table, events } = this.#parts
    await log.inTurn(async () => {
      const added = page === undefined ? [] : await this.#added(page)
      await events.commit([...added, ...changes, table.put(RECORD, taken)], [progressEvent(taken), ...refused, ...done])
    })
    return taken
  }

  /** The page that a chunk completes, if it does; half a page waits for the other half. */
  async #pageOf(chunk: HistoryChunk): Promise<{ page?: HistoryPage; changes: Change[]; isMalformed?: boolean }> {
    const { halves } = this.#parts
    const { half, index } = chunk
    if (half === undefined) return { ...pageOrNothing(chunk.page), changes: [] }
    const otherIndex = half === 'first' ? index + 1 : index - 1
    const other = await halves.get(String(otherIndex))
    if (other === undefined) return { changes: [halves.put(String(index), { index, page: encodeBase64(chunk.page) })] }
    const otherPage = decodeBase64(other.page)
    const whole = half === 'first' ? concatBytes(chunk.page, otherPage) : concatBytes(otherPage, chunk.page)
    return { ...pageOrNothing(whole), changes: [halves.remove(String(otherIndex))] }
  }

  /** The changes that add what this device does not have; what it has stays as it is. In turn with the log. */
  async #added({ messages, names }: HistoryPage): Promise<Change[]> {
    const { account, log } = this.#parts
    const fresh = new Map<string, MessageRecord>()
    for (const message of messages) {
      if (!fresh.has(message.messageId) && (await log.get(message.messageId)) === undefined)
        fresh.set(message.messageId, recordOf(account.id, message))
    }
    const unnamed = new Map<AccountId, string>()
    for (const [id, name] of names) if (isName(name) && (await log.conversation(id))?.name === undefined) unnamed.set(id, name)
    return log.add([...fresh.values()], unnamed)
  }

  /** A new acknowledgement when there is something new to say, or what was said may be lost. */
  async #acknowledge(record: OwnHistoryRecord, nowMs: number): Promise<OwnHistoryRecord> {
    const { group } = this.#parts
    const { sender, ack, state, ackSeqno, deletes } = record
    if (state === 'asking' || state === 'ended' || record.isSettled === true) return record
    const addressee = sender && memberKey(group.state, sender)
    if (sender === undefined || addressee === undefined) return record
    const missing = missingOf(record)
    const author = announcedKey(group.state)
    const says = [record.next, missing.join(','), encodeHex(author.x25519), encodeHex(addressee)].join('/')
    const isStale = state === 'receiving' && ack !== undefined && nowMs - ack.saidAtMs >= HISTORY_REPEAT_MS
    if (ack?.says === says && !isStale) return record
    const said = { requestId: record.requestId, seqno: ackSeqno + 1, sender, next: record.next, missing }
    const message = this.#sealAck(author, addressee, said)
    if (message === undefined) return record
    const next: OwnHistoryRecord = {
      ...record,
      ackSeqno: said.seqno,
      ack: { ...outgoing(this.#parts, NAMESPACE.history, message), says, saidAtMs: nowMs },
      deletes: ack === undefined ? deletes : [...deletes, ack.hash],
    }
    await this.#keep(next)
    return next
  }

  /** undefined: the sender has a key that nothing can be proven to; it says another in time, or is removed. */
  #sealAck(author: DeviceKey, addressee: X25519PublicKey, ack: HistoryAck): Uint8Array | undefined {
    const { crypto, random, account, group } = this.#parts
    const accountKey = currentKey(group.keyring)
    if (accountKey === undefined) return undefined
    const recipient = { x25519: accountKey.x25519.publicKey, mlKem768: accountKey.mlKem768.publicKey }
    const pair = expandDeviceKeys(crypto, { current: author, previous: [] })[0]!
    try {
      return sealHistoryAck(crypto, random, account, recipient, { author: pair.x25519, addressee }, ack)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      return undefined
    } finally {
      wipeExpandedKeyPair(pair)
    }
  }

  /** The last acknowledgement stays until the sender has taken it away, or will not. */
  async #settle(record: OwnHistoryRecord, { controls }: HistoryListing, nowMs: number): Promise<OwnHistoryRecord> {
    const { ack, state, sender, deletes, isSettled, expiresAtMs } = record
    if (state !== 'done' || isSettled === true || ack?.isStored !== true) return record
    const isTaken = !controls.some(({ hash }) => hash === ack.hash)
    const isAlone = sender === undefined || memberKey(this.#parts.group.state, sender) === undefined
    if (!isTaken && !isAlone && expiresAtMs > nowMs) return record
    const settled: OwnHistoryRecord = { ...record, isSettled: true, deletes: isTaken ? deletes : [...deletes, ack.hash] }
    await this.#keep(settled)
    return settled
  }

  /** Stores what is to be stored, and deletes what is to be deleted. */
  async #tell(record: OwnHistoryRecord): Promise<void> {
    const { ask, ack, state, deletes } = record
    const waiting = state === 'ended' ? [] : [...(isActive(record) ? [ask] : []), ...(ack === undefined ? [] : [ack])]
    const messages = waiting.filter(({ isStored }) => !isStored)
    const isOver = state === 'ended' || record.isSettled === true
    if (messages.length === 0 && deletes.length === 0) {
      if (isOver) await this.#keep({ ...record, isOpen: false })
      return
    }
    const { stored, isDeleted } = await storeHistory(this.#parts, NAMESPACE.history, messages, deletes)
    const told: OwnHistoryRecord = {
      ...record,
      ask: { ...ask, isStored: ask.isStored || stored.has(ask.hash) },
      ...(ack && { ack: { ...ack, isStored: ack.isStored || stored.has(ack.hash) } }),
      deletes: isDeleted ? [] : deletes,
      isOpen: !(isOver && isDeleted),
    }
    if (stored.size > 0 || isDeleted) await this.#keep(told)
  }

  async #keep(record: OwnHistoryRecord, changes: readonly Change[] = [], events: readonly ClientEvent[] = []): Promise<void> {
    await this.#parts.events.commit([this.#parts.table.put(RECORD, record), ...changes], events)
  }
}

/** Whether chunks are still to come. */
export function isActive({ state }: OwnHistoryRecord): boolean {
  return state === 'asking' || state === 'receiving'
}

/** The indices below the highest that was taken which were not, as many as are sent at a time. */
export function missingOf({ next, beyond }: Pick<OwnHistoryRecord, 'next' | 'beyond'>): number[] {
  const highest = Math.max(next - 1, ...beyond)
  return Array.from({ length: highest - next + 1 }, (_, at) => next + at).filter(index => !beyond.includes(index))
}

function advanced({ next, beyond }: OwnHistoryRecord, index: number): Pick<OwnHistoryRecord, 'next' | 'beyond'> {
  const taken = new Set([...beyond, index])
  let first = next
  while (taken.has(first)) first++
  return { next: first, beyond: [...taken].filter(one => one >= first).sort((a, b) => a - b) }
}

function pageOrNothing(bytes: Uint8Array): { page?: HistoryPage; isMalformed?: boolean } {
  try {
    return { page: decodeHistoryPage(bytes) }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return { isMalformed: true }
  }
}

function recordOf(self: AccountId, message: HandedMessage): MessageRecord {
  const { conversation, protocol, outgoing: isOutgoing, keyCreatedAtMs, ...rest } = message
  const outgoing = isOutgoing || conversation === self
  return {
    ...rest,
    conversation,
    sender: outgoing ? self : conversation,
    outgoing,
    protocol,
    pfs: protocol === 'v2-pfs',
    state: outgoing ? 'stored' : 'received',
    handedOver: true,
    ...(keyCreatedAtMs === undefined ? {} : { keyCreatedAtMs }),
  }
}

function progressEvent({ requestId, received, total = received }: OwnHistoryRecord): ClientEvent {
  return { type: 'history_progress', requestId, direction: 'received', messages: received, total }
}

function doneEvent({ requestId }: OwnHistoryRecord, how: HistoryEnd): ClientEvent {
  return { type: 'history_done', requestId, direction: 'received', how }
}
