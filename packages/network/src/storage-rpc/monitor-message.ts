/**
 * What a node says to a subscriber: replies, new messages, the end of a subscription; and the subscription that it keeps (MON-02,
 * MON-04 to MON-06).
 *
 * | message | fields |
 * |---|---|
 * | reply | `success` 1; or `errcode`, `error`, of the wrong swarm also `snodes`, `swarm` |
 * | new message | `@` account, `h` hash, `n` namespace, `t` timestamp, `z` expiry, `~` data if wanted |
 * | end | `@` account, `errcode`, `error`, and when the account has moved `snodes`, `swarm` |
 *
 * In JSON the account is hexadecimal and the data base64.
 */
import { decodeHex, encodeHex, equalBytes } from '@session-v2/encoding'
import { type Namespace, parseNamespace } from '../namespace.ts'
import { badAnswer } from '../network-error.ts'
import { type AnswerFields, requireBinary, requireHash, requireInteger, requireObject, requireText } from './answer.ts'
import type { RequestForm } from './fields.ts'
import { MESSAGE_MAX_BYTES, MONITOR_DURATION_MS, MONITOR_MAX_NAMESPACES } from './limits.ts'
import type { MonitorParams, MonitorRefusal } from './methods/monitor.ts'
import { encodeAnswer } from './wire-value.ts'

/** What a node keeps of a subscription. One for each account and connection. */
export interface Subscription {
  /** 33 bytes. */
  readonly account: Uint8Array
  /** Ascending. */
  readonly namespaces: readonly Namespace[]
  readonly wantData: boolean
  readonly expiresAtMs: number
  /** The subaccount that subscribed, 36 bytes, to end with its revocation. */
  readonly token: Uint8Array | undefined
}

/**
 * The subscription after a request that passed its checks: namespaces are added to those there are, data once wanted stays wanted, and
 * the time begins again. Undefined when there would be more than 256 namespaces.
 */
export function renewSubscription(
  before: Subscription | undefined,
  { account, namespaces, wantData, signed }: MonitorParams,
  nowMs: number,
): Subscription | undefined {
  const token = signed.subaccount?.token
  const expiresAtMs = nowMs + MONITOR_DURATION_MS
  // What one signer subscribed is not renewed by another: a revoked subaccount would live on in it.
  const kept = before !== undefined && before.expiresAtMs > nowMs && sameToken(before.token, token) ? before : undefined
  const merged = [...new Set([...(kept?.namespaces ?? []), ...namespaces])].sort((a, b) => a - b)
  if (merged.length > MONITOR_MAX_NAMESPACES) return undefined
  return { account, namespaces: merged, wantData: wantData || (kept?.wantData ?? false), expiresAtMs, token }
}

function sameToken(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b)
}

/** Whether a message in this namespace is told of now. */
export function isSubscribed({ namespaces, expiresAtMs }: Subscription, namespace: Namespace, nowMs: number): boolean {
  return expiresAtMs > nowMs && namespaces.includes(namespace)
}

/** A message that has come. */
export interface Notification {
  /** 33 bytes. */
  readonly account: Uint8Array
  readonly hash: string
  readonly namespace: Namespace
  readonly timestampMs: number
  readonly expiryMs: number
  /** Only for who wants it. */
  readonly payload?: Uint8Array | undefined
}

/** The end of a subscription before its time. */
export interface MonitorEnd extends MonitorRefusal {
  /** 33 bytes. */
  readonly account: Uint8Array
  /** Where the account has moved: the body of `get_swarm`. */
  readonly swarm?: AnswerFields | undefined
}

/** The reply to one subscription. `swarm` is the body of `get_swarm` beside `errcode` 6. */
export function encodeMonitorReply(refusal?: MonitorRefusal, swarm: AnswerFields = {}): Record<string, unknown> {
  return refusal === undefined ? { success: 1 } : { errcode: refusal.errcode, error: refusal.error, ...swarm }
}

/** A notification as it goes out. */
export function encodeNotification(form: RequestForm, message: Notification, base64?: (bytes: Uint8Array) => string) {
  const { account, hash, namespace, timestampMs, expiryMs, payload } = message
  const fields = { '@': accountField(form, account), h: hash, n: namespace, t: timestampMs, z: expiryMs }
  return encodeAnswer(form, payload === undefined ? fields : { ...fields, '~': payload }, base64)
}

/** The end of a subscription as it goes out. */
export function encodeMonitorEnd(form: RequestForm, { account, errcode, error, swarm }: MonitorEnd): string | Uint8Array {
  return encodeAnswer(form, { '@': accountField(form, account), errcode, error, ...swarm })
}

/** What a subscriber is told. */
export type MonitorMessage =
  | { readonly kind: 'notification'; readonly notification: Notification }
  | { readonly kind: 'end'; readonly end: MonitorEnd }
  | { readonly kind: 'reply'; readonly replies: readonly (MonitorRefusal | undefined)[] }

/** Reads a decoded message. A reply to one subscription has one item, undefined for success. @throws NetworkError `malformed` */
export function parseMonitorMessage(value: unknown): MonitorMessage {
  if (Array.isArray(value)) return { kind: 'reply', replies: value.map(parseReply) }
  const fields = requireObject(value, 'the message')
  if (fields['@'] === undefined) return { kind: 'reply', replies: [parseReply(fields)] }
  const account = requireAccount(fields['@'])
  if (fields.errcode === undefined) return { kind: 'notification', notification: parseNotification(account, fields) }
  const end = { account, ...readRefusal(fields), ...(fields.snodes !== undefined && { swarm: fields }) }
  return { kind: 'end', end }
}

function parseNotification(account: Uint8Array, fields: AnswerFields): Notification {
  const payload = fields['~'] === undefined ? undefined : requireBinary(fields['~'], 'a message body')
  if (payload !== undefined && payload.length > MESSAGE_MAX_BYTES) throw badAnswer(`a message of ${payload.length} bytes`)
  return {
    account,
    hash: requireHash(fields.h),
    namespace: requireNamespace(fields.n),
    timestampMs: requireInteger(fields.t, 'a timestamp'),
    expiryMs: requireInteger(fields.z, 'an expiry'),
    ...(payload && { payload }),
  }
}

function parseReply(value: unknown): MonitorRefusal | undefined {
  const fields = requireObject(value, 'a reply')
  if (fields.errcode !== undefined) return readRefusal(fields)
  if (fields.success !== 1 && fields.success !== true) throw badAnswer('a reply says neither success nor an error')
  return undefined
}

function readRefusal(fields: AnswerFields): MonitorRefusal {
  return { errcode: requireInteger(fields.errcode, 'an error code'), error: requireText(fields.error, 'an error') }
}

const ACCOUNT_HEX = /^[0-9a-f]{66}$/
const ACCOUNT_BYTES = 33

function accountField(form: RequestForm, account: Uint8Array): string | Uint8Array {
  return form === 'json' ? encodeHex(account) : account
}

function requireAccount(value: unknown): Uint8Array {
  if (value instanceof Uint8Array && value.length === ACCOUNT_BYTES) return value
  if (typeof value === 'string' && ACCOUNT_HEX.test(value)) return decodeHex(value)
  throw badAnswer('the account of a message is not one')
}

function requireNamespace(value: unknown): Namespace {
  if (typeof value !== 'number') throw badAnswer('a namespace is not a number')
  try {
    return parseNamespace(value)
  } catch (cause) {
    throw badAnswer('a namespace beyond 16 bits', cause)
  }
}
