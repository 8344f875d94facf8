/**
 * The device that is asked, and agrees: walks through its message log once, oldest first, and keeps at most 16 chunks in the swarm.
 *
 *     open ──► sending ──► done            everything was acknowledged
 *      │ ▲        └──────► ended           taken back, expired, the other device is gone, or another one sends
 *      ▼ │
 *     refused
 *
 * A chunk is written down, sealed, with the place in the log behind it, before it is stored; so after a crash the same chunk is stored
 * again, and none is made twice or left out.
 *
 * Implements HT-13, HT-14, HT-18, HT-19 on the sending side.
 */
import { encodeHex } from '@session-v2/encoding'
import { NAMESPACE } from '@session-v2/network'
import {
  expandDeviceKeys,
  HISTORY_WINDOW,
  type HistoryAsk,
  type HistoryRequestId,
  isProvenAck,
  openHistoryControl,
  ProtocolError,
  type ReceivedHistoryAck,
  wipeExpandedKeyPair,
} from '@session-v2/protocol'
import { ClientError } from '../client-error.ts'
import { isMember } from '../devices/devices.ts'
import type { ClientEvent, EventLog } from '../events/event-log.ts'
import type { MessageLog } from '../messages/message-log.ts'
import type { Change } from '../ports/store.ts'
import type { Table } from '../store/sealed/sealed-store.ts'
import { type ChunkSealerParts, resealed, sealChunks } from './history-chunks.ts'
import { historyExtent, packPage } from './history-pages.ts'
import { announcedKey, memberKey, memberRecord } from './history-peers.ts'
import {
  type ChunkRecord,
  chunkKey,
  HISTORY_ABSENCE_MS,
  HISTORY_ABSENCES,
  HISTORY_AHEAD_MS,
  HISTORY_REPEAT_MS,
  HISTORY_REQUESTS_MAX,
  HISTORY_TTL_MS,
  type HistoryEnd,
  type HistoryRequestRecord,
} from './history-records.ts'
import { type HistoryListing, presentHistory, storeHistory } from './history-swarm.ts'

export interface HistorySendingParts extends ChunkSealerParts {
  readonly events: EventLog
  readonly log: MessageLog
  readonly table: Table<HistoryRequestRecord>
  readonly chunks: Table<ChunkRecord>
}

/** What a listing says to the members. */
interface Said {
  readonly asks: readonly { readonly ask: HistoryAsk; readonly hash: string }[]
  readonly acks: readonly { readonly ack: ReceivedHistoryAck; readonly hash: string }[]
}

export class HistorySending {
  readonly #parts: HistorySendingParts

  constructor(parts: HistorySendingParts) {
    this.#parts = parts
  }

  records(): Promise<HistoryRequestRecord[]> {
    return this.#parts.table.all()
  }

  /** Whether a request needs the swarm. */
  async isBusy(): Promise<boolean> {
    return (await this.records()).some(({ status, deletes }) => status === 'sending' || deletes.length > 0)
  }

  /** The person agrees: the hand-over is what the log holds now. @throws ClientError `unknown-request` */
  async agree(requestId: string, nowMs: number): Promise<void> {
    const { log, group } = this.#parts
    const record = await this.#answerable(requestId)
    if (memberRecord(group.state, record.deviceId) === undefined) throw unknownRequest()
    const { until, total } = await historyExtent(log, record.sinceMs)
    await this.#keep({ ...record, status: 'sending', until, total, checkedAtMs: nowMs })
  }

  /** The person does not agree. This device says nothing of it. @throws ClientError `unknown-request` */
  async refuse(requestId: string): Promise<void> {
    await this.#keep({ ...(await this.#answerable(requestId)), status: 'refused' })
  }

