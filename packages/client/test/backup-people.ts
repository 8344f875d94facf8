/** Homes with a history for tests of backups, written straight into the log: no network could deliver so many messages in time. */
import { type Client, openMemoryStore, type RecordStore } from '@session-v2/client'
import { loadCrypto, systemRandom } from '@session-v2/crypto'
import { concatBytes, encodeHex } from '@session-v2/encoding'
import { type AccountId, parseAccountId } from '@session-v2/protocol'
import { MessageLog, type MessageRecord } from '../src/messages/message-log.ts'
import { SealedStore } from '../src/store/sealed/sealed-store.ts'
import { openVault } from '../src/store/sealed/vault.ts'
import type { NetworkUnderTest } from './network-under-test.ts'
import { newClient, UNLOCK } from './people.ts'

export const crypto = await loadCrypto()
export const BACKUP = { key: new Uint8Array(32).fill(9) }
export const BOB: AccountId = parseAccountId(`05${'b0'.repeat(32)}`)
export const CAROL: AccountId = parseAccountId(`05${'ca'.repeat(32)}`)

/** The n-th message of a history that alternates between two conversations and both directions. */
export function messageOf(self: AccountId, n: number, body = `message ${n}`): MessageRecord {
  const conversation = n % 2 === 0 ? BOB : CAROL
  const outgoing = n % 3 === 0
  return {
    messageId: n.toString(16).padStart(32, '0'),
    conversation,
    sender: outgoing ? self : conversation,
    outgoing,
    body,
    sentAtMs: 1_700_000_000_000 + n,
    receivedAtMs: 1_700_000_000_500 + n,
    protocol: outgoing ? 'v2-pfs' : n % 5 === 0 ? 'v1' : 'v2',
    pfs: outgoing,
    state: outgoing ? 'stored' : 'received',
    ...(outgoing && { hashes: { recipient: `r${n}`, own: `o${n}` } }),
  }
}

export interface WrittenHome {
  readonly store: RecordStore
  readonly accountId: AccountId
  readonly recoveryPassword: string
}

/** A closed account with these messages. */
export async function homeWith(
  network: NetworkUnderTest,
  messages: (self: AccountId) => readonly MessageRecord[],
  store: RecordStore = openMemoryStore(),
): Promise<WrittenHome> {
  const client = await newClient(network, 'Alice', { store })
  const home = { store, accountId: client.accountId, recoveryPassword: client.recoveryPassword() }
  await client.close()
  await write(store, messages(home.accountId))
  return home
}

const NAMES = new Map([[BOB, 'Bob 🧱']])
const AT_ONCE = 500

/** Writes messages into a closed account. */
export async function write(store: RecordStore, messages: readonly MessageRecord[]): Promise<void> {
  const sealed = new SealedStore(crypto, systemRandom(), store, await openVault(crypto, store, UNLOCK))
  const log = new MessageLog(sealed)
  for (let at = 0; at < messages.length; at += AT_ONCE)
    await sealed.commit(await log.add(messages.slice(at, at + AT_ONCE), NAMES))
}

export async function collected(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const part of parts) all.push(part)
  return concatBytes(...all)
}

/** Bytes as a stream of parts of this size. */
export async function* inParts(bytes: Uint8Array, sizeBytes = 50_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += sizeBytes) yield bytes.subarray(at, at + sizeBytes)
}

/** What a backup keeps of messages, as texts that can be compared. */
export async function shown(client: Client): Promise<string[]> {
  return (await client.messages({ limit: 100_000 })).map(({ cursor, handedOver, ...message }) =>
    JSON.stringify(message, Object.keys(message).sort()),
  )
}

const TABLES = ['account', 'vault', 'settings', 'messages', 'conversations', 'events', 'outbox', 'backup-pages', 'backup-import']

/** All of a store that a backup could touch. */
export async function contents(store: RecordStore): Promise<string[]> {
  const tables = TABLES.map(async table => {
    const records = await store.scan(table, { limit: 1_000_000 })
    return records.map(({ key, value }) => `${table} ${encodeHex(key)} ${encodeHex(value)}`)
  })
  return (await Promise.all(tables)).flat()
}
