/**
 * A backup from its first byte to its last: header, chunks, records. What is read is a whole: it begins with the account, ends with the
 * record that counts the others, and says when it is not so before anybody acts on it, provided that they wait for the end.
 *
 * Implements BK-08 and BK-09.
 */
import type { Crypto, Random } from '@session-v2/crypto'
import { decodeHex } from '@session-v2/encoding'
import { accountFromSeed, wipeAccount } from '@session-v2/protocol'
import type { Unlock } from '../store/sealed/vault.ts'
import { ByteSource, openChunks, sealChunks } from './backup-chunks.ts'
import { BACKUP_HEADER_BYTES, createBackupHeader, damaged, openBackupHeader } from './backup-header.ts'
import {
  type BackupAccount,
  type BackupRecord,
  decodeBackupRecords,
  encodeBackupRecord,
  type UnknownRecord,
} from './backup-records.ts'

/** The bytes of a backup of these records. @throws ClientError `bad-unlock`, and what `records` throws */
export async function* writeBackup(
  { crypto, random }: { readonly crypto: Crypto; readonly random: Random },
  unlock: Unlock,
  records: AsyncIterable<BackupRecord>,
): AsyncGenerator<Uint8Array> {
  const { header, key } = createBackupHeader(crypto, random, unlock)
  try {
    yield header
    yield* sealChunks(crypto, key, encoded(records))
  } finally {
    key.wipe()
  }
}

/**
 * The records of a backup, in its order. Only once the last was given without an error is the backup known to be whole.
 * @throws ClientError `backup-damaged`, `backup-truncated`, `backup-too-new`, `wrong-passphrase`, `bad-unlock`, and what `parts` throws
 */
export async function* readBackup(
  crypto: Crypto,
  parts: AsyncIterable<Uint8Array>,
  unlock: Unlock,
): AsyncGenerator<BackupRecord | UnknownRecord> {
  const source = new ByteSource(parts)
  try {
    const { key, isLater } = openBackupHeader(crypto, await source.take(BACKUP_HEADER_BYTES), unlock)
    try {
      yield* inOrder(crypto, decodeBackupRecords(openChunks(crypto, key, source), isLater))
    } finally {
      key.wipe()
    }
  } finally {
    await source.close()
  }
}

async function* encoded(records: AsyncIterable<BackupRecord>): AsyncGenerator<Uint8Array> {
  for await (const record of records) yield encodeBackupRecord(record)
}

/** The places of the kinds; only messages and conversations may come more than once. */
const STAGES = ['account', 'settings', 'message', 'conversation', 'end'] as const

async function* inOrder(
  crypto: Crypto,
  records: AsyncIterable<BackupRecord | UnknownRecord>,
): AsyncGenerator<BackupRecord | UnknownRecord> {
  let stage = -1
  const counts = { message: 0, conversation: 0 }
  for await (const record of records) {
    // A record of a later version can stand anywhere, but for the first and the last place.
    if (record.kind === 'unknown') {
      if (stage < 0 || stage === STAGES.length - 1) throw damaged()
      yield record
      continue
    }
    const next = STAGES.indexOf(record.kind)
    const isRepeated = record.kind === 'message' || record.kind === 'conversation'
    if (next < stage || (next === stage && !isRepeated) || (stage < 1 && next !== stage + 1)) throw damaged()
    stage = next
    if (record.kind === 'account') requireAgreement(crypto, record)
    if (record.kind === 'message' || record.kind === 'conversation') counts[record.kind]++
    if (record.kind === 'end' && (record.messages !== counts.message || record.conversations !== counts.conversation))
      throw damaged()
    yield record
  }
  if (stage !== STAGES.length - 1) throw damaged()
}

/** The account ID is that of the seed: messages are attributed by it. */
function requireAgreement(crypto: Crypto, { accountId, seed }: BackupAccount): void {
  const account = accountFromSeed(crypto, decodeHex(seed))
  try {
    if (account.id !== accountId) throw damaged()
  } finally {
    wipeAccount(account)
  }
}