  /**
   * Takes note of who asks, and goes on with what was agreed to.
   * @param own the request of this device that is under way
   * @throws ClientError, NetworkError
   */
  async run(listing: HistoryListing, own: HistoryRequestId | undefined, nowMs: number): Promise<void> {
    const said = this.#read(listing)
    if (isMember(this.#parts.group.state)) await this.#note(said, own, nowMs)
    for (const record of await this.records()) {
      const present = await this.#withPresence(record, said, nowMs)
      const next = present && (await this.#judge(present, said, nowMs))
      if (next !== undefined) await this.#tell(await this.#advance(next, said, nowMs), nowMs)
    }
  }

  #read({ controls }: HistoryListing): Said {
    const { crypto, account, group } = this.#parts
    const asks: { ask: HistoryAsk; hash: string }[] = []
    const acks: { ack: ReceivedHistoryAck; hash: string }[] = []
    for (const { hash, payload } of controls) {
      const opened = openHistoryControl(crypto, account, group.keyring.keys, payload)
      if (opened.outcome === 'ask') asks.push({ ask: opened.ask, hash })
      if (opened.outcome === 'ack') acks.push({ ack: opened.ack, hash })
    }
    return { asks, acks }
  }

  /** New requests of members. What is asked in the name of this device without its doing is deleted. */
  async #note({ asks }: Said, own: HistoryRequestId | undefined, nowMs: number): Promise<void> {
    const { group, table } = this.#parts
    const strays = asks.filter(({ ask }) => ask.deviceId === group.state.self && ask.requestId !== own).map(({ hash }) => hash)
    if (strays.length > 0) await storeHistory(this.#parts, NAMESPACE.history, [], strays)
    let kept = (await table.all()).length
    for (const { ask, hash: askHash } of asks) {
      const { requestId, deviceId, sinceMs, askedAtMs } = ask
      const isNow = askedAtMs > nowMs - HISTORY_TTL_MS && askedAtMs < nowMs + HISTORY_AHEAD_MS
      const isOfOther = deviceId !== group.state.self && memberRecord(group.state, deviceId) !== undefined
      if (!isNow || !isOfOther || kept >= HISTORY_REQUESTS_MAX || (await table.get(requestId)) !== undefined) continue
      kept++
      const record: HistoryRequestRecord = {
        ...{ requestId, deviceId, ...(sinceMs === undefined ? {} : { sinceMs }), askedAtMs, askHash },
        ...{ expiresAtMs: askedAtMs + HISTORY_TTL_MS, status: 'open', absences: 0, absentSinceMs: 0 },
        ...{ after: 0, until: 0, nextIndex: 0, isComplete: false, sent: 0, total: 0, ackSeqno: 0, checkedAtMs: 0, deletes: [] },
      }
      await this.#keep(record, [], [{ type: 'history_requested', requestId, deviceId }])
    }
  }

  /** Counts how often nothing of a request was listed. undefined: a request that nobody answered is forgotten. */
  async #withPresence(record: HistoryRequestRecord, said: Said, nowMs: number): Promise<HistoryRequestRecord | undefined> {
    if (isOver(record)) return record
    const isListed = [...said.asks.map(({ ask }) => ask), ...said.acks.map(({ ack }) => ack)].some(
      ({ requestId }) => requestId === record.requestId,
    )
    if (isListed && record.absences === 0) return record
    const absences = isListed ? 0 : record.absences + 1
    const next = { ...record, absences, absentSinceMs: absences === 1 ? nowMs : record.absentSinceMs }
    if (isGone(next, nowMs) && record.status !== 'sending') {
      await this.#parts.events.commit([this.#parts.table.remove(record.requestId)])
      return undefined
    }
    await this.#keep(next)
    return next
  }

  /** Ends what cannot go on; undefined for what needs nothing. */
  async #judge(record: HistoryRequestRecord, { acks }: Said, nowMs: number): Promise<HistoryRequestRecord | undefined> {
    const { state } = this.#parts.group
    const { status, requestId, deviceId } = record
    const ours = acks.filter(({ ack }) => ack.requestId === requestId && ack.sender === state.self)
    const isElsewhere = acks.some(({ ack }) => ack.requestId === requestId && ack.sender !== state.self)
    if (isOver(record))
      return this.#tidied(
        record,
        ours.map(({ hash }) => hash),
        nowMs,
      )
    if (!isMember(state) || memberRecord(state, deviceId) === undefined) return this.#end(record, 'stopped', nowMs)
    if (record.expiresAtMs <= nowMs) return this.#end(record, 'expired', nowMs)
    if (isElsewhere && record.ackSeqno === 0) return this.#end(record, 'elsewhere', nowMs)
    if (isGone(record, nowMs)) return this.#end(record, 'cancelled', nowMs)
    return status === 'sending' ? record : undefined
  }

  /** Of a request that is over: what is left in the swarm is deleted, and in time it is forgotten. */
  async #tidied(record: HistoryRequestRecord, left: readonly string[], nowMs: number): Promise<HistoryRequestRecord | undefined> {
    const { deletes, requestId, expiresAtMs } = record
    const more = left.filter(hash => !deletes.includes(hash))
    if (deletes.length + more.length > 0) return { ...record, deletes: [...deletes, ...more] }
    if (expiresAtMs <= nowMs) await this.#parts.events.commit([this.#parts.table.remove(requestId)])
    return undefined
  }

  /** Ends a request; its chunks are deleted from the swarm by this and the next runs. */
  async #end(record: HistoryRequestRecord, how: HistoryEnd, nowMs: number): Promise<HistoryRequestRecord> {
    const chunks = await this.#chunksOf(record)
    const deletes = [...record.deletes, ...chunks.map(({ hash }) => hash)]
    const ended: HistoryRequestRecord = { ...record, status: 'ended', end: how, deletes, expiresAtMs: nowMs + HISTORY_TTL_MS }
    const removals = chunks.map(chunk => this.#parts.chunks.remove(chunkKey(chunk)))
    await this.#keep(ended, removals, [doneEvent(ended, how)])
    return ended
  }

  async #advance(record: HistoryRequestRecord, said: Said, nowMs: number): Promise<HistoryRequestRecord> {
    if (record.status !== 'sending') return record
    let reached = record
    try {
      reached = await this.#takeAck(reached, said, nowMs)
      if (reached.status !== 'sending') return reached
      reached = await this.#renew(reached, nowMs)
      return await this.#fill(reached)
    } catch (error) {
      // Keys of the other device that nothing can be sealed to: it says others in time, or is removed.
      if (!(error instanceof ProtocolError)) throw error
      return reached
    }
  }

  /** The newest acknowledgement that the device which asked has proven to have written to this one. */
  #newestAck({ requestId, deviceId, ackSeqno }: HistoryRequestRecord, { acks }: Said): Said['acks'][number] | undefined {
    const { crypto, group } = this.#parts
    const author = memberKey(group.state, deviceId)
    const fresh = acks.filter(({ ack }) => {
      return ack.requestId === requestId && ack.sender === group.state.self && ack.seqno > ackSeqno
    })
    if (author === undefined || fresh.length === 0) return undefined
    const pairs = expandDeviceKeys(crypto, group.state.deviceKeys)
    const proven = fresh.filter(({ ack }) => isProvenAck(crypto, pairs, author, ack))
    for (const pair of pairs) wipeExpandedKeyPair(pair)
    return proven.sort((a, b) => b.ack.seqno - a.ack.seqno)[0]
  }

  /** Strikes out what was acknowledged, and seals anew what is missing. */
  async #takeAck(record: HistoryRequestRecord, said: Said, nowMs: number): Promise<HistoryRequestRecord> {
    const newest = this.#newestAck(record, said)
    if (newest === undefined) return record
    const { next, missing, seqno } = newest.ack
    const chunks = await this.#chunksOf(record)
    const acknowledged = chunks.filter(({ index }) => index < next)
    const lost = chunks.filter(({ index }) => missing.includes(index))
    const isDone = record.isComplete && next >= record.nextIndex
    const gone = [...acknowledged, ...lost].map(({ hash }) => hash)
    const moved: HistoryRequestRecord = {
      ...record,
      ackSeqno: seqno,
      checkedAtMs: nowMs,
      expiresAtMs: nowMs + HISTORY_TTL_MS,
      sent: record.sent + acknowledged.reduce((sum, { messages }) => sum + messages, 0),
      deletes: [...record.deletes, ...gone, ...(isDone ? [record.askHash, newest.hash] : [])],
      ...(isDone && { status: 'done' as const, end: 'complete' as const }),
    }
    const changes = [
      ...acknowledged.map(chunk => this.#parts.chunks.remove(chunkKey(chunk))),
      ...lost.map(chunk => this.#put(resealed(this.#parts, moved, chunk))),
    ]
    const progress: ClientEvent[] = acknowledged.length === 0 ? [] : [progressEvent(moved)]
    await this.#keep(moved, changes, [...progress, ...(isDone ? [doneEvent(moved, 'complete')] : [])])
    return moved
  }

  /** Seals anew what is sealed with keys that one side no longer has, and stores anew what the swarm has lost. */
  async #renew(record: HistoryRequestRecord, nowMs: number): Promise<HistoryRequestRecord> {
    const { group } = this.#parts
    const [to, by] = [memberKey(group.state, record.deviceId), announcedKey(group.state).x25519].map(key => key && encodeHex(key))
    const chunks = await this.#chunksOf(record)
    const stale = chunks.filter(({ sealedTo, sealedBy }) => sealedTo !== to || sealedBy !== by)
    const fresh = chunks.filter(chunk => chunk.isStored && !stale.includes(chunk))
    const isDue = fresh.length > 0 && nowMs - record.checkedAtMs >= HISTORY_REPEAT_MS
    const present = isDue
      ? await presentHistory(
          this.#parts,
          fresh.map(({ hash }) => hash),
        )
      : undefined
    const lost = present === undefined ? [] : fresh.filter(({ hash }) => !present.has(hash))
    if (stale.length === 0 && !isDue) return record
    const next: HistoryRequestRecord = {
      ...record,
      checkedAtMs: isDue ? nowMs : record.checkedAtMs,
      deletes: [...record.deletes, ...stale.map(({ hash }) => hash)],
    }
    const anew = stale.map(chunk => this.#put(resealed(this.#parts, next, chunk)))
    await this.#keep(next, [...anew, ...lost.map(chunk => this.#put({ ...chunk, isStored: false }))])
    return next
  }

  /** Makes chunks until as many wait as may. */
  async #fill(record: HistoryRequestRecord): Promise<HistoryRequestRecord> {
    let filled = record
    let waiting = (await this.#chunksOf(record)).length
    while (!filled.isComplete && waiting < HISTORY_WINDOW) {
      const { page, messages, after, isLast } = await packPage(this.#parts.log, filled)
      const chunks = sealChunks(this.#parts, filled, { page, messages, isLast })
      if (waiting + chunks.length > HISTORY_WINDOW) break
      waiting += chunks.length
      filled = { ...filled, after, nextIndex: filled.nextIndex + chunks.length, isComplete: isLast }
      await this.#keep(
        filled,
        chunks.map(chunk => this.#put(chunk)),
      )
    }
    return filled
  }

  /** Stores and deletes what is to be stored and deleted. What the swarm does not take waits for the next run. */
  async #tell(record: HistoryRequestRecord, nowMs: number): Promise<void> {
    let told = record
    for (let isTaken = true; isTaken; ) {
      const waiting = (await this.#chunksOf(told)).filter(({ isStored }) => !isStored)
      if (waiting.length === 0 && told.deletes.length === 0) return
      const outcome = await storeHistory(this.#parts, NAMESPACE.historyChunks, waiting, told.deletes)
      const stored = waiting.filter(({ hash }) => outcome.stored.has(hash)).map(chunk => this.#put({ ...chunk, isStored: true }))
      told = { ...told, deletes: outcome.isDeleted ? [] : told.deletes, checkedAtMs: nowMs }
      if (stored.length > 0 || outcome.isDeleted) await this.#keep(told, stored)
      isTaken = outcome.isTaken
    }
  }

  async #answerable(requestId: string): Promise<HistoryRequestRecord> {
    const record = await this.#parts.table.get(requestId)
    if (record === undefined || (record.status !== 'open' && record.status !== 'refused')) throw unknownRequest()
    return record
  }

  async #chunksOf({ requestId }: HistoryRequestRecord): Promise<ChunkRecord[]> {
    const page = await this.#parts.chunks.page({ group: requestId, limit: 2 * HISTORY_WINDOW })
    return page.map(({ value }) => value).sort((a, b) => a.index - b.index)
  }

  #put(chunk: ChunkRecord): Change {
    return this.#parts.chunks.put(chunkKey(chunk), chunk, chunk.requestId)
  }

  async #keep(record: HistoryRequestRecord, changes: readonly Change[] = [], events: readonly ClientEvent[] = []): Promise<void> {
    await this.#parts.events.commit([this.#parts.table.put(record.requestId, record), ...changes], events)
  }
}

function isOver({ status }: HistoryRequestRecord): boolean {
  return status === 'done' || status === 'ended'
}

/** Whether a request is no longer in the swarm, as far as several members can tell. */
function isGone({ absences, absentSinceMs }: HistoryRequestRecord, nowMs: number): boolean {
  return absences >= HISTORY_ABSENCES && nowMs - absentSinceMs >= HISTORY_ABSENCE_MS
}

function progressEvent({ requestId, sent, total }: HistoryRequestRecord): ClientEvent {
  return { type: 'history_progress', requestId, direction: 'sent', messages: sent, total }
}

function doneEvent({ requestId }: HistoryRequestRecord, how: HistoryEnd): ClientEvent {
  return { type: 'history_done', requestId, direction: 'sent', how }
}

function unknownRequest(): ClientError {
  return new ClientError('unknown-request', 'No member of the group asks for this history any more.')
}
