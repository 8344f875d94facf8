/**
 * Events as front ends send them to one another (clause NODE-146).
 *
 * | bytes | |
 * |---|---|
 * | 1 | version, 1 |
 * | 9 | name of the front end that sends |
 * | 34 | `r` ‖ account: tokens of the account were revoked |
 * | 79 | `s` ‖ account, 33 ‖ namespace, 2, the most significant byte first ‖ hash, 43: a message is new |
 *
 * Events follow one another; none at all is a sign of life.
 */
import { isMessageHash } from '@session-v2/network'
import type { ItemName } from '../store.ts'
import type { StoreEvent } from '../store-events.ts'

export const SENDER_BYTES = 9
/** Events of one message. */
export const MESSAGE_MAX_EVENTS = 1_000

const VERSION = 1
const HEAD_BYTES = 1 + SENDER_BYTES
const ACCOUNT_BYTES = 33
const HASH_BYTES = 43
const STORED = 0x73 // s
const REVOKED = 0x72 // r
const REVOKED_BYTES = 1 + ACCOUNT_BYTES
const STORED_BYTES = REVOKED_BYTES + 2 + HASH_BYTES
const MESSAGE_MAX_BYTES = HEAD_BYTES + MESSAGE_MAX_EVENTS * STORED_BYTES

/** What another front end says: a message by its name alone. */
export type SharedEvent = ({ readonly kind: 'stored' } & ItemName) | { readonly kind: 'revoked'; readonly account: Uint8Array }

/** An event as a part of a message. */
export function encodeEvent(event: StoreEvent): Buffer {
  if (event.kind === 'revoked') return Buffer.concat([Buffer.of(REVOKED), event.account])
  const { account, namespace, hash } = event.message
  const bytes = Buffer.alloc(STORED_BYTES)
  bytes[0] = STORED
  bytes.set(account, 1)
  bytes.writeInt16BE(namespace, REVOKED_BYTES)
  bytes.write(hash, REVOKED_BYTES + 2, 'latin1')
  return bytes
}

/** `sender` has `SENDER_BYTES` bytes. */
export function encodeMessage(sender: Uint8Array, events: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.of(VERSION), sender, ...events])
}

/** The sender of a message and its events; undefined for what is none, or of another version. Accounts are parts of `bytes`. */
export function decodeMessage(
  bytes: Buffer,
): { readonly sender: Uint8Array; readonly events: readonly SharedEvent[] } | undefined {
  if (bytes.length < HEAD_BYTES || bytes.length > MESSAGE_MAX_BYTES || bytes[0] !== VERSION) return undefined
  const events: SharedEvent[] = []
  for (let at = HEAD_BYTES; at < bytes.length; ) {
    const event = decodeEvent(bytes, at)
    if (event === undefined) return undefined
    events.push(event)
    at += event.kind === 'stored' ? STORED_BYTES : REVOKED_BYTES
  }
  return { sender: bytes.subarray(1, HEAD_BYTES), events }
}

function decodeEvent(bytes: Buffer, at: number): SharedEvent | undefined {
  const end = at + (bytes[at] === STORED ? STORED_BYTES : REVOKED_BYTES)
  if (end > bytes.length) return undefined
  const account = bytes.subarray(at + 1, at + REVOKED_BYTES)
  if (bytes[at] === REVOKED) return { kind: 'revoked', account }
  if (bytes[at] !== STORED) return undefined
  const hash = bytes.toString('latin1', end - HASH_BYTES, end)
  return isMessageHash(hash) ? { kind: 'stored', account, namespace: bytes.readInt16BE(at + REVOKED_BYTES), hash } : undefined
}
