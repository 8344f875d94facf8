/**
 * How a backup begins, and the key of its chunks.
 *
 * | bytes | field | |
 * |---|---|---|
 * | 16 | magic | `SessionV2 backup` |
 * | 1 | major | 1; what is larger is refused |
 * | 1 | minor | 0; with what is larger, kinds of records that are not known are skipped |
 * | 1 | method | 0 a key, 1 a passphrase |
 * | 1 | | 0 |
 * | 4 | passes | of Argon2id; 0 for a key |
 * | 4 | memory | of Argon2id, in bytes; 0 for a key |
 * | 16 | salt | random |
 * | 16 | check | tells a wrong passphrase from damage |
 * | 16 | sum | tells damage of the header itself; a hash without a key, no protection |
 *
 *     root ── Argon2id(passphrase, salt), or the key
 *       ├── BLAKE2b(fields) ──► the key of the chunks: another one for each backup, and none when a bit of the fields is another
 *       └── BLAKE2b(fields) ──► check
 *
 * A thief who guesses at the passphrase learns from `check` whether a guess was right, which the first chunk would tell too. The
 * passphrase is one of its own: whoever can unlock this device has not thereby the backups, nor the other way round.
 *
 * Implements BK-01 to BK-04.
 */
import type { Crypto, Random } from '@session-v2/crypto'
import { argon2id, blake2b, CryptoError, constantTimeEqual, Secret, wipe } from '@session-v2/crypto'
import { concatBytes, copyBytes, encodeUtf8, equalBytes, readUint32Le, uint32Le } from '@session-v2/encoding'
import { ClientError } from '../client-error.ts'
import { isBearable, type PassphraseCost, type Unlock } from '../store/sealed/vault.ts'

const MAGIC = encodeUtf8('SessionV2 backup')
const MAJOR = 1
const MINOR = 0
const METHODS = ['key', 'passphrase'] as const

const KEY_BYTES = 32
const SALT_BYTES = 16
const CHECK_BYTES = 16
const SUM_BYTES = 16
const MAX_PASSPHRASE_BYTES = 4096
const MEBIBYTE = 1_048_576

const MAJOR_AT = 16
const MINOR_AT = 17
const METHOD_AT = 18
const PASSES_AT = 20
const MEMORY_AT = 24
const SALT_AT = 28
/** What `check` and the key of the chunks are made of. */
const FIELDS_BYTES = SALT_AT + SALT_BYTES
const SUM_AT = FIELDS_BYTES + CHECK_BYTES
/** 76. */
export const BACKUP_HEADER_BYTES: number = SUM_AT + SUM_BYTES

const KEY_PERSONAL = 'SessionV2_BkpKey'
const CHECK_PERSONAL = 'SessionV2_BkpChk'
const SUM_PERSONAL = 'SessionV2_BkpSum'

/** About 1 s and 256 MiB a guess: it is asked for seldom, and who has the file can guess for ever. */
export const BACKUP_COST: PassphraseCost = { opsLimit: 3, memoryBytes: 268_435_456 }

/** The key of the chunks of one backup. */
export type BackupKey = Secret<'backup-key'>

export interface NewBackupHeader {
  /** 76 bytes. */
  readonly header: Uint8Array
  readonly key: BackupKey
}

export interface OpenedBackupHeader {
  readonly key: BackupKey
  /** A later version wrote it, one that this one can read: kinds of records that are not known are skipped. */
  readonly isLater: boolean
}

/** The header of a new backup. Blocks for as long as Argon2id takes. @throws ClientError `bad-unlock`, `unsupported` */
export function createBackupHeader(crypto: Crypto, random: Random, unlock: Unlock): NewBackupHeader {
  const isWords = 'passphrase' in unlock
  const cost = isWords ? (unlock.cost ?? BACKUP_COST) : undefined
  if (cost !== undefined && !isBearable(cost)) throw new ClientError('bad-unlock', 'The cost of a passphrase is out of bounds.')
  const method = METHODS.indexOf(isWords ? 'passphrase' : 'key')
  const costs = [uint32Le(cost?.opsLimit ?? 0), uint32Le(cost?.memoryBytes ?? 0)]
  const fields = concatBytes(MAGIC, Uint8Array.of(MAJOR, MINOR, method, 0), ...costs, random.bytes(SALT_BYTES))
  const { key, check } = derived(crypto, fields, unlock)
  const checked = concatBytes(fields, check)
  return { header: concatBytes(checked, sumOf(crypto, checked)), key }
}

/**
 * Reads a header and tries what is to open it. Blocks for as long as Argon2id takes: 10 s and 1 GiB at most, whatever it says.
 * @param bytes the first 76 bytes of the backup, or all there are
 * @throws ClientError `backup-damaged`, `backup-truncated`, `backup-too-new`, `wrong-passphrase`, `bad-unlock`,
 *   `unsupported` when this machine has not the memory that the passphrase takes
 */
