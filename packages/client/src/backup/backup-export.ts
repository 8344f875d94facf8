/**
 * The records of an account as it is now. The picture is that of one moment: which messages there are, which conversations, what is
 * unread. What arrives while it is written is not in it. A message that changes its state meanwhile is in it with the earlier or the
 * later one.
 *
 * Implements BK-07.
 */
import { encodeHex } from '@session-v2/encoding'
import type { Account } from '@session-v2/protocol'
import type { AccountRecord } from '../account-record.ts'
import { ClientError } from '../client-error.ts'
import type { ConversationRecord, MessageLog, MessageRecord } from '../messages/message-log.ts'
import type { SettingsRecord } from '../settings.ts'
import type { SealedStore } from '../store/sealed/sealed-store.ts'
import type { BackupRecord } from './backup-records.ts'

/** Messages that are read at a time; in memory are those and, of each conversation, one row. */
const READ_AT_ONCE = 50

export interface BackupExportParts {
  readonly account: Account
  readonly record: AccountRecord
  readonly store: SealedStore
  readonly log: MessageLog
  readonly settings: SettingsRecord
  readonly nowMs: () => number
}

/** How far it is. */
export interface BackupProgress {
  /** `writing` an export; `reading` an import, then `adding` what it has. */
  readonly step: 'writing' | 'reading' | 'adding'
  /** Messages. */
  readonly done: number
  readonly total: number
}

export type OnBackupProgress = (progress: BackupProgress) => void

/** The records, read as they are asked for. @throws ClientError `closed`, `store-damaged` */
export async function* backupRecords(
  parts: BackupExportParts,
  onProgress: OnBackupProgress = () => undefined,
): AsyncGenerator<BackupRecord> {
  const { account, record, log, settings, nowMs } = parts
  const { until, conversations } = await pictureOf(parts)
  if (account.seed.wiped) throw new ClientError('closed', 'The client is closed.')
  const total = conversations.reduce((sum, { messages }) => sum + messages, 0)
  const seed = encodeHex(account.seed.expose())
  yield { kind: 'account', accountId: account.id, seed, name: record.name, createdAtMs: nowMs(), messages: total }
  yield { kind: 'settings', settings: settings.settings }
  let messages = 0
  for (let after = 0; after < until; ) {
    const page = (await log.page({ after, limit: READ_AT_ONCE })).filter(({ order }) => order <= until)
    if (page.length === 0) break
    for (const { value: message } of page) yield { kind: 'message', message }
    messages += page.length
    after = page.at(-1)!.order
    onProgress({ step: 'writing', done: messages, total })
  }
  for (const { id, unread, name } of conversations)
    yield { kind: 'conversation', id, unread, ...(name === undefined ? {} : { name }) }
  yield { kind: 'end', messages, conversations: conversations.length }
}

/** Which messages there are, and the conversations that agree with them: read while no message is being added. */
function pictureOf({
  store,
  log,
}: BackupExportParts): Promise<{ readonly until: number; readonly conversations: readonly ConversationRecord[] }> {
  return log.inTurn(async () => {
    const [newest] = await store.table<MessageRecord>('messages').page({ limit: 1, reverse: true })
    return { until: newest?.order ?? 0, conversations: await log.conversations() }
  })
}
