/**
 * The data key of an account, 32 random bytes, wrapped under what its person keeps: a passphrase or a key.
 *
 * The header is the one record that is not sealed. A thief of the store learns from it which of the two it is and, for a
 * passphrase, the cost of one guess.
 *
 * | field | |
 * |---|---|
 * | `version` | 1 |
 * | `method` | `passphrase` (Argon2id) or `key` |
 * | `salt`, `opsLimit`, `memoryBytes` | of Argon2id, for a passphrase |
 * | `wrapped` | nonce 24 ‖ XChaCha20-Poly1305 of the data key, 72 bytes |
 */
import type { Crypto, Random } from '@session-v2/crypto'
import { argon2id, CryptoError, Secret, wipe, xchacha20Poly1305Decrypt, xchacha20Poly1305Encrypt } from '@session-v2/crypto'
import { concatBytes, copyBytes, decodeHex, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import { ClientError } from '../../client-error.ts'
import type { RecordStore } from '../../ports/store.ts'
import { decodeRecord, encodeRecord } from './record-codec.ts'

/** What opens an account: words, or 32 bytes that the program keeps. The cost is for words and is remembered. */
export type Unlock = { readonly passphrase: string; readonly cost?: PassphraseCost } | { readonly key: Uint8Array }

/** What one guess at a passphrase costs. */
export interface PassphraseCost {
  /** Passes. */
  readonly opsLimit: number
  readonly memoryBytes: number
}

/** About 0.2 s and 64 MiB a guess. */
export const PASSPHRASE_COST: PassphraseCost = { opsLimit: 3, memoryBytes: 67_108_864 }

/** Bounds on what a header may ask for, so that a tampered one cannot exhaust the machine: 1 GiB, and some 10 s. */
const MIN_MEMORY_BYTES = 8192
const MAX_MEMORY_BYTES = 1_073_741_824
const MAX_WORK_BYTES = 4 * MAX_MEMORY_BYTES

const TABLE = 'vault'
const HEADER_KEY = encodeUtf8('header')
const ASSOCIATED = encodeUtf8('session-v2 vault 1')
const KEY_BYTES = 32
const SALT_BYTES = 16
const NONCE_BYTES = 24
const MAX_PASSPHRASE_BYTES = 4096

interface Header {
  readonly version: number
  readonly method: 'passphrase' | 'key'
  readonly salt?: string
  readonly opsLimit?: number
  readonly memoryBytes?: number
  readonly wrapped: string
}

/** Whether a store holds an account. */
export async function hasVault(store: RecordStore): Promise<boolean> {
  return (await store.get(TABLE, HEADER_KEY)) !== undefined
}

/** A data key and the change that keeps it. Nothing is written: the header goes in with the first records of the account. */
export interface NewVault {
  readonly dataKey: Secret<'data-key'>
  readonly change: { kind: 'put'; table: string; key: Uint8Array; value: Uint8Array }
}

/** Wraps a new data key. @throws ClientError `bad-unlock` for a passphrase, a key or a cost that cannot be. */
export function createVault(crypto: Crypto, random: Random, unlock: Unlock): NewVault {
  const dataKey = Secret.of(random.bytes(KEY_BYTES), 'data-key')
  const cost = 'passphrase' in unlock ? (unlock.cost ?? PASSPHRASE_COST) : undefined
  if (cost !== undefined && !isBearable(cost)) throw new ClientError('bad-unlock', 'The cost of a passphrase is out of bounds.')
  const parameters = cost === undefined ? {} : { salt: encodeHex(random.bytes(SALT_BYTES)), ...cost }
  const method = cost === undefined ? 'key' : 'passphrase'
  const wrappingKey = deriveWrappingKey(crypto, unlock, { version: 1, method, ...parameters, wrapped: '' })
  const nonce = random.bytes(NONCE_BYTES)
  const wrapped = xchacha20Poly1305Encrypt(crypto, wrappingKey, nonce, dataKey.expose(), ASSOCIATED)
  wipe(wrappingKey)
  const header: Header = { version: 1, method, ...parameters, wrapped: encodeHex(concatBytes(nonce, wrapped)) }
  return { dataKey, change: { kind: 'put', table: TABLE, key: HEADER_KEY, value: encodeRecord(header) } }
}

/**
 * The data key of the account in the store.
 * @throws ClientError `no-account`, `wrong-passphrase`, `store-damaged`, `bad-unlock` for a key where words are wanted or the reverse.
 */
export async function openVault(crypto: Crypto, store: RecordStore, unlock: Unlock): Promise<Secret<'data-key'>> {
  const record = await store.get(TABLE, HEADER_KEY)
  if (record === undefined) throw new ClientError('no-account', 'There is no account here.')
  const header = parseHeader(record.value)
  const wrappingKey = deriveWrappingKey(crypto, unlock, header)
  const wrapped = decodeHex(header.wrapped)
  try {
    const [nonce, sealed] = [wrapped.subarray(0, NONCE_BYTES), wrapped.subarray(NONCE_BYTES)]
    return Secret.of(xchacha20Poly1305Decrypt(crypto, wrappingKey, nonce, sealed, ASSOCIATED), 'data-key')
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    const what = header.method === 'passphrase' ? 'passphrase' : 'key'
    throw new ClientError('wrong-passphrase', `This ${what} does not open the account. Nothing was changed.`, cause)
  } finally {
    wipe(wrappingKey)
  }
}

function deriveWrappingKey(crypto: Crypto, unlock: Unlock, header: Header): Uint8Array {
  if (header.method === 'key') {
    if (!('key' in unlock)) throw new ClientError('bad-unlock', 'This account is opened by a key file, not by a passphrase.')
    if (unlock.key.length !== KEY_BYTES) throw new ClientError('bad-unlock', `The key of an account has ${KEY_BYTES} bytes.`)
    return copyBytes(unlock.key)
  }
  if (!('passphrase' in unlock)) throw new ClientError('bad-unlock', 'This account is opened by a passphrase, not by a key file.')
  const password = encodeUtf8(unlock.passphrase.normalize('NFKC'))
  if (password.length === 0 || password.length > MAX_PASSPHRASE_BYTES) {
    throw new ClientError('bad-unlock', `A passphrase has 1 to ${MAX_PASSPHRASE_BYTES} bytes.`)
  }
  const cost = { opsLimit: header.opsLimit!, memoryBytes: header.memoryBytes!, sizeBytes: KEY_BYTES }
  const key = argon2id(crypto, password, decodeHex(header.salt!), cost)
  wipe(password)
  return key
}

function parseHeader(value: Uint8Array): Header {
  const header = decodeRecord<Partial<Header>>(value)
  const words = header.method !== 'passphrase' || (isHex(header.salt, SALT_BYTES) && isBearable(header))
  const known = header.version === 1 && (header.method === 'passphrase' || header.method === 'key')
  if (!known || !words || !isHex(header.wrapped, NONCE_BYTES + KEY_BYTES + 16)) {
    throw new ClientError(
      'store-damaged',
      'The header of the account cannot be read. Restore it from a backup or the recovery password.',
    )
  }
  return header as Header
}

function isHex(text: unknown, sizeBytes: number): boolean {
  return typeof text === 'string' && text.length === 2 * sizeBytes && /^[0-9a-f]*$/.test(text)
}

/** Whether a guess at this cost can be made at all, and in time. */
export function isBearable({ opsLimit = 0, memoryBytes = 0 }: Partial<PassphraseCost>): boolean {
  const whole = Number.isInteger(opsLimit) && Number.isInteger(memoryBytes) && opsLimit >= 1
  return whole && memoryBytes >= MIN_MEMORY_BYTES && memoryBytes <= MAX_MEMORY_BYTES && opsLimit * memoryBytes <= MAX_WORK_BYTES
}
