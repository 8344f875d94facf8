/**
 * What a node takes over from another node, and what not (clause NODE-94). A message has the hash that it is named by, and times that can
 * be. To delete, to revoke, or to shorten a life takes a proof of the owner.
 *
 * | an item | is |
 * |---|---|
 * | whose account falls to another swarm, or with a namespace that takes no messages, another hash, another expiry than its kind has | bad |
 * | that has expired, or would live longer than 30 days and 140 s | bad |
 * | that is a tombstone or a revocation without a proof that covers it, or has another proof than one that covers it | bad |
 * | that was decided or changed, or a message that was sent, later than in 70 s | later |
 * | with an earlier expiry than the message that is held, and without a proof | good, with the expiry that is held |
 */
import type { Crypto } from '@session-v2/crypto'
import {
  FORWARDED_TOLERANCE_MS,
  isOutbox,
  MAX_TTL_MS,
  MESSAGE_MAX_BYTES,
  messageHash,
  NAMESPACE,
  type Namespace,
  TIMESTAMP_MIN_MS,
} from '@session-v2/network'
import type { Timers } from '../ports.ts'
import { tokenHash, tombstoneExpiryMs } from '../store/item-version.ts'
import { type Item, type ItemName, type ItemVersion, type MessageStore, NEVER_MS, REVOCATIONS } from '../store/store.ts'
import type { StoreEvents } from '../store/store-events.ts'

/** What a proof is asked about an item beside the item itself. */
export interface ProofContext {
  readonly nowMs: number
  /** The timestamp of the message that a tombstone would delete, where the message is held. */
  readonly timestampMs?: number | undefined
}

/** Whether an opened proof covers that an item is as it is. */
export type Covers = (item: Item, context: ProofContext) => boolean
/** Reads a signed request of an owner; what it is asked then costs little. */
export type OpenProof = (proof: Uint8Array) => Covers

export interface GateParts {
  readonly crypto: Crypto
  readonly store: MessageStore
  readonly timers: Timers
  readonly openProof: OpenProof
  /** Told of messages that are new here, and of revocations. */
  readonly events?: Pick<StoreEvents, 'publish'> | undefined
  /** Whether the account falls to our swarm. */
  readonly isOurs: (account: Uint8Array) => boolean
}

export type Verdict = 'good' | 'later' | 'bad'

/** The longest life that two members with clocks at both ends of the tolerance can agree on. */
const LIFE_MAX_MS = MAX_TTL_MS + 2 * FORWARDED_TOLERANCE_MS
const TOKEN_BYTES = 36
/** So many items are checked before other work has its turn. */
const SLICE = 16

/** Whether a namespace holds one message, the newest; revocations are not meant. */
export function replaces(namespace: number): boolean {
  return namespace !== REVOCATIONS && isOutbox(namespace as Namespace)
}

/** What a version says by itself, before the item is asked for. */
export function judgeVersion(version: ItemVersion, nowMs: number, isOurs: GateParts['isOurs']): Verdict {
  const { account, namespace, decidedAtMs, changedAtMs, expiryMs, isTombstone } = version
  if (namespace === NAMESPACE.testing || !isOurs(account)) return 'bad'
  if (Math.max(decidedAtMs, changedAtMs) > nowMs + FORWARDED_TOLERANCE_MS) return 'later'
  if (expiryMs <= nowMs) return 'bad'
  if (isTombstone) return expiryMs === tombstoneExpiryMs(changedAtMs) ? 'good' : 'bad'
  if (namespace === REVOCATIONS) return expiryMs === NEVER_MS ? 'good' : 'bad'
  return expiryMs <= nowMs + LIFE_MAX_MS ? 'good' : 'bad'
}

