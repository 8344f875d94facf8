/**
 * Takes a backup in. Nothing of it shows before all of it was read and found right.
 *
 *     reading ──► adding ──► done        the whole backup was authenticated and every record is valid: from here on it goes forward
 *        └──► nothing                    whatever ends it before: an error, a full disk, the end of the process
 *
 * While it is read, its messages are written aside, sealed like all others, in a table that nobody reads. One commit says that they count
 * (and, in a new home, makes the account). Then page after page goes from there into the log, each in one commit with how far it is; when
 * the process ends meanwhile, the rest follows as soon as the account is opened again, before anything else happens.
 *
 * Why not read the backup twice instead: it can be another one at the second time, it may come from where it can be read once only, and
 * 20,000 messages do not fit one commit of bounded size. The price is that they are written twice.
 *
 * Implements BK-11 and BK-12.
 */
import type { Crypto } from '@session-v2/crypto'
import type { AccountId } from '@session-v2/protocol'
import { ClientError } from '../client-error.ts'
import type { ConversationRecord, MessageLog, MessageRecord } from '../messages/message-log.ts'
import type { Change } from '../ports/store.ts'
import type { SealedStore, Table } from '../store/sealed/sealed-store.ts'
import type { Unlock } from '../store/sealed/vault.ts'
import type { OnBackupProgress } from './backup-export.ts'
import { damaged } from './backup-header.ts'
import type { BackupAccount, BackupConversation, BackupSettings } from './backup-records.ts'
import { readBackup } from './backup-stream.ts'

export const BACKUP_PAGES_TABLE = 'backup-pages'
const IMPORT_TABLE = 'backup-import'
const RECORD = 'self'
/** So that pages that another account left in the same file are not looked at. */
const PAGES = 'self'
/** A page is full with so many messages, or with so many characters in them. */
const PAGE_MESSAGES = 100
const PAGE_CHARACTERS = 65_536
const CLEAR_AT_ONCE = 10

/** Messages or conversations, never both: a conversation is to be there before it is changed. */
interface PageRecord {
  readonly messages: readonly MessageRecord[]
  readonly conversations: readonly BackupConversation[]
  /** From 0. */
  readonly index: number
}

/** What was read, and what came of it. */
export interface ImportRecord {
  /** The backup made this home: what is unread is what was unread there. */
  readonly isNewHome: boolean
  readonly pages: number
  /** The page to be added next. */
  readonly next: number
  /** When the backup was made. */
  readonly createdAtMs: number
  readonly messages: number
  readonly conversations: number
  /** Records of kinds that this version does not know. */
  readonly skipped: number
  /** Messages that were not here before. */
  readonly added: number
}

export interface BackupImportParts {
  readonly crypto: Crypto
  readonly store: SealedStore
  readonly onProgress?: OnBackupProgress | undefined
}

/** What of a backup is no page. */
interface BackupHead {
  readonly account: BackupAccount
  readonly settings: BackupSettings['settings']
}

/** A backup that was read to its end. */
export interface ReadBackup extends BackupHead {
  /** The change that makes its pages count. */
  readonly change: Change
}

interface Reading {
  head: BackupHead
  page: { messages: MessageRecord[]; conversations: BackupConversation[]; characters: number }
  pages: number
  messages: number
  conversations: number
  skipped: number
}

/**
 * Reads all of a backup and writes its pages aside. On failure they are taken away again.
 * @param self the account that it must be of, where there is one
 * @throws ClientError `other-account`, and those of `readBackup`
 */
export async function setAside(
  parts: BackupImportParts,
  source: AsyncIterable<Uint8Array>,
  unlock: Unlock,
  self?: AccountId,
): Promise<ReadBackup> {
  try {
    await clearPages(parts.store)
    return await readAll(parts, source, unlock, self)
  } catch (error) {
    // When this fails too, the next import does it.
    await clearPages(parts.store).catch(() => undefined)
    throw error
  }
}

async function readAll(
  parts: BackupImportParts,
  source: AsyncIterable<Uint8Array>,
  unlock: Unlock,
  self: AccountId | undefined,
): Promise<ReadBackup> {
  const { crypto, store, onProgress } = parts
  let reading: Reading | undefined
  for await (const record of readBackup(crypto, source, unlock)) {
    if (record.kind === 'account') {
      if (self !== undefined && record.accountId !== self) throw otherAccount(record.accountId)
      reading = begun({ account: record, settings: { downgradePolicy: 'ask' } })
      continue
    }
    if (reading === undefined) throw damaged()
    if (record.kind === 'settings') reading.head = { ...reading.head, settings: record.settings }
    else if (record.kind === 'unknown') reading.skipped++
    else if (record.kind === 'message') {
      if (isFull(reading)) await keepPage(store, reading)
      reading.page.messages.push(record.message)
      reading.page.characters += record.message.body.length
      reading.messages++
      onProgress?.({ step: 'reading', done: reading.messages, total: reading.head.account.messages })
    } else if (record.kind === 'conversation') {
      if (isFull(reading) || reading.page.messages.length > 0) await keepPage(store, reading)
      reading.page.conversations.push(record)
      reading.conversations++
    }
  }
  if (reading === undefined) throw damaged()
  await keepPage(store, reading)
  const { pages, messages, conversations, skipped } = reading
  const { createdAtMs } = reading.head.account
  const record: ImportRecord = {
    ...{ isNewHome: self === undefined, pages, next: 0 },
    ...{ createdAtMs, messages, conversations, skipped, added: 0 },
  }
  return { ...reading.head, change: importTable(store).put(RECORD, record) }
}

