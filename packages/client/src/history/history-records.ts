/**
 * What is kept of hand-overs of history, sealed like everything else, so that either side goes on where it was after any crash. What
 * is to be sent is written down, sealed and with its hash, before it is sent: sent again it is the same message.
 */
import type { DeviceId, HistoryRequestId } from '@session-v2/protocol'

/** How long a request lives without an acknowledgement, and its messages in the swarm: 14 days (HT-01). */
export const HISTORY_TTL_MS = 14 * 86_400_000
/** How long nothing may happen before what was said is said again, and what was stored is looked for (HT-17, HT-18). */
export const HISTORY_REPEAT_MS = 3_600_000
/** For so long, and so often in a row, nothing of a request is listed before it counts as taken back: one member may lag, or lie. */
export const HISTORY_ABSENCE_MS = 600_000
export const HISTORY_ABSENCES = 3
/** An ask may be dated ahead by clocks that are off. */
export const HISTORY_AHEAD_MS = 2 * 86_400_000
/** Requests of others that are kept; anyone with the recovery password can ask. */
export const HISTORY_REQUESTS_MAX = 64

/**
 * - `complete`: everything was handed over.
 * - `cancelled`: the person who asked took it back, or it is gone from the swarm.
 * - `expired`: nothing happened for 14 days.
 * - `stopped`: the other device is no longer a member, or this one is not.
 * - `elsewhere`: another device sends.
 */
export type HistoryEnd = 'complete' | 'cancelled' | 'expired' | 'stopped' | 'elsewhere'

/** A message to be stored in the swarm. */
export interface OutgoingMessage {
  /** Sealed, in base64. */
  readonly message: string
  /** The hash that the swarm gives it. */
  readonly hash: string
  readonly isStored: boolean
}

/** What this device asked; one at a time. */
export interface OwnHistoryRecord {
  readonly requestId: HistoryRequestId
  readonly sinceMs?: number
  readonly askedAtMs: number
  readonly expiresAtMs: number
  readonly state: 'asking' | 'receiving' | 'done' | 'ended'
  readonly end?: HistoryEnd
  /** Something is still to be stored in the swarm, deleted or looked at. */
  readonly isOpen: boolean
  /** The sender knows that everything was taken, or will not learn it. */
  readonly isSettled?: boolean
  readonly ask: OutgoingMessage
  /** Whose chunks are taken: the first of whom one was. */
  readonly sender?: DeviceId
  /** The first chunk that was not taken, those beyond that were, and the last of all once it is known. */
  readonly next: number
  readonly beyond: readonly number[]
  readonly last?: number
  /** Messages. */
  readonly received: number
  readonly total?: number
  readonly ackSeqno: number
  /** The newest acknowledgement, what it says, and when that was said. */
  readonly ack?: OutgoingMessage & { readonly says: string; readonly saidAtMs: number }
  /** Swarm hashes to delete. */
  readonly deletes: readonly string[]
}

/** Half of a page that waits for the other half. */
export interface HalfPageRecord {
  readonly index: number
  /** In base64. */
  readonly page: string
}

/** What another member asked. */
export interface HistoryRequestRecord {
  readonly requestId: HistoryRequestId
  readonly deviceId: DeviceId
  readonly sinceMs?: number
  readonly askedAtMs: number
  /** When it ends unless something comes, or, once it has ended, is forgotten. */
  readonly expiresAtMs: number
  readonly askHash: string
  readonly status: 'open' | 'refused' | 'sending' | 'done' | 'ended'
  readonly end?: HistoryEnd
  /** How often in a row the swarm showed neither the ask nor an acknowledgement, and since when. */
  readonly absences: number
  readonly absentSinceMs: number
  /** Behind which message of the log the next chunk begins, and with which the hand-over ends: what came later is no history. */
  readonly after: number
  readonly until: number
  readonly nextIndex: number
  readonly isComplete: boolean
  /** Messages: acknowledged, and in all. */
  readonly sent: number
  readonly total: number
  readonly ackSeqno: number
  /** When chunks were last known to be in the swarm. */
  readonly checkedAtMs: number
  readonly deletes: readonly string[]
}

/** A chunk that is not acknowledged. */
export interface ChunkRecord extends OutgoingMessage {
  readonly requestId: HistoryRequestId
  readonly index: number
  readonly isLast: boolean
  readonly half?: 'first' | 'second'
  /** How many messages end in it. */
  readonly messages: number
  /** In base64. */
  readonly page: string
  /** X25519 device keys of the addressee and of this device, in hexadecimal: with others it is sealed anew. */
  readonly sealedTo: string
  readonly sealedBy: string
}

/** The key of a chunk in its table. */
export function chunkKey({ requestId, index }: Pick<ChunkRecord, 'requestId' | 'index'>): string {
  return `${requestId}/${index}`
}