export function openBackupHeader(crypto: Crypto, bytes: Uint8Array, unlock: Unlock): OpenedBackupHeader {
  const begun = bytes.subarray(0, MAGIC.length)
  if (bytes.length === 0 || !equalBytes(begun, MAGIC.subarray(0, begun.length)))
    throw new ClientError('backup-damaged', 'This is no backup, or its beginning is damaged. Nothing was changed.')
  if (bytes.length < BACKUP_HEADER_BYTES) throw truncated()
  const [fields, check] = [bytes.subarray(0, FIELDS_BYTES), bytes.subarray(FIELDS_BYTES, SUM_AT)]
  if (!equalBytes(sumOf(crypto, bytes.subarray(0, SUM_AT)), bytes.subarray(SUM_AT))) throw damaged()
  if (fields[MAJOR_AT]! > MAJOR) {
    const text = 'A later version of this program wrote the backup. Update, then import it again. Nothing was changed.'
    throw new ClientError('backup-too-new', text)
  }
  const made = derived(crypto, fields, costed(fields, unlock))
  if (constantTimeEqual(made.check, check)) return { key: made.key, isLater: fields[MINOR_AT]! > MINOR }
  made.key.wipe()
  const what = 'passphrase' in unlock ? 'passphrase' : 'key'
  throw new ClientError('wrong-passphrase', `This ${what} does not open the backup. Nothing was changed.`)
}

/** What of a backup cannot be read. */
export function damaged(cause?: unknown): ClientError {
  return new ClientError('backup-damaged', 'The backup is damaged. Nothing was changed; take another copy of it.', cause)
}

/** A backup that ends too early. */
export function truncated(): ClientError {
  const text =
    'The backup ends too early: it was not copied, or not written, to its end. Nothing was changed; take another copy of it.'
  return new ClientError('backup-truncated', text)
}

/** What opens it, at the cost that the header says. */
function costed(fields: Uint8Array, unlock: Unlock): Unlock {
  const method = METHODS[fields[METHOD_AT]!]
  const cost = { opsLimit: readUint32Le(fields, PASSES_AT), memoryBytes: readUint32Le(fields, MEMORY_AT) }
  if (fields[MAJOR_AT] !== MAJOR || method === undefined || (method === 'passphrase' && !isBearable(cost))) throw damaged()
  if (method === 'key') {
    if ('key' in unlock) return unlock
    throw new ClientError('bad-unlock', 'This backup is opened by a key, not by a passphrase.')
  }
  if ('passphrase' in unlock) return { passphrase: unlock.passphrase, cost }
  throw new ClientError('bad-unlock', 'This backup is opened by a passphrase, not by a key.')
}

function derived(crypto: Crypto, fields: Uint8Array, unlock: Unlock): { readonly key: BackupKey; readonly check: Uint8Array } {
  const root = rootOf(crypto, fields, unlock)
  try {
    const key = Secret.of(blake2b(crypto, KEY_BYTES, [fields], { key: root, personal: KEY_PERSONAL }), 'backup-key')
    return { key, check: blake2b(crypto, CHECK_BYTES, [fields], { key: root, personal: CHECK_PERSONAL }) }
  } finally {
    wipe(root)
  }
}

function rootOf(crypto: Crypto, fields: Uint8Array, unlock: Unlock): Uint8Array {
  if ('key' in unlock) {
    if (unlock.key.length !== KEY_BYTES) throw new ClientError('bad-unlock', `The key of a backup has ${KEY_BYTES} bytes.`)
    return copyBytes(unlock.key)
  }
  const password = encodeUtf8(unlock.passphrase.normalize('NFKC'))
  if (password.length === 0 || password.length > MAX_PASSPHRASE_BYTES)
    throw new ClientError('bad-unlock', `A passphrase has 1 to ${MAX_PASSPHRASE_BYTES} bytes.`)
  const { opsLimit, memoryBytes } = unlock.cost ?? BACKUP_COST
  try {
    return argon2id(crypto, password, fields.subarray(SALT_AT), { opsLimit, memoryBytes, sizeBytes: KEY_BYTES })
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    const text = `The passphrase of a backup takes ${Math.ceil(memoryBytes / MEBIBYTE)} MiB of memory, which is not free here. Nothing was changed.`
    throw new ClientError('unsupported', text, cause)
  } finally {
    wipe(password)
  }
}

function sumOf(crypto: Crypto, checked: Uint8Array): Uint8Array {
  return blake2b(crypto, SUM_BYTES, [checked], { personal: SUM_PERSONAL })
}