function begun(head: BackupHead): Reading {
  return { head, page: emptyPage(), pages: 0, messages: 0, conversations: 0, skipped: 0 }
}

function emptyPage(): Reading['page'] {
  return { messages: [], conversations: [], characters: 0 }
}

function isFull({ page: { messages, conversations, characters } }: Reading): boolean {
  return messages.length + conversations.length >= PAGE_MESSAGES || characters >= PAGE_CHARACTERS
}

async function keepPage(store: SealedStore, reading: Reading): Promise<void> {
  const { messages, conversations } = reading.page
  if (messages.length + conversations.length === 0) return
  const index = reading.pages++
  await store.commit([pagesTable(store).put(String(index), { index, messages, conversations }, PAGES)])
  reading.page = emptyPage()
}

function otherAccount(id: AccountId): ClientError {
  return new ClientError('other-account', `This is a backup of another account, ${id}. Nothing was changed.`)
}

/** What was imported last, if anything was; while pages wait, `next` is less than `pages`. */
export function lastImport(store: SealedStore): Promise<ImportRecord | undefined> {
  return importTable(store).get(RECORD)
}

/** Adds what was read and counts, from where it stopped. @throws ClientError `store-failed`; it goes on with the next call then */
export async function addPages(store: SealedStore, log: MessageLog, onProgress?: OnBackupProgress): Promise<void> {
  const table = importTable(store)
  let record = await table.get(RECORD)
  let done = 0
  while (record !== undefined && record.next < record.pages) {
    const before: ImportRecord = record
    const page = await pagesTable(store).get(String(before.next))
    if (page === undefined) throw new ClientError('store-damaged', 'A part of the backup that is being imported is missing.')
    record = await log.inTurn(async () => {
      const missing = await missingOf(log, page.messages)
      const changes = [...(await log.add(missing)), ...(await conversationChanges(store, page, before.isNewHome))]
      const after: ImportRecord = { ...before, next: before.next + 1, added: before.added + missing.length }
      await committed(store, [...changes, pagesTable(store).remove(String(page.index)), table.put(RECORD, after)])
      return after
    })
    done += page.messages.length
    if (page.messages.length > 0) onProgress?.({ step: 'adding', done, total: before.messages })
  }
}

async function committed(store: SealedStore, changes: readonly Change[]): Promise<void> {
  try {
    await store.commit(changes)
  } catch (cause) {
    if (!(cause instanceof ClientError && cause.code === 'store-failed')) throw cause
    const text =
      'The backup is right, and not all of it could be written. Is the disk full? The rest follows when the account is next opened.'
    throw new ClientError('store-failed', text, cause)
  }
}

/** Takes away what was read and does not count. */
export async function clearPages(store: SealedStore): Promise<void> {
  const table = pagesTable(store)
  for (;;) {
    const pages = await table.page({ group: PAGES, limit: CLEAR_AT_ONCE })
    if (pages.length === 0) return
    await store.commit(pages.map(({ value }) => table.remove(String(value.index))))
  }
}

/** A message is the same by its id, which follows from its sender, its time and what the sender drew for it. */
async function missingOf(log: MessageLog, messages: readonly MessageRecord[]): Promise<MessageRecord[]> {
  const missing = new Map<string, MessageRecord>()
  for (const message of messages) {
    if (!missing.has(message.messageId) && (await log.get(message.messageId)) === undefined)
      missing.set(message.messageId, message)
  }
  return [...missing.values()]
}

/** Names where there is none; in a new home also what is unread. */
async function conversationChanges(store: SealedStore, { conversations }: PageRecord, isNewHome: boolean): Promise<Change[]> {
  const table = store.table<ConversationRecord>('conversations')
  const changes = new Map<AccountId, Change>()
  for (const { id, name, unread } of conversations) {
    const before = await table.get(id)
    if (before === undefined) continue
    const named = before.name === undefined && name !== undefined ? { ...before, name } : before
    const after = isNewHome ? { ...named, unread: Math.min(unread, before.messages) } : named
    if (after !== before) changes.set(id, table.put(id, after))
  }
  return [...changes.values()]
}

function importTable(store: SealedStore): Table<ImportRecord> {
  return store.table<ImportRecord>(IMPORT_TABLE)
}

function pagesTable(store: SealedStore): Table<PageRecord> {
  return store.table<PageRecord>(BACKUP_PAGES_TABLE)
}
