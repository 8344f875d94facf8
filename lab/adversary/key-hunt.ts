/**
 * Reading a recording: every key that was taken is tried on everything that was recorded, in both roles, and what that opens may hold
 * more keys, until there is nothing new.
 *
 *     device key ─┬► group messages (21) ──► account keys ──► messages (0)
 *                 └► history that was handed over (2122)
 *     recovery password ─────────────────────────────────────► messages without forward secrecy (0)
 */
import type { Crypto } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import { NAMESPACE } from '@session-v2/network'
import {
  type Account,
  accountKeyFromSeed,
  decodeContent,
  deviceIdOf,
  expandKeyPair,
  keyringOf,
  openGroupMessage,
  openHistoryChunk,
  openMessage,
} from '@session-v2/protocol'
import type { Loot } from './loot.ts'
import type { Recorded, Tap } from './tap.ts'

export interface ReadMessage {
  readonly body: string
  /** When it was given to the swarm. */
  readonly atMs: number
  readonly pfs: boolean
}

export interface Haul {
  /** Messages to the account that open, the oldest first. */
  readonly messages: readonly ReadMessage[]
  /** When each of those that were recorded was sent. */
  readonly sentAtMs: readonly number[]
  /** Group messages that open. */
  readonly groupMessages: number
  /** Parts of a history that was handed over, which open. */
  readonly chunks: readonly Recorded[]
}

export interface HuntOptions {
  /** Whoever records may have begun late, or have missed namespace 21. */
  readonly withGroups?: boolean
}

/** Everything that a recording gives to whoever knows the account's recovery password and these seeds. */
export function hunt(
  crypto: Crypto,
  account: Account,
  tap: Pick<Tap, 'of'>,
  loot: Loot,
  { withGroups = true }: HuntOptions = {},
): Haul {
  const seeds = new Set(loot)
  const groups = withGroups ? tap.of(account.id, NAMESPACE.devices) : []
  const closed = new Set(groups)
  const handedOver = tap.of(account.id, NAMESPACE.historyChunks)
  const chunks = new Set<Recorded>()
  for (let tried = 0; tried < seeds.size; ) {
    const fresh = [...seeds].slice(tried)
    tried = seeds.size
    const pairs = fresh.map(seed => expandKeyPair(crypto, 'SessionDeviceKeys', decodeHex(seed)))
    for (const message of closed) {
      const opened = openGroupMessage(crypto, account, NO_DEVICE, pairs, message.payload)
      if (opened.outcome !== 'opened') continue
      closed.delete(message)
      for (const { seed } of opened.payload.accountKeys) seeds.add(encodeHex(seed.expose()))
    }
    // Whom it is from is nothing to a thief: what is forged only by that has been opened.
    for (const chunk of handedOver) {
      const { outcome } = openHistoryChunk(crypto, account, pairs, () => undefined, chunk.payload)
      if (outcome === 'opened' || outcome === 'forged') chunks.add(chunk)
    }
  }
  const inbox = tap.of(account.id, NAMESPACE.messages)
  const messages = readWith(crypto, account, seeds, inbox)
  return { messages, sentAtMs: inbox.map(({ atMs }) => atMs), groupMessages: groups.length - closed.size, chunks: [...chunks] }
}

/** The messages that open with the account and these seeds as account keys. */
export function readWith(crypto: Crypto, account: Account, seeds: Loot, inbox: readonly Recorded[]): ReadMessage[] {
  const keyring = keyringOf([...seeds].map((seed, i) => accountKeyFromSeed(crypto, decodeHex(seed), i, i + 1)))
  return inbox.flatMap(({ payload, atMs }) => {
    const opened = openMessage(crypto, account, keyring, payload)
    if (opened.outcome !== 'opened') return []
    return [{ body: decodeContent(opened.content).dataMessage?.body ?? '', atMs, pfs: opened.pfs }]
  })
}

/** The age of the oldest message, in milliseconds before `nowMs`; 0 without one. */
export function oldestAgeMs(messages: readonly ReadMessage[], nowMs: number): number {
  return messages.reduce((oldest, { atMs }) => Math.max(oldest, nowMs - atMs), 0)
}

const NO_DEVICE = deviceIdOf(new Uint8Array(32))
