/**
 * A home made from a backup: the account of its recovery password, as a new device that is in no group yet, with the history, the name and
 * the choices. The account is made by the commit that makes the history count; before it there is no account here, whatever happens.
 *
 * Implements BK-12.
 */
import type { Crypto, Random } from '@session-v2/crypto'
import { wipe } from '@session-v2/crypto'
import { decodeHex } from '@session-v2/encoding'
import { ACCOUNT_KEY, ACCOUNT_TABLE, checkSeeds, newAccountRecord } from '../account-record.ts'
import { ClientError } from '../client-error.ts'
import type { Clock } from '../ports/clock.ts'
import type { RecordStore } from '../ports/store.ts'
import { SettingsRecord } from '../settings.ts'
import { SealedStore } from '../store/sealed/sealed-store.ts'
import { createVault, hasVault, type Unlock } from '../store/sealed/vault.ts'
import type { OnBackupProgress } from './backup-export.ts'
import { BACKUP_PAGES_TABLE, setAside } from './backup-import.ts'

/** What a home is made of. */
export interface BackupRestore {
  /** Where the account will be kept. The client closes it. */
  readonly store: RecordStore
  /** What will open the account. */
  readonly unlock: Unlock
  /** Base URLs of the network's seeds; a backup does not say where the network is. */
  readonly seeds: readonly string[]
  /** The backup, from its first byte to its last. */
  readonly backup: AsyncIterable<Uint8Array>
  /** What opens the backup. */
  readonly backupUnlock: Unlock
  readonly onProgress?: OnBackupProgress
}

const CLEAR_AT_ONCE = 10

/**
 * Makes the account of a backup in an empty store. What is to be added follows when the store is opened.
 * @throws ClientError `account-exists`, `no-seed`, and those of `Backup.import`; there is no account then
 */
export async function storeFromBackup(
  { crypto, random, clock }: { readonly crypto: Crypto; readonly random: Random; readonly clock: Clock },
  { store, unlock, seeds, backup, backupUnlock, onProgress }: BackupRestore,
): Promise<SealedStore> {
  if (await hasVault(store)) throw new ClientError('account-exists', 'There is an account here already. Nothing was changed.')
  checkSeeds(seeds)
  const vault = createVault(crypto, random, unlock)
  const sealed = new SealedStore(crypto, random, store, vault.dataKey)
  try {
    await clearLeftPages(store)
    const { account, settings, change } = await setAside({ crypto, store: sealed, onProgress }, backup, backupUnlock)
    const seed = decodeHex(account.seed)
    const record = newAccountRecord(seed, account.name, seeds, { nowMs: clock.nowMs(), owesGroup: false })
    wipe(seed)
    const chosen = (await SettingsRecord.open(sealed)).change(settings).change
    await sealed.commit([vault.change, sealed.put(ACCOUNT_TABLE, ACCOUNT_KEY, record), chosen, change])
    return sealed
  } catch (error) {
    await sealed.close()
    throw error
  }
}

/** What an attempt that was interrupted left: sealed under a key that nobody has any more. */
async function clearLeftPages(store: RecordStore): Promise<void> {
  for (;;) {
    const pages = await store.scan(BACKUP_PAGES_TABLE, { limit: CLEAR_AT_ONCE })
    if (pages.length === 0) return
    await store.commit(pages.map(({ key }) => ({ kind: 'delete', table: BACKUP_PAGES_TABLE, key })))
  }
}
