/**
 * Messages that disappear: how long after what, and when that is.
 *
 *     Content   12 expirationType  1 after it was read, 2 after it was sent   13 expirationTimer  seconds, 0 never
 *     DataMessage.flags, bit 1: the setting of the conversation was changed to these two
 *
 * Implements CON-21, CON-22, CON-23, CON-24.
 */
import { ProtocolError } from '../protocol-error.ts'
import type { Content } from './content.ts'
import { ExpirationType } from './data-message.ts'
import { type Sending, sentContent } from './sending.ts'

/** The bit of `DataMessage.flags` that says that the timer was changed. */
export const TIMER_CHANGE_FLAG = 2
/** What clients offer, in seconds, and what they propose first. Every other timer is understood too. */
export const AFTER_READ_TIMERS_S: readonly number[] = [300, 3600, 43_200, 86_400, 604_800, 1_209_600]
export const AFTER_SEND_TIMERS_S: readonly number[] = [43_200, 86_400, 604_800, 1_209_600]
export const AFTER_READ_DEFAULT_S = 43_200
export const AFTER_SEND_DEFAULT_S = 86_400
/** How long a swarm keeps a message that does not disappear before. */
export const MESSAGE_TTL_MS = 1_209_600_000

const TIMER_MAX_S = 0xffff_ffff

export type ExpiryMode = 'after-read' | 'after-send'

/** How a message disappears. */
export interface Expiry {
  readonly mode: ExpiryMode
  /** Seconds, 1 and up. */
  readonly timerS: number
}

/** The fields of a message that disappears, none for one that stays. Throws `bad-input` for a timer out of 1 … 2³² − 1. */
export function expiryFields(expiry: Expiry | undefined): Pick<Content, 'expirationType' | 'expirationTimer'> {
  if (expiry === undefined) return {}
  const { mode, timerS } = expiry
  if (!Number.isInteger(timerS) || timerS < 1 || timerS > TIMER_MAX_S)
    throw new ProtocolError('bad-input', 'CON-21', `a timer of ${timerS} s`)
  const expirationType = mode === 'after-read' ? ExpirationType.deleteAfterRead : ExpirationType.deleteAfterSend
  return { expirationType, expirationTimer: timerS }
}

/** How a message disappears; undefined when it stays. A timer of an unknown type starts when the message is read. */
export function readExpiry({ expirationType, expirationTimer = 0 }: Content): Expiry | undefined {
  if (expirationTimer === 0) return undefined
  return { mode: expirationType === ExpirationType.deleteAfterSend ? 'after-send' : 'after-read', timerS: expirationTimer }
}

/** That one's messages of the conversation disappear so from now on, or, with undefined, stay. Throws `bad-input`. */
export function timerChangeContent(sending: Sending, setting: Expiry | undefined): Content {
  const off = { expirationType: ExpirationType.unknown, expirationTimer: 0 }
  return sentContent(sending, {
    dataMessage: { flags: TIMER_CHANGE_FLAG },
    ...(setting === undefined ? off : expiryFields(setting)),
  })
}

/** What a change of the timer sets; undefined: messages stay. Throws `malformed` for a timer of an unknown type. */
export function readTimerChange(content: Content): Expiry | undefined {
  const { expirationType = ExpirationType.unknown, expirationTimer = 0 } = content
  const known = expirationType === ExpirationType.deleteAfterRead || expirationType === ExpirationType.deleteAfterSend
  if (expirationTimer > 0 && !known)
    throw new ProtocolError('malformed', 'CON-22', 'a timer that starts neither when a message is read nor when it is sent')
  return readExpiry(content)
}

/** A message, as far as its disappearing goes. Times in milliseconds since the epoch. */
export interface DisappearingMessage {
  readonly expiry: Expiry
  /** This account wrote it. */
  readonly outgoing: boolean
  readonly sentAtMs: number
  /** When it was first read on any device of the account; missing while it was not. */
  readonly readAtMs?: number
}

/**
 * When a message begins to disappear, in milliseconds since the epoch; undefined while it does not. After being sent: when it was
 * sent. After being read: when its reader read it, and on its author's side, where it is read while it is written, when it was
 * sent.
 */
export function disappearingStartsAtMs({ expiry, outgoing, sentAtMs, readAtMs }: DisappearingMessage): number | undefined {
  if (expiry.mode === 'after-send' || outgoing) return sentAtMs
  return readAtMs === undefined ? undefined : Math.max(sentAtMs, readAtMs)
}

/**
 * When a message is gone, also from the reader's swarm, in milliseconds since the epoch; undefined while its timer does not run.
 */
export function disappearsAtMs(message: DisappearingMessage): number | undefined {
  const startMs = disappearingStartsAtMs(message)
  return startMs === undefined ? undefined : startMs + message.expiry.timerS * 1000
}

/**
 * When a message was first read, on a device that learns at `learntAtMs` that another one read it: that one has set the expiry in
 * the swarm, `swarmExpiryMs`, to the end of the timer. An expiry that is still the first one tells nothing: a timer that ends after
 * it does not change it. Times in milliseconds since the epoch.
 */
export function readAtMsBySwarm(
  { expiry, sentAtMs }: Pick<DisappearingMessage, 'expiry' | 'sentAtMs'>,
  swarmExpiryMs: number,
  learntAtMs: number,
): number {
  if (swarmExpiryMs >= sentAtMs + MESSAGE_TTL_MS) return learntAtMs
  return Math.min(learntAtMs, Math.max(sentAtMs, swarmExpiryMs - expiry.timerS * 1000))
}

/** For how long a message is stored, in milliseconds: 14 days, or its timer where that starts at once and is shorter. */
export function messageTtlMs(expiry: Expiry | undefined): number {
  return expiry?.mode === 'after-send' ? Math.min(MESSAGE_TTL_MS, expiry.timerS * 1000) : MESSAGE_TTL_MS
}

/** Whether two settings are the same one. */
export function sameExpiry(a: Expiry | undefined, b: Expiry | undefined): boolean {
  return a?.mode === b?.mode && a?.timerS === b?.timerS
}

/** A setting that a person can take over from the other side. */
export interface FollowedSetting {
  /** What one's own setting becomes; undefined: messages stay. */
  readonly setting: Expiry | undefined
}

/** What "follow setting" offers after the other side's change; undefined when one's own setting is that already. */
export function settingToFollow(own: Expiry | undefined, theirs: Expiry | undefined): FollowedSetting | undefined {
  return sameExpiry(own, theirs) ? undefined : { setting: theirs }
}
