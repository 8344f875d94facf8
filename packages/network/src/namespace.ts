/**
 * Namespaces: an account's mailboxes at its swarm, numbered by signed 16-bit integers. The number decides who may write, who may
 * read, and for how long (NS-01 to NS-08).
 *
 * | class | numbers | store | retrieve | kept at most |
 * |---|---|---|---|---|
 * | public inbox | n % 10 = 0 | anyone | owner (−10: anyone) | 14 days |
 * | public outbox | n < 0, −n % 20 = 1 | owner; a store replaces | anyone | 30 days |
 * | unrevocable | n < 0, −n % 100 = 11 | owner | owner | 30 days |
 * | testing | −3741 | nobody | anyone, always empty | – |
 * | private | all others | owner | owner | 30 days |
 *
 * Only the owner may write to −21, the account's published keys: it is an outbox.
 */
import { badRequest } from './network-error.ts'

declare const namespaceBrand: unique symbol

/** A signed 16-bit namespace number. */
export type Namespace = number & { readonly [namespaceBrand]: true }

export type NamespaceClass = 'inbox' | 'outbox' | 'unrevocable' | 'testing' | 'private'

/** The namespaces in use. */
export const NAMESPACE = {
  messages: 0 as Namespace,
  userProfile: 2 as Namespace,
  contacts: 3 as Namespace,
  conversationVolatile: 4 as Namespace,
  userGroups: 5 as Namespace,
  groupMessages: 11 as Namespace,
  groupKeys: 12 as Namespace,
  groupProfile: 13 as Namespace,
  groupMembers: 14 as Namespace,
  devices: 21 as Namespace,
  accountKeys: -21 as Namespace,
  /** Asks and acknowledgements of a hand-over of history between devices of the account (HT-01). */
  history: 2121 as Namespace,
  /** Its chunks. */
  historyChunks: 2122 as Namespace,
  revokedGroupMessages: -11 as Namespace,
  legacyGroup: -10 as Namespace,
  testing: -3741 as Namespace,
} as const

const MIN_NAMESPACE = -32768
const MAX_NAMESPACE = 32767
const DAY_MS = 86_400_000

/** Longest TTL of public inboxes, in milliseconds. */
export const INBOX_MAX_TTL_MS = 14 * DAY_MS

/** Longest TTL of all other namespaces, in milliseconds. */
export const MAX_TTL_MS = 30 * DAY_MS

/** `value` as a namespace. @throws NetworkError `malformed` (status 400, `value out of range`). */
export function parseNamespace(value: number): Namespace {
  if (!Number.isInteger(value) || value < MIN_NAMESPACE || value > MAX_NAMESPACE) throw badRequest('value out of range')
  return value as Namespace
}

/** The class of a namespace. −3741 is looked at first: by its number it would be an outbox. */
export function namespaceClass(namespace: Namespace): NamespaceClass {
  if (namespace === NAMESPACE.testing) return 'testing'
  if (namespace % 10 === 0) return 'inbox'
  if (namespace < 0 && -namespace % 20 === 1) return 'outbox'
  if (namespace < 0 && -namespace % 100 === 11) return 'unrevocable'
  return 'private'
}

/** Whether a store replaces what the namespace holds: one message, the newest. */
export function isOutbox(namespace: Namespace): boolean {
  return namespaceClass(namespace) === 'outbox'
}

/** Whether a store must be signed by the owner. */
export function storeNeedsSignature(namespace: Namespace): boolean {
  return namespaceClass(namespace) !== 'inbox'
}

/** Whether a retrieve must be signed by the owner. */
export function retrieveNeedsSignature(namespace: Namespace): boolean {
  const kind = namespaceClass(namespace)
  return kind !== 'outbox' && kind !== 'testing' && namespace !== NAMESPACE.legacyGroup
}

/** The longest TTL a store may ask for, in milliseconds. */
export function maxTtlMs(namespace: Namespace): number {
  return namespaceClass(namespace) === 'inbox' ? INBOX_MAX_TTL_MS : MAX_TTL_MS
}

/** The namespace within a signed text: nothing for 0, else its decimal. */
export function namespaceText(namespace: Namespace): string {
  return namespace === 0 ? '' : String(namespace)
}
