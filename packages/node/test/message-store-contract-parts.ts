/** What the parts of the contract suite of message stores share. */
import { expect } from 'vitest'
import { itemDigest, lanesToBigInt } from '../src/store/item-digest.ts'
import { MINUTE_MS } from '../src/store/item-version.ts'
import type { Change, Item, ItemVersion, MessageStore, StoredMessage } from '../src/store/store.ts'

export interface StoreUnderTest {
  readonly store: MessageStore
  /** The store's time. */
  nowMs(): number
  /** Lets time pass, for the store and for what may expire by itself. */
  advance(ms: number): Promise<void>
  close(): Promise<void>
}

export type Open = () => Promise<StoreUnderTest>

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
export const PLENTY = 7_800_000
export const OUTBOX = -21

/** Outboxes, as far as the suite uses namespaces. */
export function replaces(namespace: number): boolean {
  return namespace < 0
}

export function account(n: number): Uint8Array {
  return Uint8Array.of(5, ...new Uint8Array(31), n)
}

export function hashOf(name: string): string {
  return name.padEnd(43, 'A')
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** A message of account 1 in namespace 0 that lives for an hour, except for what is said. */
export function message(nowMs: number, name: string, parts: Partial<StoredMessage> = {}): StoredMessage {
  const times = { timestampMs: nowMs, expiryMs: nowMs + HOUR }
  return { account: account(1), namespace: 0, hash: hashOf(name), ...times, data: bytes(`content of ${name}`), ...parts }
}

export function asked(atMs: number, proof?: string): Change {
  return { atMs, mode: 'asked', ...(proof !== undefined && { proof: bytes(proof) }) }
}

/** Both times of a version. */
export function times(decidedAtMs: number, changedAtMs = decidedAtMs) {
  return { decidedAtMs, changedAtMs }
}

export function late(atMs: number, proof?: string): Change {
  return { ...asked(atMs, proof), mode: 'late' }
}

/** Forgets all that is kept of an account; whoever calls is alone. */
export async function forgetAll(store: MessageStore, owner: Uint8Array): Promise<void> {
  for (
    let versions = await store.versionsOf(owner, 1_000);
    versions.length > 0;
    versions = await store.versionsOf(owner, 1_000)
  ) {
    expect(await store.forget(versions)).toBe(versions.length)
  }
}

/** Keeps a message as asked now. */
export function put({ store, nowMs }: StoreUnderTest, one: StoredMessage) {
  return store.store(one, replaces(one.namespace), asked(nowMs()))
}

/** Names of the messages of a namespace, in order of arrival. */
export async function hashes(
  store: MessageStore,
  query: { account?: Uint8Array; namespace?: number; afterHash?: string } = {},
): Promise<string[]> {
  const page = await store.retrieve({ account: account(1), namespace: 0, budgetBytes: PLENTY, ...query })
  return page.messages.map(found => found.hash.replace(/A+$/, ''))
}

/** The version of an item of account 1, without the name. */
export async function versionOf(store: MessageStore, name: string, namespace = 0, of = account(1)) {
  const [held] = await store.heldVersions([{ account: of, namespace, hash: hashOf(name) }])
  if (held === undefined) return undefined
  const { decidedAtMs, changedAtMs, isTombstone, expiryMs } = held
  return { decidedAtMs, changedAtMs, isTombstone, expiryMs }
}

/** Arrays of a driver's own class as plain ones. */
export function plain<T extends ItemVersion>(versions: readonly (T | undefined)[]): (T | undefined)[] {
  return versions.map(version => version && { ...version, account: new Uint8Array(version.account) })
}

/** All items of accounts, tombstones included. */
export async function allVersions(store: MessageStore, accounts: readonly Uint8Array[]): Promise<ItemVersion[]> {
  const versions = await Promise.all(accounts.map(one => store.versionsOf(one, 100_000)))
  return plain(versions.flat()) as ItemVersion[]
}

/** Items as values that can be compared. */
export async function itemsOf(store: MessageStore, accounts: readonly Uint8Array[]): Promise<Item[]> {
  const items = await store.items(await allVersions(store, accounts), 1e12)
  return items.map(item => ({
    ...item,
    account: new Uint8Array(item.account),
    ...(item.message && { message: { ...item.message, data: new Uint8Array(item.message.data) } }),
    ...(item.proof && { proof: new Uint8Array(item.proof) }),
  }))
}

/** What the sums have to be, by minute, of the minutes behind the current one: made from the versions that are held. */
export function expectedSums(versions: readonly ItemVersion[], nowMs: number): Map<number, bigint> {
  const sums = new Map<number, bigint>()
  for (const version of versions) {
    const at = minute(version.expiryMs)
    if (at > minute(nowMs)) sums.set(at, add(sums.get(at) ?? 0n, lanesToBigInt(itemDigest(version))))
  }
  return sums
}

/** Lane by lane. */
function add(a: bigint, b: bigint): bigint {
  const high = ((a >> 32n) + (b >> 32n)) & 0xffffffffn
  return (high << 32n) | ((a + b) & 0xffffffffn)
}

/** The sums that a store has for these minutes. */
export async function sumsOf(store: MessageStore, minutes: Iterable<number>): Promise<Map<number, bigint>> {
  const sums = new Map<number, bigint>()
  for (const from of minutes) sums.set(from, (await store.sums({ from, to: from + 1 }, 1))[0]!)
  return sums
}

export function minute(timeMs: number): number {
  return Math.floor(timeMs / MINUTE_MS)
}

/** The sums of a store are those of what it holds of these accounts. */
export async function expectSums({ store, nowMs }: StoreUnderTest, of = [account(1), account(2)]): Promise<void> {
  const versions = await allVersions(store, of)
  const minutes = versions.map(version => minute(version.expiryMs)).filter(one => one > minute(nowMs()))
  expect(await sumsOf(store, new Set(minutes))).toEqual(expectedSums(versions, nowMs()))
}

/** A test that opens a store of its own. */
export function withStore(open: Open, body: (test: StoreUnderTest) => Promise<void>): () => Promise<void> {
  return async () => {
    const test = await open()
    try {
      await body(test)
    } finally {
      await test.close()
    }
  }
}
