/**
 * The 64 bits that stand for a version of an item when members compare sums (clause NODE-85). Pure; every store shares it, and so
 * must every member.
 *
 * | words, in this order | |
 * |---|---|
 * | hash | its characters, a word each |
 * | account | bytes 0 to 7, two words, least significant byte first |
 * | namespace | its 32 bits |
 * | decidedAt, changedAt, expiry | quotient and remainder by 2³² |
 * | kind | 0 message, 1 tombstone |
 *
 * Two lanes of 32 bits take each word w: `lane = imul(lane ⊕ w, factor)`, then `lane ⊕= lane >>> shift`. A last step mixes each with the
 * other. A sum of digests is a sum of each lane modulo 2³²; no lane carries into the other.
 *
 * This is not cryptographic, and need not be: the hash within is, so that nobody meets a digest by chance, and items do not depend
 * on it. Whoever computes a message whose digest hides a difference between two members has to keep that message from one of
 * them for as long as it is to be hidden; who can do that needs no digest to keep the other message from it. And a difference is hidden in its
 * minute alone, until the next item of that minute changes at one of them.
 */
import type { ItemVersion } from './store.ts'

/** 64 bits in two lanes, each an unsigned 32-bit integer. */
export interface Lanes {
  readonly high: number
  readonly low: number
}

const HIGH_FACTOR = 0x9e3779b1
const LOW_FACTOR = 0x85ebca77
const WORD = 2 ** 32

/** The digest of a version. */
export function itemDigest(item: ItemVersion): Lanes {
  const { hash, account, namespace, decidedAtMs, changedAtMs, expiryMs } = item
  let high = 0x243f6a88
  let low = 0x85a308d3
  const take = (word: number): void => {
    high = Math.imul(high ^ word, HIGH_FACTOR)
    high ^= high >>> 15
    low = Math.imul(low ^ word, LOW_FACTOR)
    low ^= low >>> 13
  }
  for (let i = 0; i < hash.length; i++) take(hash.charCodeAt(i))
  take(littleEndian(account, 0))
  take(littleEndian(account, 4))
  take(namespace)
  take(Math.floor(decidedAtMs / WORD))
  take(decidedAtMs % WORD)
  take(Math.floor(changedAtMs / WORD))
  take(changedAtMs % WORD)
  take(Math.floor(expiryMs / WORD))
  take(expiryMs % WORD)
  take(item.isTombstone ? 1 : 0)
  const mixedHigh = Math.imul(high ^ (low >>> 16), LOW_FACTOR)
  const mixedLow = Math.imul(low ^ (high >>> 16), HIGH_FACTOR)
  return { high: (mixedHigh ^ (mixedHigh >>> 13)) >>> 0, low: (mixedLow ^ (mixedLow >>> 15)) >>> 0 }
}

function littleEndian(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
}

/** The sum of two, lane by lane modulo 2³². */
export function addLanes(a: Lanes, b: Lanes): Lanes {
  return { high: (a.high + b.high) >>> 0, low: (a.low + b.low) >>> 0 }
}

/** What has to be added to take a digest out of a sum. */
export function negatedLanes({ high, low }: Lanes): Lanes {
  return { high: -high >>> 0, low: -low >>> 0 }
}

/** Both lanes as one unsigned 64-bit integer. */
export function lanesToBigInt({ high, low }: Lanes): bigint {
  return (BigInt(high) << 32n) | BigInt(low)
}