/** Checks items and takes over those that are good; a verdict for each. */
export async function takeOver(parts: GateParts, items: readonly Item[], nowMs: number): Promise<readonly Verdict[]> {
  const held = await parts.store.heldVersions(items)
  const timestamps = await heldTimestamps(parts.store, items, held)
  const opened = new Map<Uint8Array, Covers>()
  const good: Item[] = []
  const added: Item[] = []
  const verdicts: Verdict[] = []
  for (const [i, item] of items.entries()) {
    if (i % SLICE === SLICE - 1) await new Promise<void>(resolve => parts.timers.soon(resolve))
    const verdict = judge(parts, item, { nowMs, timestampMs: timestamps.get(nameKey(item)) }, opened)
    verdicts.push(verdict)
    if (verdict !== 'good') continue
    good.push(withoutShortening(item, held[i]))
    if (!item.isTombstone && held[i]?.isTombstone !== false) added.push(item)
  }
  if (good.length > 0) await parts.store.merge(good, replaces)
  if (parts.events !== undefined) await tell(parts.store, parts.events, added)
  return verdicts
}

/** Tells of those of the items that are held now. */
async function tell(store: MessageStore, events: Pick<StoreEvents, 'publish'>, added: readonly Item[]): Promise<void> {
  const held = await store.heldVersions(added)
  for (const [i, { account, namespace, hash, expiryMs, message }] of added.entries()) {
    if (message === undefined || held[i]?.isTombstone !== false) continue
    if (namespace === REVOCATIONS) events.publish({ kind: 'revoked', account })
    else events.publish({ kind: 'stored', message: { account, namespace, hash, expiryMs, ...message } })
  }
}

/** The text that tells items apart. */
export function nameKey({ account, namespace, hash }: ItemName): string {
  return `${Buffer.from(account.buffer, account.byteOffset, account.length).toString('latin1')} ${namespace} ${hash}`
}

/** Of messages that a tombstone among the items would delete. */
async function heldTimestamps(
  store: MessageStore,
  items: readonly Item[],
  held: readonly (ItemVersion | undefined)[],
): Promise<ReadonlyMap<string, number>> {
  const names = items.filter((item, i) => item.isTombstone && held[i]?.isTombstone === false)
  const timestamps = new Map<string, number>()
  for (const name of names) {
    const [item] = await store.items([name], 1)
    if (item?.message !== undefined) timestamps.set(nameKey(name), item.message.timestampMs)
  }
  return timestamps
}

function judge(parts: GateParts, item: Item, context: ProofContext, opened: Map<Uint8Array, Covers>): Verdict {
  const verdict = judgeVersion(item, context.nowMs, parts.isOurs)
  if (verdict !== 'good') return verdict
  if (item.message !== undefined) {
    const { timestampMs } = item.message
    if (!isNamedByContent(parts.crypto, item, item.message.data) || timestampMs < TIMESTAMP_MIN_MS) return 'bad'
    if (timestampMs > context.nowMs + FORWARDED_TOLERANCE_MS) return 'later'
  } else if (!item.isTombstone) return 'bad'
  if (item.proof === undefined) return item.isTombstone || item.namespace === REVOCATIONS ? 'bad' : 'good'
  return coversOf(parts, item.proof, opened)(item, context) ? 'good' : 'bad'
}

function isNamedByContent(crypto: Crypto, { account, namespace, hash }: Item, data: Uint8Array): boolean {
  if (namespace === REVOCATIONS) return data.length === TOKEN_BYTES && tokenHash(crypto, data) === hash
  return data.length <= MESSAGE_MAX_BYTES && messageHash(crypto, account, namespace as Namespace, data) === hash
}

function coversOf({ openProof }: GateParts, proof: Uint8Array, opened: Map<Uint8Array, Covers>): Covers {
  let covers = opened.get(proof)
  if (covers === undefined) {
    covers = openProof(proof)
    opened.set(proof, covers)
  }
  return covers
}

/**
 * A message that was deleted and stored again elsewhere may have a shorter life than the one that is held here, where nobody knows of
 * the deletion. It keeps the longer one, which the other side then takes: so both end with the same, and nobody's word shortens a life.
 */
function withoutShortening(item: Item, held: ItemVersion | undefined): Item {
  if (item.isTombstone || item.proof !== undefined || held === undefined || held.isTombstone) return item
  return item.expiryMs < held.expiryMs ? { ...item, expiryMs: held.expiryMs } : item
}
