/**
 * Backups of the account: everything that its person would miss, in one stream of bytes under a passphrase of its own. What is in it, and
 * what a thief would have of it, stands in `backup-records.ts`; how it is taken in, in `backup-import.ts`.
 */
import type { Crypto, Random } from '@session-v2/crypto'
import type { Account } from '@session-v2/protocol'
import { Turns } from '../scheduler/turns.ts'
import type { Unlock } from '../store/sealed/vault.ts'
import { type BackupExportParts, backupRecords, type OnBackupProgress } from './backup-export.ts'
import { addPages, clearPages, type ImportRecord, lastImport, setAside } from './backup-import.ts'
import { writeBackup } from './backup-stream.ts'

export interface BackupParts extends BackupExportParts {
  readonly crypto: Crypto
  readonly random: Random
  readonly account: Account
}

export interface BackupOptions {
  /** Told after every few messages. */
  readonly onProgress?: OnBackupProgress
}

/** What a backup brought. Times are milliseconds since the epoch. */
export interface ImportView {
  /** When the backup was made. */
  readonly createdAtMs: number
  /** Messages in it. */
  readonly messages: number
  readonly conversations: number
  /** Messages that were not here before. */
  readonly added: number
  /** Records of a later version that this one cannot show. */
  readonly skipped: number
}

export class Backup {
  readonly #parts: BackupParts
  /** One import at a time. */
  readonly #turns = new Turns()

  private constructor(parts: BackupParts) {
    this.#parts = parts
  }

  /** Finishes an import that the end of the process cut short, or takes away what was read of it. @throws ClientError `store-failed` */
  static async open(parts: BackupParts, onProgress?: OnBackupProgress): Promise<Backup> {
    await addPages(parts.store, parts.log, onProgress)
    await clearPages(parts.store)
    return new Backup(parts)
  }

  /**
   * A backup of the account as it is when the first bytes are asked for, in parts of at most 64 KiB and a little. They are made as they are
   * taken; whoever stops taking them has no backup, which an import tells.
   * @param unlock a passphrase of 1 to 4096 bytes, or a key of 32; not that of the account
   * @throws ClientError `bad-unlock`, `closed`, `store-damaged`
   */
  export(unlock: Unlock, { onProgress }: BackupOptions = {}): AsyncGenerator<Uint8Array> {
    return writeBackup(this.#parts, unlock, backupRecords(this.#parts, onProgress))
  }

  /**
   * Adds the messages and the names of a backup of this account that are missing here, and changes nothing else. Nothing shows before all
   * of the backup was found right; after that it is completed, if need be when the account is opened again.
   * @throws ClientError `wrong-passphrase`, `bad-unlock`, `other-account`, `backup-damaged`, `backup-truncated`, `backup-too-new`,
   *   `store-failed`, and what `backup` throws
   */
  async import(backup: AsyncIterable<Uint8Array>, unlock: Unlock, { onProgress }: BackupOptions = {}): Promise<ImportView> {
    const { store, log, account, crypto } = this.#parts
    return this.#turns.take(async () => {
      // One that a full disk stopped goes first.
      await addPages(store, log)
      const { change } = await setAside({ crypto, store, onProgress }, backup, unlock, account.id)
      await store.commit([change])
      await addPages(store, log, onProgress)
      return viewOf((await lastImport(store))!)
    })
  }

  /** What was imported last; undefined when nothing ever was. */
  async imported(): Promise<ImportView | undefined> {
    const record = await lastImport(this.#parts.store)
    return record && viewOf(record)
  }
}

function viewOf({ createdAtMs, messages, conversations, added, skipped }: ImportRecord): ImportView {
  return { createdAtMs, messages, conversations, added, skipped }
}
