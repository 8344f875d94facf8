/** What a screen of hand-overs shows, each drawn from one read. Times are milliseconds since the epoch. */
import { deviceRecordText, type GroupState } from '@session-v2/protocol'
import type { HistoryEnd, HistoryRequestRecord, OwnHistoryRecord } from './history-records.ts'

/** What this device asked. */
export interface OwnHistoryView {
  readonly requestId: string
  /** `asking`: no device has sent anything yet. */
  readonly state: 'asking' | 'receiving' | 'done' | 'ended'
  /** How it ended, if it did. */
  readonly end: HistoryEnd | undefined
  readonly sinceMs: number | undefined
  readonly askedAtMs: number
  /** When it ends unless something comes. */
  readonly expiresAtMs: number
  /** The device that sends: 64 hexadecimal digits. */
  readonly from: string | undefined
  /** Messages, those that were here already included. */
  readonly received: number
  readonly total: number | undefined
}

/** What another device of the account asks of this one. */
export interface HistoryRequestView {
  readonly requestId: string
  readonly deviceId: string
  /** What the device says of itself in the group. */
  readonly description: string
  readonly type: string
  /** Only messages sent then or later are asked for. */
  readonly sinceMs: number | undefined
  readonly askedAtMs: number
  /** When it ends unless something comes, or, once it has ended, is forgotten. */
  readonly expiresAtMs: number
  readonly status: 'open' | 'refused' | 'sending' | 'done' | 'ended'
  readonly end: HistoryEnd | undefined
  /** Messages that the other device has acknowledged, and all; both 0 before this device agreed. */
  readonly sent: number
  readonly total: number
}

/** What this device asked, as a screen shows it. */
export function ownHistoryView(record: OwnHistoryRecord): OwnHistoryView {
  const { requestId, state, end, sinceMs, askedAtMs, expiresAtMs, sender: from, received, total } = record
  return { requestId, state, end, sinceMs, askedAtMs, expiresAtMs, from, received, total }
}

/** What another device asks, with what the group knows of that device. */
export function historyRequestView(group: GroupState, record: HistoryRequestRecord): HistoryRequestView {
  const { requestId, deviceId, sinceMs, askedAtMs, expiresAtMs, status, end, sent, total } = record
  const known = group.rows.get(deviceId)?.record
  const { description, type } = known === undefined ? { description: '', type: '' } : deviceRecordText(known)
  return { requestId, deviceId, description, type, sinceMs, askedAtMs, expiresAtMs, status, end, sent, total }
}
